"""Freeze and thaw, at every moment: no request is lost, none comes twice, and deadlines hold."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import pytest
from adapter.test_app_failures import problem
from adapter.test_loop import body, get
from adapter.test_slow_start import ON_DEMAND, Slow
from support.freezing import Clocks, family, frozen, state, unread
from support.processes import children, free_port, wait_until

from lambda_web_adapter.testing.runtime_api import CLOSED, RESET

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

HOURS = 3 * 3600.0
COMMAND = ["--", sys.executable, "treating.py"]
# Who goes on first after a thaw is for the kernel to decide.
EITHER_FIRST = pytest.mark.parametrize("adapter_first", [True, False], ids=["adapter first", "app first"])


def environment(pid: int, *, adapter_first: bool = True) -> list[int]:
    """The processes of an environment, in the order in which they go on."""
    found = family(pid)
    assert len(found) > 1
    return found if adapter_first else found[::-1]


def answered_once(api: RuntimeApi, *events: str) -> bool:
    """Says whether each event was answered, and once."""
    answers = [call.request_id for call in api.calls if call.name in ("response", "error")]
    return answers == list(events)


# While the next event is awaited.


@EITHER_FIRST
def test_an_event_that_comes_while_all_is_frozen_is_served(
    adapter_first: bool, api: RuntimeApi, start: Start, either_app: str
) -> None:
    process = start(either_app)
    before = body(api.invoke(get("/"), request_id="1"))
    api.wait_for_call("next", 2)

    with frozen(*environment(process.pid, adapter_first=adapter_first)):
        event = api.queue_event(get("/"), request_id="2")
    after = body(api.wait_for_reply(event))
    api.wait_for_call("next", 3)

    assert (after["pid"], after["count"]) == (before["pid"], 2)
    assert answered_once(api, "1", "2")


@pytest.mark.parametrize("by_reset", [False, True], ids=["closed", "reset"])
def test_a_runtime_api_that_ends_its_connections_meanwhile_is_asked_again(
    by_reset: bool, api: RuntimeApi, start: Start, either_app: str
) -> None:
    process = start(either_app)
    api.invoke(get("/"), request_id="1")
    api.wait_for_call("next", 2)
    api.wait_for_call("extension/event/next")

    with frozen(*environment(process.pid)):
        api.answer_waiting(RESET if by_reset else CLOSED)
        event = api.queue_event(get("/"), request_id="2")
    served = body(api.wait_for_reply(event))
    api.wait_for_call("next", 4)

    assert served["count"] == 2
    assert answered_once(api, "1", "2")
    assert "ERROR" not in process.text


@pytest.mark.parametrize("how", ["answer-and-close", "answer-and-reset", "answer-and-408"])
def test_a_command_may_end_its_connection_meanwhile(how: str, api: RuntimeApi, start: Start) -> None:
    process = start(*COMMAND)
    api.wait_for_call("next")
    first = api.queue_event(get(f"/{how}/first"), request_id="1")
    api.wait_for_call("test/first")
    api.wait_for_reply(first)

    with frozen(process.pid):
        second = api.queue_event(get("/answer/second"), request_id="2")

    assert api.wait_for_reply(second).json["body"] == "ok"
    assert [len(api.calls_of(f"test/{marker}")) for marker in ("first", "second")] == [1, 1]
    assert answered_once(api, "1", "2")


def test_a_connection_that_a_command_is_about_to_end_after_hours_is_not_used(
    tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    """Event loops look at their timers first: what was sent on a connection whose time has passed is never read."""
    clocks = Clocks(tmp_path)
    port = free_port()
    process = start(*COMMAND, "impatient", AWS_LWA_PORT=port, **clocks.variables)
    api.invoke(get("/answer/first"), request_id="1")
    api.wait_for_call("next", 2)
    (command,) = children(process.pid)
    wait_until(lambda: state(command) == "S", "the command awaits a request")

    with frozen(command):
        with frozen(process.pid):
            clocks.jump(wall=HOURS, monotonic=HOURS)
            event = api.queue_event(get("/answer/second"), request_id="2", timeout=HOURS + 20)
        wait_until(lambda: unread(int(port)), "the request has been sent")

    assert api.wait_for_reply(event).json["body"] == "ok"
    assert len(api.calls_of("test/second")) == 1
    assert answered_once(api, "1", "2")


# While the app handles a request.


@EITHER_FIRST
def test_a_request_goes_on_after_the_thaw(adapter_first: bool, api: RuntimeApi, start: Start, either_app: str) -> None:
    api.hold("work")
    process = start(either_app)
    event = api.queue_event(get("/tell/work"), request_id="1")
    api.wait_for_call("test/work")

    with frozen(*environment(process.pid, adapter_first=adapter_first)):
        api.release("work")
    first, second = body(api.wait_for_reply(event)), body(api.invoke(get("/"), request_id="2"))

    assert (first["count"], second["count"]) == (1, 2)
    assert first["pid"] == second["pid"]
    assert answered_once(api, "1", "2")


def test_the_deadline_of_a_request_does_not_move_by_the_time_frozen(
    api: RuntimeApi, start: Start, either_app: str
) -> None:
    """A system call with a timeout that is interrupted begins anew, and with it all of its timeout."""
    api.hold("hangs")
    process = start(either_app)
    body(api.invoke(get("/")))
    deadline = time.time() + 2
    event = api.queue_event(get("/tell/hangs"), timeout=2)
    api.wait_for_call("test/hangs")

    with frozen(*environment(process.pid)):
        wait_until(lambda: time.time() > deadline - 0.8, "time passes")
    outcome = api.wait_for_reply(event)

    assert problem(outcome, 504)["errorType"] == "Function.AppTimeout"
    assert outcome.at < deadline
    assert body(api.invoke(get("/")))["count"] == 1


def test_a_request_whose_deadline_has_passed_meanwhile_is_a_504(api: RuntimeApi, start: Start, either_app: str) -> None:
    api.hold("hangs")
    process = start(either_app)
    api.invoke(get("/"), request_id="0")  # the start is not to take of the second
    event = api.queue_event(get("/tell/hangs"), timeout=1, request_id="1")
    api.wait_for_call("test/hangs")
    deadline = time.time() + 1

    with frozen(*environment(process.pid)):
        wait_until(lambda: time.time() > deadline, "the deadline passes")
    outcome = api.wait_for_reply(event)
    after = body(api.invoke(get("/"), request_id="2"))

    assert problem(outcome, 504)["errorType"] == "Function.AppTimeout"
    assert after["count"] == 1
    assert answered_once(api, "0", "1", "2")


# After the reply, before the app's call has returned.


@EITHER_FIRST
def test_work_after_the_reply_goes_on_after_the_thaw_and_the_next_event_waits_for_it(
    adapter_first: bool, api: RuntimeApi, start: Start, either_app: str
) -> None:
    api.hold("work")
    process = start(either_app)
    api.invoke(get("/after/work"), request_id="1")
    api.wait_for_call("test/work")

    with frozen(*environment(process.pid, adapter_first=adapter_first)):
        event = api.queue_event(get("/"), request_id="2")
    early = api.has_call_within("next", 2, timeout=0.2)
    api.release("work")
    after = body(api.wait_for_reply(event))
    api.wait_for_call("next", 3)

    assert not early
    assert after["count"] == 2
    assert [call.name for call in api.calls if call.name in ("response", "next", "test/work-ended")] == [
        *("next", "response", "test/work-ended"),
        *("next", "response", "next"),
    ]
    assert answered_once(api, "1", "2")


def test_work_that_goes_on_beyond_the_deadline_does_so_no_longer_for_a_freeze(
    api: RuntimeApi, start: Start, either_app: str
) -> None:
    api.hold("work")
    process = start(either_app)
    api.wait_for_call("next")
    deadline = time.time() + 2
    api.invoke(get("/after/work"), timeout=2)
    api.wait_for_call("test/work")

    with frozen(*environment(process.pid)):
        wait_until(lambda: time.time() > deadline - 0.8, "time passes")
    asked = api.wait_for_call("next", 2)
    api.release("work")

    assert asked.at < deadline
    process.wait_for("WARNING.*still working")


# During the start.


@pytest.mark.parametrize("stage", ["import", "startup"])
@EITHER_FIRST
def test_a_start_goes_on_after_the_thaw(adapter_first: bool, stage: str, api: RuntimeApi, start: Start) -> None:
    api.hold(stage)
    process = start("main:app")
    api.wait_for_call(f"test/{stage}")

    with frozen(*environment(process.pid, adapter_first=adapter_first)):
        api.release(stage)
        event = api.queue_event(get("/"), request_id="1")

    assert body(api.wait_for_reply(event))["count"] == 1
    assert len(api.calls_of("test/import")) == 1
    assert answered_once(api, "1")


def test_a_command_s_start_goes_on_after_the_thaw(api: RuntimeApi, start: Start) -> None:
    api.hold("listen")
    process = start("--", sys.executable, "command.py")
    api.wait_for_call("test/listen")

    with frozen(*environment(process.pid)):
        api.release("listen")
        event = api.queue_event(get("/path"))

    assert json.loads(api.wait_for_reply(event).json["body"])["requests"] == ["/path"]


# Clocks.


@pytest.mark.parametrize(
    ("wall", "monotonic"),
    [
        pytest.param(HOURS, HOURS, id="hours frozen"),
        pytest.param(HOURS, 0, id="the monotonic clock stood still"),
        pytest.param(-HOURS, 0, id="the wall clock was set back"),
    ],
)
def test_a_deadline_is_reckoned_from_the_clocks_as_they_are(
    wall: float, monotonic: float, tmp_path: Path, api: RuntimeApi, start: Start, either_app: str
) -> None:
    clocks = Clocks(tmp_path)
    api.hold("hangs")
    process = start(either_app, **clocks.variables)
    api.invoke(get("/"))
    api.wait_for_call("next", 2)

    with frozen(*environment(process.pid)):
        clocks.jump(wall, monotonic)
        in_time = api.queue_event(get("/"), timeout=wall + 20)
    in_time_seen = api.wait_for_reply(in_time)
    late_seen = api.invoke(get("/tell/hangs"), timeout=wall + 1)
    after = api.invoke(get("/"), timeout=wall + 20)

    assert body(in_time_seen)["count"] == 2
    assert problem(late_seen, 504)["errorType"] == "Function.AppTimeout"
    assert body(after)["count"] == 1


def test_the_time_that_a_slow_app_has_to_start_does_not_pass_while_it_is_frozen(
    tmp_path: Path, api: RuntimeApi
) -> None:
    """Once the first event has been asked for, Lambda freezes an environment whose app still starts."""
    clocks = Clocks(tmp_path)
    slow = Slow(api, ON_DEMAND, **clocks.variables)
    with slow.process:
        api.wait_for_call("next")
        with frozen(*environment(slow.process.pid)):
            clocks.jump(wall=HOURS, monotonic=HOURS)
            event = api.queue_event(get("/"), timeout=HOURS + 20)
        early = api.has_call_within("error", 1, timeout=0.2)
        api.release("startup")
        outcome = api.wait_for_reply(event)

    assert not early
    assert outcome.json["statusCode"] == 200
    assert len(api.calls_of("test/import")) == 1
