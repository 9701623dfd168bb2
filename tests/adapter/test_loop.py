"""Invocations one after the other: order of calls, what goes along with them, and what no event may break."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import Call, RuntimeApi

LIMIT = 6 * 1024 * 1024 + 100
QUEUE = {"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": "a"}]}


def get(path: str, **headers: str) -> dict[str, Any]:
    """The event of a GET that came through a function URL."""
    host = "abc.lambda-url.eu-central-1.on.aws"
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}},
        "requestContext": {
            "domainName": host,
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
        },
        "isBase64Encoded": False,
    }


def body(outcome: Call) -> Any:
    """The body of the HTTP response in a reply."""
    assert outcome.name == "response"
    assert outcome.json["statusCode"] == 200
    return json.loads(outcome.json["body"])


def headers_seen(outcome: Call, name: str) -> list[str]:
    """The values that the app saw of a header."""
    return [value for key, value in body(outcome)["headers"] if key == name]


def error_type(outcome: Call) -> Any:
    """The type of the error that was reported, which stands in the header too."""
    assert outcome.name == "error"
    assert outcome.headers["lambda-runtime-function-error-type"] == outcome.json["errorType"]
    return outcome.json["errorType"]


def test_each_event_is_asked_for_handled_and_answered(api: RuntimeApi, start: Start, either_app: str) -> None:
    start(either_app)

    first, second = api.invoke(get("/a")), api.invoke(get("/b"))
    api.wait_for_call("next", 3)

    assert api.call_names == ["next", "response", "next", "response", "next"]
    assert [(body(call)["path"], body(call)["count"]) for call in (first, second)] == [("/a", 1), ("/b", 2)]
    assert body(first)["pid"] == body(second)["pid"]
    assert len({call.connection for call in api.runtime_calls}) == 1


def test_the_app_gets_one_request_for_each_event_and_no_others(api: RuntimeApi, start: Start, either_app: str) -> None:
    start(either_app, AWS_LWA_READINESS_CHECK_PATH="/health", AWS_LWA_READINESS_CHECK_PROTOCOL="http")

    assert body(api.invoke(get("/"))) | {"pid": 0, "headers": []} == {
        "pid": 0,
        "count": 1,
        "method": "GET",
        "path": "/",
        "query": "",
        "headers": [],
        "body": "",
    }


def test_the_next_event_is_asked_for_only_when_the_app_is_done_with_the_last(
    api: RuntimeApi, start: Start, either_app: str
) -> None:
    api.hold("work")
    start(either_app)

    api.invoke(get("/after/work"))
    api.wait_for_call("test/work")
    early = api.has_call_within("next", 2, timeout=0.2)
    api.release("work")
    api.wait_for_call("next", 2)

    assert not early
    assert [call.name for call in api.calls][-2:] == ["test/work-ended", "next"]


def test_work_that_outlives_its_invocation_is_not_mistaken_for_that_of_the_next(
    api: RuntimeApi, start: Start, either_app: str
) -> None:
    api.hold("first")
    api.hold("second")
    log = start(either_app)
    api.invoke(get("/after/first"), timeout=1.5)
    api.wait_for_call("next", 2)
    log.wait_for("WARNING.*still working")

    api.queue_event(get("/after/second"))
    api.wait_for_call("test/second")
    api.release("first")
    api.wait_for_call("test/first-ended")
    early = api.has_call_within("next", 3, timeout=0.2)
    api.release("second")
    api.wait_for_call("next", 3)

    assert not early


def test_the_adapter_says_who_it_is(api: RuntimeApi, start: Start) -> None:
    start("main:wsgi")

    api.invoke(b"no JSON")
    api.invoke(get("/"))
    api.wait_for_call("next", 3)

    agents = {call.headers["user-agent"] for call in api.calls if not call.name.startswith("test/")}
    assert len(agents) == 1
    assert re.fullmatch(r"lambda-web-adapter/\d+\.\d+\.\d+\S*", agents.pop())


@pytest.mark.parametrize(
    ("event", "call"),
    [pytest.param(get("/"), "response", id="response"), pytest.param(b"no JSON", "error", id="error")],
)
@pytest.mark.parametrize(
    ("given", "echoed"),
    [
        pytest.param("0123-nonce", "0123-nonce", id="given"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="absent"),
    ],
)
def test_the_invocation_id_is_echoed_where_there_is_one(
    given: str | None, echoed: str | None, event: object, call: str, served: RuntimeApi
) -> None:
    outcome = served.invoke(event, headers={"Lambda-Runtime-Invocation-Id": given})

    assert outcome.name == call
    assert outcome.headers.get("lambda-runtime-invocation-id") == echoed


def test_each_invocation_has_an_id_of_its_own(served: RuntimeApi) -> None:
    outcomes = [served.invoke(get("/"), headers={"Lambda-Runtime-Invocation-Id": given}) for given in ("a", None, "b")]

    assert [call.headers.get("lambda-runtime-invocation-id") for call in outcomes] == ["a", None, "b"]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        pytest.param("Lambda-Runtime-Trace-Id", "x-amzn-trace-id", id="trace"),
        pytest.param("Lambda-Runtime-Aws-Tenant-Id", "x-amz-tenant-id", id="tenant"),
    ],
)
def test_what_the_runtime_api_says_of_an_invocation_reaches_the_app_and_nothing_forged(
    name: str, header: str, api: RuntimeApi, start: Start, either_app: str
) -> None:
    start(either_app)
    forged = get("/", **{header: "forged", header.title(): "forged too"})

    outcome = api.invoke(forged, headers={name: "Root=1;ö"})

    assert headers_seen(outcome, header) == ["Root=1;ö".encode().decode("latin-1")]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        pytest.param("Lambda-Runtime-Trace-Id", "x-amzn-trace-id", id="trace"),
        pytest.param("Lambda-Runtime-Aws-Tenant-Id", "x-amz-tenant-id", id="tenant"),
    ],
)
def test_what_the_runtime_api_says_goes_along_with_an_event_that_is_no_request_too(
    name: str, header: str, served: RuntimeApi
) -> None:
    outcome = served.invoke(QUEUE, headers={name: "abc"})

    assert [header, "abc"] in outcome.json["headers"]


def test_without_a_tenant_the_app_sees_none(api: RuntimeApi, start: Start, either_app: str) -> None:
    start(either_app)

    assert headers_seen(api.invoke(get("/", x_amz_tenant_id="forged")), "x-amz-tenant-id") == []


def test_without_a_trace_of_the_invocation_the_gateway_s_own_reaches_the_app(served: RuntimeApi) -> None:
    assert headers_seen(served.invoke(get("/", x_amzn_trace_id="Root=1")), "x-amzn-trace-id") == ["Root=1"]


def test_an_event_without_a_deadline_is_handled(api: RuntimeApi, start: Start, either_app: str) -> None:
    start(either_app)

    assert body(api.invoke(get("/"), timeout=None))["path"] == "/"


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"rawPath": "/', id="half of it"),
        pytest.param(b"\xff\xfe{}", id="not UTF-8"),
        pytest.param(b"[" * 100_000, id="nesting without an end"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="nesting too deep"),
    ],
)
def test_an_event_that_cannot_be_read_is_an_error_and_the_next_one_is_handled(event: bytes, served: RuntimeApi) -> None:
    outcome = served.invoke(event)

    assert error_type(outcome) == "Runtime.InvalidEvent"
    assert "not JSON" in outcome.json["errorMessage"]
    assert body(served.invoke(get("/next")))["path"] == "/next"


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(b"null", id="null"),
        pytest.param(b"17", id="number"),
        pytest.param(b'"text"', id="text"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"{}", id="nothing in it"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": "\\ud800"}', id="half a surrogate pair"),
        pytest.param(b'{"a": 1e999, "b": 123456789012345678901234567890}', id="numbers of any size"),
        pytest.param(b' {"a":\t1} ', id="white space"),
    ],
)
def test_an_event_that_is_no_request_reaches_the_app_as_it_is(event: bytes, served: RuntimeApi) -> None:
    outcome = served.invoke(event)

    assert outcome.name == "response"
    assert (outcome.json["method"], outcome.json["path"]) == ("POST", "/events")
    assert outcome.json["body"] == event.decode()


def test_a_request_that_http_cannot_carry_is_answered_and_the_next_one_is_handled(served: RuntimeApi) -> None:
    outcome = served.invoke(get("/", x_evil="a\r\nx-more: b"))

    assert outcome.name == "response"
    assert outcome.json["statusCode"] == 400
    assert json.loads(outcome.json["body"])["errorType"] == "Runtime.InvalidEvent"
    assert body(served.invoke(get("/next")))["path"] == "/next"


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_the_app_s_own_error_status_is_the_caller_s(status: int, served: RuntimeApi) -> None:
    outcome = served.invoke(get(f"/status/{status}"))

    assert (outcome.name, outcome.json["statusCode"]) == ("response", status)


@pytest.mark.parametrize("path", ["/status/400", "/status/500", "/status/302"])
def test_an_event_that_the_app_does_not_take_is_an_error(path: str, api: RuntimeApi, start: Start) -> None:
    start("main:wsgi", AWS_LWA_PASS_THROUGH_PATH=path)

    outcome = api.invoke(QUEUE)

    assert error_type(outcome) == "Function.AppRejectedEvent"
    assert path.removeprefix("/status/") in outcome.json["errorMessage"]


def test_a_large_body_reaches_the_app_unchanged(api: RuntimeApi, start: Start, either_app: str) -> None:
    start(either_app)
    content = bytes(range(256)) * 16_000
    event = get("/digest") | {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}
    event["requestContext"]["http"]["method"] = "POST"

    assert body(api.invoke(event)) == hashlib.sha256(content).hexdigest()


def envelope(api: RuntimeApi) -> int:
    """The size of a reply around its body."""
    return len(api.invoke(get("/bytes/0")).body)


def test_a_reply_may_be_as_large_as_lambda_takes(api: RuntimeApi, start: Start, either_app: str) -> None:
    start(either_app)
    length = LIMIT - envelope(api)

    outcome = api.invoke(get(f"/bytes/{length}"))
    api.wait_for_call("next", 3)

    assert len(outcome.body) == LIMIT
    assert outcome.json["body"] == "x" * length


def test_a_reply_that_is_too_large_is_a_small_clear_error(api: RuntimeApi, start: Start) -> None:
    log = start("main:wsgi")
    length = LIMIT - envelope(api) + 1

    outcome = api.invoke(get(f"/bytes/{length}"))

    assert outcome.name == "response"
    assert len(outcome.body) < 1000
    assert outcome.json["statusCode"] == 502
    problem = json.loads(outcome.json["body"])
    assert problem["errorType"] == "Function.ResponseSizeTooLarge"
    assert "6291557" in problem["message"]
    assert "6291556" in problem["message"]
    for advice in ("AWS_LWA_INVOKE_MODE", "AWS_LWA_ENABLE_COMPRESSION", "presigned"):
        assert advice in problem["message"]
    assert "/bytes" not in problem["message"]
    log.wait_for(f"ERROR.*Function.ResponseSizeTooLarge.*GET /bytes/{length}")
    assert body(api.invoke(get("/")))["count"] == 3


def test_the_status_for_a_reply_that_is_too_large_can_be_chosen(api: RuntimeApi, start: Start) -> None:
    start("main:wsgi", AWS_LWA_TOO_LARGE_STATUS="413")

    assert api.invoke(get("/bytes/7000000")).json["statusCode"] == 413


def test_a_load_balancer_takes_less(api: RuntimeApi, start: Start) -> None:
    log = start("main:wsgi")
    event = {"requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": "/bytes/1048576"}

    outcome = api.invoke(event)

    assert outcome.json["statusCode"] == 502
    assert "a load balancer takes 1048576" in json.loads(outcome.json["body"])["message"]
    log.wait_for("ERROR.*GET /bytes/1048576")
    assert api.invoke({**event, "path": "/bytes/1048000"}).json["statusCode"] == 200


def test_a_result_that_is_too_large_is_a_small_clear_error(api: RuntimeApi, start: Start) -> None:
    start("main:wsgi", AWS_LWA_PASS_THROUGH_PATH="/bytes/7000000")

    outcome = api.invoke(QUEUE)

    assert error_type(outcome) == "Function.ResponseSizeTooLarge"
    assert len(outcome.body) < 1000


def test_what_the_app_prints_is_in_the_log_and_nowhere_else(api: RuntimeApi, start: Start, either_app: str) -> None:
    log = start(either_app)

    body(api.invoke(get("/print/printed")))

    log.wait_for("(?m)^printed$")
