"""The header of compiled modules, and whether Python will use them (PEP 552; `importlib._bootstrap_external`)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from importlib.util import source_hash
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_web_adapter.artifacts.artifact import Artifact

_END_OF_MAGIC = b"\r\n"
_HASH_BASED, _CHECK_SOURCE = 1, 2
# Python versions by the first magic number that is no longer theirs (CPython, pycore_magic_number.h).
_VERSIONS = (
    (3450, (3, 10)),
    (3500, (3, 11)),
    (3550, (3, 12)),
    (3600, (3, 13)),
    (3650, (3, 14)),
    (3700, (3, 15)),
)
_FIRST_MAGIC = 3430  # of Python 3.10


class Use(Enum):
    """What Python does with the compiled file of a module."""

    UNCHECKED = "used without a look at the source"
    CHECKED = "used if the source still has its hash"
    VALID = "used, since time and size of the source agree"
    STALE = "rejected, since time or size of the source differ"
    FOREIGN = "not looked for: it is another Python's"
    BROKEN = "rejected: it is damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header of a compiled file.

    Attributes:
        python: version of the Python that wrote it, or an empty tuple if it is not one of those that are in use.
        is_hash_based: whether it has the source's hash, instead of its time and size.
        checks_source: whether Python compares that hash.
        mtime: the source's time in seconds since the epoch, modulo 2 to the 32nd.
        size: the source's size in bytes, modulo 2 to the 32nd.
        source_hash: the source's hash.
    """

    python: tuple[int, ...]
    is_hash_based: bool
    checks_source: bool
    mtime: int
    size: int
    source_hash: bytes


def parse_header(data: bytes) -> Header | None:
    """Return the header at the beginning of a compiled file; None if it has none."""
    if len(data) < 16 or data[2:4] != _END_OF_MAGIC:
        return None
    magic = struct.unpack_from("<H", data)[0]
    flags, mtime, size = struct.unpack_from("<III", data, 4)
    return Header(
        python=python_of_magic(magic),
        is_hash_based=bool(flags & _HASH_BASED),
        checks_source=bool(flags & _CHECK_SOURCE),
        mtime=mtime,
        size=size,
        source_hash=data[8:16],
    )


def python_of_magic(magic: int) -> tuple[int, ...]:
    """Return the Python version with a magic number; an empty tuple if it is none from 3.10 to 3.15."""
    if magic < _FIRST_MAGIC:
        return ()
    return next((version for end, version in _VERSIONS if magic < end), ())


def use_of(artifact: Artifact, source: str, tag: str) -> Use | None:
    """Return what Python does with the compiled file of a module.

    Args:
        artifact: where both are.
        source: the path of the module's source.
        tag: the cache tag of the function's Python, such as `cpython-313`.

    Returns:
        The use; None if there is no compiled file.
    """
    compiled = compiled_path(source, tag)
    if compiled not in artifact.entries:
        return None
    header = parse_header(artifact.read(compiled)[:16])
    if header is None:
        return Use.BROKEN
    if f"cpython-{''.join(map(str, header.python))}" != tag:
        return Use.FOREIGN
    if header.is_hash_based:
        if not header.checks_source:
            return Use.UNCHECKED
        return Use.CHECKED if header.source_hash == source_hash(artifact.read(source)) else Use.STALE
    entry = artifact.entries[source]
    agrees = (header.mtime, header.size) == (entry.mtime & 0xFFFFFFFF, entry.size & 0xFFFFFFFF)
    return Use.VALID if agrees else Use.STALE


def compiled_path(source: str, tag: str) -> str:
    """Return where the compiled file of a source is, for a cache tag such as `cpython-313` (PEP 3147)."""
    folder, _, name = source.rpartition("/")
    compiled = f"__pycache__/{name.removesuffix('.py')}.{tag}.pyc"
    return f"{folder}/{compiled}" if folder else compiled
