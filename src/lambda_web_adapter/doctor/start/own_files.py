"""Which modules are the app's own, and not those of packages that are installed in its folder."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_INSTALLED = ("site-packages", "dist-packages")
_PACKAGE = __name__.partition(".")[0]


class OwnFiles:
    """The sources of the app itself."""

    def __init__(self, folder: str) -> None:
        """Take the app's folder, in which packages may be installed beside the app."""
        self._folder = f"{folder.rstrip(os.sep)}{os.sep}"
        self._installed = {_PACKAGE, *_installed_names(folder)}

    def contains(self, file: object) -> bool:
        """Return whether a source is the app's own."""
        if not isinstance(file, str) or not file.startswith(self._folder):
            return False
        parts = file.removeprefix(self._folder).split(os.sep)
        is_hidden = any(part.startswith(".") for part in parts)  # a virtual environment, as .venv
        top = parts[0].removesuffix(".py")
        return not is_hidden and top not in self._installed and not any(part in _INSTALLED for part in parts)

    def place(self, frame: FrameType | None) -> tuple[str, int]:
        """Return file and line of the innermost of the app's own frames; of the innermost frame if there is none."""
        innermost = ("", 0)
        while frame is not None:
            file = frame.f_code.co_filename
            if self.contains(file):
                return file, frame.f_lineno
            if not innermost[0] and not file.startswith("<"):
                innermost = file, frame.f_lineno
            frame = frame.f_back
        return innermost

    def stack(self, frame: FrameType | None) -> list[str]:
        """Return the lines of a traceback from the outermost of the app's own frames on; of all frames without one."""
        import traceback

        frames = traceback.extract_stack(frame)
        first = next((number for number, each in enumerate(frames) if self.contains(each.filename)), 0)
        return "".join(traceback.format_list(frames[first:])).splitlines()

    def place_of(self, error: BaseException) -> tuple[str, int]:
        """Return file and line of the innermost of the app's own frames that an exception has left."""
        place, traceback = ("", 0), error.__traceback__
        while traceback is not None:
            file = traceback.tb_frame.f_code.co_filename
            if self.contains(file):
                place = file, traceback.tb_lineno
            traceback = traceback.tb_next
        return place

    def modules(self) -> list[str]:
        """Return the names of the app's own modules that are loaded."""
        return [name for name, module in list(sys.modules.items()) if self.contains(_file_of(module))]


def _file_of(module: object) -> object:
    return getattr(module, "__dict__", {}).get("__file__")


def _installed_names(folder: str) -> set[str]:
    """Return the top-level names of the packages that are installed in a folder, by their lists of files (PEP 376)."""
    names: set[str] = set()
    for entry in os.listdir(folder) if os.path.isdir(folder) else ():
        if entry.endswith(".dist-info"):
            try:
                with open(os.path.join(folder, entry, "RECORD"), encoding="utf-8") as file:
                    names |= {line.partition(",")[0].partition("/")[0].removesuffix(".py") for line in file}
            except OSError:
                continue
    return names
