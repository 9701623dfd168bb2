"""Content codings read by the libraries' own decoders, as clients do."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]
import httpx
import zstandard

from lambda_web_adapter.http.messages import Response

CODINGS = ["zstd", "br", "gzip"]
# The module that Python has from 3.14 on, or its backport.
STDLIB_ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"


def decoder(coding: str) -> Callable[[bytes], bytes]:
    """Makes what reads a body part by part: it returns what can be read so far, and never waits for more."""
    if coding == "gzip":
        return zlib.decompressobj(31).decompress
    if coding == "br":
        read_brotli: Callable[[bytes], bytes] = brotli.Decompressor().process
        return read_brotli
    return zstandard.ZstdDecompressor().decompressobj().decompress


def read(response: Response) -> bytes:
    """Reads a body as httpx does, by what the headers say of it."""
    return httpx.Response(response.status, headers=response.headers, content=response.body).content
