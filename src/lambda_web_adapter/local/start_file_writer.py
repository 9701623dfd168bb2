"""The start file, written: which modules go into it, their code, and what it is bound to."""

from __future__ import annotations

import ast
import marshal
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib import metadata
from importlib.util import cache_from_source
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.errors import StartFileNotWritten, StartFileRejected
from lambda_web_adapter.ipc import module_finder, start_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

_LOADERS = {
    "_frozen_importlib_external.SourceFileLoader": module_finder.MODULE,
    "_frozen_importlib_external.ExtensionFileLoader": module_finder.EXTENSION,
}
# Compiles groups of files, named on stdin. It runs in an interpreter that has imported nothing else, since the bytes
# depend on which strings are used elsewhere (`w_ref` in CPython's Python/marshal.c): so they are always the same.
_COMPILER = """
import marshal, sys
for group in marshal.load(sys.stdin.buffer):
    modules = []
    for path in group:
        with open(path, "rb") as file:
            modules.append(compile(file.read(), path, "exec", dont_inherit=True))
    code = marshal.dumps(tuple(modules))
    sys.stdout.buffer.write(len(code).to_bytes(8, "little") + code)
"""
# Bytes of source in a group. Larger ones load hardly faster, and more of what they have may not be needed.
_GROUP_SIZE = 256 * 1024
_SIZES_LENGTH = 64  # bytes of the third line: three numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module of a start.

    Attributes:
        name: its full name.
        path: its file.
        kind: `module_finder.MODULE`, `PACKAGE` or `EXTENSION`.
    """

    name: str
    path: str
    kind: int


def read_record(record: Path) -> tuple[list[Module], list[str]]:
    """Return the modules that a start has imported, and the folders that `sys.path` had meanwhile.

    The modules are in the order of their imports, process after process, as those run side by side. Modules that are
    not loaded from a file in the usual way are left out: built-in ones, namespace packages, those of zips and hooks.
    """
    loaded: dict[str, Module] = {}
    processes: dict[int, dict[str, Module]] = {}
    folders: dict[str, None] = {}
    for line in record.read_text().splitlines():
        is_loaded, pid, *fields, search_path = ast.literal_eval(line)
        folders |= dict.fromkeys(search_path)
        if module := _usual_module(*fields):
            (loaded if is_loaded else processes.setdefault(pid, {}))[module.name] = module
    modules: dict[str, Module] = {}
    for recorded in processes.values():
        modules |= {name: module for name, module in recorded.items() if name not in modules}
    # Editable installs may have finders of their own, for modules that are in no folder of `sys.path`.
    tops = {name: _place(module)[0] in folders for name, module in (loaded | modules).items() if "." not in name}
    return [each for each in modules.values() if tops.get(each.name.partition(".")[0])], list(folders)


def _usual_module(
    name: str, loader: str, path: str | None, cached: str | None, locations: list[str] | None
) -> Module | None:
    """Return the module if the path finder would find it like this, in any folder."""
    kind = _LOADERS.get(loader)
    if kind is None or path is None or not os.path.isabs(path):
        return None
    if kind == module_finder.EXTENSION:
        return Module(name=name, path=path, kind=kind) if locations is None else None
    if cached != cache_from_source(path):
        return None
    if locations is None:
        return Module(name=name, path=path, kind=kind)
    return Module(name=name, path=path, kind=module_finder.PACKAGE) if locations == [os.path.dirname(path)] else None


def _place(module: Module) -> tuple[str, str]:
    """Return the folder in which Python looks for a module, and the module's file or folder there."""
    path = module.path.rpartition("/")[0] if module.kind == module_finder.PACKAGE else module.path
    folder, _, entry = path.rpartition("/")
    return folder, entry


def build(modules: list[Module], folders: list[str]) -> tuple[bytes, int]:
    """Return the start file of these modules, and how many files a start compares before it uses the start file.

    Raises:
        StartFileNotWritten: A module's file cannot be compiled, or modules might come from a zip.
    """
    for folder in folders:
        if os.path.exists(folder) and not os.path.isdir(folder):
            raise StartFileNotWritten(f"A start file takes modules from folders only, and sys.path has {folder}.")
    groups = _grouped(modules)
    code = compile_groups([[module.path for module in group] for group in groups])
    numbers = {module.name: number for number, group in enumerate(groups) for module in group}
    offsets = [sum(map(len, code[:number])) for number in range(len(code))]
    extensions = [folder for folder in module_finder.search_path() if folder.endswith("/lib-dynload")]
    standard = [sysconfig.get_path("stdlib"), *extensions]
    installed = sorted(folder for folder in folders if folder not in standard and os.path.isdir(folder))
    sources = list(_compared_files(modules, standard, installed))
    index: module_finder.Index = {
        "modules": {
            module.name: (numbers.get(module.name, -1), module.path, _cached(module), module.kind) for module in modules
        },
        "groups": [
            (offset, len(data), module_finder.source_hash(data), [module.name for module in group])
            for offset, data, group in zip(offsets, code, groups, strict=True)
        ],
        "top_levels": {module.name: _place(module) for module in modules if "." not in module.name},
        "standard": standard,
        "distributions": {folder: module_finder.distributions_hash(os.listdir(folder)) for folder in installed},
        "sources": sources,
    }
    data = marshal.dumps(index, 2)  # type: ignore[arg-type]  # a dict; version 2 gives the same bytes each time
    return _with_head(data, b"".join(code)), len(sources)


def _grouped(modules: list[Module]) -> list[list[Module]]:
    """Return the modules that have code, in groups of `_GROUP_SIZE`."""
    groups: list[list[Module]] = []
    room = 0
    for module in modules:
        if module.kind == module_finder.EXTENSION:
            continue
        if room <= 0:
            groups.append([])
            room = _GROUP_SIZE
        groups[-1].append(module)
        room -= os.path.getsize(module.path)
    return groups


def _cached(module: Module) -> str:
    return "" if module.kind == module_finder.EXTENSION else cache_from_source(module.path)


def _with_head(index: bytes, code: bytes) -> bytes:
    """Return a start file; its third line is padded to a length that does not depend on what it says."""
    head = start_file.FORMAT + b"\n" + start_file.interpreter() + b"\n"
    size = len(head) + _SIZES_LENGTH + 1 + len(index) + len(code)
    sizes = f"{len(index)} {size} {module_finder.source_hash(index)}".encode().ljust(_SIZES_LENGTH)
    return head + sizes + b"\n" + index + code


def compile_groups(groups: list[list[str]]) -> list[bytes]:
    """Return the code of groups of files.

    Raises:
        StartFileNotWritten: A file cannot be compiled.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    optimization = ["-" + "O" * sys.flags.optimize] if sys.flags.optimize else []
    completed = subprocess.run(  # noqa: S603  # it is this interpreter
        [sys.executable, "-P", "-S", "-W", "ignore", *optimization, "-c", _COMPILER],
        input=marshal.dumps(groups),
        stdout=subprocess.PIPE,
        env={**environ, "PYTHONHASHSEED": "0"},
        check=False,
    )
    if completed.returncode:
        raise StartFileNotWritten("A module cannot be compiled. The output above shows the reason.")
    output = BytesIO(completed.stdout)
    return [output.read(int.from_bytes(output.read(8), "little")) for _ in groups]


def _compared_files(modules: list[Module], standard: list[str], folders: list[str]) -> Iterator[tuple[str, int, int]]:
    """Yield path, size and hash of what may change although no version does.

    That is each module that neither Python nor an installed package has brought along, and the lists of the files of
    packages that were installed from a folder, an archive or a repository, as the app itself may be (PEP 610).
    """
    installed: set[str] = set()
    records: list[str] = []
    for distribution in metadata.distributions(path=folders):
        files = [os.path.abspath(str(distribution.locate_file(file))) for file in distribution.files or ()]
        installed.update(map(os.path.realpath, files))
        if distribution.read_text("direct_url.json"):
            records += [path for path in files if path.endswith(".dist-info/RECORD")]
    own = [
        module.path
        for module in modules
        if module.kind != module_finder.EXTENSION
        and not _is_in_standard(module.path, standard)
        and os.path.realpath(module.path) not in installed
    ]
    for path in (*own, *sorted(records)):
        data = Path(path).read_bytes()
        yield path, len(data), module_finder.source_hash(data)


def _is_in_standard(path: str, standard: list[str]) -> bool:
    packages = "site-packages" in path or "dist-packages" in path
    return not packages and any(path.startswith(f"{folder}{os.sep}") for folder in standard)


def write(path: Path, data: bytes) -> None:
    """Write a start file at once: a process that reads the one before it is not disturbed."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)


def changes(path: Path) -> list[str]:
    """Return what makes a start file differ from the files that it stands for, a line for each.

    Raises:
        OSError: It cannot be read.
        StartFileError: It is of another interpreter, not complete, damaged, or not a regular file, or a module cannot
            be compiled.
    """
    finder = start_file.read(str(path))
    lines = _module_changes(finder)
    if not lines:
        try:
            finder.check()
        except StartFileRejected as rejection:
            lines.append(f"{rejection}")
    return lines


def _module_changes(finder: module_finder.StartFinder) -> list[str]:
    lines = []
    paths = []
    recorded: dict[str, CodeType] = {}
    for name, (number, module_path, _, _) in finder.modules.items():
        if not os.path.isfile(module_path):
            lines.append(f"{module_path} is missing")
        elif number >= 0:
            paths.append((name, module_path))
            if name not in recorded:
                recorded |= finder.load_group(number)
    compiled = compile_groups([[module_path] for _, module_path in paths])
    for (name, module_path), data in zip(paths, compiled, strict=True):
        if marshal.loads(data)[0] != recorded[name]:  # noqa: S302  # we have just written it
            lines.append(f"{module_path} has changed")
    return lines
