"""Whatever a server does to its connections: no request reaches it twice, and one that could not be sent is served."""

from __future__ import annotations

import sys
import time
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import pytest
from adapter.scripted import Peer, ScriptedServer
from adapter.test_app_failures import problem
from adapter.test_loop import get
from support.freezing import frozen, state, unread
from support.processes import SECONDS, children, free_port, wait_until

from lambda_web_adapter.adapter.app_client import AppClient
from lambda_web_adapter.adapter.io.blocking_backend import BlockingBackend, run_blocking
from lambda_web_adapter.adapter.process.control_channel import ControlChannel
from lambda_web_adapter.adapter.timeouts import KillApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapter.conftest import Start

    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.testing.runtime_api import RuntimeApi

COMMAND = ["--", sys.executable, "treating.py"]


def arrivals(api: RuntimeApi, marker: str) -> int:
    """How often a request was read by the command."""
    return len(api.calls_of(f"test/{marker}"))


def large(path: str) -> dict[str, Any]:
    """The event of a POST that fits into no buffer."""
    event = get(path) | {"body": "x" * 4_000_000}
    event["requestContext"]["http"]["method"] = "POST"
    return event


# A command, and what it does when it has read a request, or before.


@pytest.mark.parametrize("kept", [True, False], ids=["kept connection", "new connection"])
@pytest.mark.parametrize("what", ["close", "reset"])
def test_a_request_that_gets_no_answer_is_not_sent_again(what: str, kept: bool, api: RuntimeApi, start: Start) -> None:
    start(*COMMAND)
    if kept:
        api.invoke(get("/answer/before"))

    outcome = api.invoke(get(f"/{what}/marked"))
    after = api.invoke(get("/answer/after"))

    assert problem(outcome, 502)["errorType"] == "Function.InvalidResponse"
    assert after.json["body"] == "ok"
    assert [arrivals(api, marker) for marker in ("marked", "after")] == [1, 1]


@pytest.mark.parametrize("kept", [True, False], ids=["kept connection", "new connection"])
def test_a_request_that_is_refused_in_the_middle_is_not_sent_again(kept: bool, api: RuntimeApi, start: Start) -> None:
    start(*COMMAND)
    if kept:
        api.invoke(get("/answer/before"))

    outcome = api.invoke(large("/cut/marked"))
    after = api.invoke(get("/answer/after"))

    assert problem(outcome, 502)["errorType"] == "Function.InvalidResponse"
    assert after.json["body"] == "ok"
    assert [arrivals(api, marker) for marker in ("marked", "after")] == [1, 1]


def test_a_request_that_is_answered_with_a_408_is_the_caller_s_and_not_sent_again(
    api: RuntimeApi, start: Start
) -> None:
    start(*COMMAND)

    outcome = api.invoke(get("/408/marked"))
    after = api.invoke(get("/answer/after"))

    assert outcome.json["statusCode"] == 408
    assert after.json["body"] == "ok"
    assert [arrivals(api, marker) for marker in ("marked", "after")] == [1, 1]


@pytest.mark.parametrize("how", ["answer-and-close", "answer-and-reset", "answer-and-408"])
def test_on_a_connection_that_was_ended_before_nothing_is_sent(how: str, api: RuntimeApi, start: Start) -> None:
    start(*COMMAND)

    for number in range(5):
        assert api.invoke(get(f"/{how}/marked-{number}")).json["body"] == "ok"
        api.wait_for_call("test/ended", number + 1)

    assert [arrivals(api, f"marked-{number}") for number in range(5)] == [1] * 5


def test_a_connection_that_is_broken_right_after_it_was_accepted_carries_its_request_at_most_once(
    api: RuntimeApi, start: Start
) -> None:
    start(*COMMAND)
    api.invoke(get("/spoil/before"))
    api.wait_for_call("test/ended")  # so that it is the next connection that is broken

    outcome = api.invoke(get("/answer/marked"))
    after = api.invoke(get("/answer/after"))

    # Whether the request was on its way already is a race; both ends of it are right.
    assert outcome.json["statusCode"] in (200, 502)
    assert arrivals(api, "marked") == (1 if outcome.json["statusCode"] == 200 else 0)
    assert after.json["body"] == "ok"


def test_a_server_that_breaks_every_connection_is_told_to_the_caller(api: RuntimeApi, start: Start) -> None:
    start(*COMMAND)
    api.invoke(get("/spoil-all/before"))
    api.wait_for_call("next", 2)

    outcomes = [api.invoke(get("/answer/marked")) for _ in range(3)]

    # Whether the connection was whole for a moment is a race.
    found = {problem(outcome, 502)["errorType"] for outcome in outcomes}
    assert found <= {"Function.InvalidResponse", "Function.AppUnreachable"}
    assert arrivals(api, "marked") == 0
    assert len(api.calls_of("test/spoiled")) <= 6


def test_a_request_that_crosses_the_end_of_its_connection_is_not_sent_again(api: RuntimeApi, start: Start) -> None:
    """The server has decided to close before it reads what has come meanwhile: nobody can tell whether it was read."""
    port = free_port()
    process = start(*COMMAND, "impatient", AWS_LWA_PORT=port)
    api.invoke(get("/answer/before"))
    (command,) = children(process.pid)
    wait_until(lambda: state(command) == "S", "the command awaits a request")

    with frozen(command):
        event = api.queue_event(get("/answer/marked"))
        wait_until(lambda: unread(int(port)), "the request has been sent")
    outcome = api.wait_for_reply(event)
    after = api.invoke(get("/answer/after"))

    assert problem(outcome, 502)["errorType"] == "Function.InvalidResponse"
    assert arrivals(api, "marked") == 0
    assert after.json["body"] == "ok"
    assert arrivals(api, "after") == 1


# The connection itself, where the moment matters.


class App:
    """What the connection knows of a process that runs on, and says itself when it closes a connection."""

    is_managed = True

    def __init__(self, port: int) -> None:
        self.port = port
        self.control = ControlChannel()

    def is_gone(self) -> bool:
        return False

    def mark_unreachable(self) -> None:
        """Nothing comes of it here."""


class Server:
    """Answers requests, counts them, and breaks its connections when it is told."""

    def __init__(self, breaks: Callable[[int], bool]) -> None:
        self.requests: list[bytes] = []
        self.broken = Event()
        self._breaks = breaks
        self._connections = 0

    def __call__(self, peer: Peer) -> None:
        self._connections += 1
        breaks = self._breaks(self._connections)
        while request := peer.read_request():
            self.requests.append(request)
            peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            if breaks:
                peer.reset()
                self.broken.set()
                return


def request(marker: str) -> bytes:
    return f"GET /{marker} HTTP/1.1\r\nhost: a\r\n\r\n".encode()


def test_a_request_of_which_no_byte_was_taken_goes_out_on_a_new_connection() -> None:
    server = Server(lambda number: number == 1)
    with ScriptedServer(server) as listening:
        backend = BlockingBackend()
        app = AppClient(cast("AppProcess", App(listening.port)), "127.0.0.1", backend, KillApp(backend))
        deadline = time.monotonic() + SECONDS
        run_blocking(app.exchange(request("first"), b"", "GET", deadline))
        assert server.broken.wait(SECONDS)

        response = run_blocking(app.exchange(request("second"), b"", "GET", deadline))
        app.close()

    assert response.body == b"ok"
    assert server.requests == [request("first"), request("second")]
    assert listening.accepted == 2
