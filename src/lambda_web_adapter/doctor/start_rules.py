"""The rules about the start of an app, and its first requests."""

from __future__ import annotations

from lambda_web_adapter.doctor.findings import Group, Rule, Severity

APP_NOT_FOUND = Rule(
    id="app-not-found",
    group=Group.START,
    severity=Severity.ERROR,
    title="There is no app of that name, or none was found.",
    advice="Name the app as module and attribute, such as main:app.",
)
IMPORT_FAILS = Rule(
    id="import-fails",
    group=Group.START,
    severity=Severity.ERROR,
    title="The app's import raises an exception.",
    advice="Correct what the traceback shows: the app's code, or what is installed.",
)
START_FAILS = Rule(
    id="start-fails",
    group=Group.START,
    severity=Severity.ERROR,
    title="The environment ends before it is ready.",
    advice="Correct what its last lines show.",
)
SLOW_START = Rule(
    id="slow-start",
    group=Group.START,
    severity=Severity.ERROR,
    title="The init takes longer than Lambda allows, which starts it once more within the first invocation.",
    advice="Do less at import and in the lifespan startup, give the function more memory, or use SnapStart.",
)
TOO_LITTLE_MEMORY = Rule(
    id="too-little-memory",
    group=Group.START,
    severity=Severity.ERROR,
    title="The environment needs more memory than the function has.",
    advice="Give the function more memory; try it with --memory.",
)
REQUEST_FAILS = Rule(
    id="request-fails",
    group=Group.START,
    severity=Severity.ERROR,
    title="A warm request fails.",
    advice="Correct what the log of the request shows. `warm` in pyproject.toml names other requests.",
)
ATTEMPTED_WRITE = Rule(
    id="attempted-write",
    group=Group.START,
    severity=Severity.WARNING,
    title="The app changes a file outside of /tmp, where Lambda has a read-only file system.",
    advice="Write to /tmp, or to a storage if it has to last.",
)
COMPILED_AT_START = Rule(
    id="compiled-at-start",
    group=Group.START,
    severity=Severity.WARNING,
    title="The start compiles modules, for lack of valid bytecode.",
    advice="Compile them in the build: `python -m compileall -f --invalidation-mode unchecked-hash FOLDER`.",
)
NEEDLESS_IMPORT = Rule(
    id="needless-import",
    group=Group.START,
    severity=Severity.NOTE,
    title="The start imports a module of which nothing runs in the warm requests, and succeeds without it.",
    advice="Import it in the functions that need it.",
)
RULES = (
    APP_NOT_FOUND,
    IMPORT_FAILS,
    START_FAILS,
    SLOW_START,
    TOO_LITTLE_MEMORY,
    REQUEST_FAILS,
    ATTEMPTED_WRITE,
    COMPILED_AT_START,
    NEEDLESS_IMPORT,
)
