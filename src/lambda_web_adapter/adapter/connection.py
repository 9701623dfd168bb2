"""One kept-alive HTTP/1.1 connection of a client: blocking, few copies, deadlines kept by the kernel."""

from __future__ import annotations

import socket
import time

from lambda_web_adapter.adapter.control_channel import SLICE, timeval
from lambda_web_adapter.adapter.response_reader import ConnectionClosed, ResponseReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.messages import Response

# Bytes asked for at once: a small response fits, and 64 KiB stays below the size for which malloc asks the kernel.
_SMALL = 64 * 1024
# While a large body arrives: fewer system calls for megabytes.
_LARGE = 1024 * 1024
# Of a deadline's distance; far less than what is kept back from it for the answer.
_CLOSE_ENOUGH = 0.02  # seconds
# A request of this size never blocks: the kernel's smallest send buffer holds it.
_SURELY_BUFFERED = 4096


class Connection:
    """A connection to one address, opened when it is first needed and again after it was closed.

    Attributes:
        port: this side's port while the connection is open, else 0. Whether it is open, as far as this side knows.
    """

    def __init__(self, host: str, port: int) -> None:
        """Remembers the address; nothing is opened yet."""
        self._address = (host, port)
        self._socket: socket.socket | None = None
        self.port = 0
        self._limited = 0.0
        self._reader = ResponseReader()

    def close(self) -> None:
        """Closes the connection; the next exchange needs another `open`."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self.port = 0

    def is_open(self) -> bool:
        """Says whether the connection can take a request: it is open, and nothing came unasked, not even its end."""
        if self._socket is None:
            return False
        try:
            self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            pass  # a reset: it is as closed as one that ended properly
        self.close()
        return False

    def open(self, timeout: float | None = None) -> None:
        """Opens the connection.

        Args:
            timeout: seconds to wait for the peer; None waits as long as the kernel does.

        Raises:
            OSError: nobody listens there, or not in time.
        """
        self.close()
        opened = socket.create_connection(self._address, timeout)
        opened.settimeout(None)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = opened
        self._limited = 0.0
        self.port = opened.getsockname()[1]
        self._reader = ResponseReader()

    def exchange(self, request: bytes, *, method: str = "GET", deadline: float | None = None) -> Response:
        """Sends a request and reads the whole response. The connection must be open.

        Args:
            request: head and body.
            method: the request's method, since the response to HEAD has no body.
            deadline: when to give up, on the monotonic clock in seconds; None waits without bound.

        Raises:
            ConnectionClosed: the peer closed before the response was whole.
            NotHttp: the response cannot be read.
            TimeoutError: the deadline passed. The connection is closed then, as after each error.
        """
        if self._socket is None:
            raise ConnectionClosed("the connection is not open", sent=False)
        reader = self._reader
        reader.expect(method)
        try:
            sent = self._send(self._socket, request, deadline)
            if not sent:
                raise ConnectionClosed("the connection was closed before the request", sent=False)
            self._receive(self._socket, deadline)
        except BaseException:
            self.close()
            reader.forget()
            raise
        if sent < len(request) or not reader.keep_alive:
            self.close()
        return reader.response()

    @staticmethod
    def _send(opened: socket.socket, request: bytes, deadline: float | None) -> int:
        """Sends the request; returns how much of it the peer took: not all, if it refuses a large body."""
        sent = 0
        while sent < len(request):
            if deadline is not None and (sent or len(request) > _SURELY_BUFFERED):
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(min(_left(deadline), SLICE)))
            try:
                sent += opened.send(memoryview(request)[sent:] if sent else request)
            except BlockingIOError:
                continue
            except OSError:
                break  # it may have answered before
        return sent

    def _receive(self, opened: socket.socket, deadline: float | None) -> None:
        reader = self._reader
        size = _SMALL
        self._limit(opened, deadline)
        while not reader.complete:
            try:
                data = opened.recv(size)
            except BlockingIOError:
                self._limit(opened, deadline)
                continue
            except OSError as error:
                raise ConnectionClosed(str(error), received=reader.received) from None
            if not data:
                reader.end()
                return
            reader.feed(data)
            if not reader.complete:
                self._limit(opened, deadline)
                size = _LARGE if len(data) == size else _SMALL

    def _limit(self, opened: socket.socket, deadline: float | None) -> None:
        """Lets the kernel keep the time: each blocking call ends by itself, without a poll before it.

        The limit set for the last invocation mostly serves for this one too.

        Raises:
            TimeoutError: the deadline has passed.
        """
        left = SLICE if deadline is None else min(_left(deadline), SLICE)
        if not self._limited or abs(left - self._limited) > _CLOSE_ENOUGH:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(left))
            self._limited = left


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left
