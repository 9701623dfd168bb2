"""What a server reads of one HTTP/1.1 connection: bytes in, whole requests out (RFC 9112). No socket is in sight.

One request at a time: what comes behind it is parsed when its answer is out, and never where it asks for another
protocol. Whoever gets a body taken for a request could speak for others otherwise.
"""

from __future__ import annotations

from typing import NamedTuple

import httptools

from lambda_web_adapter.app_api.current_invocation import Invocation
from lambda_web_adapter.http.large_bodies import LARGE_CHUNK, allocate_buffer
from lambda_web_adapter.http.trusted_headers import without_reserved
from lambda_web_adapter.ipc.envelope import HEADER_BYTES, START_BYTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BytesIO

# What whoever sends no HTTP is answered.
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_OF_AN_OFFER = (b"upgrade", b"expect")  # the latter was answered when it was read
_END = b"\r\n\r\n"  # of a head, and of a body in chunks


class NotHttp(Exception):
    """What came is not an HTTP request."""


class RawRequest(NamedTuple):
    """A request as it came; header names are in lower case.

    Attributes:
        invocation: what it is of, if the adapter sends it with one.
        from_adapter: whether the adapter sends it; else it is a client's, without the headers that no client may set.
    """

    method: bytes
    target: bytes
    version: str
    keep_alive: bool
    headers: list[tuple[bytes, bytes]]
    body: bytes
    invocation: Invocation | None
    from_adapter: bool = True


class RequestParser:
    """The requests of one connection, read one after the other."""

    def __init__(self, send: Callable[[bytes], object], *, from_adapter: bool = True) -> None:
        """Begin with a new connection.

        Args:
            send: for answers before the response (RFC 9110 §10.1.1).
            from_adapter: whether the adapter is at the other end: nobody else may put an envelope in front.
        """
        self._send = send
        self._from_adapter = from_adapter
        self._parser = httptools.HttpRequestParser(self)
        self._request: RawRequest | None = None
        self._behind = b""  # what has come and was not parsed
        self._tail = b""  # the last bytes that were parsed, where the end of a head may have begun
        self._remaining = 0  # bytes of the body that are still to come, once its length is known
        self._ended = False  # what comes behind this request is not HTTP
        self._offered = False  # what comes behind it before its answer may be none
        self._between_requests = True
        self._envelope = b""

    def feed(self, data: bytes) -> RawRequest | None:
        """Take what has come, and return the request that it completes; what is behind one waits for `next_request`.

        Raises:
            NotHttp: it is no request.
        """
        if self._behind:
            data = self._behind + data
        if self._request is not None:
            self._behind = b"" if self._ended else data
            return None
        self._behind = b""
        return self._read(data)

    def next_request(self) -> RawRequest | None:
        """Return the request that has come behind the last one, whose answer is out.

        Raises:
            NotHttp: it is no request.
        """
        if self._ended:
            return None
        if self._offered and self._behind:
            raise NotHttp("something came behind an offer to upgrade before that was answered")
        self._request, self._offered = None, False
        data, self._behind = self._behind, b""
        return self._read(data) if data else None

    def _read(self, data: bytes) -> RawRequest | None:
        if self._between_requests and data.startswith(START_BYTE) and self._from_adapter:
            end = HEADER_BYTES + int.from_bytes(data[1:HEADER_BYTES], "big")
            if len(data) < end:
                self._behind = data
                return None
            self._envelope, data = data[HEADER_BYTES:end], data[end:]
        at = 0
        while self._request is None and at < len(data):
            at = self._parse(data, at)
        if at < len(data) and not self._ended:
            self._behind = data[at:]
        return self._request

    def _parse(self, data: bytes, at: int) -> int:
        """Parse up to where the request may end, and not further; return where that is."""
        in_body = self._remaining
        end = min(at + in_body, len(data)) if in_body else self._end_of_head(data, at)
        piece = data if end - at == len(data) else memoryview(data)[at:end]
        try:
            self._feed(piece)
        except httptools.HttpParserError as error:
            raise NotHttp(str(error)) from None
        if in_body:
            self._remaining -= end - at
        elif self._request is None and not (self._tail or self._between_requests):
            self._remaining = _length(self._headers)
        return end

    def _feed(self, piece: bytes | memoryview) -> None:
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            if self._request is not None:
                self._decline(self._request)

    def _end_of_head(self, data: bytes, at: int) -> int:
        """Find the end of the head, or a place where a body in chunks may end; it may have begun in the data before."""
        if self._tail:
            position = (self._tail + data[at : at + 3]).find(_END)
            if position >= 0:
                end = at + position + len(_END) - len(self._tail)
                self._tail = b""
                return end
        position = data.find(_END, at)
        if position >= 0:
            self._tail = b""
            return position + len(_END)
        self._tail = (self._tail + data[at:])[-3:]
        return len(data)

    def _decline(self, request: RawRequest) -> None:
        """Stay with HTTP, whatever the request asks for: the parser would take what is behind its head for the answer.

        After CONNECT there is no more HTTP (RFC 9110 §9.3.6). An offer to upgrade is passed over (§7.8) by reading the
        request, which may have a body, as if it had none.
        """
        if request.method == b"CONNECT":
            self._ended = True
            self._request = request._replace(keep_alive=False)
            return
        self._offered = True
        self._request = None
        lines = [b"%b: %b\r\n" % pair for pair in request.headers if pair[0] not in _OF_AN_OFFER]
        line = b"%b %b HTTP/%b\r\n" % (request.method, request.target, request.version.encode("ascii"))
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(line + b"".join(lines) + b"\r\n")

    # What httptools calls while it reads.

    def on_message_begin(self) -> None:
        """Begins a request."""
        self._between_requests = False
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._buffer: BytesIO | None = None

    def on_url(self, url: bytes) -> None:
        """Keeps a part of the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps a header, and answers `Expect: 100-continue`."""
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._send(_CONTINUE)
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        """Keeps a part of the body."""
        if self._buffer is not None:
            self._buffer.write(body)
            return
        self._chunks.append(body)
        if len(body) >= LARGE_CHUNK:
            self._buffer = allocate_buffer(self._headers, self._chunks)

    def on_message_complete(self) -> None:
        """Build the request, which is whole."""
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


def _length(headers: list[tuple[bytes, bytes]]) -> int:
    """Read how long a body is that the parser waits for; 0 if it comes in chunks. The adapter says it last."""
    return next((int(value) for name, value in reversed(headers) if name == b"content-length"), 0)
