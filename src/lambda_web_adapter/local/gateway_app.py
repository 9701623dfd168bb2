"""The local gateway: an ASGI app that turns each request into an event, and each reply into a response."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from lambda_web_adapter.local.asgi_messages import BodyTooLarge, ClientDisconnected, read_body, send_response
from lambda_web_adapter.local.gateway_call import GatewayCall, stamped
from lambda_web_adapter.local.gateways import Request, Response
from lambda_web_adapter.local.log import RequestLine
from lambda_web_adapter.local.stream_relay import relay
from lambda_web_adapter.local.upgrade_refusal import refuse_upgrade

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope, WebSocketScope

    from lambda_web_adapter.local.environments.invocation import Invocation
    from lambda_web_adapter.local.gateways import Gateway


class AnyFunction(Protocol):
    """What a gateway needs of a function."""

    def submit(self, event: bytes, *, title: str, source: str = "", trace_id: str = "") -> Invocation:
        """Return the invocation of an event; raise Throttled if none is possible now."""


class RequestLog(Protocol):
    """What a gateway needs of a log."""

    def request(self, line: RequestLine) -> None:
        """Write the line of a request."""


class GatewayApp:
    """The ASGI app that stands in for one of AWS's gateways."""

    def __init__(self, gateway: Gateway, function: AnyFunction, log: RequestLog) -> None:
        """Prepare, given the gateway, the function behind it, and the log."""
        self.title = gateway.title
        self._gateway = gateway
        self._call = GatewayCall(gateway, function.submit)
        self._log = log

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Handle a request, and log it; a WebSocket handshake is refused."""
        if scope["type"] == "lifespan":
            return
        line = RequestLine(title=_title(scope), source=self._gateway.name)
        started_at = time.monotonic()
        try:
            if scope["type"] == "http":
                await self._handle(scope, receive, send, line)
            else:
                line.status, line.problem = await refuse_upgrade(self._gateway.title, receive, send)
        finally:
            line.seconds = time.monotonic() - started_at
            self._log.request(line)

    async def _handle(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable, line: RequestLine
    ) -> None:
        """Handle a request, and say in its line what happened."""
        started_at = time.monotonic()
        try:
            body = await _read_body(scope, receive, self._gateway.max_body)
        except ClientDisconnected:
            line.problem = "the client left in the middle of its body"
            return
        except BodyTooLarge:
            result = self._call.reject_body(_content_length(scope), request_from_scope(scope, b""))
        else:
            line.request = request_from_scope(scope, body)
            result = await self._call.handle(line.request)
        line.response, line.invocation = result.response, result.invocation
        line.status, line.problem = result.response.status, result.problem
        if result.stream is None:
            await _send(send, scope["method"], result.response)
            return
        sent = await relay(scope["method"], result.response, result.stream, receive, send)
        line.response, line.response_bytes = replace(result.response, body=bytes(sent.start)), sent.size
        line.progress = f", first byte after {(sent.head_at - started_at) * 1000:.0f} ms, {sent.size} bytes"
        line.problem = sent.problem


def _title(scope: HTTPScope | WebSocketScope) -> str:
    method = scope["method"] if scope["type"] == "http" else "WebSocket"
    query = f"?{_text(scope['query_string'])}" if scope["query_string"] else ""
    return f"{method} {_text(scope['raw_path'])}{query}"


async def _read_body(scope: HTTPScope, receive: ASGIReceiveCallable, max_bytes: int) -> bytes:
    """Return a request's body.

    Raises:
        BodyTooLarge: the body has more than `max_bytes`; if its content-length says so, it is not read at all.
        ClientDisconnected: the connection ended first.
    """
    if (_content_length(scope) or 0) > max_bytes:
        raise BodyTooLarge
    return await read_body(receive, max_bytes)


def _content_length(scope: HTTPScope) -> int | None:
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() else None


def request_from_scope(scope: HTTPScope, body: bytes) -> Request:
    """Return the request in uvicorn's scope, with the current time and a new id."""
    address, port = scope["client"] or ("127.0.0.1", 0), (scope["server"] or ("", 0))[1]
    request = Request(
        method=scope["method"],
        raw_path=_text(scope["raw_path"]),
        query=_text(scope["query_string"]),
        headers=[(name.decode("latin-1"), _text(value)) for name, value in scope["headers"]],
        body=body,
        source_ip=address[0],
        port=port or 0,
        scheme=scope["scheme"],
    )
    return stamped(request)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


async def _send(send: ASGISendCallable, method: str, response: Response) -> None:
    """Send a response with its length; the response to HEAD has the length that the app states, if any."""
    length = [pair for pair in response.headers if pair[0].lower() == "content-length"][:1]
    headers = [pair for pair in response.headers if pair[0].lower() != "content-length"]
    if method != "HEAD":
        await send_response(send, response.status, headers, response.body)
        return
    if response.body and not length:
        length = [("content-length", str(len(response.body)))]
    await send_response(send, response.status, headers + length, None)
