"""The recorder: what it makes of invocations and responses, in whatever order they end."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from local.scripted_function import ScriptedFunction

from lambda_web_adapter.local.environments.function_options import FunctionOptions
from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.local.log import Log, RequestLine
from lambda_web_adapter.local.records.conversion import to_summary
from lambda_web_adapter.local.records.recorder import (
    EnvironmentChanged,
    InvocationCompleted,
    InvocationStarted,
    Recorder,
)
from lambda_web_adapter.local.records.records import Record
from lambda_web_adapter.local.websocket_api.route_calls import RouteCalls
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from lambda_web_adapter.models import WebSocketEvent

OK = Outcome(payload=b"{}")


def run(steps: Callable[[Recorder, Log], None]) -> Recorder:
    """Do the steps within an event loop, which invocations need, and return the recorder."""

    async def within_a_loop() -> Recorder:
        recorder = Recorder()
        steps(recorder, Log("short", io.StringIO(), recorder))
        return recorder

    return asyncio.run(within_a_loop())


def begin(log: Log) -> Invocation:
    """Return an invocation that an environment has just got."""
    outcome: asyncio.Future[Outcome | ReplyStream] = asyncio.get_running_loop().create_future()
    invocation = Invocation(event=b'{"a": 1}', title="GET /a", outcome=outcome, source="function-url")
    invocation.received_at, invocation.started_at, invocation.environment = time.monotonic() - 0.5, time.monotonic(), 3
    log.started(invocation)
    return invocation


def end(log: Log, invocation: Invocation, outcome: Outcome | ReplyStream = OK) -> None:
    if not invocation.outcome.done():
        invocation.outcome.set_result(outcome)
    invocation.ended_at = invocation.started_at + 0.25
    invocation.max_memory = 5_000_000
    log.ended(invocation, FunctionOptions())


def respond(log: Log, invocation: Invocation | None, status: int | str = 200, problem: str = "") -> None:
    log.request(RequestLine(title="GET /a?b", status=status, seconds=0.75, invocation=invocation, problem=problem))


def only(recorder: Recorder) -> Record:
    (record,) = recorder.records.last(10)
    return record


@pytest.mark.parametrize("response_comes_first", [True, False])
def test_a_record_is_complete_after_both_ends(response_comes_first: bool) -> None:
    complete = []

    def steps(recorder: Recorder, log: Log) -> None:
        invocation = begin(log)
        complete.append(only(recorder).is_complete)
        for is_response in (response_comes_first, not response_comes_first):
            respond(log, invocation) if is_response else end(log, invocation)
            complete.append(only(recorder).is_complete)

    record = only(run(steps))

    assert complete == [False, False, True]
    assert (record.state, record.status, record.source, record.title) == ("succeeded", 200, "function-url", "GET /a?b")
    assert (record.environment, record.is_cold, record.event_bytes, record.memory_bytes) == (3, False, 8, 5_000_000)
    assert (round(record.waited_ms), round(record.duration_ms), record.response_ms) == (500, 250, 750)
    assert abs(time.time() - 0.5 - record.received) < 60


def test_a_failed_function_is_named() -> None:
    def steps(_: Recorder, log: Log) -> None:
        invocation = begin(log)
        end(log, invocation, Outcome.failure("Runtime.ExitError", "gone"))
        respond(log, invocation, 502)

    record = only(run(steps))

    assert (record.state, record.status) == ("failed", 502)
    assert (record.error_type, record.error_message) == ("Runtime.ExitError", "gone")


def test_an_error_document_without_a_type_is_an_error_still() -> None:
    def steps(_: Recorder, log: Log) -> None:
        end(log, begin(log), Outcome(payload=b"not JSON", failed=True))

    assert only(run(steps)).error_type == "Unhandled"


def test_a_stream_that_breaks_off_is_a_failure() -> None:
    def steps(_: Recorder, log: Log) -> None:
        stream = ReplyStream("text/plain")
        stream.end(InvocationError(error_type="Function.Broken", error_message="half"))
        end(log, begin(log), stream)

    assert only(run(steps)).error_type == "Function.Broken"


def test_a_request_that_became_no_event_has_a_record() -> None:
    record = only(run(lambda _, log: respond(log, None, 413, "too large")))

    assert (record.state, record.status, record.problem, record.is_complete) == ("rejected", 413, "too large", True)
    assert record.request_id == ""


def test_a_response_without_a_status_has_none() -> None:
    assert only(run(lambda _, log: respond(log, None, "-", "the client left"))).status is None


def test_an_invocation_that_failed_before_it_began_has_a_record() -> None:
    def steps(_: Recorder, log: Log) -> None:
        invocation = Invocation(event=b"{}", title="GET /", outcome=asyncio.get_running_loop().create_future())
        end(log, invocation, Outcome.failure("Sandbox.Timedout", "init"))

    assert only(run(steps)).error_type == "Sandbox.Timedout"


def test_an_init_within_an_invocation_makes_no_second_record() -> None:
    def steps(_: Recorder, log: Log) -> None:
        invocation = begin(log)
        log.started(invocation)
        end(log, invocation)

    assert only(run(steps)).state == "succeeded"


@pytest.mark.parametrize("style", ["short", "lambda"])
def test_a_record_has_the_app_s_lines_and_not_lambda_s(style: str) -> None:
    def steps(recorder: Recorder, _: Log) -> None:
        log = Log(style, io.StringIO(), recorder)
        invocation = begin(log)
        invocation.add_log(b"hello\nSTART of something\n")
        end(log, invocation)

    assert only(run(steps)).log == b"hello\nSTART of something\n"


def test_followers_get_each_record_when_it_starts_and_when_it_is_complete() -> None:
    changes = []

    def steps(recorder: Recorder, log: Log) -> None:
        with recorder.follow() as queue:
            first, second = begin(log), begin(log)
            end(log, second)
            respond(log, second)
            respond(log, first)
            end(log, first)
            while not queue.empty():
                change = queue.get_nowait()
                assert not isinstance(change, EnvironmentChanged)
                changes.append((type(change), change.record.number))
        respond(log, None)
        assert queue.empty()

    run(steps)

    assert changes == [
        (InvocationStarted, 1),
        (InvocationStarted, 2),
        (InvocationCompleted, 2),
        (InvocationCompleted, 1),
    ]


def test_followers_get_each_change_of_an_environment_once() -> None:
    states = []

    def steps(recorder: Recorder, _: Log) -> None:
        with recorder.follow() as queue:
            for state in ("idle", "idle", "busy"):
                recorder.change_environment(2, state)
            while not queue.empty():
                change = queue.get_nowait()
                assert isinstance(change, EnvironmentChanged)
                states.append((change.number, change.state))

    run(steps)

    assert states == [(2, "idle"), (2, "busy")]


def test_a_slow_follower_misses_the_oldest_records() -> None:
    def steps(recorder: Recorder, log: Log) -> None:
        with recorder.follow() as queue:
            for _ in range(queue.maxsize + 1):
                respond(log, None)
            change = queue.get_nowait()
            assert isinstance(change, InvocationCompleted)
            assert change.record.number == 2

    run(steps)


def test_records_of_complete_invocations_are_all_that_stays() -> None:
    def steps(recorder: Recorder, log: Log) -> None:
        for _ in range(3):
            invocation = begin(log)
            end(log, invocation)
            respond(log, invocation)
        assert recorder._incomplete == {}

    assert len(run(steps).records) == 3


def test_a_record_is_json() -> None:
    def steps(_: Recorder, log: Log) -> None:
        end(log, begin(log))

    assert json.loads(json.dumps(to_summary(only(run(steps))).model_dump()))["title"] == "GET /a"


def test_an_event_of_a_websocket_api_names_its_source() -> None:
    async def within_a_loop() -> str:
        function = ScriptedFunction()
        event = cast("WebSocketEvent", SimpleNamespace(to_json=lambda: b"{}"))
        RouteCalls(function, Log(stream=io.StringIO())).start("$default", event)
        return function.invocations[0].source

    assert asyncio.run(within_a_loop()) == "websocket"
