"""Connections to a command: what it does behind a response must not meet the next request."""

from __future__ import annotations

import asyncio
import socket
import time
from threading import Event
from typing import TYPE_CHECKING, cast

import pytest
from adapter.scripted import Peer, ScriptedServer
from support.processes import SECONDS

from lambda_web_adapter.adapter import app_client
from lambda_web_adapter.adapter.app_client import AppClient
from lambda_web_adapter.adapter.io.asyncio_backend import AsyncioBackend
from lambda_web_adapter.adapter.io.blocking_backend import BlockingBackend, run_blocking
from lambda_web_adapter.adapter.io.response_parser import NO_LIMIT
from lambda_web_adapter.adapter.process.control_channel import ControlChannel
from lambda_web_adapter.adapter.timeouts import KillApp

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from lambda_web_adapter.adapter.io.backend import Backend
    from lambda_web_adapter.adapter.process.app_process import AppProcess

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
FAILURE = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n\r\nno"
CHUNKED_FAILURE = b"HTTP/1.1 503 \r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"
FIRST, SECOND, THIRD = (b"GET /%d HTTP/1.1\r\nhost: a\r\n\r\n" % number for number in (1, 2, 3))


class Command:
    """What a connection knows of a command that runs on."""

    is_managed = False
    keeps_connections = True

    def __init__(self, port: int) -> None:
        self.port = port
        self.control = ControlChannel()

    def is_gone(self) -> bool:
        return False

    def mark_unreachable(self) -> None:
        """Nothing comes of it here."""


class Server:
    """Answers each request by its script: what it sends, and whether it closes without a word, and when.

    Attributes:
        requests: those that were read.
    """

    def __init__(self, *answers: Callable[[Peer], bool]) -> None:
        self.requests: list[bytes] = []
        self._answers = list(answers)

    def __call__(self, peer: Peer) -> None:
        while request := peer.read_request():
            self.requests.append(request)
            if not (self._answers.pop(0) if self._answers else keeping(ANSWER))(peer):
                return


def keeping(answer: bytes) -> Callable[[Peer], bool]:
    """Answers, and keeps the connection."""

    def give(peer: Peer) -> bool:
        peer.send(answer)
        return True

    return give


def closing(answer: bytes) -> Callable[[Peer], bool]:
    """Answers, and closes at once."""

    def give(peer: Peer) -> bool:
        peer.send(answer)
        return False

    return give


def closing_late(answer: bytes) -> Callable[[Peer], bool]:
    """Answers, and closes when the next request has come, which it does not read, or when the client has closed."""

    def give(peer: Peer) -> bool:
        peer.send(answer)
        peer.socket.recv(1, socket.MSG_PEEK)
        return False

    return give


def answering_late(answer: bytes) -> Callable[[Peer], bool]:
    """Answers, and again when the next request has come, which it has not read by then."""

    def give(peer: Peer) -> bool:
        peer.send(answer)
        if peer.socket.recv(1, socket.MSG_PEEK):
            peer.send(answer.replace(b"ok", b"OK"))
        return True

    return give


async def ask(app: AppClient, request: bytes, *, whole: bool = True) -> bytes:
    """Has the command handle a request; returns the response's body."""
    deadline = time.monotonic() + SECONDS
    body = (await app.exchange(request, b"", "GET", deadline, NO_LIMIT if whole else None)).body
    while not whole and not app.complete:
        body += await app.read_chunk(deadline)
    await app.wait_until_done(deadline, "")
    return body


async def until_unasked(app: AppClient) -> None:
    """Waits until the server has done something to the connection that nobody has asked for."""
    deadline = time.monotonic() + SECONDS
    while app._connection.is_open():
        assert time.monotonic() < deadline
        await app._backend.sleep(0.001)


@pytest.fixture(params=[BlockingBackend, AsyncioBackend], ids=["one at a time", "many at once"])
def backend(request: pytest.FixtureRequest) -> Callable[[], Backend]:
    made: Callable[[], Backend] = request.param
    return made


def in_mode(
    make: Callable[[], Backend], server: Server, scenario: Callable[[AppClient], Coroutine[Any, Any, None]]
) -> None:
    """Runs a scenario over a connection to the server, blocking or on an event loop."""

    async def with_connection() -> None:
        backend = make()
        app = AppClient(cast("AppProcess", Command(listening.port)), "127.0.0.1", backend, KillApp(backend))
        try:
            await scenario(app)
        finally:
            app.close()

    with ScriptedServer(server) as listening:
        (run_blocking if make is BlockingBackend else asyncio.run)(with_connection())


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "streamed"])
@pytest.mark.parametrize("failure", [FAILURE, CHUNKED_FAILURE], ids=["length", "chunks"])
def test_a_server_that_closes_behind_a_failure_without_saying_so_does_not_fail_the_next_request(
    failure: bytes, whole: bool, backend: Callable[[], Backend]
) -> None:
    server = Server(closing_late(failure))

    async def scenario(app: AppClient) -> None:
        assert await ask(app, FIRST, whole=whole) == b"no"
        assert await ask(app, SECOND) == b"ok"

    in_mode(backend, server, scenario)
    assert server.requests == [FIRST, SECOND]


def test_a_server_that_was_seen_to_close_at_once_gets_a_connection_for_each_request(
    backend: Callable[[], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_client, "_AT_ONCE_SECONDS", SECONDS)
    server = Server(closing(ANSWER), closing_late(ANSWER), closing_late(ANSWER))

    async def scenario(app: AppClient) -> None:
        assert await ask(app, FIRST) == b"ok"
        await until_unasked(app)
        assert await ask(app, SECOND) == b"ok"
        assert await ask(app, THIRD) == b"ok"
        assert await ask(app, FIRST) == b"ok"

    in_mode(backend, server, scenario)
    assert server.requests == [FIRST, SECOND, THIRD, FIRST]


def test_a_server_that_closes_idle_connections_keeps_the_next(
    backend: Callable[[], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its keep-alive time is over; it may do that at any time (RFC 9112, 9.3)."""
    server = Server(closing(ANSWER))
    monkeypatch.setattr(app_client, "_AT_ONCE_SECONDS", 0.0)

    async def scenario(app: AppClient) -> None:
        ports = []
        for request in (FIRST, SECOND, THIRD):
            assert await ask(app, request) == b"ok"
            ports.append(app._port)
            if request is FIRST:
                await until_unasked(app)
        assert app._app.keeps_connections
        assert ports[0] != ports[1] == ports[2]

    in_mode(backend, server, scenario)


def test_a_server_that_sends_more_after_a_while_gets_a_connection_for_each_request(
    backend: Callable[[], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_client, "_AT_ONCE_SECONDS", 0.0)
    go_on = Event()

    def answering_twice(peer: Peer) -> bool:
        peer.send(ANSWER)
        assert go_on.wait(SECONDS)
        peer.send(ANSWER)
        return True

    async def scenario(app: AppClient) -> None:
        assert await ask(app, FIRST) == b"ok"
        go_on.set()
        await until_unasked(app)
        assert await ask(app, SECOND) == b"ok"
        assert not app._app.keeps_connections

    in_mode(backend, Server(answering_twice), scenario)


def test_a_server_that_was_seen_to_answer_unasked_cannot_answer_the_next_request(
    backend: Callable[[], Backend],
) -> None:
    server = Server(keeping(ANSWER + ANSWER), answering_late(ANSWER))

    async def scenario(app: AppClient) -> None:
        assert await ask(app, FIRST) == b"ok"
        assert await ask(app, SECOND) == b"ok"
        assert await ask(app, THIRD) == b"ok"

    in_mode(backend, server, scenario)
    assert server.requests == [FIRST, SECOND, THIRD]


def test_a_server_that_keeps_its_connections_keeps_one(backend: Callable[[], Backend]) -> None:
    server = Server()

    async def scenario(app: AppClient) -> None:
        ports = []
        for request in (FIRST, SECOND, THIRD):
            assert await ask(app, request) == b"ok"
            ports.append(app._connection.port)
        assert len(set(ports)) == 1

    in_mode(backend, server, scenario)


@pytest.mark.parametrize(
    ("idle_seconds", "connections"),
    [pytest.param(0.0, 3, id="none"), pytest.param(3600.0, 1, id="an hour")],
)
def test_a_connection_is_used_again_as_long_as_it_may_be_idle(
    idle_seconds: float, connections: int, backend: Callable[[], Backend]
) -> None:
    """AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS; 0 is what templates of the AWS Lambda Web Adapter have for uvicorn."""
    server = Server()
    ports: list[int] = []

    async def scenario(app: AppClient) -> None:
        app._idle_seconds = idle_seconds
        for request in (FIRST, SECOND, THIRD):
            assert await ask(app, request) == b"ok"
            ports.append(app._port)

    in_mode(backend, server, scenario)

    assert (len(server.requests), len(set(ports))) == (3, connections)
