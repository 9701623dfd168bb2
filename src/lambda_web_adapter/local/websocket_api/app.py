"""The ASGI app of a WebSocket API: handshakes, and the `@connections` API."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson

from lambda_web_adapter.local.asgi_messages import send_response
from lambda_web_adapter.local.gateways import Request
from lambda_web_adapter.local.websocket_api.connection import (
    GOING_AWAY,
    GOING_AWAY_REASON,
    Connection,
    ConnectionGone,
    new_id,
    refuse_handshake,
)
from lambda_web_adapter.local.websocket_api.management_api import ManagementApi, connection_id_from_path
from lambda_web_adapter.local.websocket_api.options import WebSocketOptions
from lambda_web_adapter.local.websocket_api.route_calls import RouteCalls
from lambda_web_adapter.local.websocket_api.socket_events import ConnectionInfo

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope, WebSocketScope

    from lambda_web_adapter.local.environments.function import Function
    from lambda_web_adapter.local.log import Log

# Added to a handshake without one ("Tracing headers", X-Ray).
_TRACE_ID = "x-amzn-trace-id"
# How long the `$disconnect` events of all connections may take when the run stops.
_STOP_SECONDS = 1.0


class WebSocketApi:
    """The ASGI app that stands in for a WebSocket API of API Gateway."""

    title = "a WebSocket API"

    def __init__(
        self, function: Function, log: Log, options: WebSocketOptions | None = None, host: str = "127.0.0.1"
    ) -> None:
        """Prepare, given the function behind the routes, the log, the settings, and the run's own host."""
        self._options = options or WebSocketOptions()
        self._calls = RouteCalls(function, log)
        self._connections: dict[str, Connection] = {}
        self._management = ManagementApi(self._connections, host)
        self._serving: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve a connection, or a request."""
        if scope["type"] == "websocket":
            await self._serve(scope, receive, send)
        elif scope["type"] == "http":
            if connection_id := connection_id_from_path(scope):
                await self._management.handle(connection_id, scope, receive, send)
            else:
                await _explain(scope, send)

    async def stop(self) -> None:
        """Close all connections; their `$disconnect` events reach the function if it and the clients are quick."""
        closing = [asyncio.create_task(_close(each)) for each in self._connections.values()]
        if tasks := {*closing, *self._serving}:
            _, late = await asyncio.wait(tasks, timeout=_STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _serve(self, scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await receive()  # websocket.connect
        if scope["path"].rstrip("/") not in ("", f"/{self._options.stage}"):
            await self._refuse_path(scope, send)
            return
        handshake = _handshake_from_scope(scope)
        connection = Connection(self._info(scope, handshake), self._options, self._calls, receive, send)
        connection_id = connection.info.connection_id
        task = asyncio.ensure_future(
            connection.serve(
                handshake,
                opened=lambda: self._connections.update({connection_id: connection}),
                closed=lambda: self._connections.pop(connection_id),
            )
        )
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    async def _refuse_path(self, scope: WebSocketScope, send: ASGISendCallable) -> None:
        stage = self._options.stage
        message = f"The API is at {_own_url(scope)} and {_own_url(scope)}{stage}, but not at {scope['path']}."
        self._calls.note(f"WebSocket {scope['path']} 403: {message}")
        await refuse_handshake(send, 403, orjson.dumps({"message": f"Forbidden: {message}"}))

    def _info(self, scope: WebSocketScope, handshake: Request) -> ConnectionInfo:
        return ConnectionInfo(
            connection_id=new_id(),
            domain=_domain(scope),
            scheme="https" if scope["scheme"] == "wss" else "http",
            stage=self._options.stage,
            connected_at_ms=handshake.time_ms,
            source_ip=handshake.source_ip,
            user_agent=handshake.header("user-agent"),
            authorizer=self._options.authorizer,
        )


async def _close(connection: Connection) -> None:
    with suppress(ConnectionGone):
        await connection.close(GOING_AWAY, GOING_AWAY_REASON)


def _handshake_from_scope(scope: WebSocketScope) -> Request:
    """Return the handshake's request in uvicorn's scope, with the current time, a new id, and a trace id."""
    client, server = scope["client"] or ("127.0.0.1", 0), scope["server"] or ("127.0.0.1", 0)
    headers = [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in scope["headers"]]
    if all(name != _TRACE_ID for name, _ in headers):
        headers.append((_TRACE_ID, f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"))
    return Request(
        method="GET",
        raw_path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=b"",
        source_ip=client[0],
        port=server[1] or 0,
        request_id=str(uuid.uuid4()),
        time_ms=int(time.time() * 1000),
    )


def _domain(scope: WebSocketScope | HTTPScope) -> str:
    """Return the address that a request came to, as `host:port`: the app reaches `@connections` there."""
    host, port = scope["server"] or ("127.0.0.1", 0)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _own_url(scope: WebSocketScope | HTTPScope) -> str:
    scheme = "wss" if scope["scheme"] in ("https", "wss") else "ws"
    return f"{scheme}://{_domain(scope)}/"


async def _explain(scope: HTTPScope, send: ASGISendCallable) -> None:
    """Answer a request that is neither a handshake nor for `@connections` (RFC 9110 §15.5.22)."""
    message = f"This is a WebSocket API. Connect to {_own_url(scope)} with a WebSocket client.\n"
    headers = {"content-type": "text/plain; charset=utf-8", "upgrade": "websocket", "connection": "upgrade"}
    await send_response(send, 426, headers, None if scope["method"] == "HEAD" else message.encode())
