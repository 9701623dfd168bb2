"""Collect no garbage during a start: nearly all that it creates stays, and each collection looks at all of it."""

from __future__ import annotations

import gc

# Objects; more than any start creates. `gc.disable` would do as well, but an app may call that itself, and mean it.
_NEVER = 1_000_000_000

_usual = gc.get_threshold()


def pause_collection() -> None:
    """Collect no garbage until `resume_collection`, in this process and in those that it forks."""
    gc.set_threshold(_NEVER)


def resume_collection() -> None:
    """Collect garbage again, but look no more at what exists now; do nothing if the app has set its own threshold.

    Then collections take less time, and leave more memory pages shared between adapter and app.
    """
    if gc.get_threshold()[0] == _NEVER:
        gc.freeze()
        gc.set_threshold(*_usual)
