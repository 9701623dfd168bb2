"""Makes small ELF files: a shared object with a machine, versions of glibc, and libraries that it needs."""

from __future__ import annotations

import struct

X86_64, ARM64 = 62, 183
_STRTAB, _DYNAMIC, _VERNEED = 3, 6, 0x6FFFFFFE
_DT_NEEDED = 1
_HEADER, _SECTION = 64, 64


def make_shared_object(
    machine: int = X86_64, glibc: tuple[str, ...] = ("2.17",), libraries: tuple[str, ...] = ("libc.so.6",)
) -> bytes:
    """Return a shared object with the sections that say what it needs, and no code."""
    strings = bytearray(b"\0")

    def add(text: str) -> int:
        strings.extend(text.encode() + b"\0")
        return len(strings) - len(text) - 1

    dynamic = b"".join(struct.pack("<QQ", _DT_NEEDED, add(library)) for library in libraries) + struct.pack("<QQ", 0, 0)
    needed = _version_needs(add, glibc)
    names = b"\0.dynstr\0.dynamic\0.gnu.version_r\0.shstrtab\0"
    contents = [bytes(strings), dynamic, needed, names]
    offsets = [_HEADER]
    for content in contents:
        offsets.append(offsets[-1] + len(content))
    sections = [
        bytes(_SECTION),
        _section(names.index(b".dynstr"), _STRTAB, offsets[0], len(strings)),
        _section(names.index(b".dynamic"), _DYNAMIC, offsets[1], len(dynamic), link=1, size=16),
        _section(names.index(b".gnu.version_r"), _VERNEED, offsets[2], len(needed), link=1, info=1 if glibc else 0),
        _section(names.index(b".shstrtab"), _STRTAB, offsets[3], len(names)),
    ]
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header += struct.pack(
        "<HHIQQQIHHHHHH", 3, machine, 1, 0, 0, offsets[-1], 0, _HEADER, 0, 0, _SECTION, len(sections), 4
    )
    return header + b"".join(contents) + b"".join(sections)


def _version_needs(add: object, versions: tuple[str, ...]) -> bytes:
    if not versions or not callable(add):
        return b""
    auxiliary = b"".join(
        struct.pack("<IHHII", 0, 0, number, add(f"GLIBC_{version}"), 16 if number < len(versions) else 0)
        for number, version in enumerate(versions, 1)
    )
    return struct.pack("<HHIII", 1, len(versions), add("libc.so.6"), 16, 0) + auxiliary


def _section(name: int, kind: int, offset: int, length: int, link: int = 0, info: int = 0, size: int = 0) -> bytes:
    return struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, offset, length, link, info, 1, size)
