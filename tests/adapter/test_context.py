"""What an app knows of its invocation: context, event and trace, its own and never another's."""

from __future__ import annotations

import base64
import json
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import bootstrap
from adapter.test_loop import QUEUE, body, get
from fixtures.loading import every_fixture, fixture

from lambda_web_adapter.events import find_source
from lambda_web_adapter.testing.runtime_api import RuntimeApi
from lambda_web_adapter.testing.runtime_api.variables import ARN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapter.conftest import Start

FUNCTION = {
    "AWS_LAMBDA_FUNCTION_NAME": "shop",
    "AWS_LAMBDA_FUNCTION_VERSION": "7",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/shop",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/23/[7]abc",
}
TRACE = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1"
MORE = {
    "Lambda-Runtime-Trace-Id": TRACE,
    "Lambda-Runtime-Aws-Tenant-Id": "blue",
    "Lambda-Runtime-Client-Context": json.dumps(
        {"client": {"app_title": "t"}, "custom": {"a": "b"}, "env": {"c": "d"}}
    ),
    "Lambda-Runtime-Cognito-Identity": json.dumps({"cognitoIdentityId": "one", "cognitoIdentityPoolId": "two"}),
}
WORKERS = 32
KINDS = [
    pytest.param(("about_lambda:app", {}), id="asgi"),
    pytest.param(("about_lambda:wsgi", {}), id="wsgi"),
    pytest.param(("about_lambda:wsgi", {"AWS_LWA_SERVER": "uvicorn"}), id="wsgi on uvicorn"),
]


@pytest.fixture(scope="module", params=KINDS)
def environment(request: pytest.FixtureRequest) -> Iterator[RuntimeApi]:
    """One environment for all tests that only ask it."""
    app, variables = request.param
    with RuntimeApi() as api, bootstrap(api, app, **FUNCTION, **variables):
        yield api


@pytest.fixture(scope="module")
def asgi() -> Iterator[RuntimeApi]:
    with RuntimeApi() as api, bootstrap(api, "about_lambda:app"):
        yield api


def asked(api: RuntimeApi, path: str = "/", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = body(api.invoke(get(path), **more))
    return found


def test_the_context_has_the_names_that_lambda_documents(environment: RuntimeApi) -> None:
    found = asked(environment, request_id="an-id", timeout=60, headers=MORE)

    assert found["context"] == {
        "aws_request_id": "an-id",
        "function_name": "shop",
        "function_version": "7",
        "invoked_function_arn": ARN,
        "memory_limit_in_mb": 512,
        "log_group_name": "/aws/lambda/shop",
        "log_stream_name": "2026/11/23/[7]abc",
        "tenant_id": "blue",
        "xray_trace_id": TRACE,
    }
    assert found["identity"] == ["one", "two"]
    assert found["client_context"] == ["t", {"a": "b"}, {"c": "d"}]
    assert 0 < found["left"] <= 60_000
    assert found["own_context"] == "an-id"


def test_an_invocation_without_them_has_none(environment: RuntimeApi) -> None:
    found = asked(environment)

    assert found["identity"] == [None, None]
    assert (found["client_context"], found["context"]["tenant_id"], found["trace"]) == (None, None, None)


def test_the_time_that_is_left_is_that_of_the_moment(environment: RuntimeApi) -> None:
    assert asked(environment, timeout=900)["left"] > 800_000
    assert asked(environment, timeout=9)["left"] <= 9000
    assert asked(environment, timeout=None)["left"] == 0


def test_the_event_is_a_dict_in_its_usual_place(environment: RuntimeApi) -> None:
    event = {**get("/x"), "more": {"é": ["\ud800", 2**70, 1.5, None]}}

    found = body(environment.invoke(event))

    assert found["event"] == found["own_event"] == event
    assert (found["type"], found["same"]) == ("dict", True)


@pytest.mark.parametrize("size", [100, 10_000, 70_000, 300_000])
@pytest.mark.parametrize("encoded", [False, True])
def test_an_event_has_its_body_whatever_its_size(environment: RuntimeApi, size: int, encoded: bool) -> None:
    text = ("né\n" * size)[:size]
    event = {
        **get("/"),
        "body": base64.b64encode(text.encode()).decode() if encoded else text,
        "isBase64Encoded": encoded,
    }
    event["requestContext"]["http"]["method"] = "POST"

    assert body(environment.invoke(event))["event"] == event


def test_an_event_that_is_no_request_is_whole_too(environment: RuntimeApi) -> None:
    found = environment.invoke(QUEUE).json

    assert found["event"] == found["own_event"] == QUEUE


@pytest.mark.parametrize("large", [False, True], ids=["as it is", "large"])
@pytest.mark.parametrize(
    ("folder", "aspect"), [each for each in every_fixture() if fixture(*each.values).request.method != "HEAD"]
)
def test_the_event_of_every_source(asgi: RuntimeApi, folder: str, aspect: str, large: bool) -> None:
    sample = fixture(folder, aspect)
    event = sample.event
    if large and isinstance(event, dict):
        event["padding"] = "x" * 10_000

    outcome = asgi.invoke(event)

    reply = outcome.json
    if find_source(event).is_http:
        assert outcome.name == "response"
        text = reply["body"]
        reply = json.loads(base64.b64decode(text) if reply["isBase64Encoded"] else text)
    assert reply["event"] == event


def test_there_is_none_before_the_first_and_still_one_before_the_freeze(environment: RuntimeApi) -> None:
    asked(environment, request_id="first")

    found = asked(environment, request_id="second")

    assert found["before"] == {"none": "NoInvocation"}
    assert found["after"] == "first"


def test_x_ray_s_variable_is_there_for_the_invocation_only(environment: RuntimeApi) -> None:
    assert asked(environment, headers=MORE)["trace"] == TRACE
    assert asked(environment)["trace"] is None


def test_threads_that_the_app_starts_know_the_only_invocation(environment: RuntimeApi) -> None:
    found = asked(environment, "/threads", request_id="mine")

    assert found == {**found, "started": "mine", "copied": "mine"}


def test_tasks_and_pools_know_it(api: RuntimeApi, start: Start) -> None:
    start("about_lambda:app")

    assert asked(api, "/tasks", request_id="mine") == {"task": "mine", "pool": "mine"}


@pytest.mark.parametrize("app", ["about_lambda:app", "about_lambda:wsgi"])
def test_an_event_that_nobody_asks_for_is_not_read(app: str, api: RuntimeApi, start: Start) -> None:
    start(app)

    assert asked(api, "/quiet")["unread"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_no_context_of_parallel_invocations_mixes(kind: tuple[str, dict[str, str]]) -> None:
    app, variables = kind
    with ExitStack() as stack:
        api = stack.enter_context(RuntimeApi(concurrent=True))
        stack.enter_context(bootstrap(api, app, AWS_LAMBDA_MAX_CONCURRENCY=str(WORKERS), **variables))
        sent = {}
        for number in range(10 * WORKERS):
            event = {**get("/wait"), "number": number}
            trace = TRACE.replace("9a9197af755a6419", f"{number:016x}")
            sent[api.queue_event(event, headers={"Lambda-Runtime-Trace-Id": trace})] = (event, trace)
        for request_id, (event, trace) in sent.items():
            found = body(api.wait_for_reply(request_id))
            assert (found["first"], found["own_context"]) == (request_id, request_id)
            assert (found["event"], found["own_event"]) == (event, event)
            assert (found["context"]["aws_request_id"], found["context"]["xray_trace_id"]) == (request_id, trace)
            assert found["trace"] is None
        afters = asked(api, "/afters")["afters"]
        assert afters
        assert set(afters) <= sent.keys()


def test_a_started_thread_knows_none_among_several_but_in_a_copied_context() -> None:
    with RuntimeApi(concurrent=True) as api, bootstrap(api, "about_lambda:wsgi", AWS_LAMBDA_MAX_CONCURRENCY="2"):
        found = asked(api, "/threads", request_id="mine")

    assert found == {**found, "started": None, "copied": "mine"}


def test_a_command_has_the_headers(api: RuntimeApi, start: Start) -> None:
    start("--", sys.executable, "command.py", **FUNCTION)
    forged = {"x-amzn-request-context": "{}", "X_Amzn_Lambda_Context": "{}", "x-amz-tenant-id": "red"}
    event = get("/")
    event["headers"].update(forged)
    event["requestContext"]["authorizer"] = {"lambda": {"name": "Zoë\x7f"}}

    seen = [tuple(pair) for pair in body(api.invoke(event, request_id="an-id", headers=MORE))["headers"]]

    names = [name.lower().replace("_", "-") for name, _ in seen]
    said = {name.lower(): value for name, value in seen}
    assert [names.count(name) for name in forged_names(forged)] == [1, 1, 1]
    assert json.loads(said["x-amzn-request-context"]) == event["requestContext"]
    assert json.loads(said["x-amzn-lambda-context"])["request_id"] == "an-id"
    assert (said["x-amz-tenant-id"], said["x-amzn-trace-id"]) == ("blue", TRACE)


def forged_names(forged: dict[str, str]) -> list[str]:
    return [name.lower().replace("_", "-") for name in forged]
