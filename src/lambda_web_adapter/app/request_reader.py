"""What a server reads of one HTTP/1.1 connection: bytes in, whole requests out (RFC 9112). No socket is in sight."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import httptools

from lambda_web_adapter.context import Invocation
from lambda_web_adapter.large_body import LARGE_PIECE, buffer_for
from lambda_web_adapter.preface import HEAD, MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BytesIO

# What whoever sends no HTTP is answered.
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class NotHttp(Exception):
    """What came is not an HTTP request."""


class RawRequest(NamedTuple):
    """A request as it came; header names are in lower case. `invocation` is what it is of, if the adapter sends it."""

    method: bytes
    target: bytes
    version: str
    keep_alive: bool
    headers: list[tuple[bytes, bytes]]
    body: bytes
    invocation: Invocation | None


class RequestReader:
    """Reads the requests of one connection.

    Attributes:
        requests: those that are whole and wait to be taken, in order.
    """

    def __init__(self, send: Callable[[bytes], object]) -> None:
        """Begins with a new connection; `send` is for answers before the response (RFC 9110 §10.1.1)."""
        self._send = send
        self._parser = httptools.HttpRequestParser(self)
        self.requests: deque[RawRequest] = deque()
        self._between = True
        self._incomplete = b""
        self._preface = b""

    def feed(self, data: bytes) -> None:
        """Reads what has come.

        Raises:
            NotHttp: it is no request.
        """
        if self._between:
            if self._incomplete:
                data, self._incomplete = self._incomplete + data, b""
            if data.startswith(MARK):
                end = HEAD + int.from_bytes(data[1:HEAD], "big")
                if len(data) < end:
                    self._incomplete = data
                    return
                self._preface, data = data[HEAD:end], data[end:]
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # an upgrade may be ignored (RFC 9110 §7.8)
        except httptools.HttpParserError as error:
            raise NotHttp(str(error)) from None

    # What httptools calls while it reads.

    def on_message_begin(self) -> None:
        """Begins a request."""
        self._between = False
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
        if len(body) >= LARGE_PIECE:
            self._buffer = buffer_for(self._headers, self._chunks)

    def on_message_complete(self) -> None:
        """Ends a request; another may have begun behind it."""
        parser = self._parser
        if self._buffer is not None:
            body = self._buffer.getvalue()
            self._buffer = None
        else:
            body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self.requests.append(
            RawRequest(
                parser.get_method(),
                self._target,
                parser.get_http_version(),
                parser.should_keep_alive(),
                self._headers,
                body,
                Invocation(self._preface, body) if self._preface else None,
            )
        )
        self._preface = b""
        self._between = True
