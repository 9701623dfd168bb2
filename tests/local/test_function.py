"""The function with bootstraps that a test has written: what an init that fails leads to, and extensions."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from support.processes import SECONDS, plain_environment

from lambda_web_adapter.local.environments.environment_states import State
from lambda_web_adapter.local.environments.function import Function, Throttled
from lambda_web_adapter.local.environments.function_options import FunctionOptions
from lambda_web_adapter.local.environments.guard import Guard
from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
from lambda_web_adapter.local.environments.program import Program
from lambda_web_adapter.local.environments.reply_stream import ReplyStream, StreamFailed
from lambda_web_adapter.local.log import Log

# A bootstrap that counts its starts, and replies with the number of this one.
BOOTSTRAP = """
import http.client, json, os, sys, time
from pathlib import Path

HERE = Path(sys.argv[1])
starts = len(list(HERE.glob("start-*"))) + 1
(HERE / f"start-{starts}").touch()
address, _, key = os.environ["AWS_LWA_LAMBDA_RUNTIME_API_PROXY"].partition("/")
PREFIX = f"/{key}/2018-06-01/runtime"


def call(method, path, body=b"", headers={}):
    connection = http.client.HTTPConnection(address)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response, response.read()


def serve():
    while True:
        response, event = call("GET", f"{PREFIX}/invocation/next")
        yield event
        identifier = response.headers["lambda-runtime-aws-request-id"]
        headers = {"lambda-runtime-invocation-id": response.headers["lambda-runtime-invocation-id"]}
        reply = json.dumps({"start": starts, "headers": dict(response.headers)}).encode()
        call("POST", f"{PREFIX}/invocation/{identifier}/response", reply, headers)


"""


async def run(
    folder: Path,
    code: str,
    test: Callable[[Function], Awaitable[None]],
    environ: dict[str, str] | None = None,
    **options: Any,
) -> None:
    """Calls the test with a function whose bootstrap has this code after that above."""
    (folder / "bootstrap.py").write_text(BOOTSTRAP + code)
    program = Program([str(folder / "bootstrap.py"), str(folder)], plain_environment(environ), Guard.start(), Log())
    function = Function(program, FunctionOptions(**options))
    function.start()
    try:
        await asyncio.wait_for(test(function), SECONDS)
    finally:
        await function.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Looks again and again while the function goes on; `run` bounds it."""
    while not condition():  # noqa: ASYNC110  # what another process does sets no event
        await asyncio.sleep(0.005)


def count_starts(folder: Path) -> int:
    return len(list(folder.glob("start-*")))


async def outcome(invocation: Invocation) -> Any:
    """The reply of an invocation, or its error document, parsed."""
    result = await invocation.outcome
    assert isinstance(result, Outcome)
    await invocation.ended.wait()
    return json.loads(result.payload)


def test_an_init_that_takes_too_long_is_repeated_within_the_invocation(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        invocation = function.submit(b"{}", title="an event")
        assert (await outcome(invocation))["start"] == 2
        assert invocation.is_cold
        assert invocation.init_seconds > 0

    code = "if starts == 1: time.sleep(600)\nfor event in serve(): pass"
    asyncio.run(run(tmp_path, code, test, init_seconds=1.0))


def test_an_init_that_is_repeated_and_fails_again_fails_the_invocation(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        invocation = function.submit(b"{}", title="an event")
        document = await outcome(invocation)
        assert document["errorType"] == "Runtime.ExitError"
        assert "exit code 3" in document["errorMessage"]
        assert count_starts(tmp_path) == 2

    asyncio.run(run(tmp_path, "sys.exit(3)", test))


def test_an_init_that_reports_why_it_failed_is_not_repeated(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        invocation = function.submit(b"{}", title="an event")
        assert await outcome(invocation) == {"errorType": "Oops"}
        assert count_starts(tmp_path) == 1

    code = "call('POST', f'{PREFIX}/init/error', b'{\"errorType\": \"Oops\"}'); sys.exit(1)"
    asyncio.run(run(tmp_path, code, test))


def test_the_timeout_applies_to_a_repeated_init(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        document = await outcome(function.submit(b"{}", title="an event"))
        assert document["errorType"] == "Sandbox.Timedout"
        assert "Task timed out after 1.00 seconds" in document["errorMessage"]

    asyncio.run(run(tmp_path, "time.sleep(600)", test, init_seconds=0.5, timeout=1.0))


def test_an_environment_that_dies_in_an_invocation_fails_it_only(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        first, second = function.submit(b'"die"', title="one"), function.submit(b"{}", title="two")
        assert "exit code 7" in (await outcome(first))["errorMessage"]
        assert (await outcome(second))["start"] == 2

    code = "for event in serve():\n    if event == b'\"die\"': os._exit(7)"
    asyncio.run(run(tmp_path, code, test, environments=1))


def test_the_runtime_gets_trace_client_context_and_tenant(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        invocation = function.submit(
            b"{}", title="an event", trace_id="Root=1", client_context='{"custom": {}}', tenant_id="blue"
        )
        headers = {name.lower(): value for name, value in (await outcome(invocation))["headers"].items()}
        assert headers["lambda-runtime-trace-id"] == "Root=1"
        assert headers["lambda-runtime-client-context"] == '{"custom": {}}'
        assert headers["lambda-runtime-aws-tenant-id"] == "blue"
        assert headers["lambda-runtime-invoked-function-arn"] == "arn:aws:lambda:us-east-1:123456789012:function:local"
        assert headers["lambda-runtime-aws-request-id"] == invocation.request_id

    asyncio.run(run(tmp_path, "for event in serve(): pass", test))


def test_an_extension_keeps_the_environment_busy_until_it_asks_for_the_next_event(tmp_path: Path) -> None:
    """It gets each invocation's event beside the runtime; the runtime's next request alone ends nothing."""

    async def test(function: Function) -> None:
        invocation = function.submit(b"{}", title="an event")
        await invocation.outcome
        await until((tmp_path / "extension").exists)
        assert not invocation.ended.is_set()
        assert json.loads((tmp_path / "extension").read_text())["requestId"] == invocation.request_id
        (tmp_path / "go").touch()
        await invocation.ended.wait()
        assert (await outcome(function.submit(b"{}", title="another")))["start"] == 1

    code = """
import threading
plain = {"lambda-extension-name": "test"}
response, _ = call("POST", "/2020-01-01/extension/register", b'{"events": ["INVOKE"]}', plain)
identifier = {"lambda-extension-identifier": response.headers["lambda-extension-identifier"]}

def extend():
    while True:
        _, event = call("GET", "/2020-01-01/extension/event/next", headers=identifier)
        (HERE / "extension.new").write_bytes(event)
        os.replace(HERE / "extension.new", HERE / "extension")
        while not (HERE / "go").exists():
            time.sleep(0.005)

threading.Thread(target=extend, daemon=True).start()
for event in serve():
    pass
"""
    asyncio.run(run(tmp_path, code, test))


@pytest.mark.parametrize(
    ("events", "name", "expected"),
    [
        pytest.param(["SHUTDOWN"], "test", "Extension.InvalidEventType", id="an event of external extensions"),
        pytest.param("INVOKE", "test", "InvalidRequestFormat", id="no list"),
        pytest.param([{}], "test", "Extension.InvalidEventType", id="no names"),
        pytest.param([], "", "InvalidRequestFormat", id="no name"),
    ],
)
def test_registrations_that_are_not_valid_are_rejected(tmp_path: Path, events: Any, name: str, expected: str) -> None:
    async def test(function: Function) -> None:
        await outcome(function.submit(b"{}", title="an event"))
        assert json.loads((tmp_path / "document").read_text())["errorType"] == expected

    code = f"""
headers = {{"lambda-extension-name": {name!r}}} if {name!r} else {{}}
_, document = call("POST", "/2020-01-01/extension/register", json.dumps({{"events": {events!r}}}).encode(), headers)
(HERE / "document").write_bytes(document)
for event in serve(): pass
"""
    asyncio.run(run(tmp_path, code, test))


def test_replaced_environments_finish_what_they_work_on(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        first = function.submit(b'"wait"', title="one")
        await until((tmp_path / "begun").exists)
        function.replace_environments()
        second = function.submit(b"{}", title="two")
        assert (await outcome(second))["start"] == 2
        (tmp_path / "go").touch()
        assert (await outcome(first))["start"] == 1
        await until(lambda: len(function.environments) == 1)

    code = """
for event in serve():
    if event == b'"wait"':
        (HERE / "begun").touch()
        while not (HERE / "go").exists():
            time.sleep(0.005)
"""
    asyncio.run(run(tmp_path, code, test))


def test_events_that_wait_during_a_change_get_the_new_code(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        assert (await outcome(function.submit(b"{}", title="before")))["start"] == 1
        function.replace_environments()
        starts = [(await outcome(function.submit(b"{}", title="after")))["start"] for _ in range(3)]
        assert starts == [2, 2, 2]

    asyncio.run(run(tmp_path, "for event in serve(): pass", test))


def test_events_that_run_or_wait_when_the_function_stops_fail(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        running = function.submit(b'"wait"', title="one")
        await until((tmp_path / "begun").exists)
        waiting = function.submit(b"{}", title="two")
        await function.stop()
        late = function.submit(b"{}", title="three")
        assert [(await outcome(each))["errorType"] for each in (running, waiting, late)] == ["Runtime.Stopped"] * 3

    code = """
for event in serve():
    (HERE / "begun").touch()
    time.sleep(600)
"""
    asyncio.run(run(tmp_path, code, test, environments=1))


def test_one_of_several_invocations_that_times_out_ends_when_the_runtime_is_done_with_it(tmp_path: Path) -> None:
    """Until then the environment is not idle; others go on."""

    async def test(function: Function) -> None:
        invocation = function.submit(b"{}", title="one")
        result = await invocation.outcome
        assert isinstance(result, Outcome)
        document = json.loads(result.payload)
        assert document["errorType"] == "Sandbox.Timedout"
        (tmp_path / "go").touch()
        await invocation.ended.wait()
        [environment] = function.environments
        await until(lambda: environment.idle_since > 0)
        assert environment.running == []

    code = """
for event in serve():
    while not (HERE / "go").exists():
        time.sleep(0.005)
"""
    asyncio.run(run(tmp_path, code, test, timeout=1.0, concurrency=2, environments=1, freezes=False))


def test_one_of_several_invocations_whose_environment_dies_in_its_reply_ends_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(function: Function) -> None:
        before = asyncio.all_tasks()
        invocation = function.submit(b"{}", title="one")
        stream = await invocation.outcome
        assert isinstance(stream, ReplyStream)
        (tmp_path / "go").touch()
        with pytest.raises(StreamFailed, match="exit code 7"):
            async for _ in stream:
                pass
        await invocation.ended.wait()
        if calls := asyncio.all_tasks() - before:  # of the Runtime API, which learn that their connections have ended
            await asyncio.wait(calls)
        assert caplog.text == ""

    code = """
def break_off():
    yield b"part"
    while not (HERE / "go").exists():
        time.sleep(0.005)
    os._exit(7)

response, _ = call("GET", f"{PREFIX}/invocation/next")
identifier = response.headers["lambda-runtime-aws-request-id"]
headers = {
    "lambda-runtime-invocation-id": response.headers["lambda-runtime-invocation-id"],
    "lambda-runtime-function-response-mode": "streaming",
    "content-length": "100",
}
call("POST", f"{PREFIX}/invocation/{identifier}/response", break_off(), headers)
"""
    asyncio.run(run(tmp_path, code, test, concurrency=2, environments=1, freezes=False))


def test_a_function_can_be_stopped_while_it_stops_an_environment(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        assert (await outcome(function.submit(b"{}", title="before")))["start"] == 1
        [environment] = function.environments
        environment.is_outdated = True
        function.environment_is_free(environment)
        await asyncio.sleep(0)  # it begins to stop it
        assert environment.is_stopping
        await function.stop()
        assert environment.state is State.ENDED

    asyncio.run(run(tmp_path, "for event in serve(): pass", test))


def test_an_environment_that_is_about_to_be_stopped_gets_no_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(function: Function) -> None:
        await until(lambda: any(each.is_free for each in function.environments))
        [environment] = function.environments
        stop, submitted = environment.stop, asyncio.get_running_loop().create_future()

        def submit() -> None:
            if not submitted.done():
                submitted.set_result(function.submit(b"{}", title="an event"))

        def stop_later(reason: str) -> Coroutine[None, None, None]:
            asyncio.get_running_loop().call_soon(submit)  # which runs before the coroutine
            return stop(reason)

        monkeypatch.setattr(environment, "stop", stop_later)
        assert (await outcome(await submitted))["start"] == 2

    asyncio.run(run(tmp_path, "for event in serve(): pass", test, idle_seconds=0.1))


def test_an_environment_that_cannot_be_started_fails_the_event(tmp_path: Path) -> None:
    """The system does not start a program whose variables are too large, or has no more processes or descriptors."""

    async def test(function: Function) -> None:
        before = len(os.listdir("/proc/self/fd"))
        document = await outcome(function.submit(b"{}", title="an event"))
        assert document["errorType"] == "Runtime.ExitError"
        assert "Argument list too long" in document["errorMessage"]
        assert len(os.listdir("/proc/self/fd")) <= before

    asyncio.run(run(tmp_path, "", test, environ={"LARGE": "x" * 200_000}))


def test_a_function_that_throttles_queues_no_more_than_its_environments_will_take(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        first, second = function.submit(b"{}", title="one"), function.submit(b"{}", title="two")
        with pytest.raises(Throttled):
            function.submit(b"{}", title="three")
        assert all("start" in each for each in [await outcome(first), await outcome(second)])

    asyncio.run(run(tmp_path, "for event in serve(): pass", test, throttles=True, environments=2))


def test_quick_events_at_once_share_a_warm_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is, it is quicker than a cold start."""
    monkeypatch.setattr(f"{Function.__module__}._BLOCKED_SECONDS", SECONDS)

    async def test(function: Function) -> None:
        await outcome(function.submit(b"{}", title="the first"))
        invocations = [function.submit(b"{}", title="an asset") for _ in range(20)]
        assert {(await outcome(each))["start"] for each in invocations} == {1}

    asyncio.run(run(tmp_path, "for event in serve(): pass", test))


def test_slow_events_at_once_get_an_environment_each(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        invocations = [function.submit(b"{}", title="an event") for _ in range(3)]
        assert {(await outcome(each))["start"] for each in invocations} == {1, 2, 3}

    code = """
for event in serve():
    (HERE / f"works-{starts}").touch()
    while len(list(HERE.glob("works-*"))) < 3:
        time.sleep(0.005)
"""
    asyncio.run(run(tmp_path, code, test))


def test_a_provisioned_environment_that_ends_at_once_is_not_started_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{Function.__module__}._RESTART_SECONDS", SECONDS)

    async def test(function: Function) -> None:
        await until(lambda: count_starts(tmp_path) == 1 and not function.environments)
        invocation = function.submit(b"{}", title="an event")
        await outcome(invocation)
        assert count_starts(tmp_path) <= 3  # the first, the event's own, and its second init

    asyncio.run(run(tmp_path, "call('GET', '/'); sys.exit(1)", test, provisioned=1))


def test_the_memory_of_quick_invocations_is_measured(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        invocation = function.submit(b"{}", title="an event")
        await outcome(invocation)
        assert invocation.max_memory > 1024 * 1024

    asyncio.run(run(tmp_path, "for event in serve(): pass", test))


def test_the_log_tail_has_what_the_invocation_has_written(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        invocation = function.submit(b"{}", title="an event")
        await outcome(invocation)
        lines = invocation.log_tail.decode().splitlines()
        assert lines[0] == f"START RequestId: {invocation.request_id} Version: $LATEST"
        assert lines[1:3] == ["a line", "without end"]
        assert lines[-2] == f"END RequestId: {invocation.request_id}"
        assert lines[-1].startswith("REPORT RequestId:")

    asyncio.run(run(tmp_path, "for event in serve(): print('a line\\nwithout end', end='', flush=True)", test))


def test_no_descriptor_is_left_of_environments_that_have_ended(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        await outcome(function.submit(b"{}", title="the first"))
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            await outcome(function.submit(b'"die"', title="an event"))
            await outcome(function.submit(b"{}", title="another"))
        await asyncio.sleep(0)
        assert len(os.listdir("/proc/self/fd")) <= before + 1  # a connection may just be closing

    code = "for event in serve():\n    if event == b'\"die\"': os._exit(7)"
    asyncio.run(run(tmp_path, code, test))


def start_of(document: Any) -> int:
    """The number of the start that has replied."""
    number: int = document["start"]
    return number


@pytest.mark.parametrize(
    "environ",
    [pytest.param({}, id="beside others"), pytest.param({"has_fixed_port": True}, id="with a port of its own")],
)
def test_a_cold_event_is_the_first_of_a_new_environment(tmp_path: Path, environ: dict[str, Any]) -> None:
    async def test(function: Function) -> None:
        assert start_of(await outcome(function.submit(b"{}", title="warm"))) == 1
        invocations = [function.submit(b"{}", title="cold", is_cold=True, replay_of=7) for _ in range(3)]

        starts = [start_of(await outcome(invocation)) for invocation in invocations]

        assert len({1, *starts}) == 4
        assert all(invocation.is_cold and invocation.replay_of == 7 for invocation in invocations)

    asyncio.run(run(tmp_path, "for event in serve():\n    pass\n", test, environments=2, **environ))


def test_a_cold_event_waits_until_an_environment_is_idle_that_makes_room(tmp_path: Path) -> None:
    code = """
for event in serve():
    while event == b'"wait"' and not (HERE / "go").exists():
        time.sleep(0.005)
"""

    async def test(function: Function) -> None:
        waiting = function.submit(b'"wait"', title="warm")
        cold = function.submit(b"{}", title="cold", is_cold=True)
        await until(lambda: bool(waiting.started_at))
        assert not cold.outcome.done()
        (tmp_path / "go").touch()

        assert start_of(await outcome(waiting)) == 1
        assert start_of(await outcome(cold)) == 2

    asyncio.run(run(tmp_path, code, test, environments=1))


def test_other_events_do_not_get_the_environment_of_a_cold_one(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        cold = function.submit(b"{}", title="cold", is_cold=True)
        others = [function.submit(b"{}", title="warm") for _ in range(3)]

        first = start_of(await outcome(cold))
        await asyncio.gather(*(each.outcome for each in others))

        assert all(each.environment != cold.environment or each.started_at > cold.started_at for each in others)
        assert (cold.is_cold, first in (1, 2)) == (True, True)

    asyncio.run(run(tmp_path, "for event in serve():\n    pass\n", test, environments=2))


def test_a_cold_event_whose_init_fails_fails_after_a_second_init(tmp_path: Path) -> None:
    code = """
if starts > 1:
    sys.exit(3)
for event in serve():
    pass
"""

    async def test(function: Function) -> None:
        await outcome(function.submit(b"{}", title="warm"))
        cold = function.submit(b"{}", title="cold", is_cold=True)

        result = await cold.outcome

        assert isinstance(result, Outcome)
        assert result.failed
        assert b"code 3" in result.payload or b"status 3" in result.payload
        assert start_of(await outcome(function.submit(b"{}", title="warm"))) == 1

    asyncio.run(run(tmp_path, code, test, environments=2))


def test_a_cold_event_survives_a_change_of_the_code(tmp_path: Path) -> None:
    code = """
while starts == 2 and not (HERE / "go").exists():
    time.sleep(0.005)
for event in serve():
    pass
"""

    async def test(function: Function) -> None:
        await outcome(function.submit(b"{}", title="warm"))
        cold = function.submit(b"{}", title="cold", is_cold=True)
        await until(lambda: count_starts(tmp_path) == 2)
        function.replace_environments()

        assert start_of(await outcome(cold)) > 2
        assert cold.is_cold

    asyncio.run(run(tmp_path, code, test, environments=3))


def test_a_cold_event_fails_when_the_function_stops(tmp_path: Path) -> None:
    async def test(function: Function) -> None:
        reserved = function.submit(b"{}", title="cold", is_cold=True)
        waiting = function.submit(b"{}", title="cold", is_cold=True)
        await function.stop()

        for invocation in (reserved, waiting):
            result = await invocation.outcome
            assert isinstance(result, Outcome)
            assert b"Runtime.Stopped" in result.payload

    asyncio.run(run(tmp_path, "time.sleep(60)\n", test, environments=2))
