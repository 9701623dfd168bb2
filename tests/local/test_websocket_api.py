"""The WebSocket API of a local run, with a real client and a scripted function."""

from __future__ import annotations

import base64
import json
import re
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from local.websocket_run import FAILED, WebSocketRun
from properties.translating import recognised, translated
from support.processes import SECONDS, wait_until
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lambda_web_adapter.local.websocket_api.options import WebSocketOptions
from lambda_web_adapter.local.websocket_api.route_selection import RouteSelection
from lambda_web_adapter.models import WebSocketEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection

SETTINGS = {"AWS_LWA_WEBSOCKET_PATH": "/ws"}


@pytest.fixture
def run() -> Iterator[WebSocketRun]:
    with WebSocketRun() as running:
        yield running


@pytest.fixture
def talkative() -> Iterator[WebSocketRun]:
    """Its routes have responses."""
    with WebSocketRun(WebSocketOptions(route_responses=True)) as running:
        yield running


def text_from(client: ClientConnection) -> str:
    message = client.recv(timeout=SECONDS)
    assert isinstance(message, str)
    return message


def closure_of(client: ClientConnection) -> tuple[int | None, str | None]:
    """Code and reason with which the server ended the connection."""
    with pytest.raises(ConnectionClosed):
        client.recv(timeout=SECONDS)
    return client.close_code, client.close_reason


def test_the_connect_event_has_headers_query_and_context(run: WebSocketRun) -> None:
    headers = {"Cookie": "a=1", "Origin": "http://localhost:5173", "X-Tag": "one"}
    with run.connect("/?room=a%20b&room=c&empty=", additional_headers=headers, user_agent_header="probe/1"):
        event = run.function.next_event()

    context = event["requestContext"]
    assert event["headers"]["X-Tag"] == "one"
    assert event["headers"]["Host"] == run.domain
    assert event["headers"]["Sec-WebSocket-Version"] == "13"
    assert event["headers"]["X-Forwarded-Proto"] == "http"
    assert event["multiValueHeaders"]["Cookie"] == ["a=1"]
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", event["headers"]["X-Amzn-Trace-Id"])
    assert {"Connection", "Upgrade"}.isdisjoint(event["headers"])
    assert event["queryStringParameters"] == {"room": "c", "empty": ""}
    assert event["multiValueQueryStringParameters"] == {"room": ["a b", "c"], "empty": [""]}
    assert (context["routeKey"], context["eventType"], context["stage"]) == ("$connect", "CONNECT", "prod")
    assert context["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "probe/1"}
    assert re.fullmatch(r"[\w-]{15}=", context["connectionId"])
    assert context["domainName"] == run.domain
    assert context["connectedAt"] <= context["requestTimeEpoch"]
    assert "messageId" not in context
    assert "body" not in event


def test_a_message_selects_its_route_by_its_action(run: WebSocketRun) -> None:
    with run.open() as (client, connection_id):
        client.send('{"action": "shout", "text": "héllo"}')
        event = run.function.next_event()

    context = event["requestContext"]
    assert (context["routeKey"], context["eventType"], context["messageDirection"]) == ("shout", "MESSAGE", "IN")
    assert context["connectionId"] == connection_id
    assert context["messageId"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"action": "shout", "text": "héllo"}', False)


@pytest.mark.parametrize("message", ["hello", "{}", '{"action": null}', '{"action": "$connect"}', "[1]", ""])
def test_any_other_message_goes_to_the_default_route(run: WebSocketRun, message: str) -> None:
    with run.open() as (client, _):
        client.send(message)

        assert run.function.next_event()["requestContext"]["routeKey"] == "$default"


def test_a_route_that_the_api_does_not_have_becomes_the_default_one() -> None:
    options = WebSocketOptions(route_selection=RouteSelection("$request.body.kind"), routes=frozenset({"known"}))
    with WebSocketRun(options) as run, run.open() as (client, _):
        routes = []
        for kind in ("known", "other"):
            client.send(json.dumps({"kind": kind}))
            routes.append(run.function.next_event()["requestContext"]["routeKey"])

    assert routes == ["known", "$default"]


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        pytest.param(1000, "", (1000, ""), id="normal"),
        pytest.param(4321, "enough", (4321, "enough"), id="a code of the client's own"),
    ],
)
def test_the_disconnect_event_has_the_client_s_code_and_reason(
    run: WebSocketRun, code: int, reason: str, expected: tuple[int, str]
) -> None:
    with run.open() as (client, connection_id):
        client.close(code, reason)
    event = run.function.next_event()

    context = event["requestContext"]
    assert (context["routeKey"], context["eventType"]) == ("$disconnect", "DISCONNECT")
    assert context["connectionId"] == connection_id
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == expected
    assert event["headers"] == {
        "Host": run.domain,
        "x-api-key": "",
        "X-Forwarded-For": "",
        "x-restapi": "",
        "X-Forwarded-Proto": "http",
    }


def test_a_close_frame_without_a_code_is_reported_as_api_gateway_does(run: WebSocketRun) -> None:
    with run.open() as (client, _):
        with client.protocol_mutex:
            client.protocol.send_close()
            client.socket.sendall(b"".join(client.protocol.data_to_send()))
        context = run.function.next_event()["requestContext"]

    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (
        1005,
        "Client-side close frame status not set",
    )


def test_a_lost_connection_is_an_abnormal_closure(run: WebSocketRun) -> None:
    with run.open() as (client, _):
        client.socket.shutdown(socket.SHUT_RDWR)

    assert run.function.next_event()["requestContext"]["disconnectStatusCode"] == 1006


@pytest.mark.parametrize("status", [400, 401, 403, 500, 503])
def test_a_status_that_is_not_2xx_refuses_the_handshake(run: WebSocketRun, status: int) -> None:
    run.function.replies["$connect"] = {"statusCode": status}
    with pytest.raises(InvalidStatus) as refused, run.connect():
        pass

    response = refused.value.response
    assert response.status_code == status
    assert json.loads(response.body or b"").keys() == {"message", "connectionId", "requestId"}
    run.function.next_event()
    assert not run.function.has_event(), "a connection that was refused does not end"


@pytest.mark.parametrize("reply", [FAILED, {"body": "no status"}, {"statusCode": "200"}, {"statusCode": 99}])
def test_a_failed_or_malformed_connect_is_a_502(run: WebSocketRun, reply: Any) -> None:
    run.function.replies["$connect"] = reply
    with pytest.raises(InvalidStatus) as refused, run.connect():
        pass

    assert refused.value.response.status_code == 502
    assert json.loads(refused.value.response.body or b"")["message"] == "Internal server error"
    assert "WebSocket $connect error" in run.log


def test_the_function_chooses_the_subprotocol(run: WebSocketRun) -> None:
    run.function.replies["$connect"] = {"statusCode": 200, "headers": {"sec-websocket-protocol": "second"}}
    with run.connect(subprotocols=["first", "second"]) as client:
        assert client.subprotocol == "second"
        assert run.function.next_event()["headers"]["Sec-WebSocket-Protocol"] == "first, second"


def test_no_subprotocol_is_chosen_for_the_function(run: WebSocketRun) -> None:
    with run.connect(subprotocols=["first"]) as client:
        assert client.subprotocol is None


@pytest.mark.parametrize("path", ["/", "/prod", "/prod/"])
def test_the_path_may_have_the_stage(run: WebSocketRun, path: str) -> None:
    with run.connect(path):
        assert run.function.next_event()["requestContext"]["stage"] == "prod"


def test_any_other_path_is_refused_with_the_right_one(run: WebSocketRun) -> None:
    with pytest.raises(InvalidStatus) as refused, run.connect("/chat"):
        pass

    assert refused.value.response.status_code == 403
    assert f"{run.url}/prod" in json.loads(refused.value.response.body or b"")["message"]
    assert not run.function.has_event()


def test_a_reply_s_body_stays_here_without_a_route_response(run: WebSocketRun) -> None:
    run.function.replies["$default"] = {"statusCode": 200, "body": "not for you"}
    run.function.replies["fails"] = FAILED
    with run.open() as (client, _):
        for _ in range(2):
            client.send("hello")
            run.function.next_event()
        client.send('{"action": "fails"}')

        assert json.loads(text_from(client))["message"] == "Internal server error"
    assert run.log.count("--route-responses") == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param({"statusCode": 200, "body": "héllo"}, "héllo", id="text"),
        pytest.param({"statusCode": 500, "body": "sorry"}, "sorry", id="of an error"),
        pytest.param(
            {"statusCode": 200, "body": base64.b64encode(b"a").decode(), "isBase64Encoded": True}, "a", id="base64"
        ),
        pytest.param(
            {"statusCode": 200, "body": base64.b64encode(b"\xff").decode(), "isBase64Encoded": True},
            b"\xff",
            id="bytes that are not UTF-8",
        ),
    ],
)
def test_a_route_with_a_response_sends_its_body(talkative: WebSocketRun, reply: Any, expected: str | bytes) -> None:
    talkative.function.replies["$default"] = reply
    with talkative.connect() as client:
        client.send("hello")

        assert client.recv(timeout=SECONDS) == expected


def test_an_empty_body_is_no_message(talkative: WebSocketRun) -> None:
    talkative.function.replies["second"] = {"statusCode": 200, "body": "second"}
    with talkative.connect() as client:
        client.send("first")
        client.send('{"action": "second"}')

        assert text_from(client) == "second"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(FAILED, id="failed"),
        pytest.param({"body": "x"}, id="no status"),
        pytest.param({"statusCode": 200, "body": "?", "isBase64Encoded": True}, id="not base64"),
        pytest.param({"statusCode": 200, "body": "x" * (128 * 1024 + 1)}, id="too large"),
    ],
)
def test_the_client_gets_api_gateway_s_error_of_a_failed_route(talkative: WebSocketRun, reply: Any) -> None:
    talkative.function.replies["$default"] = reply
    with talkative.open() as (client, connection_id):
        client.send("hello")
        error = json.loads(text_from(client))
        context = talkative.function.next_event()["requestContext"]

        assert error == {
            "message": "Internal server error",
            "connectionId": connection_id,
            "requestId": context["requestId"],
        }


def test_messages_do_not_wait_for_each_other(talkative: WebSocketRun) -> None:
    talkative.function.hold("slow")
    talkative.function.replies["slow"] = {"statusCode": 200, "body": "slow"}
    talkative.function.replies["$default"] = {"statusCode": 200, "body": "quick"}
    with talkative.connect() as client:
        client.send('{"action": "slow"}')
        client.send("quick")
        first = text_from(client)
        talkative.function.release("slow")

        assert [first, text_from(client)] == ["quick", "slow"]


def test_binary_messages_end_the_connection(run: WebSocketRun) -> None:
    with run.open() as (client, _):
        client.send(b"\x00\x01")

        assert closure_of(client)[0] == 1003
    assert run.function.next_event()["requestContext"]["disconnectStatusCode"] == 1003


def test_a_message_of_128_kb_in_frames_of_32_kb_arrives(run: WebSocketRun) -> None:
    with run.open() as (client, _):
        client.send(["x" * 32 * 1024] * 4)

        assert run.function.next_event()["body"] == "x" * 128 * 1024


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("x" * (32 * 1024 + 1), id="a large frame"),
        pytest.param([*["x" * 32 * 1024] * 4, "x"], id="a large message"),
    ],
)
def test_larger_ones_end_the_connection(run: WebSocketRun, message: str | list[str]) -> None:
    with run.open() as (client, _):
        client.send(message)

        assert closure_of(client)[0] == 1009
    assert run.function.next_event()["requestContext"]["disconnectStatusCode"] == 1009


@pytest.mark.parametrize("options", [{"idle_seconds": 0.05}, {"connection_seconds": 0.05}], ids=["idle", "old"])
def test_idle_and_old_connections_are_closed(options: dict[str, float]) -> None:
    with WebSocketRun(WebSocketOptions(**options)) as run:  # type: ignore[arg-type]
        with run.open() as (client, _):
            assert closure_of(client) == (1001, "Going away")
        context = run.function.next_event()["requestContext"]
        assert (context["disconnectStatusCode"], context["disconnectReason"]) == (1001, "Going away")


@pytest.mark.parametrize("with_pings", [True, False])
def test_pings_and_messages_keep_a_connection_open(with_pings: bool) -> None:
    with WebSocketRun(WebSocketOptions(idle_seconds=1.0)) as run, run.open() as (client, connection_id):
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            if with_pings:
                assert client.ping().wait(SECONDS)
            else:
                run.http.post(f"/@connections/{connection_id}", content=b"still here").raise_for_status()
                client.recv(timeout=SECONDS)
        still_there = run.http.get(f"/@connections/{connection_id}")

    assert still_there.status_code == 200


def test_connections_are_closed_when_the_run_stops(run: WebSocketRun) -> None:
    with run.open() as (client, connection_id):
        run.stop()

        assert closure_of(client) == (1001, "Going away")
    context = run.function.next_event()["requestContext"]
    assert (context["connectionId"], context["disconnectStatusCode"]) == (connection_id, 1001)


def test_a_function_that_hangs_does_not_keep_the_run_from_stopping(run: WebSocketRun) -> None:
    run.function.hold("$disconnect")
    with run.open() as (client, _):
        run.stop()

        assert closure_of(client)[0] == 1001


def test_a_handshake_that_waits_is_refused_when_the_run_stops(run: WebSocketRun) -> None:
    run.function.hold("$connect")

    def stop_in_the_middle() -> None:
        run.function.next_event()
        run.stop()

    stopping = Thread(target=stop_in_the_middle)
    stopping.start()
    with pytest.raises(InvalidStatus) as refused, run.connect():
        pass
    stopping.join(SECONDS)

    assert refused.value.response.status_code == 503


def test_a_client_that_does_not_read_does_not_keep_the_run_from_stopping(run: WebSocketRun) -> None:
    with run.open_without_reading() as (_, connection_id), ThreadPoolExecutor() as threads:
        run.fill_buffers(connection_id, threads)

        run.stop()


def test_an_authorizer_s_context_is_in_all_events() -> None:
    context = {"principalId": "ann", "role": "cook"}
    with WebSocketRun(WebSocketOptions(authorizer=context)) as run:
        with run.connect() as client:
            client.send("hello")
        events = [run.function.next_event() for _ in range(3)]

    assert [event["requestContext"]["authorizer"] for event in events] == [context] * 3


def test_a_client_that_leaves_during_connect_disconnects(run: WebSocketRun) -> None:
    """The app may have noted the connection by then."""
    run.function.hold("$connect")
    key = base64.b64encode(bytes(16)).decode()
    with socket.create_connection(("127.0.0.1", int(run.domain.rpartition(":")[2])), SECONDS) as client:
        client.sendall(
            f"GET / HTTP/1.1\r\nHost: {run.domain}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        connect = run.function.next_event()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # The server learns of the end by the next turn of its loop, which a request of its own waits for.
    wait_until(lambda: run.http.get("/").status_code == 426, "the server goes on")
    run.function.release("$connect")
    context = run.function.next_event()["requestContext"]

    assert context["connectionId"] == connect["requestContext"]["connectionId"]
    assert (context["eventType"], context["disconnectStatusCode"]) == ("DISCONNECT", 1006)


def test_the_adapter_recognises_all_events(run: WebSocketRun) -> None:
    with run.open() as (client, _):
        client.send('{"action": "shout"}')
    events = [run.function.next_event() for _ in range(2)]
    requests = [translated(event, SETTINGS) for event in events]

    for event in events:
        assert recognised(event, SETTINGS).name == "websocket"
        WebSocketEvent.model_validate(event)
    assert [request.path for request in requests] == ["/ws/shout", "/ws/disconnect"]
    assert [request.host for request in requests] == [run.domain] * 2
    assert [request.prefix for request in requests] == [""] * 2
    assert all(("X-Forwarded-Proto", "http") in request.headers for request in requests)


def test_a_throttled_event_is_an_error(run: WebSocketRun) -> None:
    with run.open() as (client, _):
        run.function.is_busy = True
        client.send("hello")

        assert json.loads(text_from(client))["message"] == "Internal server error"
        run.function.is_busy = False


def test_the_log_has_a_line_for_each_event(run: WebSocketRun) -> None:
    with run.open() as (client, _):
        client.send('{"action": "shout"}')
    wait_until(lambda: "$disconnect" in run.log, "the connection ends")

    assert re.findall(r"WebSocket (\S+) 200 \d+ ms", run.log) == ["$connect", "shout", "$disconnect"]


def test_a_request_that_is_no_handshake_is_told_where_to_connect(run: WebSocketRun) -> None:
    response = run.http.get("/")

    assert (response.status_code, response.headers["upgrade"]) == (426, "websocket")
    assert run.url in response.text
