"""Finds the modules of a start file, and stops if others might be meant."""

from __future__ import annotations

import _imp
import marshal
import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec, PathFinder, SourceFileLoader

from lambda_web_adapter.errors import StartFileRejected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from types import CodeType, ModuleType
    from typing import Any, TypedDict

    # Of each module: the number of its group, its file, its bytecode's file, and one of the kinds below.
    Entry = tuple[int, str, str, int]
    # Offset, size and hash, and the names of the modules whose code it has.
    Group = tuple[int, int, int, list[str]]

    class Index(TypedDict):
        """What precedes the code."""

        modules: dict[str, Entry]
        groups: list[Group]
        # For each top-level module, the folder of sys.path that has it, and its file or folder there.
        top_levels: dict[str, tuple[str, str]]
        standard: list[str]  # the standard library's folders, which belong to the interpreter
        distributions: dict[str, int]  # for each folder with installed packages, the hash of their names and versions
        sources: list[tuple[str, int, int]]  # path, size and hash of files that are compared


# The kinds of modules.
MODULE, PACKAGE, EXTENSION = range(3)
# What a module's name can be followed by, in the order in which Python looks for it; a package is a folder.
_SUFFIXES = ("", *EXTENSION_SUFFIXES, ".py", ".pyc")
_USUAL_HOOKS = ["zipimporter", "FileFinder.path_hook.<locals>.path_hook_for_FileFinder"]
_OTHER_FINDER = "something else than Python's own finder looks for modules in folders"


class StartFinder:
    """Finds the modules of a start file; all others, and reloads, are left to the other finders.

    Attributes:
        doubt: why it has stopped serving modules, if it has.
        stopped_in: the process that has found the doubt, for those that it has forked have it as well.
        modules: those that it still serves.
    """

    def __init__(self, path: str, code_start: int, index: Index) -> None:
        """Prepare, given the file, where its code begins, and its index."""
        self.doubt = ""
        self.stopped_in = 0
        self.modules = index["modules"]
        self._file = path
        self._code_start = code_start
        self._index = index
        self._loaded: dict[str, CodeType] = {}
        self._listings: dict[str, dict[str, str]] = {}
        self._path: list[str] = []
        self._available: Collection[str] = ()
        self._hooks = sys.path_hooks[:2]
        self._finders: Sequence[object] = []

    def check(self) -> None:
        """Check that the app's own files and the names and versions of installed packages are those of the file.

        Raises:
            StartFileRejected: They are not, or Python does not look for modules in the usual way.
        """
        hooks = [getattr(hook, "__qualname__", "") for hook in self._hooks]
        if hooks != _USUAL_HOOKS or PathFinder not in sys.meta_path:
            raise StartFileRejected(_OTHER_FINDER)
        folders: dict[str, set[str]] = {}
        for path, size, digest in self._index["sources"]:
            if _read_hash(path, size) != digest:
                raise StartFileRejected(f"{path} has changed")
            folder, _, file = path.rpartition("/")
            if folder not in folders:
                folders[folder] = set(os.listdir(folder or "/"))
            name, _, suffix = file.rpartition(".")
            if suffix == "py" and _find_entry(folder, folders[folder], name) != file:
                raise StartFileRejected(f"there is another {folder}/{name}")
        self._check_path()

    def install(self) -> None:
        """Have imports served from the file; finders that come before Python's for folders also come before this."""
        sys.meta_path.insert(sys.meta_path.index(PathFinder), self)

    def _check_path(self) -> None:
        """Check that each top-level module comes from its folder, whatever other folders `sys.path` has."""
        path = search_path()
        available: set[str] = set()
        for folder in map(absolute, path):
            for name, entry in self._entries_in(folder).items():
                expected = self._index["top_levels"][name]
                if name not in available and expected != (folder, entry):
                    raise StartFileRejected(f"{name} is {folder}/{entry}, and was {'/'.join(expected)}")
                available.add(name)
        # What a relative folder means may change, so that it is looked up each time.
        self._path = path if all(folder.startswith("/") for folder in path) else []
        self._available = available

    def _entries_in(self, folder: str) -> dict[str, str]:
        """Return the file's top-level modules that are in a folder, with the file or folder that each is."""
        if folder not in self._listings:
            if folder in self._index["standard"]:
                top_levels = self._index["top_levels"].items()
                self._listings[folder] = {name: entry for name, (outer, entry) in top_levels if outer == folder}
            else:
                self._listings[folder] = self._list(folder)
        return self._listings[folder]

    def _list(self, folder: str) -> dict[str, str]:
        try:
            files = set(os.listdir(folder or "/"))
        except (FileNotFoundError, PermissionError):  # empty to Python as well
            files = set()
        except OSError as error:  # a zip, for one
            raise StartFileRejected(f"{folder} cannot be listed ({error.strerror})") from None
        expected = self._index["distributions"].get(folder)
        if expected is not None and distributions_hash(files) != expected:
            raise StartFileRejected(f"the packages installed in {folder} have changed")
        top_levels = self._index["top_levels"]
        names = top_levels.keys() & {file.partition(".")[0] for file in files}
        # A package is taken for granted in its folder; elsewhere, a folder of its name may be none.
        entries = {
            name: name if name in files and top_levels[name] == (folder, name) else _find_entry(folder, files, name)
            for name in sorted(names)  # so that the reason is the same each time
        }
        return {name: entry for name, entry in entries.items() if entry}

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
        if sys.path_hooks[:2] != self._hooks or not self._precedes_path_finder():
            self._stop(_OTHER_FINDER)
            return None
        if kind == EXTENSION:
            spec = ModuleSpec(name, ExtensionFileLoader(name, origin), origin=origin)
        else:
            spec = ModuleSpec(name, _Loader(name, origin, self), origin=origin, is_package=kind == PACKAGE)
            spec.cached = cached
            if spec.submodule_search_locations is not None:
                spec.submodule_search_locations.append(folder)
        spec.has_location = True
        return spec

    def _precedes_path_finder(self) -> bool:
        """Return whether no other finder has been put between this one and Python's for folders."""
        if sys.meta_path == self._finders:
            return True
        finders = [*sys.meta_path]
        following = iter(finders)
        if self not in following or next(following, None) is not PathFinder:
            return False
        self._finders = finders
        return True

    def _is_available(self, name: str) -> bool:
        """Return whether a top-level module can be found in its folder, with `sys.path` as it is now."""
        if sys.path != self._path:
            try:
                self._check_path()
            except (StartFileRejected, OSError) as error:
                self._stop(f"{error}")
        return name in self._available and name in self.modules

    def invalidate_caches(self) -> None:
        """Serve no more modules: whoever calls this has written some (`importlib.invalidate_caches`)."""
        self.modules.clear()
        self._loaded.clear()

    def _stop(self, doubt: str) -> None:
        self.doubt, self.stopped_in = doubt, os.getpid()
        self.invalidate_caches()

    def take_code(self, name: str) -> CodeType | None:
        """Return the code of a module, which the file no longer serves then; None if it has none."""
        entry = self.modules.pop(name, None)
        code = self._loaded.pop(name, None)
        if code is not None or entry is None:
            return code
        try:
            group = self.load_group(entry[0])
        except (StartFileRejected, OSError) as error:
            self._stop(f"{error}")
            return None
        self._loaded |= {other: group[other] for other in group if other in self.modules}
        return group[name]

    def load_group(self, number: int) -> dict[str, CodeType]:
        """Return the code of the modules of a group, by their names.

        The file is opened for each group: an app may close descriptors that are not its own.

        Raises:
            OSError: The file cannot be read.
            StartFileRejected: It is damaged, or another one.
        """
        offset, size, digest, names = self._index["groups"][number]
        data = _read(self._file, size, self._code_start + offset)
        if source_hash(data) != digest:
            raise StartFileRejected(f"{self._file} is damaged")
        code = marshal.loads(data)  # noqa: S302  # as trustworthy as other bytecode
        return dict(zip(names, code, strict=True))


class _Loader(SourceFileLoader):
    """Loads a module of the file, and is a plain SourceFileLoader from then on, as if it had always been one.

    It only overrides what returns before the module's code runs: a frame of it would show in tracebacks.
    """

    def __init__(self, name: str, path: str, finder: StartFinder) -> None:
        super().__init__(name, path)
        self._finder = finder

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code, the first time from the file."""
        finder: StartFinder | None = self.__dict__.pop("_finder", None)  # another thread may be faster
        self.__class__ = SourceFileLoader  # type: ignore[assignment]
        code = finder.take_code(fullname) if finder is not None and fullname == self.name else None
        return code or self.get_code(fullname)

    def __reduce__(self) -> tuple[Any, ...]:
        return SourceFileLoader, (self.name, self.path)

    def __eq__(self, other: object) -> bool:
        return SourceFileLoader(self.name, self.path) == other

    __hash__ = SourceFileLoader.__hash__


def search_path() -> list[str]:
    """Return the folders in `sys.path`, where anything may be; Python ignores what is no string."""
    path: list[object] = [*sys.path]
    return [folder for folder in path if isinstance(folder, str)]


def absolute(folder: str) -> str:
    """Return a folder of `sys.path` as it is in the paths of its modules."""
    if not folder.startswith("/"):  # the current folder may be deleted
        folder = os.path.join(os.getcwd(), "" if folder == "." else folder)
    return folder.rstrip("/")


def distributions_hash(files: Collection[str]) -> int:
    """Return the hash of the names and versions of the packages that are installed in a folder with these files."""
    names = sorted(file for file in files if file.endswith((".dist-info", ".egg-info", ".pth")))
    return source_hash("\n".join(names).encode(errors="surrogateescape"))


def source_hash(data: bytes) -> int:
    """Return a hash by the function that Python uses for sources (PEP 552)."""
    return int.from_bytes(_imp.source_hash(0, data), "little")


def _read_hash(path: str, size: int) -> int:
    """Return the hash of a file; 0 if there is none of this size."""
    try:
        data = _read(path, size + 1, 0)
    except OSError:
        return 0
    return source_hash(data) if len(data) == size else 0


def _read(path: str, size: int, offset: int) -> bytes:
    """Return a part of a file; raise OSError if it cannot be read, or has no parts."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # else a FIFO would wait for a writer
    try:
        return os.pread(descriptor, size, offset)
    finally:
        os.close(descriptor)


def _find_entry(folder: str, files: Collection[str], name: str) -> str:
    """Return the file or folder of a module that Python finds in a folder with these files; empty if there is none."""
    for suffix in _SUFFIXES:
        if name + suffix in files and (suffix or _is_package(f"{folder}/{name}")):
            return name + suffix
    return ""


def _is_package(folder: str) -> bool:
    return any(os.path.isfile(f"{folder}/__init__{suffix}") for suffix in (".py", *EXTENSION_SUFFIXES, ".pyc"))
