"""One kept-alive HTTP/1.1 connection of a client: blocking, few copies, deadlines kept by the kernel."""

from __future__ import annotations

import socket
import time

import httptools

from lambda_web_adapter.adapter.app_process import timeval
from lambda_web_adapter.messages import Response

# Bytes asked for at once: a small response fits, and 64 KiB stays below the size for which malloc asks the kernel.
_SMALL = 64 * 1024
# While a large body arrives: fewer system calls for megabytes.
_LARGE = 1024 * 1024
# Of a deadline's distance; far less than what is kept back from it for the answer.
_CLOSE_ENOUGH = 0.02  # seconds
# A request of this size never blocks: the kernel's smallest send buffer holds it.
_SURELY_BUFFERED = 4096


class ConnectionClosed(Exception):
    """The peer is gone.

    Attributes:
        sent: whether a byte of the request was written, so that it must not be sent again.
        received: whether a byte of the response was read.
    """

    def __init__(self, reason: str, *, sent: bool, received: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent
        self.received = received


class NotHttp(Exception):
    """What came is not an HTTP response."""


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
        self._parser = httptools.HttpResponseParser(self)
        self._expect("GET")

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
        self._parser = httptools.HttpResponseParser(self)

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
        self._expect(method)
        try:
            unsent = self._send(self._socket, request, deadline)
            self._receive(self._socket, deadline)
        except BaseException:
            self.close()
            raise
        if unsent:
            self._keep_alive = False
        if self._bodiless:
            self._parser = httptools.HttpResponseParser(self)  # the old one waits for a body that never comes
        if not self._keep_alive:
            self.close()
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        return Response(status=self._status, headers=self._headers, body=body)

    def _expect(self, method: str) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._status = 0
        self._keep_alive = False
        self._complete: bool = False
        self._bodiless = method == "HEAD"

    @staticmethod
    def _send(opened: socket.socket, request: bytes, deadline: float | None) -> bool:
        """Sends the request; returns whether the peer did not take all of it, as one that refuses a large body does."""
        if deadline is not None and len(request) > _SURELY_BUFFERED:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(_left(deadline)))
        try:
            sent = opened.send(request)
            while sent < len(request):
                if deadline is not None:
                    opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(_left(deadline)))
                sent += opened.send(memoryview(request)[sent:])
        except BlockingIOError:
            raise TimeoutError("the request was not taken in time") from None
        except OSError:
            return True  # it may have answered before
        return False

    def _receive(self, opened: socket.socket, deadline: float | None) -> None:
        received = False
        size = _SMALL
        self._limit(opened, deadline)
        while not self._complete:
            try:
                data = opened.recv(size)
            except BlockingIOError:
                raise TimeoutError("no whole response in time") from None
            except OSError as error:
                raise ConnectionClosed(str(error), sent=True, received=received) from None
            if not data:
                self._end(received)
                return
            received = True
            self._parse(data)
            if not self._complete:
                self._limit(opened, deadline)
                size = _LARGE if len(data) == size else _SMALL

    def _limit(self, opened: socket.socket, deadline: float | None) -> None:
        """Lets the kernel keep the time: each blocking call ends by itself, without a poll before it.

        One invocation is much like the next, so that the limit set for the last one mostly serves for this one too.
        """
        if deadline is None:
            if self._limited:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, bytes(len(timeval(0))))
                self._limited = 0.0
            return
        left = _left(deadline)
        if not self._limited or abs(left - self._limited) > _CLOSE_ENOUGH:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(left))
            self._limited = left

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if isinstance(error.__context__, SystemExit):
                raise error.__context__ from None  # a signal came while a callback ran
            if not self._complete:
                raise NotHttp(str(error)) from None
            self._keep_alive = False  # what comes after a whole response is not ours to judge

    def _end(self, received: bool) -> None:
        """The peer closed: that ends a body without a length (RFC 9112 §6.3), and breaks off any other response."""
        names = {name.lower() for name, _ in self._headers}
        if not self._status or b"content-length" in names or b"transfer-encoding" in names:
            raise ConnectionClosed("the connection was closed", sent=True, received=received)
        self._keep_alive = False

    # What httptools calls while it reads.

    def on_message_begin(self) -> None:
        """Refuses to read on behind a whole response: what comes there is no part of it, nor of the next."""
        if self._complete:
            raise NotHttp("something came behind the response")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps a header, without the spaces that the parser leaves behind its value (RFC 9112 §5.1)."""
        self._headers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Takes the status; the response to a HEAD request ends here."""
        status = self._parser.get_status_code()
        if status >= 200:
            self._status = status
            self._keep_alive = self._parser.should_keep_alive()
            self._complete = self._bodiless

    def on_body(self, body: bytes) -> None:
        """Keeps a part of the body; the response to HEAD has none, whatever the app sends."""
        if not self._bodiless:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        """Ends the response, unless it is an interim one (RFC 9110 §15.2), which is passed over."""
        if self._status:
            self._complete = True
        else:
            self._headers = []


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left
