"""A client's connection, from the handshake to the `$disconnect` event."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

from lambda_web_adapter.local.asgi_messages import encode_headers
from lambda_web_adapter.local.websocket_api.socket_events import (
    ConnectionInfo,
    Moment,
    connect_event,
    disconnect_event,
    message_event,
)
from lambda_web_adapter.local.websocket_api.socket_replies import RouteFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, ASGISendEvent

    from lambda_web_adapter.local.gateways import Request
    from lambda_web_adapter.local.websocket_api.options import WebSocketOptions
    from lambda_web_adapter.local.websocket_api.route_calls import RouteCall, RouteCalls

# Close codes and reasons (RFC 6455 §7.4.1; "Going away" as captured from API Gateway).
NORMAL_CLOSURE = 1000
GOING_AWAY = 1001
GOING_AWAY_REASON = "Going away"
_UNSUPPORTED_DATA = 1003
_ABNORMAL_CLOSURE = 1006
# API Gateway's message for a route that has failed.
_INTERNAL_ERROR = "Internal server error"


class ConnectionGone(Exception):
    """The client is not connected, or not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closure:
    """How a connection ended."""

    code: int
    reason: str


def new_id() -> str:
    """Return an id in the form of API Gateway's: 16 characters, the last one `=`."""
    return base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()


class Connection:
    """One client's connection.

    Attributes:
        info: what the connection's events have in common.
        last_active_ms: when the last message came or went, in milliseconds since the epoch.
    """

    def __init__(
        self,
        info: ConnectionInfo,
        options: WebSocketOptions,
        calls: RouteCalls,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
    ) -> None:
        """Prepare, given who connects, the API's options, the way to the function, and the ASGI connection."""
        self.info = info
        self.last_active_ms = info.connected_at_ms
        self._options = options
        self._calls = calls
        self._receive = receive
        self._asgi_send = send
        self._is_open = False
        self._opened_at = self._active_at = 0.0
        self._routes: set[asyncio.Task[None]] = set()

    async def serve(self, handshake: Request, opened: Callable[[], object], closed: Callable[[], object]) -> None:
        """Serve the connection: `$connect`, the messages, `$disconnect`.

        Args:
            handshake: the handshake's request.
            opened: called when the client is connected.
            closed: called when it is not connected any more.
        """
        if not await self._connect(handshake):
            return
        opened()
        try:
            closure = await self._receive_messages()
        finally:
            self._is_open = False
            closed()
        await self._disconnect(closure)

    async def send(self, data: bytes) -> None:
        """Send a message: text, or a binary frame if it is not UTF-8.

        Raises:
            ConnectionGone: the client is not connected.
        """
        if not self._is_open:
            raise ConnectionGone
        try:
            text: str | None = data.decode()
        except UnicodeDecodeError:
            text = None
        if text is None:
            await self._send({"type": "websocket.send", "bytes": data, "text": None})
        else:
            await self._send({"type": "websocket.send", "bytes": None, "text": text})
        self._note_activity()

    async def close(self, code: int, reason: str) -> None:
        """Close the connection; `serve` then sends the `$disconnect` event.

        Raises:
            ConnectionGone: the client is not connected.
        """
        if not self._is_open:
            raise ConnectionGone
        self._is_open = False  # before the wait for a client that reads slowly: no message may follow
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def _send(self, message: ASGISendEvent) -> None:
        try:
            await self._asgi_send(message)
        except (OSError, RuntimeError):
            # The client has left, or the server is closing the connection, and `receive` has not yet said so. Uvicorn
            # raises ClientDisconnected, which is an OSError, or RuntimeError after its own close frame.
            raise ConnectionGone from None

    def _note_activity(self) -> None:
        self._active_at = asyncio.get_running_loop().time()
        self.last_active_ms = _now_ms()

    async def _connect(self, handshake: Request) -> bool:
        """Ask the function whether the client may connect, and answer the handshake; return whether it is connected."""
        moment = _moment()
        call = self._calls.start("$connect", connect_event(self.info, moment, handshake))
        try:
            reply, _ = await call.reply()
        except RouteFailed:
            await self._refuse(HTTPStatus.BAD_GATEWAY, _INTERNAL_ERROR, moment)
            return False
        except asyncio.CancelledError:  # the run stops
            await self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable", moment)
            raise
        if not 200 <= reply.status_code < 300:
            await self._refuse(reply.status_code, _phrase(reply.status_code), moment)
            return False
        protocol = {name.lower(): value for name, value in (reply.headers or {}).items()}.get("sec-websocket-protocol")
        try:
            await self._asgi_send({"type": "websocket.accept", "subprotocol": protocol, "headers": []})
        except OSError:
            await self._disconnect(_Closure(code=_ABNORMAL_CLOSURE, reason=""))
            return False
        self._is_open = True
        self._note_activity()
        self._opened_at = self._active_at
        return True

    async def _refuse(self, status: int, message: str, moment: Moment) -> None:
        """Answer the handshake with a status, and an error document as that of API Gateway."""
        await refuse_handshake(self._asgi_send, status, self._error(message, moment))

    async def _receive_messages(self) -> _Closure:
        """Start a route for each message; return how the connection ended."""
        while True:
            try:
                async with asyncio.timeout_at(self._expires_at() if self._is_open else None):
                    message: Any = await self._receive()
            except TimeoutError:
                if self._expires_at() <= asyncio.get_running_loop().time():
                    await self._close_quietly(GOING_AWAY, GOING_AWAY_REASON)
                continue
            if message["type"] == "websocket.disconnect":
                return _closure(message)
            if message["type"] == "websocket.ping":
                self._note_activity()
            elif self._is_open:
                await self._take(message.get("text"))

    def _expires_at(self) -> float:
        """Return when the connection ends by itself, by the event loop's clock."""
        options = self._options
        return min(self._active_at + options.idle_seconds, self._opened_at + options.connection_seconds)

    async def _take(self, text: str | None) -> None:
        """Start the route of a message; a binary one ends the connection, as API Gateway takes none."""
        if text is None:
            reason = "API Gateway takes no binary messages"
            self._calls.note(
                f"The connection {self.info.connection_id} is closed: {reason}; send text, such as base64."
            )
            await self._close_quietly(_UNSUPPORTED_DATA, reason)
            return
        self._note_activity()
        route = self._options.route_selection.select(text, self._options.routes)
        moment = _moment()
        call = self._calls.start(route, message_event(self.info, moment, route, new_id(), text))
        task = asyncio.create_task(self._respond(route, call, moment))
        self._routes.add(task)
        task.add_done_callback(self._routes.discard)

    async def _close_quietly(self, code: int, reason: str) -> None:
        with suppress(ConnectionGone):
            await self.close(code, reason)

    async def _respond(self, route: str, call: RouteCall, moment: Moment) -> None:
        """Send the client what a route replies, if it has a response, or the error if it has failed."""
        with suppress(ConnectionGone):
            try:
                _, body = await call.reply()
            except RouteFailed:
                await self.send(self._error(_INTERNAL_ERROR, moment))
                return
            if body and self._options.route_responses:
                await self.send(body)
            elif body:
                self._calls.hint_at_route_responses(route)

    async def _disconnect(self, closure: _Closure) -> None:
        call = self._calls.start("$disconnect", disconnect_event(self.info, _moment(), closure.code, closure.reason))
        with suppress(RouteFailed):  # the log has the reason, and nobody waits for the reply
            await call.reply()

    def _error(self, message: str, moment: Moment) -> bytes:
        """Return an error document of API Gateway."""
        return orjson.dumps(
            {"message": message, "connectionId": self.info.connection_id, "requestId": moment.request_id}
        )


async def refuse_handshake(send: ASGISendCallable, status: int, document: bytes) -> None:
    """Answer a handshake with a status and a JSON document; a client that has left gets none."""
    headers = encode_headers([("content-type", "application/json"), ("content-length", str(len(document)))])
    with suppress(OSError):
        await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": document, "more_body": False})


def _phrase(status: int) -> str:
    """Return a status's reason phrase; the number if it has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return str(status)


def _closure(message: Any) -> _Closure:
    """Return how the connection ended; without a close frame, uvicorn's message has no reason."""
    if message.get("reason") is None:
        return _Closure(code=_ABNORMAL_CLOSURE, reason="")
    return _Closure(code=message["code"], reason=message["reason"])


def _moment() -> Moment:
    return Moment(request_id=new_id(), time_ms=_now_ms())


def _now_ms() -> int:
    return int(time.time() * 1000)
