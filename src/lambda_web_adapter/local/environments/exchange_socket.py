"""The socket by which an environment's adapter reports its exchanges with the app."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from lambda_web_adapter.ipc.exchange_frame import Exchange, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The largest datagram, in bytes: two bodies of 64 KB, and headers.
_MAX_DATAGRAM = 512 * 1024


class ExchangeSocket:
    """Reads exchanges as they are reported, and passes them on."""

    def __init__(self, take: Callable[[Exchange], None]) -> None:
        """Open a pair of connected sockets; `take` gets each exchange."""
        self._take = take
        self._reader, self._writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        # Linux takes twice the value for the largest datagram (socket(7)). What is larger than it, `_read` would cut.
        self._writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MAX_DATAGRAM // 2)
        self._reader.setblocking(False)
        asyncio.get_running_loop().add_reader(self._reader, self._read)

    @contextmanager
    def writer(self) -> Iterator[int]:
        """Return the descriptor to write to, for a process to inherit; afterwards it is closed here."""
        with self._writer:
            yield self._writer.fileno()

    def drain(self) -> None:
        """Read what was reported until now."""
        while self._read():
            pass

    def close(self) -> None:
        """Read what is left, and close the socket."""
        self.drain()
        asyncio.get_running_loop().remove_reader(self._reader)
        self._reader.close()

    def _read(self) -> bool:
        """Read one datagram; return whether there was one."""
        try:
            datagram = self._reader.recv(_MAX_DATAGRAM)
        except OSError:  # none is there, or the other end is gone
            return False
        if not datagram:
            return False
        with suppress(ValueError):  # the app has written to the descriptor that it inherited
            self._take(decode(datagram))
        return True
