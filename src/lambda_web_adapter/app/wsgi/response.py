"""Write a WSGI response: `start_response`, `write`, and the framing of the body (PEP 3333, RFC 9112 §6)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from wsgiref.util import is_hop_by_hop

from lambda_web_adapter.http.name_cache import NameCache

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import TracebackType

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

logger = logging.getLogger(__name__)

_NO_CONTENT = 204  # it has no body, nor a content-length (RFC 9110 §8.6)
_WITHOUT_BODY = (_NO_CONTENT, 304)  # RFC 9110 §15.3.5, §15.4.5


class ConnectionLost(Exception):
    """The adapter has closed the connection; not an OSError, which the app's own connections raise too."""


class ResponseWriter:
    """Writes one response; the head is sent with the first byte of the body, or at the end.

    Attributes:
        begun: whether the head was sent, so that status and headers are final.
        complete: whether the response was sent as its head declares, so that the connection can stay open.
    """

    def __init__(self, connection: socket.socket, *, head: bool, chunked: bool) -> None:
        """Write to a connection; `head` omits the body, `chunked` allows chunks for a body of unknown length."""
        self._socket = connection
        self._is_head = head
        self._may_chunk = chunked
        self._status = ""
        self._lines: list[str] = []
        self._remaining: int | None = None
        self._chunked = False
        self._bodiless = self._lengthless = False
        self.begun = False
        self.complete = False

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        """Set status and headers, and return `write`; this is the app's `start_response`."""
        if exc_info is not None:
            try:
                if self.begun and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # no cycle through the traceback (PEP 3333)
        elif self._status:
            raise AssertionError("The app called start_response again without exc_info (PEP 3333).")
        self.replace(status, headers)
        return self.write

    def replace(self, status: str, headers: list[tuple[str, str]]) -> None:
        """Set status and headers; hop-by-hop headers are left out, since the server sets them itself."""
        code = int(status[:3])
        self._lengthless = code in _WITHOUT_BODY
        self._bodiless = self._is_head or self._lengthless
        self._status = status
        self._lines = [f"HTTP/1.1 {status}"]
        self._remaining = None
        for name, value in headers:
            lower = _NAMES[name]
            if lower == "content-length":
                if code == _NO_CONTENT:
                    continue
                repeated = self._remaining is not None
                self._remaining = (
                    _fold_length(value, self._remaining) if repeated or not value.isdigit() else int(value)
                )
                value = str(self._remaining)
                if repeated:
                    continue
            if lower:
                self._lines.append(f"{name}: {value}")

    def set_default_length(self, length: int) -> None:
        """Add a content-length, unless the app has set one."""
        if self._status and self._remaining is None and not self.begun and not self._lengthless:
            self._lines.append(f"content-length: {length}")
            self._remaining = length

    def check_whole_length(self, length: int) -> None:
        """Raise ValueError if the length of the whole body differs from its content-length."""
        if self._remaining is not None and not self.begun and not self._bodiless:
            if length > self._remaining:
                raise _too_long(length - self._remaining)
            if length < self._remaining:
                raise ValueError(f"The app sent {self._remaining - length} bytes less than its content-length.")

    def write(self, data: bytes) -> None:
        """Send a part of the body at once, preceded by the head if that was not sent yet."""
        if not isinstance(data, bytes):
            raise TypeError(f"The app's body must be bytes, but a part is {type(data).__name__} (PEP 3333).")
        if self._remaining is not None and len(data) > self._remaining and not self._bodiless:
            raise _too_long(len(data) - self._remaining)  # before the head is sent, so that a 500 still can be
        head = b"" if self.begun else self._build_head()
        if self._bodiless:
            data = b""
        elif self._chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        elif self._remaining is not None:
            self._remaining -= len(data)
        if head or data:
            self._send(head + data if head else data)

    def end(self) -> None:
        """Send what is still missing: the head, or the last chunk."""
        if not self._status:
            raise AssertionError("The app returned without calling start_response (PEP 3333).")
        if not self.begun:
            if not self._is_head:
                self.set_default_length(0)
            self.write(b"")
        if self._chunked:
            self._send(b"0\r\n\r\n")
        elif self._remaining and not self._bodiless:
            logger.error("The app sent %d bytes less than its content-length", self._remaining)
            return
        self.complete = self._bodiless or self._chunked or self._remaining == 0

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise ConnectionLost(str(error)) from error

    def _build_head(self) -> bytes:
        if not self._status:
            raise AssertionError("The app wrote before it called start_response (PEP 3333).")
        lines = self._lines
        if self._remaining is None and not self._bodiless:
            self._chunked = self._may_chunk
            lines.append("transfer-encoding: chunked" if self._chunked else "connection: close")
        text = "\r\n".join([*lines, "\r\n"])
        if text.count("\r") != len(lines) + 1 or text.count("\n") != len(lines) + 1:
            raise ValueError("The app's status or one of its headers has a line break (PEP 3333).")
        head = text.encode("latin-1")
        self.begun = True
        return head


def _normalize_name(name: str) -> str:
    """Return a header's name in lower case; empty for a hop-by-hop header, which only the server may set."""
    return "" if is_hop_by_hop(name) else name.lower()


_NAMES: NameCache[str, str] = NameCache(_normalize_name)


def _too_long(surplus: int) -> ValueError:
    return ValueError(f"The app sent {surplus} bytes more than its content-length.")


def _fold_length(value: str, previous: int | None) -> int:
    """Return the length on which all content-length values agree; raise ValueError if they do not."""
    from lambda_web_adapter.http.content_length import folded_length  # such responses are rare

    values = [value.encode("latin-1")]
    return folded_length(values if previous is None else [b"%d" % previous, *values])
