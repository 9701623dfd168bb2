"""A WebSocket API's events as requests, for all messages at once."""

from collections import Counter
from urllib.parse import parse_qsl, unquote_to_bytes

from hypothesis import example, given
from hypothesis import strategies as st

from properties.gateways import ADDRESS, API_HOST
from properties.other_services import SocketMessage, websocket
from properties.strategies import EVERYTHING_ON, LISTED, listed_headers, socket_messages
from properties.translating import headers_read, sent, translated

MARKS = {"x-amzn-event-source", "x-amzn-connection-id", "x-amzn-event-type", "x-amzn-route-key"}
DOTS = SocketMessage(event_type="MESSAGE", route_key="..", connection_id="a=")


@given(socket_messages)
@example(DOTS)
@example(SocketMessage(event_type="MESSAGE", route_key="a/../b?c#d%2F", connection_id="a="))
def test_the_route_is_one_segment_below_the_configured_path(message: SocketMessage) -> None:
    made = translated(websocket(message), EVERYTHING_ON)

    start, below, segment = made.path.rpartition("/")
    assert (made.method, start, below) == ("POST", "/ws", "/")
    assert unquote_to_bytes(segment).decode() == message.route_key.removeprefix("$")
    assert segment not in (".", ".."), "a client or a proxy would take it for another path"


@given(socket_messages)
def test_message_caller_and_stage_arrive(message: SocketMessage) -> None:
    made = translated(websocket(message), EVERYTHING_ON)

    assert made.body == (message.text.encode() if message.event_type == "MESSAGE" else b"")
    assert (made.client, made.host, made.prefix) == (ADDRESS, API_HOST, "/production")


@given(socket_messages)
def test_the_handshakes_query_arrives(message: SocketMessage) -> None:
    found = parse_qsl(translated(websocket(message), EVERYTHING_ON).query, keep_blank_values=True)

    if message.event_type == "CONNECT":
        keys = {key for key, _ in message.query}
        assert {key: [value for name, value in found if name == key] for key in keys} == {
            key: [value for name, value in message.query if name == key] for key in keys
        }
    assert len(found) == (len(message.query) if message.event_type == "CONNECT" else 0)


@given(socket_messages)
def test_the_handshakes_headers_arrive(message: SocketMessage) -> None:
    found = headers_read(sent(websocket(message), EVERYTHING_ON))

    expected: dict[str, list[str]] = {}
    for name, value in message.headers if message.event_type == "CONNECT" else []:
        if name.lower() not in LISTED:
            expected.setdefault(name.lower(), []).append(value)
    own = LISTED | {"host", "x-forwarded-port", "x-forwarded-proto"}
    assert {name: Counter(values) for name, values in found.items() if name not in own} == {
        name: Counter(values) for name, values in expected.items()
    }


@given(
    st.builds(
        SocketMessage,
        event_type=st.just("CONNECT"),
        route_key=st.just("$connect"),
        connection_id=st.just("a="),
        headers=listed_headers | st.lists(st.tuples(st.sampled_from(sorted(MARKS)), st.just("forged"))),
    )
)
def test_what_the_adapter_says_of_the_connection_cannot_be_forged(message: SocketMessage) -> None:
    found = headers_read(sent(websocket(message), EVERYTHING_ON))

    assert {name: found[name] for name in MARKS} == {
        "x-amzn-event-source": ["websocket"],
        "x-amzn-connection-id": ["a="],
        "x-amzn-event-type": ["CONNECT"],
        "x-amzn-route-key": ["$connect"],
    }
    assert found.keys() & LISTED - MARKS == {"content-length", "x-forwarded-prefix", "x-real-ip"}
    assert (found["x-forwarded-prefix"], found["x-real-ip"]) == (["/production"], [ADDRESS])
