"""Standard error as a place for lines that decide nothing: one that cannot be written is dropped, and counted."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_STDERR = 2  # the file descriptor: an app may put something else in place of `sys.stderr`
_PAUSE = 0.001  # seconds, where the system says that there is room, and then that there is none


class LogOutput:
    """Standard error, for one kind of lines."""

    def __init__(self, seconds: float, notice: Callable[[int], bytes]) -> None:
        """Begin with nothing dropped.

        Args:
            seconds: how long a line waits for a reader that is slow; behind a dropped one, the next do not wait.
            notice: makes the line that says how many were dropped, for when writing works again.
        """
        self._seconds = seconds
        self._notice = notice
        self._dropped = 0
        self._torn = False

    def write(self, data: bytes, lines: int = 1) -> None:
        """Write what may be several lines, or drop it. It never raises OSError, and never blocks for long."""
        if self._dropped and self._put(self._notice(self._dropped)):
            self._dropped = 0
        if self._dropped or not self._put(data):
            self._dropped += lines

    def _put(self, data: bytes) -> bool:
        """Write it, and return whether all of it was taken in time."""
        import select  # most cold starts have nothing to say

        poll = select.poll()
        poll.register(_STDERR, select.POLLOUT)
        until = time.monotonic() + (0.0 if self._dropped else self._seconds)
        left = b"\n" + data if self._torn else data
        while left:
            seconds = max(until - time.monotonic(), 0.0)
            try:
                if not poll.poll(seconds * 1000):
                    break
                # So much does not block where there is room, whoever shares the pipe (POSIX, PIPE_BUF).
                left = left[os.write(_STDERR, left[: select.PIPE_BUF]) :]
            except BlockingIOError:  # somebody has made it non-blocking, and somebody else was faster
                if not seconds:
                    break
                time.sleep(_PAUSE)
            except OSError:  # closed, full, or without a reader
                break
        if len(left) < len(data):
            self._torn = bool(left)
        return not left


def fill_closed_descriptors() -> None:
    """Open the null device in place of standard descriptors that are closed, before a socket becomes one of them."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
            os.set_inheritable(descriptor, True)
    for descriptor, name in ((1, "stdout"), (_STDERR, "stderr")):
        if getattr(sys, name) is None:  # Python has found it closed
            setattr(sys, name, os.fdopen(descriptor, "w", closefd=False))
