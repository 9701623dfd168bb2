"""Samples of WebSocket APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from lambda_web_adapter.local.sample_events.base import CLIENT_ADDRESS, REGION, SampleEvent, arn

if TYPE_CHECKING:
    from lambda_web_adapter.local.sample_events.base import Occasion

_API = "local"
_HOST = f"{_API}.execute-api.{REGION}.amazonaws.com"
_STAGE = "prod"
_MESSAGE = '{"action":"send","text":"hello"}'


def _connect(occasion: Occasion) -> dict[str, Any]:
    return {**_handshake(occasion), "requestContext": _context(occasion, "CONNECT", "$connect")}


def _message(occasion: Occasion) -> dict[str, Any]:
    context = _context(occasion, "MESSAGE", "$default")
    context["messageId"] = base64.b64encode(occasion.random.randbytes(8)).decode()
    body = occasion.request.body
    try:
        text, is_base64 = body.decode() or _MESSAGE, False
    except UnicodeDecodeError:
        text, is_base64 = base64.b64encode(body).decode(), True
    return {"requestContext": context, "body": text, "isBase64Encoded": is_base64}


def _disconnect(occasion: Occasion) -> dict[str, Any]:
    context = _context(occasion, "DISCONNECT", "$disconnect")
    context |= {"disconnectStatusCode": 1001, "disconnectReason": "Going away"}
    headers = {"Host": _HOST, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
    return {
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": context,
        "isBase64Encoded": False,
    }


def _authorizer(occasion: Occasion) -> dict[str, Any]:
    event = _handshake(occasion)
    del event["isBase64Encoded"]
    method = {"type": "REQUEST", "methodArn": arn("execute-api", f"{_API}/{_STAGE}/$connect")}
    return {**method, **event, "requestContext": _context(occasion, "CONNECT", "$connect")}


def _handshake(occasion: Occasion) -> dict[str, Any]:
    """Return headers and query of the request that opens the connection."""
    lines = [
        ("Host", _HOST),
        ("Sec-WebSocket-Key", base64.b64encode(occasion.random.randbytes(16)).decode()),
        ("Sec-WebSocket-Version", "13"),
        ("X-Amzn-Trace-Id", f"Root=1-{occasion.time_ms // 1000:08x}-{occasion.hex(24)}"),
        ("X-Forwarded-For", CLIENT_ADDRESS),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
        *occasion.request.headers,
    ]
    event: dict[str, Any] = {"headers": dict(lines), "multiValueHeaders": _lists(lines)}
    if query := parse_qsl(occasion.request.query, keep_blank_values=True):
        event |= {"queryStringParameters": dict(query), "multiValueQueryStringParameters": _lists(query)}
    return {**event, "isBase64Encoded": False}


def _lists(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    return {name: [value for key, value in pairs if key == name] for name, _ in pairs}


def _context(occasion: Occasion, event_type: str, route: str) -> dict[str, Any]:
    request_id = base64.b64encode(occasion.random.randbytes(11)).decode()
    return {
        "routeKey": route,
        "eventType": event_type,
        "extendedRequestId": request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(occasion.time_ms // 1000)),
        "messageDirection": "IN",
        "stage": _STAGE,
        "connectedAt": occasion.time_ms - 5,
        "requestTimeEpoch": occasion.time_ms,
        "identity": {"sourceIp": CLIENT_ADDRESS},
        "requestId": request_id,
        "domainName": _HOST,
        "connectionId": base64.b64encode(occasion.random.randbytes(11)).decode(),
        "apiId": _API,
    }


_OF_HANDSHAKE = frozenset({"query", "header"})
SAMPLES = (
    SampleEvent(
        name="websocket-connect",
        title="a client that connects to a WebSocket API",
        build=_connect,
        source="websocket",
        parts=_OF_HANDSHAKE,
    ),
    SampleEvent(
        name="websocket-message",
        title="a message of a client",
        build=_message,
        source="websocket",
        parts=frozenset({"body"}),
    ),
    SampleEvent(name="websocket-disconnect", title="a client that has left", build=_disconnect, source="websocket"),
    SampleEvent(
        name="authorizer-websocket",
        title="an authorizer of a WebSocket API",
        build=_authorizer,
        source="authorizer",
        parts=_OF_HANDSHAKE,
    ),
)
