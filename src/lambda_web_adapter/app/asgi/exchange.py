"""One call of an ASGI app: its `receive` and `send`, and the framing of the response (ASGI, RFC 9112 §6)."""

from __future__ import annotations

import asyncio
import logging
import re
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING
from wsgiref.util import is_hop_by_hop

from lambda_web_adapter.app.hooks import before_freeze
from lambda_web_adapter.app_api.hooks import hooks_before_freeze
from lambda_web_adapter.http.name_cache import NameCache

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from uvicorn._types import ASGI3Application

    from lambda_web_adapter.app.asgi.connection import AsgiConnection
    from lambda_web_adapter.app.request_parser import RawRequest
    from lambda_web_adapter.app_api.current_invocation import Invocation

logger = logging.getLogger("uvicorn.error")  # apps configure this logger for errors of their server

_NO_CONTENT = 204  # it has no body, nor a content-length (RFC 9110 §8.6)
_WITHOUT_BODY = (_NO_CONTENT, 304)  # RFC 9110 §15.3.5, §15.4.5
_NOT_IN_A_NAME = re.compile(rb"[^!#$%&'*+\-.^_`|~0-9A-Za-z]")  # RFC 9110 §5.6.2
_NOT_IN_A_VALUE = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]")  # RFC 9110 §5.5


class ClientDisconnected(OSError):
    """Raised by `send` when the connection closes before the response is complete (ASGI, "Disconnected Client")."""


class Exchange:
    """One request and its response.

    Attributes:
        keep_alive: whether the connection stays open after the response.
    """

    __slots__ = (
        "_bodiless",
        "_body",
        "_body_taken",
        "_chunked",
        "_complete",
        "_connection",
        "_disconnected",
        "_head",
        "_head_built",
        "_head_written",
        "_invocation",
        "_remaining",
        "_scope",
        "_state_changed",
        "keep_alive",
    )

    def __init__(
        self, connection: AsgiConnection, scope: dict[str, Any], request: RawRequest, invocation: Invocation | None
    ) -> None:
        """Prepare the call of the app for a request; the invocation is None without an adapter."""
        self._connection = connection
        self._scope = scope
        self._body = request.body
        self._invocation = invocation
        self.keep_alive = request.keep_alive
        self._body_taken = self._disconnected = False
        self._head_built = self._head_written = self._complete = False
        self._head = b""
        self._remaining: int | None = None
        self._chunked = self._bodiless = False
        self._state_changed: asyncio.Event | None = None

    async def run(self, app: ASGI3Application) -> None:
        """Call the app, and send the adapter a message when the call has returned."""
        connection, tracker = self._connection, self._connection.tracker
        tracker.begin(self._invocation)
        try:
            try:
                result: Any = await app(self._scope, self._receive, self._send)  # type: ignore[arg-type, func-returns-value]
            except asyncio.CancelledError:
                self.keep_alive = False
                connection.transport.close()
                raise
            except BaseException as error:  # the app's failure becomes a 500, and is logged
                if not any(isinstance(each, ClientDisconnected) for each in (error, error.__context__)):
                    logger.error("Exception in ASGI application", exc_info=error)
            else:
                self._log_misuse(result)
            if not self._complete:
                self._fail()
            if hooks_before_freeze():
                await before_freeze.call_hooks_async(tracker.freeze_seconds)
        finally:
            tracker.end(self._invocation)
            notify = tracker.control.done if self.keep_alive else tracker.control.closing
            notify(connection.port)

    def _log_misuse(self, result: object) -> None:
        """Log how a call that has returned violates the ASGI specification."""
        if result is not None:
            logger.error("The ASGI app should return None, but returned %r.", result)
        if not self._complete and not self._disconnected:
            missing = "its response was complete" if self._head_written else "it sent any of its response's body"
            logger.error("The ASGI app returned before %s.", missing)

    def disconnect(self) -> None:
        """End the request: nobody waits for the response any more."""
        self._disconnected = True
        if self._state_changed is not None:
            self._state_changed.set()

    async def _receive(self) -> dict[str, Any]:
        """Return the whole body, and later, once the exchange has ended, `http.disconnect`: the app's `receive`."""
        if not self._body_taken and not self._disconnected:
            self._body_taken = True
            body, self._body = self._body, b""
            return {"type": "http.request", "body": body, "more_body": False}
        while not self._disconnected and not self._complete:
            if self._state_changed is None:
                self._state_changed = asyncio.Event()
            await self._state_changed.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        """Send a part of the response: the app's `send`.

        The head goes out with the first part of the body, in one write, as the ASGI specification demands.
        """
        connection = self._connection
        while connection.writable is not None and not self._disconnected:
            await asyncio.shield(connection.writable)  # other sends await it too, and the app may cancel this one
        # An app that never waits keeps the event loop from noticing that the connection has closed.
        if self._disconnected or (self._head_written and not self._complete and connection.transport.is_closing()):
            raise ClientDisconnected("The connection closed before the response was complete.")
        expected = "http.response.body" if self._head_built else "http.response.start"
        if self._complete or message["type"] != expected:
            problem = "its response is complete" if self._complete else f"'{expected}' was expected"
            raise RuntimeError(f"The app sent ASGI message '{message['type']}', but {problem}.")
        if not self._head_built:
            self._head = self._build_head(message["status"], message.get("headers", ()))
            self._head_built = True
        else:
            self._write(message.get("body", b""), last=not message.get("more_body", False))

    def _build_head(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        lines = [_status_line(status)]
        length: int | None = None
        for name, value in headers:
            lower = _NAMES[name]
            if not lower:
                continue
            if _NOT_IN_A_VALUE.search(value):
                raise RuntimeError(f"The value of the app's header {name!r} has a control character: {value!r:.100}.")
            if lower == b"content-length":
                if status == _NO_CONTENT:
                    continue
                repeated = length is not None
                length = _fold_length(value, length) if repeated or not value.isdigit() else int(value)
                value = b"%d" % length
                if repeated:
                    continue
            lines.append(b"%b: %b\r\n" % (lower, value))
        self._remaining = length
        lines.append(self._decide_framing(status))
        return b"".join(lines)

    def _decide_framing(self, status: int) -> bytes:
        """Decide how the body's end is marked (RFC 9112 §6.3); return the last lines of the head."""
        self._bodiless = status in _WITHOUT_BODY or self._scope["method"] == "HEAD"
        self._chunked = self._remaining is None and not self._bodiless
        if self._chunked and self._scope["http_version"] != "1.1":
            self._chunked = self.keep_alive = False  # closing the connection ends the body
        chunked = b"transfer-encoding: chunked\r\n" if self._chunked else b""
        return chunked + (b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")

    def _write(self, body: bytes, *, last: bool) -> None:
        data = body
        if self._bodiless:
            data = b""
        elif self._chunked:
            data = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            if last:
                data += b"0\r\n\r\n"
        elif self._remaining is not None:
            remaining = self._remaining - len(body)
            if remaining < 0 or (last and remaining):
                raise RuntimeError(
                    f"Response content {'longer' if remaining < 0 else 'shorter'} than Content-Length, "
                    f"by {abs(remaining)} bytes."
                )
            self._remaining = remaining
        if not self._head_written:
            self._head_written = True
            data = self._head + data
        self._connection.transport.write(data)
        if last:
            self._end()

    def _end(self) -> None:
        self._complete = True
        if self._state_changed is not None:
            self._state_changed.set()
        if not self.keep_alive:
            self._connection.transport.close()
        self._connection.next_exchange()

    def _fail(self) -> None:
        """Send a 500 in place of the app's response; if the app's has begun, close the connection instead."""
        if self._head_written or self._disconnected:
            self.keep_alive = False
            self._connection.transport.close()
            return
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"21")]
        self._head = self._build_head(500, headers)
        self._write(b"Internal Server Error", last=True)


def _fold_length(value: bytes, previous: int | None) -> int:
    """Return the length on which all content-length values agree; raise ValueError if they do not."""
    from lambda_web_adapter.http.content_length import folded_length  # such responses are rare

    return folded_length([value] if previous is None else [b"%d" % previous, value])


@lru_cache(maxsize=64)
def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status:d} {phrase}\r\n".encode("ascii")


def _normalize_name(name: bytes) -> bytes:
    """Return a header name in lower case, or b"" for a hop-by-hop header; raise RuntimeError if it is invalid."""
    if not name or _NOT_IN_A_NAME.search(name):
        raise RuntimeError(f"The app sent a header with an invalid name (RFC 9110 §5.1): {name!r:.100}.")
    return b"" if is_hop_by_hop(name.decode("ascii")) else name.lower()


_NAMES: NameCache[bytes, bytes] = NameCache(_normalize_name)
