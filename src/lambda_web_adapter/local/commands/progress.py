"""The current step of a command, shown while it works."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress(*, is_quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Provide what shows the current step: on a terminal, unless that is a CI system's.

    Args:
        is_quiet: whether to show nothing anywhere.
    """
    if is_quiet or not sys.stderr.isatty() or os.environ.get("CI"):
        yield lambda _: None
        return
    from rich.console import Console  # only terminals need it

    console = Console(stderr=True)
    with console.status("Starting") as status:
        yield lambda step: status.update(f"{step} …")
