"""The sizes from which bodies count as large, and buffers of a body's final size instead of joined chunks.

New memory is what makes large bodies slow: the kernel takes 2 µs for each 4 KB of it, a copy less than 0.1 µs.
All sizes here are in bytes.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# An event or body from this size on is parsed and written in chunks, and its memory is kept for the next one. The C
# library keeps the memory of smaller ones anyway.
LARGE_BODY = 256 * 1024
# From this size on, joining a body with its head takes longer than a system call of its own.
SEPARATE_BODY = 64 * 1024
# A received chunk of this size belongs to a large body: small bodies come in one chunk, which is smaller.
LARGE_CHUNK = 32 * 1024
# Size of the chunks in which large bodies are encoded and decoded: a chunk stays in the processor's cache.
CODING_CHUNK = 64 * 1024
# Size of the first read: most messages fit, and malloc gets this much without a system call.
FIRST_READ = 64 * 1024
# Size of further reads while a large body arrives: fewer system calls for megabytes.
NEXT_READ = 1024 * 1024
# No buffer is allocated for a larger `content-length`.
_MAX_BUFFER = 64 * 1024 * 1024


def allocate_buffer(
    headers: Iterable[tuple[bytes, bytes]], chunks: list[bytes], limit: int = _MAX_BUFFER
) -> BytesIO | None:
    """Return a buffer of a body's final size; None if the headers give no usable `content-length`.

    Args:
        headers: the headers of the request or response.
        chunks: the chunks received so far, which are written to the buffer.
        limit: the largest buffer to allocate, in bytes.
    """
    length = next((value for name, value in headers if name.lower() == b"content-length"), b"")
    if not length.isdigit() or len(length) > 9 or int(length) > min(limit, _MAX_BUFFER):
        return None
    buffer = BytesIO(bytes(int(length)))  # of its final size, so that `getvalue` makes no copy
    for chunk in chunks:
        buffer.write(chunk)
    return buffer
