"""The queue of asynchronous invocations: what is retried, what is given up, what is lost at the end."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from local.scripted_function import RecordingLog, ScriptedFunction, echo, fail
from support.processes import SECONDS

from lambda_web_adapter.local.environments.function import Throttled
from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.local.invoke_api.async_invocations import AS_ON_LAMBDA, FAST, AsyncInvocations
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambda_web_adapter.local.environments.invocation import Invocation, Outcome

AT_ONCE = replace(FAST, error_delays=(0.0, 0.0), throttle_delay=0.0, max_throttle_delay=0.0)


class Script:
    """Responds to one attempt after the other; the last response is repeated."""

    def __init__(self, *responses: Callable[[Invocation], Outcome | ReplyStream]) -> None:
        self._responses = list(responses)

    def __call__(self, invocation: Invocation) -> Outcome | ReplyStream:
        response = self._responses.pop(0) if len(self._responses) > 1 else self._responses[0]
        return response(invocation)


def throttle(_: Invocation) -> Outcome:
    raise Throttled


def fail_in_stream(_: Invocation) -> ReplyStream:
    stream = ReplyStream("text/plain")
    stream.end(InvocationError(error_type="KeyError", error_message="in the stream"))
    return stream


async def run(queue: AsyncInvocations, event: bytes = b'{"a": 1}') -> str:
    """Queues an event, and waits until it is done."""
    request_id = queue.enqueue(event, title="sqs event", trace_id="Root=1", tenant_id="blue")
    await asyncio.wait_for(asyncio.gather(*queue._deliveries), SECONDS)
    return request_id


def test_an_event_that_succeeds_is_delivered_once() -> None:
    function, log = ScriptedFunction(), RecordingLog()

    request_id = asyncio.run(run(AsyncInvocations(function, log, policy=AT_ONCE)))

    (invocation,) = function.invocations
    assert invocation.request_id == request_id
    assert (invocation.event, invocation.title) == (b'{"a": 1}', "sqs event")
    assert (invocation.trace_id, invocation.tenant_id) == ("Root=1", "blue")
    assert len(log.lines) == 1


@pytest.mark.parametrize("failure", [fail, fail_in_stream])
def test_a_failed_event_is_delivered_again_with_the_same_request_id(
    failure: Callable[[Invocation], Outcome | ReplyStream],
) -> None:
    function, log = ScriptedFunction(Script(failure, failure, echo)), RecordingLog()

    request_id = asyncio.run(run(AsyncInvocations(function, log, policy=AT_ONCE)))

    assert [each.request_id for each in function.invocations] == [request_id] * 3
    beginnings = [re.sub(r"\d+ ms", "ms", line) for line in log.lines]
    assert beginnings[0].startswith("asynchronous sqs event error ms: attempt 1 of 3: KeyError: ")
    assert beginnings[1].startswith("asynchronous sqs event error ms: attempt 2 of 3: KeyError: ")
    assert beginnings[2] == "asynchronous sqs event 200 ms"


def test_after_the_third_failure_there_is_one_dead_letter_line(tmp_path: Path) -> None:
    function, log = ScriptedFunction(fail), RecordingLog()
    folder = tmp_path / "dead"
    queue = AsyncInvocations(function, log, policy=AT_ONCE, dead_letter_folder=folder)
    event = json.dumps({"text": "x" * 1000}).encode()

    request_id = asyncio.run(run(queue, event))

    (line,) = [line for line in log.lines if line.startswith("Dead letter: ")]
    assert f"sqs event {request_id}, RetriesExhausted after 3 attempts: KeyError: no such thing: " in line
    assert '{"text": "xxx' in line
    assert len(line) < 600
    assert (folder / f"{request_id}.json").read_bytes() == event


def test_a_dead_letter_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "dead").write_text("a file")
    log = RecordingLog()
    function = ScriptedFunction(fail)

    asyncio.run(run(AsyncInvocations(function, log, policy=AT_ONCE, dead_letter_folder=tmp_path / "dead")))

    assert "It cannot be written to " in log.lines[-1]


def test_a_throttled_event_is_tried_until_it_is_taken() -> None:
    function, log = ScriptedFunction(Script(*[throttle] * 20, fail, throttle, echo)), RecordingLog()

    asyncio.run(run(AsyncInvocations(function, log, policy=AT_ONCE)))

    assert len(function.invocations) == 2
    assert not any(line.startswith("Dead letter") for line in log.lines)


def test_a_throttled_event_is_given_up_when_it_is_too_old() -> None:
    function, log = ScriptedFunction(throttle), RecordingLog()
    policy = replace(FAST, max_age=0.1)

    asyncio.run(run(AsyncInvocations(function, log, policy=policy)))

    (line,) = log.lines
    assert re.match(r"Dead letter: sqs event \S+, EventAgeExceeded after 0 attempts: All environments are busy", line)


def test_the_waits_of_throttled_events_double_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    delays: list[float] = []

    async def record(delay: float) -> None:
        delays.append(delay)

    function = ScriptedFunction(Script(*[throttle] * 11, echo))
    monkeypatch.setattr("lambda_web_adapter.local.invoke_api.async_invocations.asyncio.sleep", record)

    async def deliver() -> None:
        queue = AsyncInvocations(function, RecordingLog(), policy=AS_ON_LAMBDA)
        queue.enqueue(b"{}", title="event")
        await asyncio.gather(*queue._deliveries)

    asyncio.run(deliver())

    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_what_is_not_done_at_the_end_is_counted() -> None:
    log = RecordingLog()

    async def stop() -> None:
        function = ScriptedFunction(fail)
        queue = AsyncInvocations(function, log, policy=AS_ON_LAMBDA)
        queue.enqueue(b"{}", title="event")
        queue.enqueue(b"{}", title="event")
        async with asyncio.timeout(SECONDS):
            for _ in range(2):  # one waits for its second attempt, the other may have its first
                await function.submitted.acquire()
        await queue.stop()

    asyncio.run(stop())

    assert log.lines[-1].startswith("2 asynchronous invocations were not done when the local run stopped")


def test_an_end_without_events_is_silent() -> None:
    log = RecordingLog()

    asyncio.run(AsyncInvocations(ScriptedFunction(), log).stop())

    assert log.lines == []
