"""What a shared object needs of its machine (ELF)."""

from __future__ import annotations

import io
from dataclasses import dataclass

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

MAGIC = b"\x7fELF"
_ARCHITECTURES = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}
_GLIBC = "GLIBC_"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedObject:
    """What a shared object, or a program, needs.

    Attributes:
        architecture: `x86_64`, `arm64`, or another machine's name in ELF, such as `EM_386`.
        glibc: the newest version of glibc whose symbols it uses; an empty tuple if it uses none.
        libraries: the libraries that it names (DT_NEEDED).
    """

    architecture: str
    glibc: tuple[int, ...] = ()
    libraries: tuple[str, ...] = ()


def parse_shared_object(data: bytes) -> SharedObject | None:
    """Return what a file needs; None if it is no ELF file, or is damaged."""
    if not data.startswith(MAGIC):
        return None
    try:
        elf = ELFFile(io.BytesIO(data))
        machine = str(elf["e_machine"])
        return SharedObject(
            architecture=_ARCHITECTURES.get(machine, machine),
            glibc=max(_glibc_versions(elf), default=()),
            libraries=tuple(_libraries(elf)),
        )
    except (ELFError, KeyError, ValueError, UnicodeDecodeError):
        return None


def _glibc_versions(elf: ELFFile) -> list[tuple[int, ...]]:
    versions = []
    for section in elf.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, needed in section.iter_versions():
                versions += [_version(each.name) for each in needed if _version(each.name)]
    return versions


def _version(name: str) -> tuple[int, ...]:
    """Return the version of a symbol version such as `GLIBC_2.34`; an empty tuple for others."""
    parts = name.removeprefix(_GLIBC).split(".") if name.startswith(_GLIBC) else []
    return tuple(map(int, parts)) if parts and all(part.isdigit() for part in parts) else ()


def _libraries(elf: ELFFile) -> list[str]:
    return [
        str(tag.needed)  # type: ignore[attr-defined]  # tags of this type have it
        for section in elf.iter_sections()
        if isinstance(section, DynamicSection)
        for tag in section.iter_tags()
        if tag.entry.d_tag == "DT_NEEDED"
    ]
