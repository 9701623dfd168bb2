"""What an environment wrote about a failure: the lines to show, and where in the app it was."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.start.own_files import OwnFiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_web_adapter.doctor.start.trial import StartTarget

_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+), in ')
_ERROR = re.compile(r"^(?P<type>[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Warning|Group|NotFound)?)(: .*)?$")
_TRACEBACK = "Traceback (most recent call last):"
_MAX_LINES, _MAX_COLUMNS = 30, 500


def last_lines(target: StartTarget, lines: Sequence[str]) -> str:
    """Return the last lines of an output, with paths as the artifact has them."""
    kept = [line[:_MAX_COLUMNS] for line in lines[-_MAX_LINES:]]
    omitted = [f"… {len(lines) - len(kept)} more lines before"] if len(lines) > len(kept) else []
    return "\n".join([*omitted, *kept]).replace(f"{os.path.realpath(target.root)}{os.sep}", "")


def last_traceback(lines: Sequence[str]) -> list[str]:
    """Return the last traceback in a log, up to its exception; nothing if there is none."""
    error = _error_line(lines)
    starts = [number for number, line in enumerate(lines[: error + 1]) if line.strip() == _TRACEBACK]
    return list(lines[starts[-1] : error + 1]) if starts else []


def last_error(lines: Sequence[str]) -> str:
    """Return the exception of the last traceback in a log; empty if there is none."""
    number = _error_line(lines)
    return lines[number].strip() if number >= 0 else ""


def _error_line(lines: Sequence[str]) -> int:
    frames = [number for number, line in enumerate(lines) if _FRAME.match(line)]
    after = range(frames[-1] + 1, len(lines)) if frames else range(0)
    return next((number for number in after if _ERROR.match(lines[number])), -1)


def last_place(target: StartTarget, lines: Sequence[str]) -> tuple[str, int]:
    """Return file and line of the last of the app's own frames in a log's tracebacks; an empty path without one."""
    own = OwnFiles(os.path.realpath(target.folder))
    matches = [match for line in lines if (match := _FRAME.match(line)) and own.contains(match["file"])]
    return (relative(target, matches[-1]["file"]), int(matches[-1]["line"])) if matches else ("", 0)


def relative(target: StartTarget, file: str) -> str:
    """Return a path relative to the app's folder, if it is in it."""
    folder = os.path.realpath(target.folder)
    return os.path.relpath(file, folder) if file.startswith(f"{folder}{os.sep}") else file
