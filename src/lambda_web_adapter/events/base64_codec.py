"""Base64 as events and replies have it (RFC 4648 §4): by the standard library, and for large bodies faster.

The standard library takes 12 ms to read 6 MB, and 5 ms to write them; pybase64 takes 0.3 ms. Its import takes 1 ms,
which environments that never see a large body do not pay.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_MIN_FAST_LENGTH = 64 * 1024  # characters; from here on the import is earned back within ten bodies
_CHUNK_BYTES = 3 * _MIN_FAST_LENGTH  # bytes; threes have no padding between them


def decode(text: str | bytes | memoryview) -> bytes:
    """Reads base64.

    Raises:
        ValueError: it is not base64.
    """
    if len(text) >= _MIN_FAST_LENGTH and (fast := _fast()):
        try:
            decoded: bytes = fast.b64decode(text, validate=True)
        except ValueError:
            pass  # the standard library says why
        else:
            return decoded
    return a2b_base64(text, strict_mode=True)


def encode(data: bytes | memoryview) -> bytes:
    """Writes base64, without line breaks."""
    if len(data) >= _MIN_FAST_LENGTH and (fast := _fast()):
        result: bytes = fast.b64encode(data)
        return result
    return b2a_base64(data, newline=False)


def encode_chunks(data: bytes) -> Iterator[bytes]:
    """Writes base64 in pieces, which together have `encoded_length` bytes."""
    view = memoryview(data)
    for start in range(0, len(data), _CHUNK_BYTES):
        yield encode(view[start : start + _CHUNK_BYTES])


def encoded_length(size: int) -> int:
    """Return the length as base64, padding included, of so many bytes."""
    return (size + 2) // 3 * 4


@cache
def _fast() -> ModuleType | None:
    """Imports pybase64; a package that was made for another processor has none that works."""
    try:
        import pybase64
    except ImportError:
        return None
    return pybase64
