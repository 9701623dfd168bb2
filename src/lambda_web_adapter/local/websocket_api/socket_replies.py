"""Read what the function replies to a WebSocket API."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from lambda_web_adapter.local.gateways import MalformedReply
from lambda_web_adapter.local.gateways.response_rules import parse_reply
from lambda_web_adapter.local.websocket_api.options import MAX_MESSAGE_BYTES
from lambda_web_adapter.models import InvocationError, WebSocketReply

if TYPE_CHECKING:
    from lambda_web_adapter.local.environments.invocation import Outcome


class RouteFailed(Exception):
    """The function failed, or its reply is not valid; the message says why."""


def read_reply(outcome: Outcome) -> tuple[WebSocketReply, bytes]:
    """Return the reply, and its body decoded.

    Raises:
        RouteFailed: the function failed, the reply is malformed, or its body is larger than a message may be.
    """
    if outcome.failed:
        raise RouteFailed(str(InvocationError.of_document(outcome.payload)))
    try:
        reply = parse_reply(WebSocketReply, outcome.payload)
        body = _decoded(reply)
    except MalformedReply as error:
        raise RouteFailed(f"the reply is malformed: {error}") from None
    if len(body) > MAX_MESSAGE_BYTES:
        raise RouteFailed(f"the reply's body has {len(body)} bytes, but a message has at most {MAX_MESSAGE_BYTES}")
    return reply, body


def _decoded(reply: WebSocketReply) -> bytes:
    body = reply.body or ""
    try:
        return base64.b64decode(body, validate=True) if reply.is_base64_encoded else body.encode()
    except ValueError as error:
        raise MalformedReply(f"body: {error}") from None
