"""The responses on one HTTP/1.1 client connection: bytes in, responses out (RFC 9112), without a socket."""

from __future__ import annotations

import signal
import sys
from io import BytesIO
from operator import attrgetter

import httptools

from lambda_web_adapter.http.large_bodies import LARGE_CHUNK, allocate_buffer
from lambda_web_adapter.http.messages import Response

# The handler of SIGTERM once that has come: the handler before it raised SystemExit (see `lifecycle`).
_HANDLER_ONCE_STOPPING = signal.SIG_IGN

# What a connection can wait for: the head, the next chunk of the body, or all of it up to the limit.
HEAD, NEXT_CHUNK, ALL = attrgetter("has_head"), attrgetter("has_chunk"), attrgetter("has_all")

# The limit that stands for none.
NO_LIMIT = sys.maxsize
# From this number on, chunks of a body are joined: an object for a few bytes takes twenty times as much memory.
_MAX_SEPARATE_CHUNKS = 1024


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
    """The peer has sent something that is not an HTTP response."""


class ResponseParser:
    """Parses the responses on one connection, one after the other.

    Attributes:
        has_head: whether status and headers have come.
        complete: whether the response is complete.
        has_all: whether it is complete, or its body exceeds the limit; `take_body` returns the rest.
        keep_alive: whether the connection can take another request after the response.
        received: whether a byte of the response was read.
        has_surplus: whether bytes came after the response.
    """

    def __init__(self) -> None:
        """Prepare for the first response of a connection."""
        self._parser = httptools.HttpResponseParser(self)
        self.start("GET")

    def start(self, method: str, *, whole: bool = True, limit: int = NO_LIMIT) -> None:
        """Prepare for the next response.

        Args:
            method: the request's method: a response to HEAD has no body.
            whole: whether its body is taken as a whole; otherwise in chunks.
            limit: the largest body to take as a whole, in bytes.
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
        """Parse what has come; b"" stands for the connection's end.

        Raises:
            NotHttp: It is not an HTTP response.
            ConnectionClosed: The connection ended before the response was complete.
        """
        if not data:
            self.feed_eof()
            return
        self.received = True
        try:
            self._parser.feed_data(data)
            if not self.has_head:
                self._heads += data
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if (
                isinstance(error, httptools.HttpParserCallbackError)
                and signal.getsignal(signal.SIGTERM) is _HANDLER_ONCE_STOPPING
            ):
                # SIGTERM came during a callback, and httptools replaces the handler's exception by its own.
                raise SystemExit(0) from None
            if not self.has_head and "Content-Length" in str(error):
                self._feed_folded(self._heads + data)
                return
            if not self.complete:
                raise NotHttp(str(error)) from None
            self.keep_alive = False  # what comes after a complete response is no error of that response
            self.has_surplus = True

    def _feed_folded(self, heads: bytes) -> None:
        """Parse a head with several `Content-Length`s, which httptools rejects, again with one."""
        from lambda_web_adapter.http.content_length import fold_lengths  # such responses are rare

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

    def feed_eof(self) -> None:
        """Complete a response whose body has no length, and so ends with the connection (RFC 9112 §6.3).

        Raises:
            ConnectionClosed: The response is not complete.
        """
        names = {name.lower() for name, _ in self._headers}
        if not self._status or b"content-length" in names or b"transfer-encoding" in names:
            raise ConnectionClosed("the connection was closed", received=self.received)
        self.keep_alive = False
        self.complete = self.has_all = True

    def response(self) -> Response:
        """Return the response with as much of its body as has come; the parser keeps nothing of it."""
        if self._bodiless:
            self._parser = httptools.HttpResponseParser(self)  # the old one waits for a body that never comes
        return Response(self._status, self._headers, self.take_body())

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers that have come."""
        return self._headers

    @property
    def has_chunk(self) -> bool:
        """Whether a chunk of the body, or its end, has come and was not taken yet."""
        return bool(self._chunks) or self.complete

    def take_body(self) -> bytes:
        """Return what has come of the body since the last call, and keep nothing of it."""
        chunks, buffer = self._chunks, self._buffer
        if buffer is not None:
            self.clear_body()
            return buffer.getvalue()
        if not chunks:
            return b""
        self._chunks = []
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def clear_body(self) -> None:
        """Forget the body: this object and httptools' parser hold each other until the garbage collector runs."""
        self._chunks = []
        self._buffer = None

    # The callbacks of httptools.

    def on_message_begin(self) -> None:
        """Raise NotHttp after a complete response: what comes there belongs to none."""
        if self.complete:
            raise NotHttp("something came after the response")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, without the spaces that httptools leaves after its value (RFC 9112 §5.1).

        Trailers are dropped: they come too late for most callers, and must not become headers (RFC 9110 §6.5.1).
        """
        if not self.has_head:
            # Only spaces and tabs can be there, and without an argument `rstrip` is much faster.
            self._headers.append((name, value.rstrip()))

    def on_headers_complete(self) -> None:
        """Keep the status; the response to a HEAD request ends here."""
        status = self._parser.get_status_code()
        if status >= 200:
            self._status = status
            self.keep_alive = self._parser.should_keep_alive()
            self.has_head = True
            self.complete = self.has_all = self._bodiless

    def on_body(self, body: bytes) -> None:
        """Keep a chunk of the body; the response to HEAD has none, whatever the app sends."""
        size = len(body)
        if self._buffer is not None:
            self._buffer.write(body)
        elif not self._bodiless:
            self._chunks.append(body)
            if self._whole and (size >= LARGE_CHUNK or len(self._chunks) >= _MAX_SEPARATE_CHUNKS):
                self._put_together(size)
        self._size += size
        if self._size > self._limit:
            self.has_all = True
            self._whole = False

    def _put_together(self, size: int) -> None:
        """Collect the body in one buffer from now on, since its last chunk is large, or its chunks are many."""
        if size >= LARGE_CHUNK:
            self._buffer = allocate_buffer(self._headers, self._chunks, self._limit)
        else:
            self._buffer = BytesIO()
            self._buffer.writelines(self._chunks)

    def on_message_complete(self) -> None:
        """Complete the response; skip an interim one (RFC 9110 §15.2)."""
        if self._status:
            self.complete = self.has_all = True
        else:
            self._headers = []
