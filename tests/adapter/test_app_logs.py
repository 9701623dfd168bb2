"""What an app logs, as it comes out of real processes: in text and in JSON, from both kinds of app."""

from __future__ import annotations

import json
import re
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import APPS, bootstrap
from adapter.test_loop import get
from support.processes import BOOTSTRAP, Running, plain_environment

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


ON_LAMBDA = {"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/tea"}
JSON = {**ON_LAMBDA, "AWS_LAMBDA_LOG_FORMAT": "json"}  # Managed Instances have it in small letters
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"


class Environment:
    """A bootstrap with an app that logs."""

    def __init__(self, stack: ExitStack, app: str) -> None:
        self._stack = stack
        self._app = app
        self.api: RuntimeApi
        self.process: Running

    def start(self, workers: int = 1, /, **variables: str) -> None:
        self.api = self._stack.enter_context(RuntimeApi(concurrent=workers > 1))
        if workers > 1:
            variables["AWS_LAMBDA_MAX_CONCURRENCY"] = str(workers)
        self.process = self._stack.enter_context(bootstrap(self.api, self._app, **variables))

    def start_off_lambda(self) -> None:
        """Starts it with no more variables than a bootstrap needs."""
        self.api = self._stack.enter_context(RuntimeApi())
        variables = plain_environment({"AWS_LAMBDA_RUNTIME_API": self.api.address})
        command: list[str | Path] = [sys.executable, BOOTSTRAP, self._app]
        running = Running(command, env=variables, cwd=APPS, at_end=self.api.set_runtime_ended)
        self.process = self._stack.enter_context(running)

    def say(self, what: str, **more: Any) -> str:
        """Has the app log in an invocation, and returns its id."""
        request_id = self.api.queue_event(get(f"/say/{what}"), **more)
        self.api.wait_for_reply(request_id)
        return request_id

    def log(self) -> list[str]:
        """All lines, when the environment has ended; that it took its time over that on a busy machine is left out."""
        self.process.terminate()
        slow = ("after SIGTERM", "Waiting for the app")  # what a busy machine adds
        return [line for line in self.process.text.split("\n")[:-1] if not any(words in line for words in slow)]

    def records(self) -> list[dict[str, Any]]:
        """All lines, each of which has to be JSON."""
        return [json.loads(line) for line in self.log()]


@pytest.fixture(params=["talking_asgi:app", "talking_wsgi:app"], ids=["asgi", "wsgi"])
def environment(request: pytest.FixtureRequest) -> Iterator[Environment]:
    with ExitStack() as stack:
        yield Environment(stack, request.param)


def test_text_is_as_from_lambda_s_own_runtime(environment: Environment) -> None:
    environment.start(**ON_LAMBDA)
    request_id = environment.say("warning")

    (line,) = environment.log()

    assert re.fullmatch(rf"\[WARNING\]\t{STAMP}\.\d\d\dZ\t{request_id}\ttea is out, coffee too", line)


def test_json_has_its_fields(environment: Environment) -> None:
    environment.start(**JSON)
    request_id = environment.say("warning", headers={"Lambda-Runtime-Aws-Tenant-Id": "tenant"})

    (record,) = environment.records()

    assert re.fullmatch(f"{STAMP}Z", record.pop("timestamp"))
    assert record == {
        "level": "WARN",
        "message": "tea is out, coffee too",
        "logger": "talking",
        "requestId": request_id,
        "tenantId": "tenant",
        "cups": 3,
        "kind": "Grün",
    }
    assert "Grün" in environment.process.text


def test_json_leaves_a_dict_a_dict(environment: Environment) -> None:
    environment.start(**JSON)
    environment.say("dict")

    (record,) = environment.records()

    assert record["message"] == {"tea": ["green", "black"]}


@pytest.mark.parametrize(
    ("what", "logger", "message", "raised"),
    [
        pytest.param("exception", "talking", "brewing failed", "LookupError: no such tea", id="logged"),
        pytest.param("raise", "", "Exception ", "ZeroDivisionError: over the sink", id="raised"),
    ],
)
@pytest.mark.parametrize("variables", [ON_LAMBDA, JSON], ids=["text", "json"])
def test_a_traceback_is_one_event(
    what: str, logger: str, message: str, raised: str, variables: dict[str, str], environment: Environment
) -> None:
    environment.start(**variables)
    request_id = environment.say(what)

    (line,) = environment.log()

    if variables is ON_LAMBDA:
        assert re.match(rf"\[ERROR\]\t{STAMP}\.\d\d\dZ\t{request_id}\t{message}.*\rTraceback .*\r{raised}$", line)
        return
    record = json.loads(line)
    kind, _, text = raised.partition(": ")
    assert (record["level"], record["errorType"], record["errorMessage"]) == ("ERROR", kind, text)
    assert record["requestId"] == request_id
    assert record["message"].startswith(message)
    assert record["logger"] in (
        [logger] if logger else ["uvicorn.error", "lambda_web_adapter.app.wsgi.connection", "talking_wsgi"]
    )
    assert record["stackTrace"][0] == "Traceback (most recent call last):"
    assert record["stackTrace"][-1] == raised
    assert re.fullmatch(r"/.*\.py:\w+:\d+", record["location"])


def test_off_lambda_lines_stay_lines(environment: Environment) -> None:
    environment.start_off_lambda()
    environment.say("lines")

    lines = environment.log()

    assert lines[0].endswith("\tone")
    assert lines[1:] == ["two"]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("", ["warning", "error", "critical"]),
        ("TRACE", ["debug", "info", "warning", "error", "critical"]),
        ("debug", ["debug", "info", "warning", "error", "critical"]),
        ("INFO", ["info", "warning", "error", "critical"]),
        ("WARN", ["warning", "error", "critical"]),
        ("ERROR", ["error", "critical"]),
        ("FATAL", ["critical"]),
        ("LOUD", ["warning", "error", "critical"]),
    ],
)
def test_the_function_s_level_is_the_root_logger_s(level: str, expected: list[str], environment: Environment) -> None:
    environment.start(**ON_LAMBDA, AWS_LAMBDA_LOG_LEVEL=level)
    environment.say("levels")

    assert [line.partition("this is ")[2] for line in environment.log()] == expected


def test_levels_in_json_are_those_that_lambda_s_filter_knows(environment: Environment) -> None:
    environment.start(**JSON, AWS_LAMBDA_LOG_LEVEL="TRACE")
    environment.say("levels")

    found = [record["level"] for record in environment.records() if record["logger"] == "talking"]

    assert found == ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]


@pytest.mark.parametrize("how", ["basicConfig", "dictConfig", "root", "talking"])
@pytest.mark.parametrize("variables", [ON_LAMBDA, JSON], ids=["text", "json"])
def test_an_app_that_configures_logging_gets_what_it_asks_for(
    how: str, variables: dict[str, str], environment: Environment
) -> None:
    environment.start(**variables, TALKING_CONFIGURES=how)
    request_id = environment.say("warning")

    assert environment.log() == [f"mine talking {request_id}: tea is out, coffee too"]


@pytest.mark.parametrize("variables", [ON_LAMBDA, JSON], ids=["text", "json"])
def test_logging_is_left_as_it_is_where_a_setting_says_so(variables: dict[str, str], environment: Environment) -> None:
    environment.start(**variables, AWS_LWA_LOGGING="app")
    environment.say("warning")

    assert environment.log() == ["tea is out, coffee too"]  # as Python's own last resort writes it


@pytest.mark.parametrize("how", ["", "clear", "module functions", "null", "factory"])
def test_an_app_that_does_not_is_logged_for(how: str, environment: Environment) -> None:
    environment.start(**JSON, TALKING_CONFIGURES=how)
    request_id = environment.say("warning")

    (record,) = environment.records()

    assert record["requestId"] == request_id
    assert record.get("shop") == ("tea" if how == "factory" else None)


def test_an_app_may_name_a_request_id_itself(environment: Environment) -> None:
    environment.start(**JSON)
    environment.say("extra")

    (record,) = environment.records()

    assert record["requestId"] == "the app's own"


@pytest.mark.parametrize("variables", [ON_LAMBDA, JSON], ids=["text", "json"])
def test_a_record_that_cannot_be_written_is_told_of(variables: dict[str, str], environment: Environment) -> None:
    environment.start(**variables)
    environment.say("wrong")

    (line,) = environment.log()

    assert re.search(r"A record from /.*talking\.py:\d+ cannot be written", line)
    assert "TypeError" in line


def test_a_thread_that_the_app_starts_knows_the_only_invocation(environment: Environment) -> None:
    environment.start(**JSON)
    request_id = environment.say("thread")

    (record,) = environment.records()

    assert record["requestId"] == request_id


@pytest.mark.parametrize("variables", [ON_LAMBDA, JSON], ids=["text", "json"])
def test_no_record_of_32_invocations_at_once_has_another_s_id(
    variables: dict[str, str], environment: Environment
) -> None:
    environment.start(32, **variables)
    ids = {
        f"mark{number}": environment.api.queue_event(get(f"/{'pool' if number % 2 else 'say'}/mark{number}"))
        for number in range(200)
    }
    for request_id in ids.values():
        environment.api.wait_for_reply(request_id)

    found = []
    for line in environment.log():
        if variables is JSON:
            record = json.loads(line)
            found.append((record["message"], record["requestId"]))
        else:
            _, _, request_id, message = line.split("\t")
            found.append((message, request_id))

    assert sorted(found) == sorted((f"{name} number {n}", ids[name]) for name in ids for n in range(3))


@pytest.mark.parametrize("variables", [ON_LAMBDA, JSON], ids=["text", "json"])
def test_an_app_that_cannot_be_imported_is_one_event_and_one_of_the_adapter_s(
    variables: dict[str, str], environment: Environment
) -> None:
    environment.start(**variables, TALKING_RAISES="yes")
    told = environment.api.wait_for_call("init/error")
    environment.process.wait()

    said, of_the_app, of_the_adapter = environment.log()

    assert said == "no licence found"
    assert told.json["errorMessage"] == "before it was ready\nIt wrote to stderr:\nno licence found"
    if variables is JSON:
        assert [json.loads(line)["level"] for line in (of_the_app, of_the_adapter)] == ["ERROR", "ERROR"]
    assert "Traceback" in of_the_app
    assert "before it was ready" in of_the_app
    assert "The app raised ZeroDivisionError. The log has its traceback." in of_the_adapter


def hang(environment: Environment) -> str:
    """Has the app hang until its deadline, of which its start takes nothing; returns the invocation's id."""
    environment.say("nothing")
    return environment.say("hang", timeout=1)


def assert_stacks_of(line: str, request_id: str) -> None:
    """The line has the stacks, as an event of the adapter's."""
    if line.startswith("{"):
        assert json.loads(line)["requestId"] == request_id
    else:
        assert f"\t{request_id}\tThe app's stacks:\r" in line


@pytest.mark.parametrize("workers", [1, 4], ids=["one", "many"])
@pytest.mark.parametrize("variables", [ON_LAMBDA, JSON], ids=["text", "json"])
def test_the_stacks_of_an_app_that_hangs_are_one_event(
    workers: int, variables: dict[str, str], environment: Environment
) -> None:
    environment.start(workers, **variables)
    request_id = hang(environment)
    environment.process.wait_for("in hang")

    (line,) = [line for line in environment.log() if "in hang" in line]

    assert_stacks_of(line, request_id)


def test_so_are_those_of_an_app_that_was_started_again(environment: Environment) -> None:
    environment.start(**JSON)
    ids = [hang(environment) for _ in range(2)]
    environment.process.wait_for(r"in hang(?s:.*)\n(?s:.*)in hang")

    found = [line for line in environment.log() if "in hang" in line]

    for line, request_id in zip(found, ids, strict=True):
        assert_stacks_of(line, request_id)
