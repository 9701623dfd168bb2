"""The events of a WebSocket API: a connection, a message, and the connection's end.

Written from AWS's description and captured events, independently of `lambda_web_adapter.events`, so that each checks
the other. All functions are pure: times and ids come with their arguments.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lambda_web_adapter.local.gateways import event_rules
from lambda_web_adapter.models import PayloadV1Identity, WebSocketContext, WebSocketEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_web_adapter.local.gateways import Request
    from lambda_web_adapter.local.gateways.base import Pairs

# The close code if a client's close frame has none (RFC 6455 §7.4.1), and what API Gateway says then, as captured.
_NO_CODE = 1005
_NO_CODE_REASON = "Client-side close frame status not set"
_API_ID = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionInfo:
    """What all events of a connection have in common.

    Attributes:
        connection_id: the connection's id.
        domain: `host:port` of the API, where `@connections` is.
        scheme: `http`, or `https` if the API has TLS.
        stage: the stage.
        connected_at_ms: when the client connected, in milliseconds since the epoch.
        source_ip: the client's address.
        user_agent: the client's `User-Agent`; None if it sent none.
        authorizer: what a Lambda authorizer has returned; None if there is none.
    """

    connection_id: str
    domain: str
    scheme: str
    stage: str
    connected_at_ms: int
    source_ip: str
    user_agent: str | None = None
    authorizer: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An event's id and time, in milliseconds since the epoch."""

    request_id: str
    time_ms: int


def connect_event(info: ConnectionInfo, moment: Moment, handshake: Request) -> WebSocketEvent:
    """Return the event of a client that wants to connect, with the handshake's headers and query."""
    lines = [
        *event_rules.client_lines(handshake),
        event_rules.address_line(handshake),
        ("x-forwarded-port", str(handshake.port)),
        ("x-forwarded-proto", info.scheme),
    ]
    headers = [(_spelling(name), value) for name, value in lines]
    query = event_rules.decoded_query(handshake.query)
    return WebSocketEvent(
        headers=event_rules.last_values(headers),
        multi_value_headers=event_rules.all_values(headers),
        query_string_parameters=event_rules.last_values(query) or None,
        multi_value_query_string_parameters=event_rules.all_values(query) or None,
        request_context=_context(info, moment, "CONNECT", "$connect"),
    )


def message_event(info: ConnectionInfo, moment: Moment, route: str, message_id: str, body: str) -> WebSocketEvent:
    """Return the event of a message."""
    context = _context(info, moment, "MESSAGE", route)
    context.message_id = message_id
    headers = _own_scheme(info)
    return WebSocketEvent(
        headers=event_rules.last_values(headers),
        multi_value_headers=event_rules.all_values(headers),
        request_context=context,
        body=body,
    )


def disconnect_event(info: ConnectionInfo, moment: Moment, code: int, reason: str) -> WebSocketEvent:
    """Return the event of a connection's end, with the headers that API Gateway sends then, as captured."""
    context = _context(info, moment, "DISCONNECT", "$disconnect")
    context.disconnect_status_code = code
    context.disconnect_reason = _NO_CODE_REASON if code == _NO_CODE else reason
    headers = [("Host", info.domain), ("x-api-key", ""), ("X-Forwarded-For", ""), ("x-restapi", ""), *_own_scheme(info)]
    return WebSocketEvent(
        headers=event_rules.last_values(headers),
        multi_value_headers=event_rules.all_values(headers),
        request_context=context,
    )


def _context(
    info: ConnectionInfo, moment: Moment, kind: Literal["CONNECT", "MESSAGE", "DISCONNECT"], route: str
) -> WebSocketContext:
    return WebSocketContext(
        route_key=route,
        event_type=kind,
        authorizer=None if info.authorizer is None else dict(info.authorizer),
        extended_request_id=moment.request_id,
        request_time=time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(moment.time_ms // 1000)),
        request_time_epoch=moment.time_ms,
        stage=info.stage,
        connected_at=info.connected_at_ms,
        identity=PayloadV1Identity(source_ip=info.source_ip, user_agent=info.user_agent),
        request_id=moment.request_id,
        domain_name=info.domain,
        connection_id=info.connection_id,
        api_id=_API_ID,
    )


def _own_scheme(info: ConnectionInfo) -> Pairs:
    """Return the header that API Gateway does not send: without it, an app takes its own URL for one of https.

    By that URL an app finds `@connections`, which a local run without TLS has at http.
    """
    return [("X-Forwarded-Proto", info.scheme)]


def _spelling(name: str) -> str:
    """Return a header's name as API Gateway spells it, such as `Sec-WebSocket-Key`."""
    return "-".join(map(str.capitalize, name.split("-"))).replace("-Websocket-", "-WebSocket-")
