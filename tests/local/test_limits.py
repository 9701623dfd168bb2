"""Request bodies beyond what a gateway takes: refused as on AWS, without being collected."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from local.streaming import Local
from support.processes import SECONDS, wait_until

from lambda_web_adapter.local.asgi_messages import BodyTooLarge, ClientDisconnected, read_body
from lambda_web_adapter.local.gateways import GATEWAYS
from lambda_web_adapter.local.invoke_api.invoke_client import INVOKE_PATH

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent

MB = 1024 * 1024
MOST = {
    "function-url": 6 * MB,
    "http-api-v2": 10 * MB,
    "http-api-v1": 10 * MB,
    "rest-api": 10 * MB,
    "alb": MB,
    "alb-multi": MB,
    "vpc-lattice-v1": 6 * MB,
    "vpc-lattice-v2": 6 * MB,
}
AS_ON_AWS = {
    "http-api-v2": ("application/json", b'{"message":"Request Entity Too Large"}'),
    "http-api-v1": ("application/json", b'{"message":"Request Entity Too Large"}'),
    "rest-api": ("text/plain", b"HTTP content length exceeded 10485760 bytes."),
}


@pytest.fixture(params=[pytest.param(name, id=name) for name in GATEWAYS])
def source(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def local(source: str) -> Iterator[Local]:
    with Local(source) as found:
        yield found


def asked(local: Local, head: str) -> socket.socket:
    """Sends the head of a request, and no body."""
    client = socket.create_connection(("127.0.0.1", local.port), SECONDS)
    client.sendall(f"POST {head}\r\n\r\n".encode())
    return client


def answer(client: socket.socket) -> tuple[int, str, bytes]:
    response = http.client.HTTPResponse(client)
    response.begin()
    with response:
        return response.status, response.headers["content-type"], response.read()


def logged(capsys: pytest.CaptureFixture[str]) -> str:
    """Waits for a line of the log: it is written when the client may have its answer already."""
    seen = ""

    def is_there() -> bool:
        nonlocal seen
        seen += capsys.readouterr().err
        return seen.endswith("\n")

    wait_until(is_there, "a line in the log")
    return seen


def test_every_limit_is_the_gateways(source: str) -> None:
    assert GATEWAYS[source].max_body == MOST[source]


def test_a_body_that_says_it_is_too_large_is_refused_without_a_byte_of_it(
    source: str, local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    size = MOST[source] + 1
    with asked(local, f"/a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {size}") as client:
        status, kind, body = answer(client)

    problem = f"The body has {size} bytes, but {GATEWAYS[source].title} takes {MOST[source]}. Have clients upload"
    assert status == 413
    if source in AS_ON_AWS:
        assert (kind, body) == AS_ON_AWS[source]
    else:
        assert body.decode().startswith(problem)
    line = logged(capsys)
    assert line.startswith("POST /a 413 ")
    assert f" ms: {problem}" in line


def test_a_body_that_does_not_say_how_large_it_is_is_refused_when_it_is_too_large(source: str, local: Local) -> None:
    chunk = b"%x\r\n%b\r\n" % (MB, bytes(MB))
    with asked(local, "/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked") as client:
        for _ in range(MOST[source] // MB + 20):  # more than it takes, all of which is read, so that nobody hangs
            client.sendall(chunk)
        status, kind, body = answer(client)
        client.sendall(b"0\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")
        again = answer(client)[0]

    assert (status, again) == (413, 413)
    if source in AS_ON_AWS:
        assert (kind, body) == AS_ON_AWS[source]
    else:
        assert body.startswith(b"The body has more than the %d bytes that " % MOST[source])


def test_as_much_as_the_gateway_takes_passes(source: str, local: Local) -> None:
    """Text, so that it is not larger in the event; Lambda's own limit is below that of API Gateway."""
    size = min(MOST[source], 6 * MB - 4096)
    request = local.client.build_request("POST", "/", content=b"a" * size, headers={"content-type": "text/plain"})
    response = local.send(request)
    path = local.bootstrap.next()
    local.bootstrap.post(path, b'{"statusCode":200,"multiValueHeaders":{},"body":"ok"}')

    assert len(local.bootstrap.event["body"]) == size
    assert response.result(SECONDS).read() == b"ok"


@pytest.mark.parametrize("source", ["rest-api"])
def test_a_body_that_only_base64_makes_too_large_is_refused_with_that_reason(local: Local) -> None:
    response = local.client.post("/", content=bytes(5_000_000))

    assert response.status_code == 413
    assert "but Lambda takes 6291456. The request's body has 5000000. Base64," in response.text


@pytest.mark.parametrize("source", ["alb"])
def test_an_event_that_is_too_large_is_refused_as_by_invoke(local: Local) -> None:
    response = local.client.post(INVOKE_PATH, content=bytes(6 * MB + 1))

    assert response.status_code == 413
    assert json.loads(response.text)["message"].startswith("Request must be smaller than 6291456 bytes")


@pytest.mark.parametrize("source", ["function-url"])
def test_a_client_that_leaves_in_the_middle_of_its_body_reaches_no_function(
    local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    with asked(local, "/left HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345") as client:
        client.shutdown(socket.SHUT_RDWR)
    line = logged(capsys)
    waiting = local.ask(path="/whole")
    path = local.bootstrap.next()
    local.bootstrap.post(path, b'{"statusCode":204}')

    assert line.startswith("POST /left - ")
    assert line.endswith(" ms: the client left in the middle of its body\n")
    assert local.bootstrap.event["rawPath"] == "/whole"
    assert waiting.result(SECONDS).status_code == 204


def read(most: int | None, *messages: ASGIReceiveEvent) -> tuple[bytes | type[Exception], int]:
    """Reads a body of given messages; returns it, or how that failed, and how many messages were taken."""
    taken = 0

    async def receive() -> ASGIReceiveEvent:
        nonlocal taken
        taken += 1
        return messages[taken - 1]

    try:
        return asyncio.run(read_body(receive, most)), taken
    except (BodyTooLarge, ClientDisconnected) as error:
        return type(error), taken


def part(body: bytes, more: bool = True) -> ASGIReceiveEvent:
    return {"type": "http.request", "body": body, "more_body": more}


def test_nothing_is_read_behind_the_limit() -> None:
    assert read(3, part(b"ab"), part(b"cd"), part(b"ef"), part(b"", False)) == (BodyTooLarge, 2)


def test_as_much_as_may_come_is_read() -> None:
    assert read(4, part(b"ab"), part(b"cd"), part(b"", False)) == (b"abcd", 3)
    assert read(None, part(bytes(100), False)) == (bytes(100), 1)


def test_what_was_sent_before_the_sender_left_is_no_body() -> None:
    assert read(4, part(b"ab"), {"type": "http.disconnect"}) == (ClientDisconnected, 2)
