"""Memory for megabytes: kept for the next large body, instead of given back and asked for again each time."""

from __future__ import annotations

import os
from functools import cache

# Bytes of a body from which on it pays; below, the C library keeps what is freed anyway.
LARGE = 256 * 1024
# The C library's own bound for M_MMAP_THRESHOLD; six megabytes each way need less.
_KEPT = 32 * 1024 * 1024
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt(3)
# Megabytes of a function from which on the app does not miss what is kept here.
_MIN_FUNCTION_MEGABYTES = 256


@cache
def keep_freed_memory() -> bool:
    """Has the C library keep memory that is freed; returns whether it does.

    The kernel takes 2 µs for each new page of 4 KB: of an echo of 4.4 MB that was 13 of 39 ms. Only glibc gives memory
    back so eagerly, and has this; whoever has little memory does without.
    """
    megabytes = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    if not megabytes.isdigit() or int(megabytes) < _MIN_FUNCTION_MEGABYTES:
        return False
    try:
        import ctypes  # 1 ms, which environments without large bodies do not pay

        library = ctypes.CDLL(None)
        return bool(library.mallopt(_TRIM_THRESHOLD, _KEPT) and library.mallopt(_MMAP_THRESHOLD, _KEPT))
    except (ImportError, AttributeError, OSError):
        return False
