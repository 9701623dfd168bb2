"""Memory for large bodies: the C library keeps it for the next body instead of returning it to the kernel."""

from __future__ import annotations

import os
from functools import cache

# In bytes: the most that glibc accepts for M_MMAP_THRESHOLD. Request and response of 6 MB need less.
_KEPT_BYTES = 32 * 1024 * 1024
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt(3)
# From this memory size on, a function can spare what is kept here.
_MIN_FUNCTION_MEGABYTES = 256


@cache
def keep_freed_memory() -> bool:
    """Make the C library keep freed memory, and return whether it does.

    The kernel takes 2 µs for each new page of 4 KB: in an echo of 4.4 MB, 13 of 39 ms. Only glibc returns memory so
    eagerly, and only glibc has this option. Functions with little memory do without.
    """
    megabytes = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    if not megabytes.isdigit() or int(megabytes) < _MIN_FUNCTION_MEGABYTES:
        return False
    try:
        import ctypes  # 1 ms, which environments without large bodies do not pay

        library = ctypes.CDLL(None)
        return bool(library.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES) and library.mallopt(_MMAP_THRESHOLD, _KEPT_BYTES))
    except (ImportError, AttributeError, OSError):
        return False
