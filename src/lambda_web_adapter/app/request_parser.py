"""Parse one HTTP/1.1 connection, without I/O: bytes in, complete requests out (RFC 9112).

The bytes after a request are parsed once its response is out, and never if they may belong to another protocol.
Otherwise a client could smuggle requests into the connection (RFC 9112 §11.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httptools

from lambda_web_adapter.app_api.current_invocation import Invocation
from lambda_web_adapter.http.large_bodies import LARGE_CHUNK, allocate_buffer
from lambda_web_adapter.http.trusted_headers import without_reserved
from lambda_web_adapter.ipc.envelope import HEADER_BYTES, START_BYTE

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BytesIO

# The response to bytes that are not HTTP.
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NOT_REPLAYED = (b"upgrade", b"expect")  # `100 Continue` was sent when the head was read
_END = b"\r\n\r\n"  # of a head, and of a chunked body


class NotHttp(Exception):
    """The bytes on a connection are not an HTTP request."""


class RawRequest:
    """A request as received, but with header names in lower case.

    Not a named tuple: that would add 0.4 ms to each cold start.

    Attributes:
        invocation: the request's invocation; None if the request came without an envelope.
        from_adapter: whether the adapter sent it; otherwise the request has no reserved headers.
    """

    __slots__ = ("body", "from_adapter", "headers", "invocation", "keep_alive", "method", "target", "version")

    def __init__(  # noqa: PLR0913  # one for each attribute
        self,
        method: bytes,
        target: bytes,
        version: str,
        keep_alive: bool,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        invocation: Invocation | None,
        from_adapter: bool = True,
    ) -> None:
        """Set the attributes."""
        self.method = method
        self.target = target
        self.version = version
        self.keep_alive = keep_alive
        self.headers = headers
        self.body = body
        self.invocation = invocation
        self.from_adapter = from_adapter


class RequestParser:
    """Parses the requests of one connection, one after the other."""

    def __init__(self, send: Callable[[bytes], object], *, from_adapter: bool = True) -> None:
        """Start with a new connection.

        Args:
            send: writes interim responses, such as `100 Continue` (RFC 9110 §10.1.1).
            from_adapter: whether the adapter is at the other end; only it may send envelopes.
        """
        self._send = send
        self._from_adapter = from_adapter
        self._parser = httptools.HttpRequestParser(self)
        self._request: RawRequest | None = None
        self._unparsed = b""  # received, but not parsed yet
        self._tail = b""  # the last bytes that were parsed: the head's end may begin in them
        self._remaining = 0  # bytes of the body that are still to come, once its length is known
        self._ended = False  # the bytes after this request are not HTTP
        self._upgrade_offered = False  # until the response is out, the bytes after it may be another protocol's
        self._between_requests = True
        self._envelope = b""

    def feed(self, data: bytes) -> RawRequest | None:
        """Return the request that the received bytes complete, if any; `next_request` returns those after it.

        Raises:
            NotHttp: the bytes are not a request.
        """
        if self._unparsed:
            data = self._unparsed + data
        if self._request is not None:
            self._unparsed = b"" if self._ended else data
            return None
        self._unparsed = b""
        return self._parse(data)

    def next_request(self) -> RawRequest | None:
        """Return the next request if all of it has come; to be called once the response to the last one is out.

        Raises:
            NotHttp: the bytes are not a request.
        """
        if self._ended:
            return None
        self._request = None
        if not self._unparsed:
            self._upgrade_offered = False
            return None
        if self._upgrade_offered:
            raise NotHttp("bytes followed an offer to upgrade before its response was out")
        data, self._unparsed = self._unparsed, b""
        return self._parse(data)

    def _parse(self, data: bytes) -> RawRequest | None:
        if self._between_requests and data.startswith(START_BYTE) and self._from_adapter:
            end = HEADER_BYTES + int.from_bytes(data[1:HEADER_BYTES], "big")
            if len(data) < end:
                self._unparsed = data
                return None
            self._envelope, data = data[HEADER_BYTES:end], data[end:]
        at = 0
        while self._request is None and at < len(data):
            at = self._parse_piece(data, at)
        if at < len(data) and not self._ended:
            self._unparsed = data[at:]
        return self._request

    def _parse_piece(self, data: bytes, at: int) -> int:
        """Parse up to the next position at which the request may end, and return that position."""
        body_remaining = self._remaining
        if body_remaining:
            end = min(at + body_remaining, len(data))
        else:
            position = data.find(_END, at)
            end = position + len(_END)
            if self._tail or position < 0:
                end = self._end_of_split_head(data, at, position)
        piece = data if end - at == len(data) else memoryview(data)[at:end]
        try:
            try:
                self._parser.feed_data(piece)
            except httptools.HttpParserUpgrade:
                if self._request is not None:
                    self._decline_upgrade(self._request)
        except httptools.HttpParserError as error:
            raise NotHttp(str(error)) from None
        if body_remaining:
            self._remaining -= end - at
        elif self._request is None and not (self._tail or self._between_requests):
            self._remaining = _content_length(self._headers)
        return end

    def _end_of_split_head(self, data: bytes, at: int, position: int) -> int:
        """Return where the head ends, or a chunked body may end, which has not come in one piece.

        Args:
            data: what has been received.
            at: where to go on in it.
            position: where an end begins in it; -1 if none does.
        """
        if self._tail:
            across = (self._tail + data[at : at + 3]).find(_END)
            if across >= 0:
                end = at + across + len(_END) - len(self._tail)
                self._tail = b""
                return end
        if position >= 0:
            self._tail = b""
            return position + len(_END)
        self._tail = (self._tail + data[at:])[-3:]
        return len(data)

    def _decline_upgrade(self, request: RawRequest) -> None:
        """Stay with HTTP when a request asks for another protocol, at which httptools stops.

        After CONNECT there is no more HTTP (RFC 9110 §9.3.6). An offer to upgrade is ignored (§7.8): the head is parsed
        again without the offer, since the request may have a body.
        """
        if request.method == b"CONNECT":
            self._ended = True
            request.keep_alive = False
            return
        self._upgrade_offered = True
        self._request = None
        lines = [b"%b: %b\r\n" % pair for pair in request.headers if pair[0] not in _NOT_REPLAYED]
        line = b"%b %b HTTP/%b\r\n" % (request.method, request.target, request.version.encode("ascii"))
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(line + b"".join(lines) + b"\r\n")

    # Callbacks of httptools.

    def on_message_begin(self) -> None:
        """Start with an empty request."""
        self._between_requests = False
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._buffer: BytesIO | None = None

    def on_url(self, url: bytes) -> None:
        """Add a part of the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header, and send `100 Continue` if it asks for that."""
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._send(_CONTINUE)
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        """Add a part of the body."""
        if self._buffer is not None:
            self._buffer.write(body)
            return
        self._chunks.append(body)
        if len(body) >= LARGE_CHUNK:
            self._buffer = allocate_buffer(self._headers, self._chunks)

    def on_message_complete(self) -> None:
        """Build the request, which is complete."""
        parser = self._parser
        if self._buffer is not None:
            body = self._buffer.getvalue()
            self._buffer = None
        else:
            body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._request = RawRequest(
            parser.get_method(),
            self._target,
            parser.get_http_version(),
            parser.should_keep_alive(),
            self._headers if self._from_adapter else without_reserved(self._headers),
            body,
            Invocation(self._envelope, body) if self._envelope else None,
            self._from_adapter,
        )
        self._envelope = b""
        self._between_requests = True


def _content_length(headers: list[tuple[bytes, bytes]]) -> int:
    """Return the body's length; 0 if it is chunked. The last content-length counts: the adapter adds its own last."""
    return next((int(value) for name, value in reversed(headers) if name == b"content-length"), 0)
