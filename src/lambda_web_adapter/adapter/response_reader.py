"""What a client reads of one HTTP/1.1 connection: bytes in, whole responses out (RFC 9112). No socket is in sight."""

from __future__ import annotations

import signal
import sys
from io import BytesIO
from operator import attrgetter

import httptools

from lambda_web_adapter.large_body import LARGE_PIECE, buffer_for
from lambda_web_adapter.messages import Response

# What SIGTERM does from the moment on at which it has come: its handler has raised a SystemExit (see `lifecycle`).
_ENDING = signal.SIG_IGN

# What a connection reads for: the head, what comes next of the body, or all of it, if it is not too large.
HEAD, MORE, ALL = attrgetter("has_head"), attrgetter("has_more"), attrgetter("has_all")

# What is no bound for a body.
NO_LIMIT = sys.maxsize
# Pieces of a body from which on they are put together: one of a few bytes takes twenty times as many.
_MANY = 1024


class ConnectionClosed(Exception):
    """The peer is gone.

    Attributes:
        sent: whether a byte of the request was written, so that it must not be sent again.
        received: whether a byte of the response was read.
    """

    def __init__(self, reason: str, *, sent: bool = True, received: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent
        self.received = received


class NotHttp(Exception):
    """What came is not an HTTP response."""


class ResponseReader:
    """Reads the responses of one connection, one after the other.

    Attributes:
        has_head: whether status and headers are there.
        complete: whether the response is whole.
        has_all: whether it is, or has more of a body than is wanted, of which `part` gives the rest.
        keep_alive: whether the connection can take another request after it.
        received: whether a byte of it was read.
        has_surplus: whether something came behind it.
    """

    def __init__(self) -> None:
        """Begins with a new connection."""
        self._parser = httptools.HttpResponseParser(self)
        self.expect("GET")

    def expect(self, method: str, *, whole: bool = True, limit: int = NO_LIMIT) -> None:
        """Begins with a response.

        Args:
            method: what it is a response to: the one to HEAD has no body.
            whole: whether its body is taken as a whole, or by `part`.
            limit: the most bytes of a body that is taken as a whole.
        """
        self._whole = whole
        self._limit = limit
        self._size = 0
        self._buffer: BytesIO | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._status = 0
        self.received = False
        self.has_surplus = False
        self.keep_alive = False
        self.has_head = False
        self.complete: bool = False
        self.has_all: bool = False
        self._bodiless = method == "HEAD"
        self._heads = b""

    def feed(self, data: bytes) -> None:
        """Reads what has come.

        Raises:
            NotHttp: it is no response.
        """
        self.received = True
        try:
            self._parser.feed_data(data)
            if not self.has_head:
                self._heads += data
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if isinstance(error, httptools.HttpParserCallbackError) and signal.getsignal(signal.SIGTERM) is _ENDING:
                # It came while a callback ran; the parser loses its exception where another one is being handled.
                raise SystemExit(0) from None
            if not self.has_head and "Content-Length" in str(error):
                self._feed_folded(self._heads + data)
                return
            if not self.complete:
                raise NotHttp(str(error)) from None
            self.keep_alive = False  # what comes after a whole response is not ours to judge
            self.has_surplus = True

    def _feed_folded(self, heads: bytes) -> None:
        """Read a head anew that says its length more than once, which the parser does not take."""
        from lambda_web_adapter.content_length import fold_lengths  # such responses are rare

        try:
            folded = fold_lengths(heads)
        except ValueError as error:
            raise NotHttp(str(error)) from None
        self._heads = heads
        if folded is not None and folded != heads:
            self._parser, self._headers, self._heads = httptools.HttpResponseParser(self), [], b""
            self.feed(folded)
        elif folded is not None:
            raise NotHttp("the app's Content-Length cannot be read")

    def end(self) -> None:
        """Takes the connection's end, which ends a body without a length (RFC 9112 §6.3).

        Raises:
            ConnectionClosed: any other response is broken off by it.
        """
        names = {name.lower() for name, _ in self._headers}
        if not self._status or b"content-length" in names or b"transfer-encoding" in names:
            raise ConnectionClosed("the connection was closed", received=self.received)
        self.keep_alive = False
        self.complete = self.has_all = True

    def response(self) -> Response:
        """Returns the response, with what of its body has come, of which nothing is kept."""
        if self._bodiless:
            self._parser = httptools.HttpResponseParser(self)  # the old one waits for a body that never comes
        return Response(self._status, self._headers, self.part())

    @property
    def has_more(self) -> bool:
        """Whether something of the body has come that was not taken, or its end."""
        return bool(self._chunks) or self.complete

    def part(self) -> bytes:
        """Takes what of the body has come since the last time."""
        if self._buffer is not None:
            body = self._buffer.getvalue()
        else:
            body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self.forget()
        return body

    def forget(self) -> None:
        """Keeps nothing of a body: reader and parser hold each other until the garbage collector comes by."""
        self._chunks.clear()
        self._buffer = None

    # What httptools calls while it reads.

    def on_message_begin(self) -> None:
        """Refuses to read on behind a whole response: what comes there is no part of it, nor of the next."""
        if self.complete:
            raise NotHttp("something came behind the response")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps a header, without the spaces that the parser leaves behind its value (RFC 9112 §5.1).

        Trailers are none: they come too late for most callers, and must not be taken for headers (RFC 9110 §6.5.1).
        """
        if not self.has_head:
            self._headers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Takes the status; the response to a HEAD request ends here."""
        status = self._parser.get_status_code()
        if status >= 200:
            self._status = status
            self.keep_alive = self._parser.should_keep_alive()
            self.has_head = True
            self.complete = self.has_all = self._bodiless

    def on_body(self, body: bytes) -> None:
        """Keeps a part of the body; the response to HEAD has none, whatever the app sends."""
        if self._buffer is not None:
            self._buffer.write(body)
        elif not self._bodiless:
            self._chunks.append(body)
            if self._whole:
                self._put_together(len(body))
        self._size += len(body)
        if self._size > self._limit:
            self.has_all = True
            self._whole = False

    def _put_together(self, size: int) -> None:
        """Collect a body in one buffer from now on, if it is large or comes in very many pieces."""
        if size >= LARGE_PIECE:
            self._buffer = buffer_for(self._headers, self._chunks, self._limit)
        elif len(self._chunks) >= _MANY:
            self._buffer = BytesIO()
            self._buffer.writelines(self._chunks)

    def on_message_complete(self) -> None:
        """Ends the response, unless it is an interim one (RFC 9110 §15.2), which is passed over."""
        if self._status:
            self.complete = self.has_all = True
        else:
            self._headers = []
