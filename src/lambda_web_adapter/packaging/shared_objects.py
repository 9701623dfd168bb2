"""Whether the shared objects of a package run on its target, and which of them it would never load."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.elf import MAGIC, parse_shared_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from lambda_web_adapter.packaging.contents import Contents
    from lambda_web_adapter.packaging.target import Target

# Names of what other systems load, and Linux does not.
_FOREIGN = (".dylib", ".dll", ".pyd")
_EXECUTABLE = 0o111
_MACHINE = slice(18, 20)  # of the header: e_machine, which is one of these (elf.h, EM_X86_64 and EM_AARCH64)
_MACHINES = {"x86_64": b"\x3e\0", "arm64": b"\xb7\0"}


def find_foreign(site: Path, paths: Iterable[str], target: Target) -> set[str]:
    """Return the files of a distribution that are for other systems and processors, and that the target misses nowhere.

    Such files are in wheels for all machines, beside those for this one. A module or a library that the target would
    load stays: then the distribution itself is for another machine.

    Args:
        site: the folder that it is installed to.
        paths: its files, relative to that folder.
        target: what the package is for.
    """
    objects = [path for path in paths if _is_shared_object(path) or (site / path).stat().st_mode & _EXECUTABLE]
    foreign = {path for path in objects if path.endswith(_FOREIGN)}
    others = {path for path in objects if _machine(site / path) not in (b"", _MACHINES[target.architecture])}
    if others:
        usable = [path for path in objects if path not in foreign | others]
        present, libraries = {_module(path) for path in usable}, set[str]()
        for path in usable:
            needed = parse_shared_object((site / path).read_bytes())
            libraries.update(needed.libraries if needed else ())
        for path in others:
            is_module = _init_function(path) in (site / path).read_bytes()
            is_missed = PurePath(path).name in libraries or (is_module and _module(path) not in present)
            foreign |= set() if is_missed else {path}
    return foreign


def find_unusable(contents: Contents, target: Target) -> Iterator[tuple[str, str]]:
    """Yield the path of each shared object that does not run on the target, and why."""
    for path, item in sorted(contents.items.items()):
        if not (_is_shared_object(path) or item.is_executable):
            continue
        if problem := _problem(item.read(), target):
            yield path, problem
        elif path.endswith(_FOREIGN):
            yield path, "is for another system than Linux"


def _is_shared_object(path: str) -> bool:
    return path.endswith((".so", *_FOREIGN)) or ".so." in path


def _machine(file: Path) -> bytes:
    """Return the machine of an ELF file; empty for others."""
    with file.open("rb") as stream:
        header = stream.read(_MACHINE.stop)
    return header[_MACHINE] if header.startswith(MAGIC) else b""


def _module(path: str) -> str:
    """Return the path of the module that a shared object is, without what says for which machine."""
    return str(PurePath(path).with_name(PurePath(path).name.partition(".")[0]))


def _init_function(path: str) -> bytes:
    """Return the function that a shared object has if it is a module (Python, "Defining extension modules")."""
    return f"PyInit_{PurePath(_module(path)).name}".encode()


def _problem(data: bytes, target: Target) -> str:
    """Return what is wrong with a file; empty if it is in order, or no shared object."""
    if not data.startswith(MAGIC):
        return ""
    needed = parse_shared_object(data)
    if needed is None:
        return "is damaged"
    if needed.architecture != target.architecture:
        return f"is for {needed.architecture}, but the function is for {target.architecture}"
    if needed.glibc > target.glibc:
        return f"needs glibc {'.'.join(map(str, needed.glibc))}, but the target has {target.glibc[0]}.{target.glibc[1]}"
    if any(library.startswith("libc.musl") for library in needed.libraries):
        return "is for musl (Alpine), but Lambda's runtimes have glibc"
    return ""
