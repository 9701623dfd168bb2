"""The `@connections` API of a local run: what an app can do with a connection, and who may call it."""

from __future__ import annotations

import json
import socket
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import datetime
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from local.websocket_run import WebSocketRun
from support.processes import SECONDS
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@pytest.fixture
def run() -> Iterator[WebSocketRun]:
    with WebSocketRun() as running:
        yield running


@pytest.mark.parametrize("stage", ["", "/prod", "/anything"])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param("héllo".encode(), "héllo", id="text"),
        pytest.param(b"\xff\x00", b"\xff\x00", id="bytes that are not UTF-8"),
        pytest.param(b"", "", id="nothing"),
    ],
)
def test_a_post_sends_a_message(run: WebSocketRun, stage: str, data: bytes, expected: str | bytes) -> None:
    with run.open() as (client, connection_id):
        response = run.http.post(f"{stage}/@connections/{connection_id}", content=data)

        assert (response.status_code, response.content) == (200, b"")
        assert client.recv(timeout=SECONDS) == expected


def test_the_id_may_be_percent_encoded(run: WebSocketRun) -> None:
    """As boto3 does it."""
    with run.open() as (client, connection_id):
        path = f"/@connections/{connection_id.replace('=', '%3D')}"
        assert run.http.post(path, content=b"x").status_code == 200
        assert client.recv(timeout=SECONDS) == "x"


def test_a_get_describes_the_connection(run: WebSocketRun) -> None:
    with run.open() as (_, connection_id):
        first = run.http.get(f"/@connections/{connection_id}").json()
        run.http.post(f"/@connections/{connection_id}", content=b"x")
        second = run.http.get(f"/@connections/{connection_id}").json()

    times = [datetime.fromisoformat(value) for value in (first["connectedAt"], second["lastActiveAt"])]
    assert times == sorted(times)
    assert first["connectedAt"].endswith("Z")
    assert first["identity"]["sourceIp"] == "127.0.0.1"
    assert first["identity"]["userAgent"].startswith("Python/")


def test_a_delete_closes_the_connection(run: WebSocketRun) -> None:
    with run.open() as (client, connection_id):
        response = run.http.delete(f"/prod/@connections/{connection_id}")
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=SECONDS)
        again = run.http.delete(f"/prod/@connections/{connection_id}")
        event = run.function.next_event()

    assert (response.status_code, again.status_code) == (204, 410)
    assert client.close_code == 1000
    assert event["requestContext"]["disconnectStatusCode"] == 1000
    assert event["requestContext"]["connectionId"] == connection_id


def assert_is_error(response: httpx.Response, status: int, kind: str) -> None:
    assert (response.status_code, response.headers["x-amzn-errortype"]) == (status, kind)
    assert response.json()["message"]


def test_a_client_whose_connection_is_being_closed_is_gone(run: WebSocketRun) -> None:
    path = "/@connections/{}"
    with (
        run.open_without_reading() as (client, connection_id),
        ThreadPoolExecutor() as posts,
        ThreadPoolExecutor() as threads,
    ):
        run.fill_buffers(connection_id, posts)
        deletions = [threads.submit(run.http.delete, path.format(connection_id)) for _ in range(2)]
        (second,), (first,) = wait(deletions, SECONDS, return_when=FIRST_COMPLETED)
        assert second.result().status_code == 410

        threads.submit(read_all, client)
        assert first.result(SECONDS).status_code == 204
        client.shutdown(socket.SHUT_RDWR)


def read_all(client: socket.socket) -> None:
    while client.recv(1024 * 1024):
        pass


def test_a_client_that_has_left_is_gone(run: WebSocketRun) -> None:
    with run.open() as (_, connection_id):
        pass
    run.function.next_event()

    for method in ("POST", "GET", "DELETE"):
        assert_is_error(run.http.request(method, f"/@connections/{connection_id}"), 410, "GoneException")


def test_a_client_is_gone_until_its_connect_is_accepted(run: WebSocketRun) -> None:
    """As on AWS, a function cannot send to a client in `$connect`."""
    run.function.hold("$connect")
    responses = []

    def answer(event_id: str) -> None:
        responses.append(run.http.post(f"/@connections/{event_id}", content=b"early"))
        run.function.release("$connect")

    helper = Thread(target=lambda: answer(run.function.next_event()["requestContext"]["connectionId"]))
    helper.start()
    with run.connect() as client:
        helper.join(SECONDS)
        client.send("late")
        assert run.function.next_event()["body"] == "late"

    assert_is_error(responses[0], 410, "GoneException")


@pytest.mark.parametrize(("size", "status"), [(128 * 1024, 200), (128 * 1024 + 1, 413)])
def test_a_message_has_at_most_128_kb(run: WebSocketRun, size: int, status: int) -> None:
    with run.open() as (client, connection_id):
        response = run.http.post(f"/@connections/{connection_id}", content=b"x" * size)

        assert response.status_code == status
        if status == 200:
            assert client.recv(timeout=SECONDS) == "x" * size
        else:
            assert_is_error(response, 413, "PayloadTooLargeException")


def test_other_methods_are_not_allowed(run: WebSocketRun) -> None:
    with run.open() as (_, connection_id):
        assert_is_error(run.http.put(f"/@connections/{connection_id}"), 405, "MethodNotAllowedException")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"host": "evil.example"}, id="a name that leads here"),
        pytest.param({"origin": "https://evil.example"}, id="a page of another origin"),
        pytest.param({"sec-fetch-site": "cross-site"}, id="an image of another site"),
    ],
)
def test_pages_of_other_origins_may_not_call_it(run: WebSocketRun, headers: dict[str, str]) -> None:
    with run.open() as (client, connection_id):
        refused = run.http.post(f"/@connections/{connection_id}", content=b"spam", headers=headers)
        allowed = run.http.post(f"/@connections/{connection_id}", content=b"ham", headers={"host": run.domain})

        assert_is_error(refused, 403, "ForbiddenException")
        assert "The @connections API" in json.loads(refused.content)["message"]
        assert allowed.status_code == 200
        assert client.recv(timeout=SECONDS) == "ham"
