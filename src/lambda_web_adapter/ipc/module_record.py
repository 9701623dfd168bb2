"""What a start imports, recorded while it does, for `lambda-web-adapter compile`."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder

from lambda_web_adapter.ipc.module_finder import absolute, search_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


class Recorder:
    """A finder that has Python's finder for folders find a module, and writes down what that found.

    It writes each module at once, by one call: what is written at the end would be lost with a process that is killed.
    """

    def __init__(self, path: str) -> None:
        """Prepare, given the file to append to."""
        self._path = path

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what Python's finder for folders finds."""
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None:
            self.write(spec)
        return spec

    def write(self, spec: ModuleSpec, *, is_loaded: bool = False) -> None:
        """Write down a module, which may have been loaded before the recording began."""
        locations = spec.submodule_search_locations
        loader = type(spec.loader)
        line = (
            is_loaded,
            os.getpid(),
            spec.name,
            f"{loader.__module__}.{loader.__qualname__}",
            spec.origin,
            spec.cached,
            None if locations is None else list(locations),
            [absolute(folder) for folder in search_path()],
        )
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, f"{line!r}\n".encode())
        os.close(descriptor)


def install(path: str) -> None:
    """Record the imports of this process, and of those that it forks, to a file."""
    recorder = Recorder(path)
    for module in list(sys.modules.values()):
        spec = getattr(module, "__spec__", None)
        if isinstance(spec, ModuleSpec):
            recorder.write(spec, is_loaded=True)
    sys.meta_path.insert(sys.meta_path.index(PathFinder), recorder)
