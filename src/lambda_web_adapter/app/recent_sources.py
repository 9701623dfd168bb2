"""Keep Python from caching the bytecode of a source file that was just saved, in a local run.

Python takes a cached file for valid if it has the source's size, and its time in whole seconds (PEP 552 calls it
"timestamp-based"). A reload takes less than a second, so that the bytecode of one save could be taken for the next.
"""

from __future__ import annotations

import os
import time
from importlib.machinery import SourceFileLoader
from importlib.util import source_from_cache
from typing import Any

# How old a source has to be, in seconds: then a later save has another time in seconds.
_SETTLED_SECONDS = 2.0


def leave_uncached() -> None:
    """Have the import system write no bytecode of sources that are younger than two seconds."""
    write = SourceFileLoader.set_data

    def write_if_settled(loader: SourceFileLoader, path: str, data: bytes, **options: Any) -> None:
        if os.stat(source_from_cache(path)).st_mtime < time.time() - _SETTLED_SECONDS:
            write(loader, path, data, **options)

    SourceFileLoader.set_data = write_if_settled  # type: ignore[method-assign, assignment]
