"""The line that there is for each invocation, where one is asked for: of every kind of end, in text and in JSON."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import bootstrap
from adapter.test_loop import QUEUE, get

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.processes import Running

ON = {"AWS_LWA_ACCESS_LOG": "true"}
JSON = {**ON, "AWS_LAMBDA_LOG_FORMAT": "JSON"}
STREAM = {**JSON, "AWS_LWA_INVOKE_MODE": "response_stream"}


class Environment:
    """A bootstrap whose log is read line by line."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.api: RuntimeApi
        self.process: Running
        self._workers = 1

    def start(self, app: str = "main:wsgi", workers: int = 1, /, **variables: str) -> RuntimeApi:
        self._workers = workers
        self.api = self._stack.enter_context(RuntimeApi(concurrent=workers > 1))
        if workers > 1:
            variables["AWS_LAMBDA_MAX_CONCURRENCY"] = str(workers)
        self.process = self._stack.enter_context(bootstrap(self.api, app, **variables))
        return self.api

    def lines(self, invocations: int = 1) -> list[str]:
        """The lines about invocations, when there have been so many and each worker asks for another."""
        self.api.wait_for_call("next", invocations + self._workers)
        self.process.terminate()
        return [line for line in self.process.text.splitlines() if "appMs" in line]

    def record(self) -> dict[str, Any]:
        """The one line, as JSON, without what varies."""
        (line,) = self.lines()
        record: dict[str, Any] = json.loads(line)
        assert record.pop("appMs") >= 0
        assert record.pop("adapterMs") >= 0
        assert record.pop("level") == "INFO"
        del record["timestamp"]
        return record


@pytest.fixture
def environment() -> Iterator[Environment]:
    with ExitStack() as stack:
        yield Environment(stack)


@pytest.mark.parametrize("app", ["main:app", "main:wsgi"])
def test_in_text_it_is_one_line(app: str, environment: Environment) -> None:
    api = environment.start(app, **ON)
    event = {**get("/bytes/7", authorization="secret"), "rawQueryString": "token=secret", "body": "three"}

    request_id = api.queue_event(event)
    api.wait_for_reply(request_id)

    (line,) = environment.lines()
    assert re.fullmatch(
        rf"\[INFO\]\t[^\t]*\t{request_id}\tGET /bytes/7 200 source=function-url requestBytes=5 responseBytes=7 "
        r"appMs=[\d.]+ adapterMs=[\d.]+",
        line,
    )
    assert "secret" not in environment.process.text


@pytest.mark.parametrize("app", ["main:app", "main:wsgi"])
def test_in_json_it_has_fields(app: str, environment: Environment) -> None:
    api = environment.start(app, **JSON)
    request_id = api.queue_event(get("/status/404"))
    api.wait_for_reply(request_id)

    record = environment.record()

    assert record.pop("responseBytes") > 100
    assert record == {
        "message": "GET /status/404 404",
        "requestId": request_id,
        "method": "GET",
        "path": "/status/404",
        "status": 404,
        "source": "function-url",
        "requestBytes": 0,
    }


def test_without_the_setting_there_is_none(environment: Environment) -> None:
    api = environment.start()
    api.invoke(get("/"))

    assert environment.lines() == []
    assert "[INFO]" not in environment.process.text


def test_it_is_of_the_level_info(environment: Environment) -> None:
    api = environment.start(**ON, AWS_LAMBDA_LOG_LEVEL="WARN")
    api.invoke(get("/"))

    assert environment.lines() == []


def test_an_event_that_is_no_request_has_its_path_and_its_source(environment: Environment) -> None:
    api = environment.start(**JSON, AWS_LWA_PASS_THROUGH_PATH="/jobs/{source}")
    api.invoke(QUEUE)

    record = environment.record()

    assert (record["message"], record["source"]) == ("POST /jobs/sqs 200", "sqs")
    assert record["requestBytes"] == len(json.dumps(QUEUE))


@pytest.mark.parametrize(
    ("event", "variables", "expected"),
    [
        pytest.param(
            get("/exit/3"),
            {},
            {"message": "GET /exit/3 502", "status": 502, "errorType": "Runtime.AppExited"},
            id="the app ends",
        ),
        pytest.param(
            QUEUE,
            {"AWS_LWA_PASS_THROUGH_PATH": "/status/500"},
            {"message": "POST /status/500 500", "status": 500, "errorType": "Function.AppRejectedEvent"},
            id="the app rejects an event",
        ),
        pytest.param(
            get("/bytes/7000000"),
            {},
            {"message": "GET /bytes/7000000 502", "status": 502, "errorType": "Function.ResponseSizeTooLarge"},
            id="the reply is too large",
        ),
        pytest.param(b"no JSON", {}, {"message": "- - -", "errorType": "Runtime.InvalidEvent"}, id="no event"),
        pytest.param({"warmer": True}, {}, {"message": "- - -"}, id="a warm-up, which no app sees"),
    ],
)
def test_one_that_fails_has_a_line_too(
    event: Any, variables: dict[str, str], expected: dict[str, Any], environment: Environment
) -> None:
    api = environment.start(**JSON, **variables)
    request_id = api.queue_event(event)
    api.wait_for_reply(request_id)

    record = environment.record()

    assert {name: record.get(name) for name in expected} == expected
    assert record["requestId"] == request_id
    assert ("errorType" in record) is ("errorType" in expected)


def test_one_that_takes_too_long_says_how_long(environment: Environment) -> None:
    api = environment.start(**JSON)
    api.invoke(get("/"))  # the start is not to take of the second
    api.hold("ever")
    api.invoke(get("/tell/ever"), timeout=1)
    api.release("ever")

    _, line = environment.lines(2)

    record = json.loads(line)
    assert (record["message"], record["errorType"]) == ("GET /tell/ever 504", "Function.AppTimeout")
    assert record["appMs"] > 100
    assert record["appMs"] > record["adapterMs"]


@pytest.mark.parametrize("app", ["streaming:app", "streaming:wsgi"])
@pytest.mark.parametrize("workers", [1, 4], ids=["one", "many"])
def test_a_streamed_one_has_its_line_at_the_end(app: str, workers: int, environment: Environment) -> None:
    api = environment.start(app, workers, **STREAM)
    api.hold("three")
    request_id = api.queue_event(get("/parts"))
    stream = api.wait_for_stream(request_id)
    api.wait_for_call("test/three")
    assert "appMs" not in environment.process.text
    api.release("three")
    stream.wait_for_end()

    record = environment.record()

    assert (record["message"], record["requestId"]) == ("GET /parts 200", request_id)
    assert record["responseBytes"] == len("onetwothree")


def test_a_stream_that_breaks_off_says_why(environment: Environment) -> None:
    api = environment.start("streaming:wsgi", **STREAM)
    api.wait_for_stream(api.queue_event(get("/raises"))).wait_for_end()

    record = environment.record()

    assert (record["message"], record["errorType"]) == ("GET /raises 200", "Function.InvalidResponse")
    assert record["responseBytes"] == len("one")


def test_each_of_many_at_once_has_its_own(environment: Environment) -> None:
    api = environment.start("main:app", 8, **JSON)
    ids = {f"/m{number}": api.queue_event(get(f"/m{number}")) for number in range(50)}
    for request_id in ids.values():
        api.wait_for_reply(request_id)

    found = {record["path"]: record["requestId"] for record in map(json.loads, environment.lines(50))}

    assert found == ids
