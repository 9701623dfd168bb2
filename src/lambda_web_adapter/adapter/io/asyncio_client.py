"""A kept HTTP/1.1 client connection on an event loop; `blocking_client.py` has the one that blocks."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.io.backend import HttpClient
from lambda_web_adapter.adapter.io.response_parser import (
    ALL,
    HEAD,
    NEXT_CHUNK,
    NO_LIMIT,
    ConnectionClosed,
    NotHttp,
    ResponseParser,
)
from lambda_web_adapter.http.large_bodies import SEPARATE_BODY

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.http.messages import Response

    Enough = Callable[[ResponseParser], bool]

# How much of a body is read from the peer before `read_chunk` asks for it.
_READ_AHEAD_BYTES = 256 * 1024


class AsyncioClient(HttpClient):
    """A client of one address."""

    def __init__(self, host: str, port: int, app: AppProcess | None = None) -> None:
        """Prepare a connection, which `connect` opens, to an address, which may be the app's."""
        self._address = (host, port)
        self._app = app
        self._protocol: ClientProtocol | None = None

    @property
    def port(self) -> int:  # type: ignore[override]  # it changes by itself: the event loop sees the peer close
        """The local port while the connection is open, else 0."""
        return self._protocol.port if self._protocol else 0

    @property
    def complete(self) -> bool:
        """Whether the response is complete."""
        return self._protocol is not None and self._protocol.reader.complete

    @property
    def received(self) -> bool:
        """Whether a byte of the response has come."""
        return self._protocol is not None and self._protocol.reader.received

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of the response that have come."""
        return self._protocol.reader.headers if self._protocol else []

    @property
    def has_surplus(self) -> bool:
        """Whether bytes that belong to no response came after the last one."""
        return self._protocol is not None and self._protocol.reader.has_surplus

    def is_open(self) -> bool:
        """Return whether the connection can take a request; the socket says so before the event loop reads its end."""
        if not self.port or self._protocol is None:
            return False
        return self._protocol.is_untouched()

    def close(self) -> None:
        """Close the connection."""
        if self._protocol is not None:
            self._protocol.abort()
            self._protocol = None

    async def connect(self, seconds: float | None = None) -> None:
        """Open the connection."""
        self.close()
        async with asyncio.timeout(seconds):
            self._protocol = await self._open()

    async def _open(self) -> ClientProtocol:
        _, protocol = await asyncio.get_running_loop().create_connection(
            lambda: ClientProtocol(self._app), *self._address
        )
        return protocol

    async def send_request(
        self, head: bytes, body: bytes = b"", *, method: str = "GET", deadline: float | None = None, whole: bool = True
    ) -> Response:
        """Send a request, and return its response."""
        protocol = self._protocol
        if protocol is None or not protocol.port:
            raise ConnectionClosed("the connection is not open", sent=False)
        protocol.begin(head, body, method, whole=whole, limit=self.limit)
        await protocol.receive(ALL if whole else HEAD, deadline)
        return protocol.reader.response()

    async def read_chunk(self, deadline: float | None = None) -> bytes:
        """Return the next bytes of the body when they come; b"" at its end."""
        protocol = self._opened()
        await protocol.receive(NEXT_CHUNK, deadline)  # even if all has come: this may close the connection
        return protocol.reader.take_body()

    async def send_chunk(self, part: bytes, deadline: float | None = None) -> bool:
        """Send a part of a request; return whether the peer took it."""
        return self._protocol is not None and await self._protocol.send(part, deadline)

    async def read_response(self, deadline: float | None = None) -> Response:
        """Return the response to a request that was sent in parts."""
        protocol = self._opened()
        await protocol.receive(ALL, deadline)
        return protocol.reader.response()

    def _opened(self) -> ClientProtocol:
        if self._protocol is None:
            raise ConnectionClosed("the connection is not open")
        return self._protocol


class ClientProtocol(asyncio.Protocol):
    """One connection from its opening to its end, with the callbacks of the event loop.

    Attributes:
        port: the local port, or 0 when the connection takes no more requests.
        reader: the parser of the responses.
    """

    def __init__(self, app: AppProcess | None) -> None:
        self._app = app
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._awaits_response = False
        self._enough: Enough = ALL
        self._read_ahead = 0
        self._received: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self.reader = ResponseParser()
        self.port = 0

    def begin(self, head: bytes, body: bytes, method: str, *, whole: bool = True, limit: int = NO_LIMIT) -> None:
        """Send a request, or nothing yet of one that is sent in parts."""
        self.reader.start(method, whole=whole, limit=limit)
        self._awaits_response = True
        self._enough = ALL
        if len(body) >= SEPARATE_BODY:
            self._transport.write(head)
            self._transport.write(body)
        elif head:
            self._transport.write(head + body)

    async def send(self, part: bytes, deadline: float | None) -> bool:
        """Send a part of a request; return whether the peer has taken it, or will."""
        if not self._awaits_response:
            self.begin(b"", b"", "POST")
        if self._accepts_chunks():
            self._transport.write(part)
            if self._writable is not None:
                await self._wait(self._writable, deadline)
        return self._accepts_chunks()

    def _accepts_chunks(self) -> bool:
        return bool(self.port) and not self.reader.complete

    async def receive(self, enough: Enough, deadline: float | None) -> None:
        """Wait until enough of the response has come; close the connection after the last response on it."""
        reader = self.reader
        self._enough = enough
        if self._read_ahead >= _READ_AHEAD_BYTES:
            self._transport.resume_reading()
        self._read_ahead = 0
        while not enough(reader):
            if self._error is not None:
                self.abort()
                raise self._error
            self._received = self._loop.create_future()
            await self._wait(self._received, deadline)
        if reader.complete:
            self._awaits_response = False
            if not reader.keep_alive:
                self.abort()

    async def _wait(self, future: asyncio.Future[None], deadline: float | None) -> None:
        """Wait; close the connection on errors except TimeoutError (see `HttpClient.send_request`)."""
        timer = None
        try:
            if deadline is not None:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise TimeoutError("the deadline has passed")
                timer = self._loop.call_later(remaining, time_out, future, self._app)
            await future
        except TimeoutError:
            self.port = 0
            raise
        except BaseException:
            self.abort()
            raise
        finally:
            if timer:
                timer.cancel()

    def is_untouched(self) -> bool:
        """Return whether the connection is open and nothing has come on it; close it otherwise."""
        try:
            self.reader.has_surplus = bool(os.read(self._transport.get_extra_info("socket").fileno(), 1))
        except BlockingIOError:
            return True
        except OSError:  # a reset is an end like any other
            self.reader.has_surplus = False
        self.abort()
        return False

    def abort(self) -> None:
        """Close the connection at once."""
        self.port = 0
        if not self.reader.complete:
            self.reader.clear_body()
        self._transport.abort()

    # The callbacks of the event loop.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as for all streams
        """Remember the transport and the local port."""
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def data_received(self, data: bytes) -> None:
        """Parse a part of the response; close the connection if none is expected."""
        if not self._awaits_response:
            self.reader.has_surplus = True
            self.abort()
            return
        try:
            self.reader.feed(data)
        except NotHttp as error:
            self._error = error
            _wake(self._received)
            return
        if not self._enough(self.reader):
            return
        _wake(self._received)
        if self.reader.complete:
            _wake(self._writable)  # a peer that has responded may read no more
        if self._enough is ALL:
            self._read_ahead = 0 if self.reader.complete else _READ_AHEAD_BYTES  # else the body exceeds its limit
        else:
            self._read_ahead += len(data)
        if self._read_ahead >= _READ_AHEAD_BYTES:
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """Close at once, even if the peer, which sends no more, has not read everything."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Complete the response if this is its end; otherwise, keep the error for `receive`."""
        self.port = 0
        try:
            if exc is not None:
                raise ConnectionClosed(str(exc), received=self.reader.received)
            if not self.reader.complete:
                self.reader.feed_eof()
        except ConnectionClosed as error:
            self._error = error
        _wake(self._received)
        self.resume_writing()

    def pause_writing(self) -> None:
        """Make `send` wait, since the peer reads more slowly."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let `send` go on."""
        _wake(self._writable)
        self._writable = None


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


def time_out(waiting: asyncio.Future[Any], app: AppProcess | None = None) -> None:
    """End a wait at its deadline.

    It goes on if a debugger may stop the app, and it is over if its result has come in the same turn of the event loop.
    """
    if not waiting.done() and not (app and app.control.is_debugged()):
        waiting.set_exception(TimeoutError("the deadline has passed"))
