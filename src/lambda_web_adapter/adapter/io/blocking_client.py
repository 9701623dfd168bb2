"""A kept HTTP/1.1 client connection that blocks, copies little, and leaves timeouts to the kernel.

Its coroutines never suspend; `asyncio_client.py` has the client for an event loop.
"""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.io.backend import HttpClient
from lambda_web_adapter.adapter.io.response_parser import ALL, HEAD, NEXT_CHUNK, ConnectionClosed, ResponseParser
from lambda_web_adapter.adapter.process.control_channel import MAX_WAIT_SECONDS, timeval
from lambda_web_adapter.http.large_bodies import FIRST_READ, NEXT_READ, SEPARATE_BODY

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.http.messages import Response

    Enough = Callable[[ResponseParser], bool]

# How inexact a timeout may be: far less than the margin that is kept for the reply.
_TIMEOUT_TOLERANCE = 0.02  # seconds
# How much is read of a response that is not taken as a whole, while its request cannot be sent: Lambda's largest.
_READ_AHEAD_BYTES = 6 * 1024 * 1024


class BlockingClient(HttpClient):
    """A connection to one address."""

    def __init__(self, host: str, port: int, app: AppProcess | None = None) -> None:
        """Prepare a connection, which `connect` opens.

        Args:
            host: the host to connect to.
            port: its port.
            app: the app, if it is the peer.
        """
        self._address = (host, port)
        self._app = app
        self._socket: socket.socket | None = None
        self.port = 0
        self._receive_timeout = 0.0
        self._reader = ResponseParser()

    @property
    def complete(self) -> bool:
        """Whether the response is complete."""
        return self._reader.complete

    @property
    def received(self) -> bool:
        """Whether a byte of the response was read."""
        return self._reader.received

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of the response that have come."""
        return self._reader.headers

    @property
    def has_surplus(self) -> bool:
        """Whether bytes came after the complete response."""
        return self._reader.has_surplus

    def close(self) -> None:
        """Close the connection; the next request needs another `connect`."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self.port = 0

    def is_open(self) -> bool:
        """Return whether the socket is open and has nothing to read."""
        if self._socket is None or not self.port:
            return False
        if (surplus := _available(self._socket, 1, socket.MSG_PEEK)) is not None:
            self._reader.has_surplus = bool(surplus)
            self.close()
            return False
        return True

    async def connect(self, seconds: float | None = None) -> None:
        """Open the connection."""
        self.close()
        opened = create_connection(*self._address, seconds)
        opened.settimeout(None)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = opened
        self._receive_timeout = 0.0
        self.port = opened.getsockname()[1]
        self._reader = ResponseParser()

    async def send_request(
        self, head: bytes, body: bytes = b"", *, method: str = "GET", deadline: float | None = None, whole: bool = True
    ) -> Response:
        """Send a request and return its response."""
        if self._socket is None or not self.port:
            raise ConnectionClosed("the connection is not open", sent=False)
        reader = self._reader
        reader.start(method, whole=whole, limit=self.limit if whole else _READ_AHEAD_BYTES)
        large = body and len(body) >= SEPARATE_BODY
        first = head if large or not body else head + body
        sent = self._send(self._socket, first, deadline)
        if not sent:
            self.close()
            raise ConnectionClosed("the connection was closed before the request", sent=False)
        refused = sent < len(first) or (large and self._send(self._socket, body, deadline) < len(body))
        self._receive(self._socket, ALL if whole else HEAD, deadline)
        if refused:
            reader.keep_alive = False
            if reader.complete:
                self.close()
        return reader.response()

    async def read_chunk(self, deadline: float | None = None) -> bytes:
        """Return the next chunk of the body."""
        if not self._reader.complete:
            self._receive(self._opened(), NEXT_CHUNK, deadline)
        return self._reader.take_body()

    async def send_chunk(self, part: bytes, deadline: float | None = None) -> bool:
        """Send a part of a request, and return whether the peer took all of it."""
        return self._socket is not None and self._send(self._socket, part, deadline, stop_on_input=True) == len(part)

    async def read_response(self, deadline: float | None = None) -> Response:
        """Return the response to a request that was sent in parts."""
        self._reader.start("POST")
        self._receive(self._opened(), ALL, deadline)
        return self._reader.response()

    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionClosed("the connection is not open")
        return self._socket

    def _discard(self, error: BaseException) -> None:
        """Let the connection take no more requests; close it, except after a timeout (see `send_request`)."""
        self.port = 0
        self._reader.clear_body()
        if not isinstance(error, TimeoutError):
            self.close()

    def _send(
        self, opened: socket.socket, request: bytes, deadline: float | None, *, stop_on_input: bool = False
    ) -> int:
        """Send a request, or a part of one.

        Args:
            opened: the socket.
            request: what to send.
            deadline: on the monotonic clock, in seconds.
            stop_on_input: whether to stop when the peer takes no more, but has sent something or closed the connection.

        Returns:
            How many bytes the peer took: not all if it rejects a large body.
        """
        sent = 0
        try:
            while sent < len(request):
                try:
                    sent += opened.send(memoryview(request)[sent:] if sent else request, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    if not self._wait_until_writable(opened, deadline, stop_on_input=stop_on_input):
                        break
                except OSError:
                    break  # the response may have arrived already
        except BaseException as error:
            self._discard(error)
            raise
        return sent

    def _wait_until_writable(self, opened: socket.socket, deadline: float | None, *, stop_on_input: bool) -> bool:
        """Wait for a peer that takes no more, and read what it sends: it may send its response before it reads on.

        Returns:
            Whether to go on sending. If not, there is enough of the response, or the peer is gone; with
            `stop_on_input`, the peer has sent something.
        """
        if self._app and self._app.is_gone():
            return False
        poll = select.poll()
        poll.register(opened, select.POLLIN | select.POLLOUT)
        events = poll.poll(1000 * self._next_wait(deadline))
        if not events or events[0][1] & select.POLLOUT:
            return True
        data = b"" if stop_on_input else _available(opened, NEXT_READ)
        if data:
            self._reader.feed(data)
        return data != b"" and not self._reader.has_all

    def _receive(self, opened: socket.socket, enough: Enough, deadline: float | None) -> None:
        """Read until there is enough, and close the connection after the last response on it."""
        reader = self._reader
        size = FIRST_READ
        flags = 0
        try:
            if (deadline is not None or self._receive_timeout != MAX_WAIT_SECONDS) and not enough(reader):
                self._set_receive_timeout(opened, deadline)
            while not enough(reader):
                try:
                    data = opened.recv(size, flags)
                except BlockingIOError:
                    flags = self._flags_after_timeout(flags)
                    self._set_receive_timeout(opened, deadline)
                    continue
                except OSError as error:
                    raise ConnectionClosed(str(error), received=reader.received) from None
                reader.feed(data)
                if not enough(reader):
                    self._set_receive_timeout(opened, deadline)
                    size = NEXT_READ if len(data) == size else FIRST_READ
        except BaseException as error:
            self._discard(error)
            raise
        if reader.complete and not reader.keep_alive:
            self.close()

    def _flags_after_timeout(self, flags: int) -> int:
        """Return the flags for the next read after one that timed out.

        Raises:
            ConnectionClosed: The peer is gone, and all that it sent has been read.
        """
        if flags:
            raise ConnectionClosed("its process is gone", received=self._reader.received)
        return int(socket.MSG_DONTWAIT) if self._app and self._app.is_gone() else 0

    def _set_receive_timeout(self, opened: socket.socket, deadline: float | None) -> None:
        """Set the kernel's timeout for reads, so that none needs a poll before it.

        Mostly the timeout that was set for the last request does for this one too.

        Raises:
            TimeoutError: The deadline has passed.
        """
        remaining = MAX_WAIT_SECONDS if deadline is None else deadline - time.monotonic()
        if remaining >= MAX_WAIT_SECONDS == self._receive_timeout:
            return
        remaining = self._next_wait(deadline)
        if not self._receive_timeout or abs(remaining - self._receive_timeout) > _TIMEOUT_TOLERANCE:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(remaining))
            self._receive_timeout = remaining

    def _next_wait(self, deadline: float | None) -> float:
        """Return how long the next system call may wait, in seconds.

        Raises:
            TimeoutError: The deadline has passed.
        """
        remaining = MAX_WAIT_SECONDS if deadline is None else deadline - time.monotonic()
        if remaining > 0:
            return min(remaining, MAX_WAIT_SECONDS)
        if self._app and self._app.control.is_debugged():
            return MAX_WAIT_SECONDS
        raise TimeoutError("the deadline has passed")


def create_connection(host: str, port: int, seconds: float | None) -> socket.socket:
    """Return a connected socket; for a name, try all its addresses, each for `seconds`.

    Raises:
        OSError: None can be connected.
    """
    # The host as bytes: for text, `socket` imports the codec of internationalized names, which takes 2 ms.
    return socket.create_connection((host.encode(), port), seconds)  # type: ignore[arg-type]  # `getaddrinfo` takes both


def _available(opened: socket.socket, size: int, flags: int = 0) -> bytes | None:
    """Return the bytes that have come, up to a size; b"" if the connection has ended, None if none have come."""
    try:
        return opened.recv(size, flags | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""  # a reset counts as an end
