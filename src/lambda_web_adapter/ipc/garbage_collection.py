"""Pause garbage collection during a start: nearly all that it creates stays, and each collection looks at all of it."""

from __future__ import annotations

import gc


class PausedCollection:
    """A pause of the garbage collector.

    Meanwhile `gc.disable`, `gc.enable` and `gc.isenabled` work as an app expects: what it sets holds after the pause.
    """

    def __init__(self) -> None:
        """Begin the pause, in this process and in those that it forks."""
        self._is_paused = gc.isenabled()
        self._is_wanted = True
        self._own = gc.disable, gc.enable, gc.isenabled
        if self._is_paused:
            gc.disable()
            gc.disable, gc.enable, gc.isenabled = self._disable, self._enable, self._isenabled

    def end(self) -> None:
        """End the pause, unless it has ended."""
        if not self._is_paused:
            return
        self._is_paused = False
        gc.disable, gc.enable, gc.isenabled = self._own
        # Move everything to the oldest generation, without looking at it; the next full collection does that.
        gc.freeze()
        gc.unfreeze()
        if self._is_wanted:
            gc.enable()

    # An app may have imported these by their names, and call them after the pause, too.

    def _disable(self) -> None:
        self._is_wanted = False
        self._own[0]()

    def _enable(self) -> None:
        self._is_wanted = True
        if not self._is_paused:
            self._own[1]()

    def _isenabled(self) -> bool:
        return self._is_wanted if self._is_paused else self._own[2]()


_pauses: list[PausedCollection] = []


def pause_collection() -> None:
    """Collect no garbage until `resume_collection`."""
    _pauses.append(PausedCollection())


def resume_collection() -> None:
    """End the pause of this process, if there is one."""
    while _pauses:
        _pauses.pop().end()
