"""Sizes as text, in the units of Lambda's quotas, of which 250 MB are 262,144,000 bytes."""

from __future__ import annotations

KB = 1024
MB = 1024 * KB
GB = 1024 * MB


def size_text(size: int) -> str:
    """Return a number of bytes for people: `0.4 kB`, `46.1 MB`, `10 GB`."""
    if size < MB // 10:
        return f"{size / KB:.1f} kB"
    unit, name = (GB, "GB") if size >= GB else (MB, "MB")
    return f"{size // unit} {name}" if size % unit == 0 else f"{size / unit:.1f} {name}"
