"""Several invocations at once, as on Lambda Managed Instances: none is mixed up with, or stopped by, another."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import bootstrap
from adapter.test_app_failures import problem
from adapter.test_loop import QUEUE, body, get, headers_seen
from support.processes import children, runs

from lambda_web_adapter.testing.runtime_api import RESET, Answer, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.processes import Running

    from lambda_web_adapter.testing.runtime_api import Call

WORKERS = 4
# Until an invocation's deadline, where it is to pass.
SHORT = 1.0  # seconds


class Environment:
    """A bootstrap with several workers, and its Runtime API."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.api = stack.enter_context(RuntimeApi(concurrent=True))
        self.process: Running

    def start(self, *words: str, workers: int | str = WORKERS, **variables: str) -> RuntimeApi:
        """Starts it, and waits until it has asked for as many events as it has workers."""
        variables["AWS_LAMBDA_MAX_CONCURRENCY"] = str(workers)
        self.process = self._stack.enter_context(bootstrap(self.api, *words, **variables))
        self.api.wait_for_call("next", max(int(workers), 1) if str(workers).isdecimal() else 1)
        return self.api


@pytest.fixture
def environment() -> Iterator[Environment]:
    with ExitStack() as stack:
        yield Environment(stack)


@pytest.fixture(params=["main:app", "main:wsgi"], ids=["asgi", "wsgi"])
def either(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def pid(outcome: Call) -> Any:
    return body(outcome)["pid"]


def held(api: RuntimeApi, *names: str, **more: Any) -> list[str]:
    """Sends events that the app stands still in; returns their ids."""
    for name in names:
        api.hold(name)
    ids = [api.queue_event(get(f"/hold/{name}"), **more) for name in names]
    for name in names:
        api.wait_for_call(f"test/{name}")
    return ids


def test_there_are_as_many_at_once_as_there_are_workers(environment: Environment, either: str) -> None:
    api = environment.start(either)
    names = [f"n{number}" for number in range(WORKERS)]

    ids = held(api, *names)
    waiting = api.queue_event(get("/"))
    early = api.has_call_within("response", 1, timeout=0.2)
    for name in reversed(names):
        api.release(name)

    assert not early
    for name, request_id in zip(names, ids, strict=True):
        assert body(api.wait_for_reply(request_id))["path"] == f"/hold/{name}"
    assert body(api.wait_for_reply(waiting))["path"] == "/"
    assert len({call.connection for call in api.calls_of("next")}) == WORKERS


def test_each_reply_is_that_of_its_own_event(environment: Environment, either: str) -> None:
    api = environment.start(either, workers=32)
    markers = [f"m{number}" for number in range(1000)]

    ids = [
        api.queue_event(get(f"/{marker}", x_marker=marker), headers={"Lambda-Runtime-Trace-Id": marker})
        for marker in markers
    ]

    for marker, request_id in zip(markers, ids, strict=True):
        outcome = api.wait_for_reply(request_id)
        assert body(outcome)["path"] == f"/{marker}"
        assert headers_seen(outcome, "x-marker") == [marker]
        assert headers_seen(outcome, "x-amzn-trace-id") == [marker]
    assert len(api.calls_of("response")) == len(markers)


def test_a_slot_asks_again_when_the_app_s_work_after_the_response_is_done(
    environment: Environment, either: str
) -> None:
    api = environment.start(either)
    api.hold("work")

    api.invoke(get("/after/work"))
    api.wait_for_call("test/work")
    body(api.invoke(get("/")))
    api.wait_for_call("next", WORKERS + 1)
    early = api.has_call_within("next", WORKERS + 2, timeout=0.2)
    api.release("work")
    api.wait_for_call("next", WORKERS + 2)

    assert not early


def test_a_request_that_hangs_is_a_504_that_nobody_else_notices(environment: Environment, either: str) -> None:
    api = environment.start(either)
    before = pid(api.invoke(get("/")))
    (other,) = held(api, "other")
    (stuck,) = held(api, "stuck", timeout=SHORT)

    problem(api.wait_for_reply(stuck), 504)
    environment.process.wait_for(r'telling\.py", line \d+ in tell')
    ids = held(api, "a", "b", "c")  # the worker of the one that hangs is among those that take them
    for name in ("other", "a", "b", "c"):
        api.release(name)

    assert {pid(api.wait_for_reply(request_id)) for request_id in [other, *ids]} == {before}


def test_a_request_is_given_up_once(environment: Environment) -> None:
    api = environment.start("main:app", workers=2)
    held(api, "other")
    (stuck,) = held(api, "stuck", timeout=SHORT)
    problem(api.wait_for_reply(stuck), 504)

    for _ in range(3):  # the app gets nothing of these
        assert api.invoke({"warmer": True}).name == "response"
    api.wait_for_call("next", 6)

    assert environment.process.text.count("request is cancelled") == 1


def test_an_asynchronous_call_that_hangs_is_cancelled(environment: Environment) -> None:
    api = environment.start("main:app")
    (stuck,) = held(api, "stuck", timeout=SHORT)

    problem(api.wait_for_reply(stuck), 504)

    api.wait_for_call("test/stuck-cancelled")


def test_an_event_that_is_no_request_fails_at_its_deadline(environment: Environment) -> None:
    api = environment.start("main:app", AWS_LWA_PASS_THROUGH_PATH="/hold/stuck")
    api.hold("stuck")

    outcome = api.invoke(QUEUE, timeout=SHORT)

    assert outcome.name == "error"
    assert outcome.json["errorType"] == "Function.AppTimeout"


def test_an_app_whose_event_loop_hangs_is_ended(environment: Environment) -> None:
    api = environment.start("main:app")
    before = pid(api.invoke(get("/")))
    api.hold("block")

    problem(api.invoke(get("/tell/block"), timeout=SHORT), 504)
    environment.process.wait_for("did not react")

    assert pid(api.invoke(get("/"))) != before


@pytest.mark.parametrize("workers", [2, 64])
def test_workers_that_find_an_event_loop_hanging_at_once_end_it_once(workers: int, environment: Environment) -> None:
    api = environment.start("main:app", workers=workers)
    before = pid(api.invoke(get("/")))
    api.hold("block")

    ids = [api.queue_event(get("/tell/block"), timeout=SHORT) for _ in range(workers)]
    for request_id in ids:
        assert problem(api.wait_for_reply(request_id), 504)["errorType"] == "Function.AppTimeout"
    api.wait_for_call("next", 2 * workers + 1)
    environment.process.wait_for("did not react")  # a line may be read later than the call comes

    assert environment.process.text.count("did not react") == 1
    assert "Traceback" not in environment.process.text
    after = {pid(api.invoke(get("/"))) for _ in range(workers)}
    assert len(after) == 1
    assert after != {before}


def test_an_app_in_which_as_many_requests_hang_as_there_are_workers_is_ended(environment: Environment) -> None:
    api = environment.start("main:wsgi")
    before = pid(api.invoke(get("/")))

    for name in ("a", "b", "c", "d"):
        (stuck,) = held(api, name, timeout=SHORT)
        problem(api.wait_for_reply(stuck), 504)
    environment.process.wait_for("4 requests hang")

    assert pid(api.invoke(get("/"))) != before


def test_a_request_that_ends_after_all_does_not_count_as_one_that_hangs(environment: Environment) -> None:
    api = environment.start("main:wsgi")
    before = pid(api.invoke(get("/")))

    for name in ("a", "b", "c", "d"):
        (stuck,) = held(api, name, timeout=SHORT)
        problem(api.wait_for_reply(stuck), 504)
        api.release(name)
        api.wait_for_call(f"test/{name}-over")

    assert pid(api.invoke(get("/"))) == before


@pytest.mark.parametrize("path", ["/exit/3", "/kill/SIGKILL"])
def test_an_app_that_ends_fails_all_of_its_requests_and_is_started_once(
    path: str, environment: Environment, either: str
) -> None:
    api = environment.start(either)
    before = pid(api.invoke(get("/")))
    ids = held(api, "a", "b")

    outcomes = [api.invoke(get(path)), *(api.wait_for_reply(request_id) for request_id in ids)]
    ids = [api.queue_event(get(f"/{number}")) for number in range(WORKERS)]

    assert {problem(outcome, 502)["errorType"] for outcome in outcomes} == {"Runtime.AppExited"}
    after = {pid(api.wait_for_reply(request_id)) for request_id in ids}
    assert len(after) == 1
    assert after != {before}
    assert len(children(environment.process.pid)) == 1


def test_an_environment_whose_app_does_not_start_any_more_ends(environment: Environment, tmp_path: Any) -> None:
    broken = tmp_path / "broken"
    api = environment.start("main:wsgi", APP_RAISES_ON_START=str(broken))
    broken.touch()
    problem(api.invoke(get("/exit/1")), 502)

    outcomes = [api.invoke(get("/")) for _ in range(3)]

    assert [outcome.json["errorType"] for outcome in outcomes] == ["ZeroDivisionError"] * 3
    assert environment.process.wait() == 1


def test_an_answer_that_comes_too_late_is_logged(environment: Environment, either: str) -> None:
    api = environment.start(either)
    api.script("response", Answer(410, b'{"errorType":"InvokeTimeout"}'))

    api.invoke(get("/"))
    environment.process.wait_for("ERROR.*410")

    body(api.invoke(get("/")))


def test_what_one_slot_is_told_does_not_stop_the_others(environment: Environment, either: str) -> None:
    environment.api.script("next", *[Answer(403)] * WORKERS, RESET, Answer(200, b"{}"))
    api = environment.start(either)

    ids = [api.queue_event(get(f"/{number}")) for number in range(20)]

    assert {body(api.wait_for_reply(request_id))["path"] for request_id in ids} == {
        f"/{number}" for number in range(20)
    }


def test_a_runtime_api_that_calls_for_the_end_ends_it(environment: Environment, either: str) -> None:
    api = environment.start(either)
    api.script("response", Answer(500))

    api.invoke(get("/"))

    assert environment.process.wait() == 2


def test_a_runtime_api_that_has_no_more_events_ends_it(environment: Environment) -> None:
    environment.api.script("next", *[Answer(403)] * 5 * WORKERS)

    environment.start("main:app")

    assert environment.process.wait() == 2


def test_a_stop_ends_it_in_order(environment: Environment) -> None:
    api = environment.start("main:app")
    app = pid(api.invoke(get("/")))
    api.wait_for_call("next", WORKERS + 1)

    assert environment.process.terminate() == 0

    assert [call.name for call in api.calls][-2:] == ["test/shutdown", "test/exit"]
    assert not runs(app)


def test_a_stop_in_the_middle_of_invocations_ends_it_too(environment: Environment, either: str) -> None:
    api = environment.start(either)
    app = pid(api.invoke(get("/")))
    held(api, "a", "b")

    assert environment.process.terminate() == 0

    assert not runs(app)


def test_a_stop_while_the_app_starts_again_ends_it_too(environment: Environment) -> None:
    api = environment.start("main:app")
    problem(api.invoke(get("/exit/1")), 502)
    api.hold("import")
    api.queue_event(get("/"))
    api.wait_for_call("test/import", 2)

    assert environment.process.terminate() == 0


def test_a_start_that_takes_longer_than_an_invocation_has_is_waited_on_by_the_next(environment: Environment) -> None:
    api = environment.start("main:wsgi")
    problem(api.invoke(get("/exit/1")), 502)
    api.hold("import")

    ids = [api.queue_event(get("/"), timeout=SHORT) for _ in range(2)]
    outcomes = [api.wait_for_reply(request_id) for request_id in ids]
    last = api.queue_event(get("/"))
    api.release("import")

    assert {outcome.json["errorType"] for outcome in outcomes} == {"Runtime.AppNotReady"}
    assert body(api.wait_for_reply(last))["count"] == 1
    assert len(api.calls_of("test/import")) == 2


def test_the_app_may_run_in_several_processes(environment: Environment, either: str) -> None:
    api = environment.start(either, AWS_LWA_WORKERS="2")
    names = [f"n{number}" for number in range(WORKERS)]
    ids = held(api, *names)
    for name in names:
        api.release(name)

    found = [pid(api.wait_for_reply(request_id)) for request_id in ids]

    assert sorted(found.count(each) for each in set(found)) == [2, 2]
    assert sorted(set(found)) == sorted(children(environment.process.pid))


def test_one_of_several_processes_that_ends_leaves_the_others_alone(environment: Environment) -> None:
    api = environment.start("main:wsgi", workers=2, AWS_LWA_WORKERS="2")
    ids = held(api, "a", "b")
    for name in ("a", "b"):
        api.release(name)
    before = {pid(api.wait_for_reply(request_id)) for request_id in ids}
    problem(api.invoke(get("/exit/1")), 502)

    ids = held(api, "c", "d")
    for name in ("c", "d"):
        api.release(name)
    after = {pid(api.wait_for_reply(request_id)) for request_id in ids}

    assert len(before & after) == 1
    assert len(after) == 2


def test_several_processes_cannot_have_one_port(environment: Environment) -> None:
    variables = {"AWS_LAMBDA_MAX_CONCURRENCY": "4", "AWS_LWA_WORKERS": "2", "AWS_LWA_PORT": "9000"}
    with bootstrap(environment.api, "main:app", **variables):
        told = environment.api.wait_for_call("init/error")

    assert told.json["errorType"] == "Runtime.InvalidSettings"
    assert "AWS_LWA_WORKERS" in told.json["errorMessage"]


def test_a_command_serves_many_too(environment: Environment) -> None:
    api = environment.start("--", "python3", "threads.py")
    names = [f"n{number}" for number in range(WORKERS)]

    ids = held(api, *names)
    for name in names:
        api.release(name)

    assert [json.loads(api.wait_for_reply(each).json["body"]) for each in ids] == [f"/hold/{name}" for name in names]


def test_a_command_that_does_not_answer_has_its_connection_closed(environment: Environment) -> None:
    api = environment.start("--", "python3", "threads.py")
    (stuck,) = held(api, "stuck", timeout=SHORT)

    problem(api.wait_for_reply(stuck), 504)

    ids = held(api, *"abcd")
    for name in "abcd":
        api.release(name)
    assert {api.wait_for_reply(each).json["statusCode"] for each in ids} == {200}


@pytest.mark.parametrize("workers", ["1", "0", "many", ""])
def test_without_a_number_above_one_there_is_one_at_a_time(workers: str, environment: Environment, either: str) -> None:
    api = environment.start(either, workers=workers)
    held(api, "first")
    api.queue_event(get("/"))

    assert not api.has_call_within("next", 2, timeout=0.2)
    api.release("first")
    api.wait_for_call("response", 2)
