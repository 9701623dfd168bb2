"""Write log lines to standard error; a line that cannot be written in time is dropped and counted."""

from __future__ import annotations

import os
import stat
import sys
import time
from _thread import RLock  # unlike `threading`'s, gevent and others do not replace it
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import select
    from collections.abc import Callable

_STDERR = 2  # the file descriptor, since an app may replace `sys.stderr`
_PAUSE = 0.001  # seconds before the next try if `poll` reports room but the write finds none


class _Turns:
    """The right to write to standard error, which one thread of a process has at a time."""

    def __init__(self) -> None:
        self.torn = False  # whether the last line was written only in part
        # Reentrant, so that a signal handler can log while its own thread writes.
        self._lock = RLock()
        self._pid = os.getpid()

    def take(self, seconds: float) -> bool:
        """Wait for the turn; return whether it came in time."""
        if self._pid != os.getpid():  # the thread that held it at the fork may not exist in this process
            _Turns.__init__(self)
        return self._lock.acquire(timeout=seconds)

    def give_back(self) -> None:
        """Release the turn for the next thread."""
        self._lock.release()


_turns = _Turns()


class LogOutput:
    """Standard error, for one kind of lines.

    Lines of one process do not mix, whatever their length, except that a signal handler's line may interrupt another.
    Of processes that share a pipe, only lines of up to PIPE_BUF (4 KB) never mix. A longer line goes out in one piece
    if the pipe has room for it; otherwise lines of other processes may come in between.
    """

    def __init__(self, seconds: float, notice: Callable[[int], bytes]) -> None:
        """Create an output that has dropped nothing yet.

        Args:
            seconds: how long to wait for a slow reader; after a dropped line, lines do not wait until one is written.
            notice: builds the line that says, once writing works again, how many lines were dropped.
        """
        self._seconds = seconds
        self._notice = notice
        self._dropped = 0

    def write(self, data: bytes, lines: int = 1) -> None:
        """Write one or more lines, or drop them, without raising OSError or blocking for long."""
        if self._dropped and self._put(self._notice(self._dropped)):
            self._dropped = 0
        if self._dropped or not self._put(data):
            self._dropped += lines

    def _put(self, data: bytes) -> bool:
        """Write the data; return whether all of it was written in time."""
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


def _write(data: bytes, deadline: float) -> int:
    """Write until the deadline; return how many bytes were written."""
    import select  # most cold starts log nothing

    # A write of this size does not block when `poll` reports room, even on a shared pipe (POSIX, PIPE_BUF).
    size, descriptor = select.PIPE_BUF, _STDERR
    if len(data) > size and (pipe := _reopen_pipe()) is not None:
        size, descriptor = len(data), pipe
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        return _write_pieces(descriptor, memoryview(data), size, poll, deadline)
    finally:
        if descriptor != _STDERR:
            os.close(descriptor)


def _write_pieces(descriptor: int, data: memoryview, size: int, poll: select.poll, deadline: float) -> int:
    written, seconds = 0, max(deadline - time.monotonic(), 0.0)
    while True:
        try:
            if not poll.poll(seconds * 1000):
                return written
            written += os.write(descriptor, data[written : written + size])
        except BlockingIOError:  # the pipe is non-blocking, and another process has filled it
            time.sleep(min(_PAUSE, seconds))
        except OSError:  # the descriptor is closed, the disk is full, or nobody reads
            return written
        seconds = max(deadline - time.monotonic(), 0.0)
        if written == len(data) or not seconds:
            return written


def _reopen_pipe() -> int | None:
    """Open the pipe behind standard error again, non-blocking; return None if there is none that can be opened.

    Other processes share the original descriptor, and their writes must go on blocking.
    """
    try:
        if stat.S_ISFIFO(os.fstat(_STDERR).st_mode):
            return os.open(f"/proc/self/fd/{_STDERR}", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None
    return None


def fill_closed_descriptors() -> None:
    """Open the null device for each closed standard descriptor, before a socket gets its number."""
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
