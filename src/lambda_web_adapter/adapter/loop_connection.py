"""One kept-alive HTTP/1.1 connection of a client, on an event loop; `connection.py` has the one that blocks."""

from __future__ import annotations

import asyncio
import select
import time

from lambda_web_adapter.adapter.mode import ClientConnection
from lambda_web_adapter.adapter.response_reader import ConnectionClosed, NotHttp, ResponseReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.messages import Response


class LoopConnection(ClientConnection):
    """A connection to one address."""

    def __init__(self, host: str, port: int) -> None:
        """Remembers the address; nothing is opened yet."""
        self._address = (host, port)
        self._wire: _Wire | None = None

    @property
    def port(self) -> int:  # type: ignore[override]  # it changes by itself: the event loop sees the peer close
        """This side's port while the connection is open, else 0."""
        return self._wire.port if self._wire else 0

    def is_open(self) -> bool:
        """Looks at the socket, since the event loop may not have come round to it."""
        if not self.port or self._wire is None:
            return False
        if self._wire.has_something_to_read():
            self.close()
            return False
        return True

    def close(self) -> None:
        """Closes the connection."""
        if self._wire is not None:
            self._wire.abandon()
            self._wire = None

    async def connect(self, seconds: float | None = None) -> None:
        """Opens the connection."""
        self.close()
        async with asyncio.timeout(seconds):
            _, self._wire = await asyncio.get_running_loop().create_connection(_Wire, *self._address)

    async def ask(self, request: bytes, *, method: str = "GET", deadline: float | None = None) -> Response:
        """Sends a request and reads the whole response."""
        wire = self._wire
        if wire is None or not wire.port:
            raise ConnectionClosed("the connection is not open", sent=False)
        try:
            keep_alive = await wire.ask(request, method, deadline)
        except BaseException:
            self.close()
            wire.reader.forget()
            raise
        if not keep_alive:
            self.close()
        return wire.reader.response()


class _Wire(asyncio.Protocol):
    """One connection while it lasts: what the event loop calls.

    Attributes:
        port: this side's port, or 0 when the connection can take no request any more.
        reader: what has come.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[bool] | None = None
        self._transport: asyncio.Transport
        self.reader = ResponseReader()
        self.port = 0

    async def ask(self, request: bytes, method: str, deadline: float | None) -> bool:
        """Sends a request and waits until the response is whole; returns whether the connection can go on."""
        timer = None
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the deadline has passed")
            timer = self._loop.call_later(left, self._fail, TimeoutError("no whole response in time"))
        self.reader.expect(method)
        self._answer = self._loop.create_future()
        self._transport.write(request)
        try:
            return await self._answer
        finally:
            self._answer = None
            if timer:
                timer.cancel()

    def has_something_to_read(self) -> bool:
        """Says whether something has come that nobody asked for, or the connection's end."""
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def abandon(self) -> None:
        """Closes the connection without a word more."""
        self.port = 0
        self._transport.abort()

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _succeed(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self.reader.keep_alive and bool(self.port))

    # What the event loop calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as for all streams
        """Begins."""
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def data_received(self, data: bytes) -> None:
        """Reads a part of the response; what nobody asked for makes the connection useless."""
        if self._answer is None:
            self.abandon()
            return
        try:
            self.reader.feed(data)
        except NotHttp as error:
            self._fail(error)
        else:
            if self.reader.complete:
                self._succeed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Takes the end, by which a response may be whole."""
        self.port = 0
        if exc is not None:
            self._fail(ConnectionClosed(str(exc), received=self.reader.received))
            return
        try:
            self.reader.end()
        except ConnectionClosed as error:
            self._fail(error)
        else:
            self._succeed()
