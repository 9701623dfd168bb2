"""The pipe into which all processes of an environment write: stdout and stderr, in the order of their writes."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from contextlib import contextmanager
from fcntl import ioctl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_READ_BYTES = 65536
_INT_BYTES = 4  # of C's int
# How long the beginning of a line may wait for its end, in seconds: then it may be a prompt, such as a debugger's.
_PARTIAL_LINE_SECONDS = 0.05


class LogPipe:
    """Reads a pipe as its processes write, and passes on whole lines."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        """Open the pipe; `take` gets one or more whole lines, or a line's beginning that waits for its end."""
        self._take = take
        self._read_end, self._write_end = os.pipe()
        self._partial = b""
        self._flush: asyncio.TimerHandle | None = None
        os.set_blocking(self._read_end, False)
        asyncio.get_running_loop().add_reader(self._read_end, self._read)

    @contextmanager
    def writer(self) -> Iterator[int]:
        """Return the descriptor to write to, for a process to inherit; afterwards it is closed here."""
        try:
            yield self._write_end
        finally:
            os.close(self._write_end)

    def drain(self) -> None:
        """Read what was written until now, also if its last line has no end.

        A process may write faster than its lines can be passed on, so that the pipe is never empty.
        """
        remaining = _available(self._read_end)
        while remaining > 0 and (size := self._read()):
            remaining -= size
        self._take_partial()

    def close(self) -> None:
        """Read what is left, and close the pipe, even if somebody else still holds its other end."""
        self.drain()
        asyncio.get_running_loop().remove_reader(self._read_end)
        os.close(self._read_end)

    def _read(self) -> int:
        """Read what there is, up to a limit; return how many bytes that was."""
        try:
            data = os.read(self._read_end, _READ_BYTES)
        except BlockingIOError:
            return 0
        if not data:  # all processes have closed their ends
            asyncio.get_running_loop().remove_reader(self._read_end)
            return 0
        if self._flush:
            self._flush.cancel()
            self._flush = None
        lines, newline, self._partial = (self._partial + data).rpartition(b"\n")
        if newline:
            self._take(lines + newline)
        if len(self._partial) > _READ_BYTES:  # a line without end would grow for ever
            self._take_partial()
        elif self._partial:
            self._flush = asyncio.get_running_loop().call_later(_PARTIAL_LINE_SECONDS, self._take_partial)
        return len(data)

    def _take_partial(self) -> None:
        if self._partial:
            text, self._partial = self._partial, b""
            self._take(text)


def _available(pipe: int) -> int:
    """Return how many bytes can be read from a pipe now (FIONREAD, ioctl_list(2))."""
    return int.from_bytes(ioctl(pipe, termios.FIONREAD, bytes(_INT_BYTES)), sys.byteorder)
