"""Standard error as a place for lines that decide nothing: one that cannot be written is dropped, and counted."""

from __future__ import annotations

import os
import stat
import sys
import time
from _thread import RLock  # unlike that of `threading`, nothing replaces it

TYPE_CHECKING = False
if TYPE_CHECKING:
    import select
    from collections.abc import Callable

_STDERR = 2  # the file descriptor: an app may put something else in place of `sys.stderr`
_PAUSE = 0.001  # seconds, where the system says that there is room, and then that there is none


class _Turns:
    """Who may write to standard error: one thread of a process after the other."""

    def __init__(self) -> None:
        self.torn = False
        # A signal handler that logs while its own thread writes must not wait for it.
        self._lock = RLock()
        self._pid = os.getpid()

    def take(self, seconds: float) -> bool:
        """Wait for a turn, and return whether it came in time."""
        if self._pid != os.getpid():  # the thread that had it at the fork may not exist in this process
            _Turns.__init__(self)
        return self._lock.acquire(timeout=seconds)

    def give_back(self) -> None:
        """Let the next thread write."""
        self._lock.release()


_turns = _Turns()


class LogOutput:
    """Standard error, for one kind of lines.

    Lines of one process do not mix, whatever their length; a signal handler's may stand within another. Between
    processes that share a pipe this is certain up to PIPE_BUF (4 KB). A longer line goes out in one piece if the pipe
    has room for it; otherwise lines of other processes may come in between.
    """

    def __init__(self, seconds: float, notice: Callable[[int], bytes]) -> None:
        """Begin with nothing dropped.

        Args:
            seconds: how long a line waits for a reader that is slow; behind a dropped one, the next do not wait.
            notice: makes the line that says how many were dropped, for when writing works again.
        """
        self._seconds = seconds
        self._notice = notice
        self._dropped = 0

    def write(self, data: bytes, lines: int = 1) -> None:
        """Write what may be several lines, or drop it. It never raises OSError, and never blocks for long."""
        if self._dropped and self._put(self._notice(self._dropped)):
            self._dropped = 0
        if self._dropped or not self._put(data):
            self._dropped += lines

    def _put(self, data: bytes) -> bool:
        """Write it, and return whether all of it was taken in time."""
        seconds = 0.0 if self._dropped else self._seconds
        deadline = time.monotonic() + seconds
        if not _turns.take(seconds):
            return False
        try:
            whole = b"\n" + data if _turns.torn else data
            written = _write(whole, deadline)
            if written:
                _turns.torn = written < len(whole)
            return written == len(whole)
        finally:
            _turns.give_back()


def _write(data: bytes, until: float) -> int:
    """Write until the time is over, and return how many bytes were taken."""
    import select  # most cold starts have nothing to say

    # So much does not block where there is room, whoever shares the pipe (POSIX, PIPE_BUF).
    size, descriptor = select.PIPE_BUF, _STDERR
    if len(data) > size and (pipe := _reopen_pipe()) is not None:
        size, descriptor = len(data), pipe
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        return _write_pieces(descriptor, memoryview(data), size, poll, until)
    finally:
        if descriptor != _STDERR:
            os.close(descriptor)


def _write_pieces(descriptor: int, data: memoryview, size: int, poll: select.poll, until: float) -> int:
    written, seconds = 0, max(until - time.monotonic(), 0.0)
    while True:
        try:
            if not poll.poll(seconds * 1000):
                return written
            written += os.write(descriptor, data[written : written + size])
        except BlockingIOError:  # it does not block, and somebody else was faster
            time.sleep(min(_PAUSE, seconds))
        except OSError:  # closed, full, or without a reader
            return written
        seconds = max(until - time.monotonic(), 0.0)
        if written == len(data) or not seconds:
            return written


def _reopen_pipe() -> int | None:
    """Return the pipe behind standard error, opened so that it takes what it has room for and does not block.

    The descriptor itself is shared with others, whose writes must go on to block. Returns None if it is no pipe, or
    cannot be opened anew.
    """
    try:
        if stat.S_ISFIFO(os.fstat(_STDERR).st_mode):
            return os.open(f"/proc/self/fd/{_STDERR}", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None
    return None


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
