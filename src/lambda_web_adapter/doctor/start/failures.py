"""What went wrong in a start and its requests, as findings."""

from __future__ import annotations

import os
import re
from importlib.util import cache_from_source
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.findings import count_text, paths_text
from lambda_web_adapter.doctor.start.own_files import OwnFiles
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
    from collections.abc import Iterator

    from lambda_web_adapter.doctor.findings import Finding
    from lambda_web_adapter.doctor.start.trial import Answer, StartTarget, Trial

_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+), in ')
_ERROR = re.compile(r"^(?P<type>[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Warning|Group|NotFound)?)(: .*)?$")
_OWN_FOLDER = __file__.partition(f"doctor{os.sep}start")[0]
_MAX_TAIL = 500  # characters of output in a message
# The adapter asks for an event after 9.8 s even if the app is not ready.
_INIT_LIMIT = 9.8  # seconds
_NOTICEABLE = 0.005  # seconds of a start that somebody might notice


def failures(target: StartTarget, trial: Trial) -> Iterator[Finding]:
    """Yield what is wrong with a start."""
    yield from _failed_start(target, trial)
    yield from _failed_requests(target, trial)
    if trial.init_seconds >= _INIT_LIMIT:
        yield SLOW_START.broken(f"Lambda breaks off an init after 10 s; the app is not ready after {_INIT_LIMIT} s.")
    if trial.memory > target.options.memory_bytes:
        used = trial.memory / 1024**2
        yield TOO_LITTLE_MEMORY.broken(f"It has {used:.0f} MB of memory, and the function {target.options.memory} MB.")


def attempted_writes(target: StartTarget, trial: Trial) -> Iterator[Finding]:
    """Yield what the app tries to change outside of /tmp, once for each line."""
    places: dict[tuple[str, int], list[str]] = {}
    for path, file, line in trial.all("wrote"):
        places.setdefault((file, line), []).append(_relative(target, path))
    for (file, line), paths in places.items():
        message = f"It opens or changes {paths_text(paths)} for writing, outside of /tmp."
        yield ATTEMPTED_WRITE.broken(message, _relative(target, file), line)


def compiled_modules(target: StartTarget, trial: Trial) -> Iterator[Finding]:
    """Yield that the start compiles modules, with what is wrong with their bytecode."""
    compiled = [(path, seconds) for path, seconds in trial.all("compiled") if _is_deployed(target, path)]
    total = sum(seconds for _, seconds in compiled)
    if total < _NOTICEABLE:
        return
    states: dict[str, list[str]] = {}
    for path, _ in compiled:
        states.setdefault(_describe_bytecode(path), []).append(_relative(target, path))
    reasons = "; ".join(f"{state}: {paths_text(names)}" for state, names in states.items())
    yield COMPILED_AT_START.broken(
        f"The start compiles {count_text(len(compiled), 'module')}. Their bytecode is {reasons}.",
        _relative(target, compiled[0][0]),
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


def _failed_start(target: StartTarget, trial: Trial) -> Iterator[Finding]:
    failure = trial.first("failed")
    if failure and failure[0] == "AppNotFound":
        yield APP_NOT_FOUND.broken(failure[1])
    elif failure:
        kind, message, file, line = failure
        yield IMPORT_FAILS.broken(f"{kind}: {message}".removesuffix(": "), _relative(target, file), line)
    elif not trial.is_ready:
        place = _last_place(target, trial.output)
        yield START_FAILS.broken(f"{trial.end or 'The environment has ended.'}{_quote(trial.output)}", *place)


def _failed_requests(target: StartTarget, trial: Trial) -> Iterator[Finding]:
    reported: set[str] = set()
    for answer in trial.answers:
        if not 0 < answer.status < 500 and answer.title not in reported:
            reported.add(answer.title)
            yield REQUEST_FAILS.broken(_failed_message(answer), *_last_place(target, answer.log))


def _failed_message(answer: Answer) -> str:
    status = f"with {answer.status}" if answer.status else "with no response"
    reason = _last_error(answer.log)
    return f"{answer.title} ends {status}" + (f": {reason}" if reason else f".{_quote(answer.log)}")


def _last_error(log: str) -> str:
    """Return the line after the last traceback in a log: the exception."""
    lines = log.splitlines()
    frames = [number for number, line in enumerate(lines) if _FRAME.match(line)]
    if not frames:
        return ""
    return next((line.strip() for line in lines[frames[-1] + 1 :] if _ERROR.match(line)), "")


def _last_place(target: StartTarget, log: str) -> tuple[str, int]:
    """Return file and line of the last of the app's own frames in a log's tracebacks; an empty path without one."""
    own = OwnFiles(os.path.realpath(target.folder))
    matches = [match for line in log.splitlines() if (match := _FRAME.match(line)) and own.contains(match["file"])]
    return (_relative(target, matches[-1]["file"]), int(matches[-1]["line"])) if matches else ("", 0)


def _relative(target: StartTarget, file: str) -> str:
    folder = os.path.realpath(target.folder)
    return os.path.relpath(file, folder) if file.startswith(f"{folder}{os.sep}") else file


def _quote(output: str) -> str:
    text = output.strip()[-_MAX_TAIL:]
    return f" It wrote: {text}" if text else ""
