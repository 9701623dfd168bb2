"""Answer WebSocket handshakes that reach a gateway for HTTP requests, none of which passes them to Lambda."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.local.asgi_messages import encode_headers

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable

_NOT_IMPLEMENTED = 501


async def refuse_upgrade(gateway_title: str, receive: ASGIReceiveCallable, send: ASGISendCallable) -> tuple[int, str]:
    """Answer a handshake with what to do instead; return the status and the reason for the log.

    Args:
        gateway_title: the gateway's name in messages, with an article.
        receive: the handshake's `receive`.
        send: its `send`.
    """
    await receive()  # websocket.connect
    reason = (
        f"{gateway_title[0].upper()}{gateway_title[1:]} passes no WebSocket connections to Lambda. On AWS use a "
        "WebSocket API of API Gateway, which --event-source websocket stands for (docs/websocket.md), or serve the app "
        "without Lambda: lambda-web-adapter serve."
    )
    body = f"{reason}\n".encode()
    headers = encode_headers([("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(body)))])
    await send({"type": "websocket.http.response.start", "status": _NOT_IMPLEMENTED, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
    return _NOT_IMPLEMENTED, reason
