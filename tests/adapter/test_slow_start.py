"""Apps that need longer than Lambda's init phase has: waited for within the invocations, and started once."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import pytest
from adapter.conftest import APPS, on_lambda
from adapter.test_loop import QUEUE, get
from e2e.events import Request, function_url
from support.processes import Running, children

from lambda_web_adapter.adapter.process.control_channel import ControlChannel
from lambda_web_adapter.adapter.process.readiness import is_overdue, wait_until_ready
from lambda_web_adapter.errors import AppNotReady
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.testing.runtime_api import RuntimeApi

# The bootstrap, with less patience than the 9.8 s that Lambda allows: nobody wants to wait for that.
IMPATIENT = """
import sys
from lambda_web_adapter import cli
cli._INIT_SECONDS = 0.2
cli.main(sys.argv[1:])
"""
ON_DEMAND = "on-demand"


class Slow:
    """A bootstrap whose app is held in its lifespan startup."""

    def __init__(self, api: RuntimeApi, kind: str, app: str = "main:app", **more: str) -> None:
        api.hold("startup")
        self.process = Running(
            [sys.executable, "-c", IMPATIENT, app],
            env=on_lambda(api, APPS, {"AWS_LAMBDA_INITIALIZATION_TYPE": kind, **more}),
            cwd=APPS,
            at_end=api.set_runtime_ended,
        )
        api.wait_for_call("test/startup")


def kill_app(process: Running) -> None:
    (app,) = children(process.pid)
    os.kill(app, signal.SIGKILL)


@pytest.fixture
def slow(api: RuntimeApi, request: pytest.FixtureRequest) -> Iterator[Slow]:
    started = Slow(api, getattr(request, "param", ON_DEMAND))
    with started.process:
        yield started


def test_the_first_event_is_asked_for_and_waits_for_the_app(slow: Slow, api: RuntimeApi) -> None:
    api.wait_for_call("next")
    event = api.queue_event(get("/"))
    early = api.has_call_within("response", 1, timeout=0.2)
    api.release("startup")

    assert api.wait_for_reply(event).json["statusCode"] == 200
    assert not early
    assert len(api.calls_of("test/import")) == 1
    assert "requests the first event meanwhile" in slow.process.text


def test_an_invocation_that_ends_first_is_an_error_and_the_next_one_waits_on(slow: Slow, api: RuntimeApi) -> None:
    first = api.invoke(get("/"), timeout=1.5)
    api.release("startup")
    second = api.invoke(get("/"))

    assert (first.name, first.json["errorType"]) == ("error", "Runtime.AppNotReady")
    assert "after its start" in first.json["errorMessage"]
    assert second.json["statusCode"] == 200
    assert len(api.calls_of("test/import")) == 1


@pytest.mark.parametrize("slow", ["provisioned-concurrency", "snap-start"], indirect=True)
def test_where_the_init_phase_is_long_no_event_is_asked_for_before_the_app_is_ready(
    slow: Slow, api: RuntimeApi
) -> None:
    early = api.has_call_within("next", 1, timeout=0.5)
    api.release("startup")
    api.wait_for_call("next")

    assert not early
    assert "meanwhile" not in slow.process.text


DIES = """
import os
from main import app as healthy, tell

async def app(scope, receive, send):
    if scope["type"] == "lifespan" and os.path.exists(os.environ["BROKEN"]):
        tell("startup")
        os._exit(3)
    await healthy(scope, receive, send)
"""


@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
def test_a_request_that_waits_for_an_app_that_is_killed_has_an_answer_in_its_form(mode: str, api: RuntimeApi) -> None:
    slow = Slow(api, ON_DEMAND, AWS_LWA_INVOKE_MODE=mode)
    with slow.process:
        api.wait_for_call("next")
        event = api.queue_event(function_url(Request(path="/")))
        slow.process.wait_for("An invocation waits for the app")
        kill_app(slow.process)
        outcome = api.wait_for_reply(event)
        api.release("startup")
        served = api.wait_for_reply(api.queue_event(function_url(Request(path="/"))))

    assert outcome.name == "response"
    head = outcome.stream.prelude if outcome.stream else outcome.json
    body = outcome.stream.body.partition(b"\0" * 8)[2] if outcome.stream else head["body"]
    assert head["statusCode"] == 502
    assert json.loads(body) == {
        "message": "The app ended before it was ready (signal SIGKILL).",
        "errorType": "Runtime.AppStartFailed",
    }
    assert served.name == "response"


def test_an_event_that_waits_for_an_app_that_is_killed_fails(slow: Slow, api: RuntimeApi) -> None:
    api.wait_for_call("next")
    event = api.queue_event(QUEUE)
    slow.process.wait_for("An invocation waits for the app")
    kill_app(slow.process)

    outcome = api.wait_for_reply(event)

    assert (outcome.name, outcome.json["errorType"]) == ("error", "Runtime.AppStartFailed")


def test_an_app_that_ends_after_all_is_told_to_the_first_caller(tmp_path: Path, api: RuntimeApi) -> None:
    (tmp_path / "dies.py").write_text(DIES)
    broken = tmp_path / "broken"
    broken.touch()
    slow = Slow(api, ON_DEMAND, "dies:app", PYTHONPATH=str(tmp_path), BROKEN=str(broken))
    with slow.process:
        api.wait_for_call("next")
        event = api.queue_event(get("/"))
        api.release("startup")
        error = api.wait_for_reply(event)
        broken.unlink()
        served = api.invoke(get("/"))

    assert (error.name, error.json["errorType"]) == ("error", "Runtime.AppStartFailed")
    assert "exit code 3" in error.json["errorMessage"]
    assert served.json["statusCode"] == 200


@pytest.mark.parametrize("bound", ["0", "-1", "-0.5"])
def test_without_bound_the_app_is_waited_for_as_long_as_it_takes(bound: str, api: RuntimeApi) -> None:
    slow = Slow(api, "provisioned-concurrency", AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS=bound)
    with slow.process:
        early = api.has_call_within("init/error", 1, timeout=0.5)
        api.release("startup")
        api.wait_for_call("next")

    assert not early


class Started:
    """An app process that was started long ago, and says when it is ready on a channel of the test's."""

    is_managed = True
    stacks_logged = True
    pid = 0

    def __init__(self, seconds_ago: float) -> None:
        self.control = ControlChannel()
        self.started_at = time.monotonic() - seconds_ago

    def ready(self, variables: dict[str, str]) -> Future[None]:
        """Is waited for, and says a little later that it is ready."""
        settings = Settings.from_environ(variables)
        ours, theirs = socket.socketpair()
        self.control = ControlChannel(ours)
        with ours, theirs, ThreadPoolExecutor() as pool:
            waiting = pool.submit(wait_until_ready, cast("AppProcess", self), settings)
            with suppress(TimeoutError, AppNotReady):
                waiting.result(0.2)
            theirs.sendall(b"ready\n")
            wait([waiting])
        return waiting


@pytest.mark.parametrize("variables", [{}, {"AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS": "0"}], ids=["unset", "0"])
@pytest.mark.parametrize("seconds", [131, 899])
def test_by_default_a_start_may_take_as_long_as_lambda_gives_it(seconds: float, variables: dict[str, str]) -> None:
    Started(seconds).ready(variables).result()


def test_a_bound_that_is_set_holds() -> None:
    with pytest.raises(AppNotReady, match="It had 60 seconds"):
        Started(61).ready({"AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS": "60"}).result()


@pytest.mark.parametrize(("seconds", "overdue"), [(129, False), (131, True)])
def test_by_default_an_app_is_taken_to_hang_where_its_start_takes_longer_than_most(
    seconds: float, overdue: bool
) -> None:
    assert is_overdue(cast("AppProcess", Started(seconds)), Settings()) is overdue


def test_without_bound_no_app_is_taken_to_hang() -> None:
    settings = Settings.from_environ({"AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS": "0"})

    assert not is_overdue(cast("AppProcess", Started(100_000)), settings)
