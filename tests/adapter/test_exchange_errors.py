"""What is said of a request that gets no whole response, and what the client does to the requests after it."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
import time
from typing import TYPE_CHECKING, cast

import pytest
from adapter.scripted import Peer, ScriptedServer
from adapter.test_app_failures import problem, raw
from adapter.test_command_connections import (
    ANSWER,
    FIRST,
    SECOND,
    Command,
    Server,
    ask,
    backend,
    closing,
    closing_late,
    in_mode,
    keeping,
)
from adapter.test_loop import get
from adapter.test_never_twice import App
from support.processes import SECONDS

from lambda_web_adapter.adapter.app_client import AppClient
from lambda_web_adapter.adapter.io.blocking_backend import BlockingBackend, run_blocking
from lambda_web_adapter.adapter.timeouts import KillApp
from lambda_web_adapter.errors import AppExited, AppUnreachable, InvalidResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapter.conftest import Start

    from lambda_web_adapter.adapter.io.backend import Backend
    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.testing.runtime_api import RuntimeApi

__all__ = ["backend"]
HALF = "HTTP/1.1 200 OK\\r\\ncontent-length: 5\\r\\n\\r\\nhe"


@pytest.mark.parametrize(
    ("sent", "when"),
    [
        pytest.param("", "before it responded", id="nothing"),
        pytest.param(HALF, "in the middle of its response", id="half a response"),
    ],
)
def test_an_app_that_ends_is_said_to_have_done_so_before_or_in_its_response(
    sent: str, when: str, api: RuntimeApi, start: Start
) -> None:
    start(*raw("exit", sent))

    found = problem(api.invoke(get("/")), 502)

    assert found == {"errorType": "Runtime.AppExited", "message": f"The app ended (exit code 7) {when}."}


@pytest.mark.parametrize(
    ("sent", "what"),
    [
        pytest.param("", "The app sent no response before", id="nothing"),
        pytest.param(HALF, "The response was not complete at", id="half a response"),
    ],
)
def test_a_timeout_says_whether_a_response_had_begun(sent: str, what: str, api: RuntimeApi, start: Start) -> None:
    start(*raw("keep", sent))

    found = problem(api.invoke(get("/"), timeout=1.0), 504)

    assert found["message"] == f"{what} the function's timeout."


# A command's connections after a request on a kept one has failed: is that the fault of keeping it?


class Died(Command):
    """A command that has ended when anybody looks."""

    exit_status = "exit code 7"

    def is_gone(self) -> bool:
        return True

    def stderr_tail(self) -> str:
        return ""


@pytest.mark.parametrize(
    ("answer", "is_lost"),
    [
        pytest.param(closing(b""), True, id="no response"),
        pytest.param(closing(ANSWER[:-1]), False, id="half a response"),
        pytest.param(keeping(b"no HTTP at all\r\n\r\n"), False, id="garbage"),
    ],
)
def test_a_request_that_gets_no_response_on_a_kept_connection_is_the_reason_to_keep_none(
    answer: Callable[..., bool], is_lost: bool, backend: Callable[[], Backend]
) -> None:
    async def scenario(app: AppClient) -> None:
        assert await ask(app, FIRST) == b"ok"
        with pytest.raises(InvalidResponse):
            await ask(app, SECOND)
        assert app._app.keeps_connections is not is_lost

    in_mode(backend, Server(keeping(ANSWER), answer), scenario)


def test_the_end_of_a_command_is_no_reason_to_keep_no_connections(backend: Callable[[], Backend]) -> None:
    async def scenario(app: AppClient) -> None:
        assert await ask(app, FIRST) == b"ok"
        app._app = cast("AppProcess", Died(app._app.port))
        with pytest.raises(AppExited):
            await ask(app, SECOND)
        assert app._app.keeps_connections

    in_mode(backend, Server(closing_late(ANSWER)), scenario)


def test_what_happens_on_a_new_connection_is_no_reason_to_keep_none(
    backend: Callable[[], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kept one ends just after it was checked, before a byte of the request is sent."""
    server = Server(keeping(ANSWER), closing(b""))

    async def scenario(app: AppClient) -> None:
        assert await ask(app, FIRST) == b"ok"
        app._connection.close()
        monkeypatch.setattr(app._connection, "is_open", lambda: True)
        app._kept = True
        with pytest.raises(InvalidResponse):
            await ask(app, SECOND)
        assert app._app.keeps_connections

    in_mode(backend, server, scenario)
    assert server.requests == [FIRST, SECOND]


# The end of the work on a request is awaited only if there was a request.


class NoMessages(BlockingBackend):
    """A backend whose app says nothing."""

    async def wait_for_message(self, app: AppProcess, messages: tuple[bytes, ...], deadline: float) -> bytes:
        raise AssertionError(f"nobody sends {messages}")


def test_a_request_that_was_not_sent_since_no_connection_could_be_opened_is_not_awaited() -> None:
    def answer_and_reset(peer: Peer) -> None:
        peer.read_request()
        peer.send(ANSWER)
        peer.reset()

    backend = NoMessages()
    with ScriptedServer(answer_and_reset) as listening:
        app = AppClient(cast("AppProcess", App(listening.port)), "127.0.0.1", backend, KillApp(backend))
        run_blocking(app.exchange(FIRST, b"", "GET", time.monotonic() + SECONDS))
    deadline = time.monotonic() + SECONDS

    with pytest.raises(AppUnreachable):
        run_blocking(app.exchange(SECOND, b"", "GET", deadline))

    run_blocking(app.wait_until_done(deadline, ""))


class Done(BlockingBackend):
    """A backend whose app is done with each request at once."""

    async def wait_for_message(self, app: AppProcess, messages: tuple[bytes, ...], deadline: float) -> bytes:
        return messages[0]


def test_an_event_that_does_not_reach_the_app_leaves_the_connection_open() -> None:
    """As a warm-up event; of a WSGI app, the connection's thread may hold connections of its own."""
    backend = Done()
    server = Server()
    with ScriptedServer(server) as listening:
        app = AppClient(cast("AppProcess", App(listening.port)), "127.0.0.1", backend, KillApp(backend))
        for request in (FIRST, SECOND):
            assert run_blocking(ask(app, request)) == b"ok"
            run_blocking(app.wait_until_done(time.monotonic(), ""))
        app.close()

    assert server.requests == [FIRST, SECOND]
    assert listening.accepted == 1


# An app that cannot be connected to is restarted, unless that is the adapter's own fault.


class Watched(Command):
    """A command about which the client may say that it takes no more requests."""

    is_unreachable = False

    def mark_unreachable(self) -> None:
        self.is_unreachable = True


def test_an_app_that_cannot_be_connected_to_since_it_has_ended_is_said_to(backend: Callable[[], Backend]) -> None:
    """The adapter may not know it yet as the event comes; the log must show how it ended."""

    async def scenario(app: AppClient) -> None:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            app = AppClient(
                cast("AppProcess", Died(bound.getsockname()[1])), "127.0.0.1", app._backend, app._timeout_policy
            )
            with pytest.raises(AppExited, match="exit code 7"):
                await ask(app, FIRST)

    in_mode(backend, Server(), scenario)


def is_unreachable(make: Callable[[], Backend], *, blocks: bool) -> bool:
    """Sends a request to a port that nobody listens on; returns what the client says of the app then."""

    async def scenario() -> None:
        backend = make()
        app = AppClient(cast("AppProcess", command), "app.test", backend, KillApp(backend))
        with pytest.raises(AppUnreachable):
            await app.exchange(FIRST, b"", "GET", time.monotonic() + SECONDS)

    with socket.socket() as bound:  # it does not listen, and nobody else can
        bound.bind(("127.0.0.1", 0))
        command = Watched(bound.getsockname()[1])
        (run_blocking if blocks else asyncio.run)(scenario())
    return command.is_unreachable


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives each name some addresses."""

    def resolve(*addresses: str) -> None:
        def getaddrinfo(_: str, port: int, *__: object, **___: object) -> list[tuple[object, ...]]:
            return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, port)) for each in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return resolve


@pytest.mark.parametrize("second", ["127.0.0.2", "255.255.255.255"], ids=["refused too", "no address of this system"])
def test_an_app_is_unreachable_if_none_of_its_addresses_takes_a_connection(
    second: str, resolve: Callable[..., None], backend: Callable[[], Backend]
) -> None:
    """As with `localhost`, which is ::1 as well, perhaps where there is no IPv6."""
    resolve("127.0.0.1", second)

    assert is_unreachable(backend, blocks=backend is BlockingBackend)


@pytest.mark.parametrize("times", [1, 2])
def test_a_connection_that_is_reset_at_once_is_replaced_once(
    times: int, backend: Callable[[], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event loop may see the reset before it sees that the connection is open. The app listens."""
    left = [ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")] * times

    async def scenario(app: AppClient) -> None:
        connect = app._connection.connect

        async def connect_later(seconds: float | None = None) -> None:
            if left:
                raise left.pop()
            await connect(seconds)

        monkeypatch.setattr(app._connection, "connect", connect_later)
        if times == 1:
            assert await ask(app, FIRST) == b"ok"
        else:
            with pytest.raises(InvalidResponse, match="reset"):
                await ask(app, FIRST)
        assert not left

    in_mode(backend, Server(), scenario)


def test_a_lack_of_descriptors_is_not_the_app_s_fault(
    resolve: Callable[..., None], backend: Callable[[], Backend]
) -> None:
    resolve("127.0.0.1")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def with_few() -> Backend:
        made = backend()
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        return made

    try:
        assert not is_unreachable(with_few, blocks=backend is BlockingBackend)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
