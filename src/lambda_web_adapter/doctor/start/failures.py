"""What went wrong in a start and its requests, as findings."""

from __future__ import annotations

import os
import re
from importlib.util import cache_from_source
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.findings import Severity, count_text, paths_text
from lambda_web_adapter.doctor.module_names import RUNTIME_MODULES
from lambda_web_adapter.doctor.start.failure_text import last_error, last_lines, last_place, last_traceback, relative
from lambda_web_adapter.doctor.start_rules import (
    APP_NOT_FOUND,
    ATTEMPTED_WRITE,
    COMPILED_AT_START,
    IMPORT_FAILS,
    REQUEST_FAILS,
    SLOW_START,
    START_FAILS,
    TOO_LITTLE_MEMORY,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_web_adapter.doctor.findings import Finding, Rule
    from lambda_web_adapter.doctor.start.trial import StartTarget, Trial

_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
_OWN_FOLDER = __file__.partition(f"doctor{os.sep}start")[0]
# The adapter asks for an event after 9.8 s even if the app is not ready.
_INIT_LIMIT = 9.8  # seconds
_TIMED_OUT = "Sandbox.Timedout"  # the error of an init that was broken off
_NOTICEABLE = 0.005  # seconds of a start that somebody might notice


def failures(target: StartTarget, trial: Trial) -> Iterator[Finding]:
    """Yield what is wrong with a start."""
    if trial.memory > target.options.memory_bytes:  # all that fails besides is a consequence
        used = trial.memory / 1024**2
        yield TOO_LITTLE_MEMORY.broken(f"It has {used:.0f} MB of memory, and the function {target.options.memory} MB.")
        return
    was_broken_off = not trial.is_ready and trial.end.startswith(_TIMED_OUT)
    if was_broken_off or trial.init_seconds >= _INIT_LIMIT:
        yield _slow_start(target, trial)
    if not was_broken_off:
        yield from _failed_start(target, trial)
    yield from _failed_requests(target, trial)


def attempted_writes(target: StartTarget, trial: Trial) -> Iterator[Finding]:
    """Yield what the app tries to change outside of /tmp, once for each line."""
    places: dict[tuple[str, int], list[str]] = {}
    for path, file, line in trial.all("wrote"):
        places.setdefault((file, line), []).append(relative(target, path))
    for (file, line), paths in places.items():
        message = f"It opens or changes {paths_text(paths)} for writing, outside of /tmp."
        yield ATTEMPTED_WRITE.broken(message, relative(target, file), line)


def compiled_modules(target: StartTarget, trial: Trial) -> Iterator[Finding]:
    """Yield that the start compiles modules, with what is wrong with their bytecode."""
    compiled = [(path, seconds) for path, seconds in trial.all("compiled") if _is_deployed(target, path)]
    total = sum(seconds for _, seconds in compiled)
    if total < _NOTICEABLE:
        return
    states: dict[str, list[str]] = {}
    for path, _ in compiled:
        states.setdefault(_describe_bytecode(path), []).append(relative(target, path))
    reasons = "; ".join(f"{state}: {paths_text(names)}" for state, names in states.items())
    yield COMPILED_AT_START.broken(
        f"The start compiles {count_text(len(compiled), 'module')}. Their bytecode is {reasons}.",
        relative(target, compiled[0][0]),
        cost=f"{total * 1000:.0f} ms of CPU in each cold start, as measured here",
    )


def _is_deployed(target: StartTarget, source: str) -> bool:
    """Return whether a source is what a function has, and not this program's own here."""
    return not source.startswith(_OWN_FOLDER) or source.startswith(os.path.realpath(target.root))


def _describe_bytecode(source: str) -> str:
    """Return why Python did not use the compiled file of a module."""
    compiled = cache_from_source(source)
    if os.path.exists(compiled):
        return "stale"
    folder, name = os.path.dirname(compiled), os.path.basename(source).removesuffix(".py")
    others = os.listdir(folder) if os.path.isdir(folder) else []
    is_foreign = any(other.startswith(f"{name}.") and other.endswith(".pyc") for other in others)
    return "of another Python" if is_foreign else "missing"


def _slow_start(target: StartTarget, trial: Trial) -> Finding:
    """Return the finding that an init is too slow, with where it is after most of that time."""
    message = f"The app is not ready after {_INIT_LIMIT} s, and Lambda breaks off an init after 10 s."
    if not (waiting := trial.first("waiting")):
        return SLOW_START.broken(message, detail=last_lines(target, trial.output.strip().splitlines()))
    seconds, file, line = waiting
    place = relative(target, file)
    message += f" After {seconds:g} s, it was in line {line} of {place}."
    return SLOW_START.broken(message, place, line, detail=last_lines(target, [text for (text,) in trial.all("stack")]))


def _failed_start(target: StartTarget, trial: Trial) -> Iterator[Finding]:
    failure = trial.first("failed")
    if failure and failure[0] == "AppNotFound":
        yield APP_NOT_FOUND.broken(failure[1])
    elif failure:
        kind, message, file, line = failure
        lines = [text for (text,) in trial.all("traceback")]
        if not target.is_artifact:  # they say what to install on this machine
            lines += [text for (text,) in trial.all("note")]
        text = f"{kind}: {message}".removesuffix(": ")
        yield _explained(target, IMPORT_FAILS, text, (relative(target, file), line), lines)
    elif not trial.is_ready:
        lines = trial.output.strip().splitlines()
        message = trial.end or "The environment has ended."
        yield _explained(target, START_FAILS, message, last_place(target, lines), lines)


def _explained(target: StartTarget, rule: Rule, message: str, place: tuple[str, int], lines: Sequence[str]) -> Finding:
    """Return a finding about a failed start, with what an artifact lacks if that is the reason."""
    detail = last_lines(target, lines)
    missing = _NO_MODULE.findall(message) or _NO_MODULE.findall(detail)
    if not (target.is_artifact and missing):
        return rule.broken(message, *place, detail=detail)
    name = missing[-1]
    if name.partition(".")[0] in RUNTIME_MODULES:
        advice = f"Lambda's Python runtimes have {name}, this machine does not: install boto3 here to try it."
        return rule.broken(message, *place, detail=detail, advice=advice, severity=Severity.NOTE)
    advice = (
        f"{target.artifact} has no module {name}: add the package that has it to the requirements, and build it again. "
        "What layers have is not there in this start."
    )
    if target.kind == "folder":
        advice += " If it is a project that was not built, name its app, such as main:app, instead of the folder."
    return rule.broken(message, *place, detail=detail, advice=advice)


def _failed_requests(target: StartTarget, trial: Trial) -> Iterator[Finding]:
    reported: set[str] = set()
    for answer in trial.answers:
        if not 0 < answer.status < 500 and answer.title not in reported:
            reported.add(answer.title)
            lines = answer.log.strip().splitlines()
            status = f"with {answer.status}" if answer.status else "with no response"
            reason = last_error(lines)
            message = f"{answer.title} ends {status}" + (f": {reason}" if reason else ".")
            detail = last_lines(target, last_traceback(lines) or lines)
            yield REQUEST_FAILS.broken(message, *last_place(target, lines), detail=detail)
