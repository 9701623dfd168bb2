"""Shorten the traceback of a failed import to what tells the app's author something.

Frames of this package and of Python's import system are left out, and so are most frames of libraries: of those, the
last ones are kept, and the one that calls back into the app's own code.
"""

from __future__ import annotations

import itertools
import sysconfig
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT_AT_END = 3  # library frames after the app's last one
_KEPT_BETWEEN = 1  # library frames before one of the app's
_KEPT_ALONE = 10  # library frames of a traceback without any of the app's
_OWN_PACKAGE = Path(__file__).parent.parent
_IMPORT_SYSTEM = ("<frozen importlib", "<frozen runpy", "<frozen zipimport")


def shorten(error: BaseException, folder: Path) -> None:
    """Replace an exception's traceback, and those of its causes and members, by shorter ones.

    Args:
        error: the exception; a note says how many frames of libraries are left out.
        folder: the folder of the app.
    """
    library = _Libraries(folder)
    omitted = 0
    for each in _chain(error):
        frames = list(_frames(each.__traceback__))
        kept, left_out = _select(frames, library)
        omitted += left_out
        each.__traceback__ = _linked(kept)
    if omitted:
        frames_are = "1 frame of a library is" if omitted == 1 else f"{omitted} frames of libraries are"
        error.add_note(f"{frames_are} left out.")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes, and the members of groups, each once."""
    seen: set[int] = set()
    remaining: list[BaseException | None] = [error]
    while remaining:
        each = remaining.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        remaining += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            remaining += each.exceptions


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback:
        if not _is_hidden(traceback.tb_frame.f_code.co_filename):
            yield traceback
        traceback = traceback.tb_next


def _is_hidden(path: str) -> bool:
    return path.startswith(_IMPORT_SYSTEM) or "/importlib/" in path or _OWN_PACKAGE in Path(path).parents


def _select(frames: list[TracebackType], library: _Libraries) -> tuple[list[TracebackType], int]:
    """Return the frames to keep, and how many are left out."""
    groups = [
        (is_library, list(group))
        for is_library, group in itertools.groupby(
            frames, lambda frame: library.has_file(frame.tb_frame.f_code.co_filename)
        )
    ]
    kept: list[TracebackType] = []
    for number, (is_library, group) in enumerate(groups, start=1):
        count = _KEPT_BETWEEN if number < len(groups) else _KEPT_AT_END if number > 1 else _KEPT_ALONE
        kept += group[-count:] if is_library else group
    return kept, len(frames) - len(kept)


def _linked(frames: list[TracebackType]) -> TracebackType | None:
    """Return a traceback of these frames."""
    traceback = None
    for frame in reversed(frames):
        traceback = TracebackType(traceback, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return traceback


class _Libraries:
    """Which files belong to Python or to installed packages; those may be in the app's folder, as on Lambda."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._standard = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
        self._installed: set[str] | None = None

    def has_file(self, path: str) -> bool:
        """Return whether a file is of a library; also what has no file, such as `<frozen os>`."""
        file = Path(path)
        if not file.is_absolute() or {"site-packages", "dist-packages"} & set(file.parts):
            return True
        if self._folder in file.parents:
            return file.relative_to(self._folder).parts[0] in self._installed_in_folder()
        return any(place in file.parents for place in self._standard)

    def _installed_in_folder(self) -> set[str]:
        """Return the names in the app's folder that `pip install -t` has put there."""
        if self._installed is None:
            files = [file for each in metadata.distributions(path=[str(self._folder)]) for file in each.files or ()]
            self._installed = {file.parts[0] for file in files}
        return self._installed
