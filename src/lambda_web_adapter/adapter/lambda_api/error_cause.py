"""The cause of an error for X-Ray's trace, which Lambda takes in a header of /error and /init/error.

The format is that of Lambda's own Python runtime. Lambda takes 64 KiB, and drops the rest from the end of the list of
exceptions, so the one that was raised comes first.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from lambda_web_adapter.errors import AdapterError

HEADER = "Lambda-Runtime-Function-XRay-Error-Cause"
# Extensions that proxy the Runtime API take less than Lambda: a server in Node.js takes 16 KiB for all headers.
MAX_BYTES = 12 * 1024
# How many frames, and how many characters of each string, are kept at first; both are halved until the cause fits.
_FRAMES = 64
_CHARACTERS = 2048

# What `traceback` writes between an exception and one that was raised because of it.
_CHAINED = {
    "\nThe above exception was the direct cause of the following exception:\n\n",
    "\nDuring handling of the above exception, another exception occurred:\n\n",
}
# What `traceback` adds to a group's exceptions: a margin, and a line such as "+-+---------------- 1 ----------------".
_MARGIN = re.compile(r"^ *[|+] ")
_RULE = re.compile(r" *\+-")
_HEAD = "Traceback (most recent call last):\n"
# The location of a syntax error has no label.
_FRAME = re.compile(r'  File "(.*)", line ([0-9]{1,9})(?:, in (.*))?')


@dataclass(frozen=True, slots=True)
class _Raised:
    """An exception; each frame of its stack is a path, a line and a label."""

    kind: str = ""
    message: str = ""
    stack: Sequence[tuple[str, int, str]] = ()


def document(error: AdapterError, folder: str) -> str:
    """Return the cause in a form that a header can hold: printable ASCII, and not too long.

    All exceptions of a chain are listed, the last one first: the error is about it, and X-Ray shows the first of the
    list. If the list is too long, each exception loses its outermost frames, and the exceptions furthest from the last
    one are left out.

    Args:
        error: the error.
        folder: the working directory.
    """
    first, *chained = list(_exceptions(error.stack)) or [_Raised()]
    first = replace(first, kind=error.raised or error.error_type, message=f"{error}{error.details}")
    frames, characters = _FRAMES, _CHARACTERS
    while True:
        cause = _cut([first, *chained], folder, frames, characters)
        text = json.dumps(cause).replace("\x7f", "\\u007f")  # the one control character that JSON may hold as it is
        if len(text) <= MAX_BYTES:
            return text
        frames, characters = frames // 2, characters // 2


def _cut(exceptions: list[_Raised], folder: str, frames: int, characters: int) -> dict[str, Any]:
    """Return the cause with at most `frames` exceptions, as many frames of each, and `characters` of each string."""

    def cut(text: str) -> str:
        return text if len(text) <= characters else f"{text[:characters]}..."

    entries: list[dict[str, Any]] = []
    paths: dict[str, None] = {}
    for exception in exceptions[: max(frames, 1)]:
        innermost = exception.stack[max(len(exception.stack) - frames, 0) :]
        stack = [{"path": cut(path), "line": line, "label": cut(label)} for path, line, label in innermost]
        entries.append({"message": cut(exception.message), "type": cut(exception.kind), "stack": stack})
        paths.update((cut(path), None) for path, _, _ in innermost)
    return {"working_directory": cut(folder), "exceptions": entries, "paths": list(paths)}


def _exceptions(lines: Sequence[str]) -> Iterator[_Raised]:
    """Yield the exceptions that `traceback.format_exception` wrote, with an item for each frame and each exception."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line in _CHAINED:
            blocks.append([])
        else:
            blocks[-1].append(line)
    for block in reversed(blocks):
        yield from _parse_block(block)


def _parse_block(lines: list[str]) -> Iterator[_Raised]:
    """Yield one exception; of a group, its members too."""
    stack: list[tuple[str, int, str]] = []
    in_traceback = True
    for raw_line in lines:
        line = _MARGIN.sub("", raw_line)
        frame = _FRAME.match(line)
        if line.endswith(_HEAD) or _RULE.match(line):
            stack, in_traceback = [], True
        elif in_traceback and frame:
            stack.append((frame[1], int(frame[2]), frame[3] or ""))
        elif in_traceback and not line.startswith(" "):
            kind, _, message = line.strip().partition(": ")
            yield _Raised(kind, message, stack)
            in_traceback = False  # its notes follow
