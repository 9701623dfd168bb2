"""One kept-alive HTTP/1.1 connection of a client: blocking, few copies, deadlines kept by the kernel.

Its coroutines block and never suspend; `asyncio_client.py` has the one on an event loop.
"""

from __future__ import annotations

import socket
import time

from lambda_web_adapter.adapter.io.backend import HttpClient
from lambda_web_adapter.adapter.io.response_parser import ALL, HEAD, NEXT_CHUNK, ConnectionClosed, ResponseParser
from lambda_web_adapter.adapter.process.control_channel import MAX_WAIT_SECONDS, timeval

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_web_adapter.http.messages import Response

    Enough = Callable[[ResponseParser], bool]

# Bytes asked for at once: a small response fits, and 64 KiB stays below the size for which malloc asks the kernel.
_READ_BYTES = 64 * 1024
# While a large body arrives: fewer system calls for megabytes.
_LARGE_READ_BYTES = 1024 * 1024
# Of a deadline's distance; far less than what is kept back from it for the answer.
_TIMEOUT_TOLERANCE = 0.02  # seconds
# Bytes from which on a copy costs more than another system call.
_LARGE_BODY_BYTES = 64 * 1024
# A request of this size never blocks: the send buffer of a connection on which nothing is under way takes it.
_SEND_BUFFER_BYTES = 16 * 1024


class BlockingClient(HttpClient):
    """A connection to one address."""

    def __init__(self, host: str, port: int, is_gone: Callable[[], bool] | None = None) -> None:
        """Remember the address, and what looks whether the peer is gone; nothing is opened yet."""
        self._address = (host, port)
        self._is_gone = is_gone
        self._socket: socket.socket | None = None
        self.port = 0
        self._receive_timeout = 0.0
        self._reader = ResponseParser()

    @property
    def complete(self) -> bool:
        """Whether the response is whole."""
        return self._reader.complete

    @property
    def has_surplus(self) -> bool:
        """Whether something came behind the whole response."""
        return self._reader.has_surplus

    def close(self) -> None:
        """Closes the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self.port = 0

    def is_open(self) -> bool:
        """Looks at the socket."""
        if self._socket is None or not self.port:
            return False
        if (unasked := _peek(self._socket)) is not None:
            self._reader.has_surplus = bool(unasked)
            self.close()
            return False
        return True

    async def connect(self, seconds: float | None = None) -> None:
        """Opens the connection."""
        self.close()
        opened = socket.create_connection(self._address, seconds)
        opened.settimeout(None)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = opened
        self._receive_timeout = 0.0
        self.port = opened.getsockname()[1]
        self._reader = ResponseParser()

    async def send_request(
        self, head: bytes, body: bytes = b"", *, method: str = "GET", deadline: float | None = None, whole: bool = True
    ) -> Response:
        """Sends a request and reads its response."""
        if self._socket is None or not self.port:
            raise ConnectionClosed("the connection is not open", sent=False)
        reader = self._reader
        reader.start(method, whole=whole, limit=self.limit)
        apart = len(body) >= _LARGE_BODY_BYTES
        first = head if apart else head + body
        sent = self._send(self._socket, first, deadline, _SEND_BUFFER_BYTES)
        if not sent:
            self.close()
            raise ConnectionClosed("the connection was closed before the request", sent=False)
        refused = sent < len(first) or (apart and self._send(self._socket, body, deadline) < len(body))
        self._receive(self._socket, ALL if whole else HEAD, deadline)
        if refused:
            reader.keep_alive = False
            self._close_if_last()
        return reader.response()

    async def read_chunk(self, deadline: float | None = None) -> bytes:
        """Reads what comes next of the body."""
        if not self._reader.complete:
            self._receive(self._opened(), NEXT_CHUNK, deadline)
        return self._reader.take_body()

    async def send_chunk(self, part: bytes, deadline: float | None = None) -> bool:
        """Sends a part of a request."""
        return self._socket is not None and self._send(self._socket, part, deadline, stop_on_input=True) == len(part)

    async def read_response(self, deadline: float | None = None) -> Response:
        """Reads the response to a request that was sent in parts."""
        self._reader.start("POST")
        self._receive(self._opened(), ALL, deadline)
        return self._reader.response()

    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionClosed("the connection is not open")
        return self._socket

    def _close_if_last(self) -> None:
        if self._reader.complete and not self._reader.keep_alive:
            self.close()

    def _discard(self, error: BaseException) -> None:
        """Uses the connection no more; see `send_request` for what remains open."""
        self.port = 0
        self._reader.clear_body()
        if not isinstance(error, TimeoutError):
            self.close()

    def _send(
        self,
        opened: socket.socket,
        request: bytes,
        deadline: float | None,
        buffered: int = 0,
        *,
        stop_on_input: bool = False,
    ) -> int:
        """Sends a request, or a part of one.

        Args:
            opened: the socket.
            request: what to send.
            deadline: when to give up.
            buffered: how many bytes the kernel takes in any case, so that there is nothing to limit.
            stop_on_input: whether a peer that does not keep up, but has answered or closed, is taken to want no more.

        Returns:
            How much of it the peer took: not all, if it refuses a large body.
        """
        sent = 0
        try:
            while sent < len(request):
                if deadline is not None and (sent or len(request) > buffered):
                    opened.setsockopt(
                        socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(min(_remaining(deadline), MAX_WAIT_SECONDS))
                    )
                try:
                    sent += opened.send(memoryview(request)[sent:] if sent else request)
                except BlockingIOError:
                    if (stop_on_input and _peek(opened) is not None) or (self._is_gone and self._is_gone()):
                        break
                except OSError:
                    break  # it may have answered before
        except BaseException as error:
            self._discard(error)
            raise
        return sent

    def _receive(self, opened: socket.socket, enough: Enough, deadline: float | None) -> None:
        """Reads until there is enough, and closes the connection behind a response that is the last on it."""
        reader = self._reader
        size = _READ_BYTES
        flags = 0
        try:
            self._set_receive_timeout(opened, deadline)
            while not enough(reader):
                try:
                    data = opened.recv(size, flags)
                except BlockingIOError:
                    flags = self._how_to_go_on(flags)
                    self._set_receive_timeout(opened, deadline)
                    continue
                except OSError as error:
                    raise ConnectionClosed(str(error), received=reader.received) from None
                if not data:
                    reader.feed_eof()
                    break
                reader.feed(data)
                if not enough(reader):
                    self._set_receive_timeout(opened, deadline)
                    size = _LARGE_READ_BYTES if len(data) == size else _READ_BYTES
        except BaseException as error:
            self._discard(error)
            raise
        self._close_if_last()

    def _how_to_go_on(self, flags: int) -> int:
        """Return the flags to read with after nothing came; from a peer that is gone all is here that will ever come.

        Raises:
            ConnectionClosed: it has been read.
        """
        if flags:
            raise ConnectionClosed("its process is gone", received=self._reader.received)
        return int(socket.MSG_DONTWAIT) if self._is_gone and self._is_gone() else 0

    def _set_receive_timeout(self, opened: socket.socket, deadline: float | None) -> None:
        """Lets the kernel keep the time: each blocking call ends by itself, without a poll before it.

        The limit set for the last invocation mostly serves for this one too.

        Raises:
            TimeoutError: the deadline has passed.
        """
        remaining = MAX_WAIT_SECONDS if deadline is None else min(_remaining(deadline), MAX_WAIT_SECONDS)
        if not self._receive_timeout or abs(remaining - self._receive_timeout) > _TIMEOUT_TOLERANCE:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(remaining))
            self._receive_timeout = remaining


def _peek(opened: socket.socket) -> bytes | None:
    """Return the next byte that has come; nothing at the connection's end, and None if there is neither."""
    try:
        return opened.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""  # a reset: it is as closed as one that ended properly


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("the deadline has passed")
    return remaining
