"""An app that takes no connections: whoever waits for one does so until the deadline, and the app is restarted."""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import TYPE_CHECKING, cast

import pytest
from adapter.scripted import Peer, ScriptedServer
from adapter.test_app_failures import problem
from adapter.test_concurrent_invocations import Environment, environment
from adapter.test_loop import QUEUE, error_type, get

from lambda_web_adapter.adapter.app_client import AppClient
from lambda_web_adapter.adapter.io.blocking_backend import BlockingBackend, run_blocking
from lambda_web_adapter.adapter.process.readiness import wait_until_ready
from lambda_web_adapter.adapter.timeouts import KillApp
from lambda_web_adapter.errors import AppNotReady, AppTimeout
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from adapter.conftest import Start

    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.testing.runtime_api import RuntimeApi

__all__ = ["environment"]
COMMAND = ["--", sys.executable, "deaf.py"]
# The function's timeout where it is to pass: with what is kept back of it, enough to know an app that hangs.
SHORT = 1.8  # seconds


def test_a_command_that_takes_no_connection_is_a_504_and_is_started_again(api: RuntimeApi, start: Start) -> None:
    log = start(*COMMAND)
    api.wait_for_call("next")

    outcome = api.invoke(get("/"), timeout=SHORT)
    api.queue_event(get("/"), timeout=SHORT)
    api.wait_for_call("test/started", 2)

    assert problem(outcome, 504)["errorType"] == "Function.AppTimeout"
    log.wait_for("ERROR.*accepts no connection.*it is killed")


def test_a_message_for_a_command_that_takes_no_connection_fails_as_timed_out(api: RuntimeApi, start: Start) -> None:
    start(*COMMAND)

    assert error_type(api.invoke(QUEUE, timeout=SHORT)) == "Function.AppTimeout"


def test_among_several_invocations_such_a_command_is_started_again_too(environment: Environment) -> None:
    api = environment.start(*COMMAND, workers=2)

    outcomes = [api.queue_event(get("/"), timeout=SHORT) for _ in range(2)]
    found = {json.loads(api.wait_for_reply(each).json["body"])["errorType"] for each in outcomes}
    api.queue_event(get("/"), timeout=SHORT)
    api.wait_for_call("test/started", 2)

    # The worker whose deadline is first kills the app, which the other may still be connecting to.
    assert "Function.AppTimeout" in found
    assert found <= {"Function.AppTimeout", "Runtime.AppExited"}
    environment.process.wait_for("ERROR.*accepts no connection.*it is killed")


class App:
    """What a connection knows of an app, and has done to it."""

    def __init__(self, port: int, *, is_managed: bool) -> None:
        self.port = port
        self.is_managed = is_managed
        self.killed = False
        self.pid = 0

        self.control = self
        self.has_debugger = self.stacks_logged = False
        self.started_at = time.monotonic()

    command: tuple[str, ...] = ("server",)

    def running_processes(self) -> dict[int, int]:
        return {}

    def is_debugged(self) -> bool:
        return False

    def read_message(self, timeout: float) -> bytes:
        return b"shown" if self.is_managed else b""

    def is_gone(self) -> bool:
        return self.killed

    def has_ended(self, timeout: float = 0) -> bool:
        return False

    def dump_stacks(self) -> None:
        assert not self.killed

    def read_stack_dump(self) -> str:
        return ""

    def kill(self) -> None:
        self.killed = True


@pytest.mark.parametrize("is_managed", [True, False], ids=["built-in server", "command"])
@pytest.mark.parametrize(
    ("seconds", "ends"),
    [pytest.param(0.6, True, id="for long"), pytest.param(0.0, False, id="in no time")],
)
def test_an_app_is_ended_that_has_taken_no_connection(seconds: float, ends: bool, is_managed: bool) -> None:
    """An event that comes too late to be sent is no reason to end an app."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        app = App(port, is_managed=is_managed)
        backend = BlockingBackend()
        connection = AppClient(cast("AppProcess", app), "127.0.0.1", backend, KillApp(backend))
        with socket.create_connection(("127.0.0.1", port)):  # which fills the queue
            deadline = time.monotonic() + seconds
            with pytest.raises(AppTimeout, match="connection"):
                run_blocking(connection.exchange(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", b"", "GET", deadline))
            run_blocking(connection.wait_until_done(deadline, ""))

    assert app.killed is ends


def test_a_readiness_check_that_is_not_answered_ends_at_the_deadline() -> None:
    """The answer comes after the deadline, and within the time that a check has."""

    def answer_late(peer: Peer) -> None:
        peer.read_request()
        if not peer.wait(2):
            peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    with ScriptedServer(answer_late) as server:
        app = cast("AppProcess", App(server.port, is_managed=False))
        settings = Settings(readiness_check_path="/")
        with pytest.raises(AppNotReady):
            wait_until_ready(app, settings, time.monotonic() + 0.3)
