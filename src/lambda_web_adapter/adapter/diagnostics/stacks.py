"""Read a stack dump: where in the user's own code the app is, in one sentence."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_FRAME = re.compile(r'  File "(.+)", line (\d+),? in (.+)')  # as `faulthandler` and `app/stack_dump.py` write it
_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_STANDARD = os.path.dirname(os.path.abspath(os.__file__))
_INSTALLED = ("/site-packages/", "/dist-packages/")
# Functions that serve until the process ends: a part of the file's path, and the function's name.
_SERVERS = (
    ("/flask/app.py", "run"),
    ("/werkzeug/serving.py", "run_simple"),
    ("/uvicorn/main.py", "run"),
    ("/uvicorn/server.py", "run"),
    ("/hypercorn/run.py", "run"),
    ("/hypercorn/asyncio/__init__.py", "serve"),
    ("/granian/", "serve"),
    ("/waitress/__init__.py", "serve"),
    ("/waitress/server.py", "run"),
    ("/gunicorn/app/base.py", "run"),
    ("/aiohttp/web.py", "run_app"),
    ("/bottle.py", "run"),
    ("/tornado/", "start"),
    ("/gevent/baseserver.py", "serve_forever"),
    ("/eventlet/wsgi.py", "server"),
    ("/cheroot/server.py", "serve"),
    ("/sanic/", "run"),
    ("/dash/dash.py", "run"),
    ("/nicegui/", "run"),
    ("/socketserver.py", "serve_forever"),
)
_MAX_SOURCE = 80  # characters of a source line in a sentence
_CALL = re.compile(r"[\w.]+\(")


class Frame(NamedTuple):
    """One line of a stack: the file's path, the line's number, and the function."""

    path: str
    line: int
    function: str


class Position(NamedTuple):
    """Where an app is in the user's own code.

    Attributes:
        place: `main.py:41`.
        source: that line of the source; empty if the file cannot be read.
        serves: whether it has started a server of its own there.
    """

    place: str
    source: str
    serves: bool

    def __str__(self) -> str:
        """Return it for a sentence that begins with "it is at"."""
        return f"`{self.source:.{_MAX_SOURCE}}` at {self.place}" if self.source else self.place


def find_position(dump: str, folder: str) -> Position | None:
    """Return where the app is, from the first stack in a dump that has the user's own code; None if none has.

    Args:
        dump: the stacks; asyncio's tasks count first, as they say more than the thread that runs them.
        folder: the app's folder, to which the place is relative.
    """
    stacks = sorted(_stacks(dump), key=lambda stack: not stack[0].startswith("Task"))
    for _, frames in stacks:
        for index, frame in enumerate(frames):
            if _is_own(frame.path, folder):
                serves = any(_serves(inner) for inner in frames[:index])
                return Position(f"{_relative(frame.path, folder)}:{frame.line}", _source_line(frame), serves)
    return None


def describe_server(position: Position) -> str:
    """Return what to do about a server that the app starts while it is imported."""
    call = _CALL.search(position.source)
    name = f" (`{call[0]})`)" if call else ""
    return (
        f"{position.place} starts a server of its own while it is imported{name}; "
        'put it under `if __name__ == "__main__":`.'
    )


def without_importing(dump: str) -> str:
    """Return a dump without the frames of Python's import system and of the adapter, which imports the app."""
    lines = (
        line for line in dump.splitlines() if "<frozen importlib" not in line and f'"{_PACKAGE}{os.sep}' not in line
    )
    return "\n".join(
        line for line in lines if f"importlib{os.sep}__init__.py" not in line and "<frozen runpy>" not in line
    )


def _stacks(dump: str) -> Iterator[tuple[str, list[Frame]]]:
    """Yield the heading of each stack, and its frames, innermost first."""
    heading, frames = "", []
    for line in [*dump.splitlines(), "end"]:
        if match := _FRAME.match(line):
            frames.append(Frame(match[1], int(match[2]), match[3]))
        elif not line.startswith(" "):
            if frames:
                yield heading, frames[::-1] if heading.startswith("Task") else frames
            heading, frames = line, []


def _is_own(path: str, folder: str) -> bool:
    """Return whether a file is the user's: neither Python's, nor an installed package's, nor the adapter's."""
    if path.startswith(("<", f"{_PACKAGE}{os.sep}")) or any(part in path for part in _INSTALLED):
        return False
    if path.startswith(f"{_STANDARD}{os.sep}"):
        return False
    inside = _relative(path, folder)
    return inside != path and not _is_installed(inside.partition(os.sep)[0], folder)


def _is_installed(entry: str, folder: str) -> bool:
    """Return whether a file or folder beside the app belongs to a package, as after `pip install --target`."""
    starts = f"{entry}/", f"{entry},"
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name.endswith(".dist-info"):
            try:
                with open(os.path.join(folder, name, "RECORD"), encoding="utf-8") as record:
                    if any(line.startswith(starts) for line in record):
                        return True
            except OSError:
                continue
    return False


def _serves(frame: Frame) -> bool:
    return any(part in frame.path and frame.function == function for part, function in _SERVERS)


def _relative(path: str, folder: str) -> str:
    return path.removeprefix(folder.rstrip(os.sep) + os.sep)


def _source_line(frame: Frame) -> str:
    try:
        with open(frame.path, encoding="utf-8", errors="replace") as file:
            return next((line.strip() for number, line in enumerate(file, 1) if number == frame.line), "")
    except OSError:
        return ""
