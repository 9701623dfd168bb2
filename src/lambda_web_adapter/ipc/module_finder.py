"""Finds the modules of a start file, and stops if others might be meant."""

from __future__ import annotations

import _imp
import marshal
import os
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec, SourceFileLoader

from lambda_web_adapter.errors import StartFileRejected

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import TypedDict

    # Of each module: the number of its group, its file, its bytecode's file, and one of the kinds below.
    Entry = tuple[int, str, str, int]
    # Offset and size, and the names of the modules whose code it has.
    Group = tuple[int, int, list[str]]

    class Index(TypedDict):
        """What precedes the code."""

        modules: dict[str, Entry]
        groups: list[Group]
        folders: dict[str, str]  # the folder of sys.path that has a top-level module, for each of these
        standard: list[str]  # the standard library's folders, which belong to the interpreter
        distributions: dict[str, int]  # for each folder with installed packages, the hash of their names and versions
        sources: list[tuple[str, int, int]]  # path, size and hash of files that no installer has written


# The kinds of modules.
MODULE, PACKAGE, EXTENSION = range(3)


class StartFinder:
    """Finds the modules of a start file; all others, and reloads, are left to the other finders.

    Attributes:
        doubt: why it has stopped serving modules, if it has.
    """

    def __init__(self, data: mmap.mmap, code_start: int, index: Index) -> None:
        """Prepare, given the file, where its code begins, and its index."""
        self.doubt = ""
        self.modules = index["modules"]
        self._data = data
        self._view = memoryview(data)[code_start:]
        self._index = index
        self._loaded: dict[str, CodeType] = {}
        self._listings: dict[str, set[str]] = {}
        self._path: list[str] = []
        self._available: dict[str, str] = {}

    def check(self) -> None:
        """Check that the app's own files and the names and versions of installed packages are those of the file.

        Raises:
            StartFileRejected: They are not.
        """
        for path, size, digest in self._index["sources"]:
            if _read_source(path, size) != digest:
                raise StartFileRejected(f"{path} has changed")
        self._check_path()

    def _check_path(self) -> None:
        """Check that each top-level module comes from its folder, whatever other folders `sys.path` has."""
        path = list(sys.path)
        available: dict[str, str] = {}
        for folder in path:
            folder = os.path.abspath(folder)
            for name in self._names_in(folder):
                available.setdefault(name, folder)
        for name, folder in available.items():
            if folder != self._index["folders"][name]:
                raise StartFileRejected(f"{name} is in {folder}, and was in {self._index['folders'][name]}")
        self._path, self._available = path, available

    def _names_in(self, folder: str) -> set[str]:
        """Return the file's top-level modules that are in a folder."""
        if folder not in self._listings:
            folders = self._index["folders"]
            if folder in self._index["standard"]:
                self._listings[folder] = {name for name in folders if folders[name] == folder}
            else:
                self._listings[folder] = self._list(folder)
        return self._listings[folder]

    def _list(self, folder: str) -> set[str]:
        try:
            files = os.listdir(folder)
        except FileNotFoundError:
            files = []
        except OSError as error:  # a zip, for one
            raise StartFileRejected(f"{folder} cannot be listed ({error.strerror})") from None
        expected = self._index["distributions"].get(folder)
        if expected is not None and distributions_hash(files) != expected:
            raise StartFileRejected(f"the packages installed in {folder} have changed")
        names = set()
        for file in files:
            name, dot, suffix = file.partition(".")
            if name in self._index["folders"] and _is_module(dot + suffix):
                names.add(name)
        return names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module of the file, as the path finder would; None for any other module."""
        entry = self.modules.get(name)
        if entry is None or target is not None:
            return None
        _, origin, cached, kind = entry
        folder = origin.rpartition("/")[0]
        outer = folder.rpartition("/")[0] if kind == PACKAGE else folder
        if not (self._is_available(name) if path is None else next(iter(path), None) == outer):
            return None
        if kind == EXTENSION:
            spec = ModuleSpec(name, ExtensionFileLoader(name, origin), origin=origin)
        else:
            loader = _Loader(name, origin)
            loader.finder = self
            spec = ModuleSpec(name, loader, origin=origin, is_package=kind == PACKAGE)
            spec.cached = cached
            if spec.submodule_search_locations is not None:
                spec.submodule_search_locations.append(folder)
        spec.has_location = True
        return spec

    def _is_available(self, name: str) -> bool:
        """Return whether a top-level module can be found in its folder, with `sys.path` as it is now."""
        if sys.path != self._path:
            try:
                self._check_path()
            except StartFileRejected as error:
                self._stop(f"{error}")
        return name in self._available and name in self.modules

    def invalidate_caches(self) -> None:
        """Serve no more modules: whoever calls this has written some (`importlib.invalidate_caches`)."""
        self.modules.clear()
        self._loaded.clear()

    def _stop(self, doubt: str) -> None:
        self.doubt = doubt
        self.invalidate_caches()

    def take_code(self, name: str) -> CodeType | None:
        """Return the code of a module, which the file no longer serves then; None if it has none."""
        entry = self.modules.pop(name, None)
        code = self._loaded.pop(name, None)
        if code is not None or entry is None:
            return code
        try:
            group = self.load_group(entry[0])
        except (EOFError, TypeError, ValueError):
            return None
        self._loaded |= {other: group[other] for other in group if other in self.modules}
        return group[name]

    def load_group(self, number: int) -> dict[str, CodeType]:
        """Return the code of the modules of a group, by their names.

        Raises:
            EOFError, TypeError, ValueError: The file is damaged.
        """
        offset, size, names = self._index["groups"][number]
        code = marshal.loads(self._view[offset : offset + size])  # noqa: S302  # as trustworthy as other bytecode
        return dict(zip(names, code, strict=True))

    def release(self) -> None:
        """Free the memory that the file takes up; what is needed again is read again."""
        if hasattr(self._data, "madvise"):
            import mmap

            self._data.madvise(mmap.MADV_DONTNEED)


class _Loader(SourceFileLoader):
    """Loads a module of the file, and is a plain SourceFileLoader from then on, as if it had always been one.

    It only overrides what returns before the module's code runs: a frame of it would show in tracebacks.
    """

    finder: StartFinder

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code, the first time from the file."""
        finder: StartFinder = self.__dict__.pop("finder")
        self.__class__ = SourceFileLoader  # type: ignore[assignment]
        return finder.take_code(fullname) or self.get_code(fullname)


def distributions_hash(files: list[str]) -> int:
    """Return the hash of the names and versions of the packages that are installed in a folder with these files."""
    names = sorted(file for file in files if file.endswith((".dist-info", ".egg-info", ".pth")))
    return source_hash("\n".join(names).encode())


def source_hash(data: bytes) -> int:
    """Return the hash that Python has for sources (PEP 552)."""
    return int.from_bytes(_imp.source_hash(0, data), "little")


def _read_source(path: str, size: int) -> int:
    """Return the hash of a source file; 0 if there is none of this size."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return 0
    try:
        data = os.read(descriptor, size + 1)
    finally:
        os.close(descriptor)
    return source_hash(data) if len(data) == size else 0


def _is_module(suffix: str) -> bool:
    """Return whether a name with this suffix can be a module: a folder, a source, bytecode, or an extension."""
    return suffix in ("", ".py", ".pyc") or suffix.endswith(".so")
