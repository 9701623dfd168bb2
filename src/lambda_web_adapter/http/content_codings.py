"""The content codings: which one a client gets, and the libraries that write them (RFC 9110 §8.4.1, §12.5.3).

A library is imported when the first response needs it. Python has gzip; the other codings depend on what is installed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Lambda has little CPU, so each level is the highest that is still worth its time. 100 KB of JSON take:
_ZSTD_LEVEL = 3  # 0.3 ms for 33 %; its window of 2 MB is within what clients must take (RFC 9659 §3: 8 MB)
_BROTLI_LEVEL = 3  # 0.8 ms for 33 %; level 5, 2.0 ms for 31 %
_GZIP_LEVEL = 4  # 1.4 ms for 35 %; level 1, 0.8 ms for 39 %; level 6, 3.0 ms for 33 %
# 512 KB, as a power of two. Results are no larger than with the usual 4 MB, in less memory on both sides. With
# 1 MB or more, the decoder of Python's brotli would hold back all but the first 32 KB of a chunk.
_BROTLI_WINDOW = 19

# The weight after a coding's name (RFC 9110 §12.4.2).
_WEIGHT = re.compile(r"[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*")


class Compressor:
    """A compressor of one body, chunk by chunk."""

    def __init__(self, write: Callable[[bytes], bytes], finish: Callable[[], bytes]) -> None:
        """Create a compressor from a function that compresses and flushes a chunk, and one that ends the body."""
        self._write = write
        self._finish = finish

    def feed(self, data: bytes) -> bytes:
        """Return a chunk compressed and flushed, so that the client can read all of it; an empty one stays empty."""
        return self._write(data) if data else b""

    def end(self) -> bytes:
        """Return the end of the compressed body, even of an empty one."""
        return self._finish()


@dataclass(frozen=True, slots=True)
class Coding:
    """A content coding whose library is installed.

    Attributes:
        name: the name for `content-encoding`.
        whole: function that compresses a whole body.
        stream: function that returns the compressor for a streamed body.
    """

    name: str
    whole: Callable[[bytes], bytes]
    stream: Callable[[], Compressor]


def join_accept_encoding(headers: list[tuple[str, str]]) -> str:
    """Return a request's `accept-encoding`, repeated headers joined by commas (RFC 9110 §5.3)."""
    return ", ".join([value for name, value in headers if name.lower() == "accept-encoding"])


def accepted_codings(accept_encoding: str) -> list[str]:
    """Return the supported codings that a client accepts (RFC 9110 §12.5.3).

    What cannot be parsed counts as refused. Without the header, no coding counts as accepted: RFC 9110 would allow any,
    but clients that do not ask for one can seldom decode it.

    Returns:
        Their names, best first: by the client's weights, then by our preference. Codings that the client weighs less
        than `identity`, the uncompressed body, are left out.
    """
    weights: dict[str, float] = {}
    for item in accept_encoding.lower().split(","):
        name, semicolon, rest = item.partition(";")
        name = name.strip()
        name = "gzip" if name == "x-gzip" else name  # RFC 9110 §8.4.1.3
        weight = _weight(rest) if semicolon else 1.0
        weights[name] = min(weight, weights.get(name, 1.0))  # of contradicting weights, the lowest counts
    wildcard = weights.get("*", 0.0)
    identity = weights.get("identity", 0.0)
    weighted = {name: weights.get(name, wildcard) for name in _LIBRARIES}
    best_first = sorted(weighted, key=weighted.__getitem__, reverse=True)  # stable: equals stay in our order
    return [name for name in best_first if weighted[name] > 0 and weighted[name] >= identity]


def _weight(text: str) -> float:
    match = _WEIGHT.fullmatch(text)
    return float(match[1]) if match else 0.0


def choose_coding(accept_encoding: str) -> Coding | None:
    """Return the best coding that the client accepts and whose library is installed; None if there is none."""
    return next((coding for name in accepted_codings(accept_encoding) if (coding := _coding(name))), None)


@cache
def _coding(name: str) -> Coding | None:
    """Return a coding with the first library that can be imported; None if there is none.

    It is not enough to look for the module's file: a wheel for another processor has the file, but cannot be imported.
    """
    for modules, make in _LIBRARIES[name]:
        try:
            return make(name, [import_module(module) for module in modules][-1])
        except (ImportError, AttributeError):  # AttributeError: a folder happens to have the library's name
            continue
    return None


def _zlib(name: str, zlib: Any) -> Coding:
    def stream() -> Compressor:
        coder = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, wbits)
        return Compressor(lambda data: coder.compress(data) + coder.flush(zlib.Z_SYNC_FLUSH), coder.flush)

    wbits = 31  # a window of 32 KB (15), and gzip's header and trailer (16) (zlib's manual, deflateInit2)
    return Coding(name, lambda data: zlib.compress(data, _GZIP_LEVEL, wbits), stream)


def _brotli(name: str, brotli: Any) -> Coding:
    make, compress_whole = brotli.Compressor, brotli.compress

    def stream() -> Compressor:
        coder = make(quality=_BROTLI_LEVEL, lgwin=_BROTLI_WINDOW)
        return Compressor(lambda data: coder.process(data) + coder.flush(), coder.finish)

    return Coding(name, lambda data: compress_whole(data, quality=_BROTLI_LEVEL, lgwin=_BROTLI_WINDOW), stream)


def _zstd(name: str, zstd: Any) -> Coding:
    """Return the coding by the standard library's module or its backport."""
    make, compress_whole = zstd.ZstdCompressor, zstd.compress

    def stream() -> Compressor:
        coder = make(_ZSTD_LEVEL)
        return Compressor(lambda data: coder.compress(data, coder.FLUSH_BLOCK), coder.flush)

    return Coding(name, lambda data: compress_whole(data, _ZSTD_LEVEL), stream)


def _zstandard(name: str, zstandard: Any) -> Coding:
    make, flush_block = zstandard.ZstdCompressor, zstandard.COMPRESSOBJ_FLUSH_BLOCK

    def stream() -> Compressor:
        coder = make(level=_ZSTD_LEVEL).compressobj()
        return Compressor(lambda data: coder.compress(data) + coder.flush(flush_block), coder.flush)

    return Coding(name, lambda data: make(level=_ZSTD_LEVEL).compress(data), stream)


# For each coding, the modules to import, the last of which is used. In order of preference: zstd takes a third of the
# others' time, and its result is no larger; br is smaller than gzip, in less time. `_zstd` proves that `compression` is
# the standard library's: otherwise, that name could be a module of the app's, which must not run here.
_LIBRARIES: dict[str, list[tuple[list[str], Callable[[str, Any], Coding]]]] = {
    "zstd": [(["_zstd", "compression.zstd"], _zstd), (["backports.zstd"], _zstd), (["zstandard"], _zstandard)],
    "br": [(["brotli"], _brotli), (["brotlicffi"], _brotli)],
    "gzip": [(["zlib"], _zlib)],
}
