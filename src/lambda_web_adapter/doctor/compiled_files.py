"""Bytecode: whether Python takes the compiled files, or compiles the sources at every cold start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.artifact import leads_out
from lambda_web_adapter.artifacts.bytecode import Use, use_of
from lambda_web_adapter.doctor.findings import Group, Rule, Severity, count_text, paths_text
from lambda_web_adapter.doctor.syntax import is_wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.subject import Subject

_COMPILE = "Compile with `python -m compileall -f --invalidation-mode unchecked-hash` before it is zipped; "
_IMAGE_ADVICE = "Run `python -m compileall -f --invalidation-mode unchecked-hash` in the Dockerfile: docs/images.md."
STALE_BYTECODE = Rule(
    id="stale-bytecode",
    group=Group.PACKAGE,
    severity=Severity.ERROR,
    title="Python rejects compiled files, since their sources have other times, and compiles them at each cold start.",
    advice=f"{_COMPILE}`doctor --fix` does it afterwards.",
    fixable=True,
)
MISSING_BYTECODE = Rule(
    id="missing-bytecode",
    group=Group.PACKAGE,
    severity=Severity.WARNING,
    title="Modules have no compiled file for the function's Python, which compiles them at each cold start.",
    advice=f"{_COMPILE}`doctor --fix` does it afterwards.",
    fixable=True,
)
TIMED_BYTECODE = Rule(
    id="timed-bytecode",
    group=Group.PACKAGE,
    severity=Severity.NOTE,
    title="Compiled files of a build folder are valid only until a tool writes other times into the zip.",
    advice=f"{_COMPILE}SAM, CDK and Serverless write fixed times.",
    fixable=True,
)
CHECKED_BYTECODE = Rule(
    id="checked-bytecode",
    group=Group.PACKAGE,
    severity=Severity.NOTE,
    title="Python reads and hashes the source of each compiled file (checked-hash).",
    advice="Compile with unchecked-hash: in a function the sources never change.",
    fixable=True,
)
RULES = (STALE_BYTECODE, MISSING_BYTECODE, TIMED_BYTECODE, CHECKED_BYTECODE)

# Sources that no start imports, although they end in .py: templates and tests of syntax errors have no bytecode.
_NEVER_IMPORTED = {"tests", "test", "testing", "templates", "project_template", "app_template"}
# Parts of the standard library that no function imports.
_NEVER_IMPORTED |= {"idlelib", "lib2to3", "turtledemo", "tkinter", "ensurepip", "pydoc_data"}
# A few files without bytecode cost nothing that anybody would notice.
_LEAST_MISSING_SHARE = 0.02
_MOST_PARSED = 100


def uses_of(subject: Subject) -> dict[Use | None, list[str]]:
    """Return the sources of an artifact by what Python does with their compiled files."""
    uses: dict[Use | None, list[str]] = {}
    for path, entry in {**subject.standard_library, **subject.deployed}.items():
        if path.endswith(".py") and entry.size and not entry.target and _may_be_module(subject, path):
            uses.setdefault(use_of(subject.artifact, path, subject.target.cache_tag), []).append(path)
    # What cannot be compiled is no module; among many that are not compiled, nobody notices it.
    if 0 < len(uses.get(None, ())) <= _MOST_PARSED:
        uses[None] = [path for path in uses[None] if not is_wrong(subject.artifact.read(path), subject.target.python)]
    return uses


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with the compiled files of an artifact, without what it costs."""
    if subject.is_project:
        return
    uses = uses_of(subject)
    total = sum(map(len, uses.values()))
    version = f"Python {subject.target.python_name}"
    stale = [*uses.get(Use.STALE, ()), *uses.get(Use.BROKEN, ())]
    if stale:
        message = (
            f"{version} rejects the compiled files of {len(stale):,} of {count_text(total, 'module')}: time or size of "
        )
        advice = _IMAGE_ADVICE if subject.artifact.image else ""
        yield STALE_BYTECODE.broken(f"{message}their sources differ ({paths_text(stale)}).", stale[0], advice=advice)
    missing = [*uses.get(None, ()), *uses.get(Use.FOREIGN, ())]
    if len(missing) > total * _LEAST_MISSING_SHARE:
        others = _other_versions(subject)
        instead = f"; there are files of Python {', '.join(others)}, which is not looked at" if others else ""
        have = "has" if len(missing) == 1 else "have"
        message = f"{len(missing):,} of {count_text(total, 'module')} {have} no compiled file for {version}{instead}"
        advice = _IMAGE_ADVICE if subject.artifact.image else ""
        yield MISSING_BYTECODE.broken(f"{message} ({paths_text(missing)}).", missing[0], advice=advice)
    timed = uses.get(Use.VALID, [])
    if timed and subject.artifact.kind == "folder":
        message = (
            f"The compiled files of {count_text(len(timed), 'module')} are valid while their sources keep their times."
        )
        yield TIMED_BYTECODE.broken(message, timed[0])
    if checked := uses.get(Use.CHECKED):
        message = (
            f"{version} reads and hashes the sources of {count_text(len(checked), 'module')} that it could leave alone."
        )
        yield CHECKED_BYTECODE.broken(message, checked[0])


def _may_be_module(subject: Subject, path: str) -> bool:
    folders = path.removeprefix(subject.root).split("/")[:-1]
    return not leads_out(path) and not _NEVER_IMPORTED & set(folders) and (folders[:1] != ["bin"])


def _other_versions(subject: Subject) -> list[str]:
    tags = {path.rsplit(".", 2)[1] for path in subject.deployed if path.endswith(".pyc") and path.count(".") > 1}
    versions = sorted(tag for tag in tags if tag.startswith("cpython-3") and tag != subject.target.cache_tag)
    return [f"3.{tag.removeprefix('cpython-3')}" for tag in versions]
