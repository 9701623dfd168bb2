"""The `@connections` API, by which an app sends messages to clients: boto3's `apigatewaymanagementapi`.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

import orjson

from lambda_web_adapter.local.asgi_messages import BodyTooLarge, ClientDisconnected, read_body, send_response
from lambda_web_adapter.local.caller_checks import refusal_of_invoke
from lambda_web_adapter.local.websocket_api.connection import NORMAL_CLOSURE, Connection, ConnectionGone
from lambda_web_adapter.local.websocket_api.options import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope

# With or without a stage before it.
_PATH = re.compile(r"(?:/[^/]+)?/@connections/([^/]+)")
# The reason that a client gets with the code 1000; API Gateway's is not documented.
_DELETED = "Connection Closed Normally"
_TITLE = "The @connections API"


def connection_id_from_path(scope: HTTPScope) -> str:
    """Return the id of the connection that a request is for; empty if it is not for this API."""
    path = _PATH.fullmatch(scope["raw_path"].decode("latin-1"))
    return unquote(path[1]) if path else ""


class ManagementApi:
    """Sends messages to connections, describes them, and closes them; signatures are not checked."""

    def __init__(self, connections: Mapping[str, Connection], host: str) -> None:
        """Prepare, given the open connections by their ids, and the host that the run listens on."""
        self._connections = connections
        self._host = host

    async def handle(
        self, connection_id: str, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Handle a request for a connection."""
        if refusal := refusal_of_invoke(scope, self._host, _TITLE):
            await _send_error(send, 403, "ForbiddenException", refusal)
            return
        try:
            body = await read_body(receive, MAX_MESSAGE_BYTES)
        except ClientDisconnected:
            return
        except BodyTooLarge:
            message = f"A message has at most {MAX_MESSAGE_BYTES} bytes."
            await _send_error(send, 413, "PayloadTooLargeException", message)
            return
        connection = self._connections.get(connection_id)
        try:
            if connection is None:
                raise ConnectionGone
            await _answer(scope["method"], connection, body, send)
        except ConnectionGone:
            await _send_error(send, 410, "GoneException", "The client is not connected, or not any more.")


async def _answer(method: str, connection: Connection, body: bytes, send: ASGISendCallable) -> None:
    """Do what a method stands for.

    Raises:
        ConnectionGone: the client has left meanwhile.
    """
    if method == "POST":
        await connection.send(body)
        await send_response(send, 200, {}, b"")
    elif method == "GET":
        await send_response(send, 200, {"content-type": "application/json"}, orjson.dumps(_describe(connection)))
    elif method == "DELETE":
        await connection.close(NORMAL_CLOSURE, _DELETED)
        await send_response(send, 204, {}, b"")
    else:
        message = f"{_TITLE} has POST, GET and DELETE, but no {method}."
        await _send_error(send, 405, "MethodNotAllowedException", message)


def _describe(connection: Connection) -> dict[str, object]:
    """Return the members of a GetConnection response."""
    info = connection.info
    identity = {"sourceIp": info.source_ip}
    if info.user_agent is not None:
        identity["userAgent"] = info.user_agent
    return {
        "connectedAt": _iso_8601(info.connected_at_ms),
        "identity": identity,
        "lastActiveAt": _iso_8601(connection.last_active_ms),
    }


def _iso_8601(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _send_error(send: ASGISendCallable, status: int, kind: str, message: str) -> None:
    headers = {"content-type": "application/json", "x-amzn-errortype": kind}
    await send_response(send, status, headers, orjson.dumps({"message": message}))
