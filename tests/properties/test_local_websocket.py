"""Through the local WebSocket API's events to the app: each was written without a look at the other."""

import json
from typing import Any
from urllib.parse import parse_qsl, unquote

from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.local.gateways import Request
from lambda_web_adapter.local.websocket_api.route_selection import RouteSelection
from lambda_web_adapter.local.websocket_api.socket_events import (
    ConnectionInfo,
    Moment,
    connect_event,
    disconnect_event,
    message_event,
)
from lambda_web_adapter.models import WebSocketEvent
from properties.gateways import ADDRESS, Client, Pairs
from properties.strategies import LISTED, clients, listed_headers
from properties.translating import assert_is_one_request, headers_read, recognised, sent, translated

ON = {"AWS_LWA_WEBSOCKET_PATH": "/ws"}
INFO = ConnectionInfo(
    connection_id="AbCdEfGhIjKlMnO=",
    domain="127.0.0.1:8001",
    scheme="http",
    stage="prod",
    connected_at_ms=1772366399000,
    source_ip=ADDRESS,
)
MOMENT = Moment(request_id="RbCdEfGhIjKlMnO=", time_ms=1772366400123)
# What the adapter and the API add, or the server needs.
ADDED = {"host", "cookie", "content-length", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}


def event_of(model: WebSocketEvent) -> Any:
    return json.loads(model.to_json())


def lines(pairs: Pairs) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name.lower(), []).append(value)
    return values


@given(client=clients, listed=listed_headers)
def test_the_app_gets_headers_and_query_of_the_handshake(client: Client, listed: Pairs) -> None:
    cookies = [("cookie", cookie) for cookie in client.cookies]
    handshake = Request(
        method="GET",
        raw_path="/",
        query=client.raw_query,
        headers=[("host", "chat.example"), *listed, *client.headers, *cookies],
        source_ip=ADDRESS,
    )
    event = event_of(connect_event(INFO, MOMENT, handshake))
    request = translated(event, ON)
    headers = headers_read(sent(event, ON))

    assert recognised(event, ON).name == "websocket"
    assert (request.method, request.path, request.body) == ("POST", "/ws/connect", b"")
    assert sorted(parse_qsl(request.query, True)) == sorted(parse_qsl(client.raw_query, True))
    assert {name: values for name, values in headers.items() if name not in LISTED | ADDED} == lines(
        [pair for pair in client.headers if pair[0].lower() not in LISTED | ADDED]
    )
    assert headers.get("cookie", []) == (["; ".join(client.cookies)] if client.cookies else [])
    assert headers["host"] == ["chat.example"]


@given(st.text())
def test_the_app_gets_any_message(text: str) -> None:
    route = RouteSelection().select(text)
    event = event_of(message_event(INFO, MOMENT, route, "M", text))
    data = sent(event, ON)

    assert assert_is_one_request(data) == text.encode()
    assert headers_read(data)["host"] == [INFO.domain]
    assert headers_read(data)["x-forwarded-proto"] == ["http"]


@given(st.text(min_size=1).filter(lambda name: not name.startswith("$")))
def test_the_app_gets_any_route_as_one_segment(action: str) -> None:
    text = json.dumps({"action": action})
    route = RouteSelection().select(text)
    request = translated(event_of(message_event(INFO, MOMENT, route, "M", text)), ON)

    start, _, segment = request.path.rpartition("/")
    assert (start, unquote(segment)) == ("/ws", action)


@given(st.integers(1000, 4999), st.text(max_size=30))
def test_the_app_learns_of_the_end(code: int, reason: str) -> None:
    event = event_of(disconnect_event(INFO, MOMENT, code, reason))

    assert translated(event, ON).path == "/ws/disconnect"
    assert event["requestContext"]["disconnectStatusCode"] == code
