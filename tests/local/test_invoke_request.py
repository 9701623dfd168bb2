"""What requests to the Invoke API say: the function's name, the headers, the payload."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from lambda_web_adapter.local.invoke_api.event_titles import title_of_event
from lambda_web_adapter.local.invoke_api.invoke_request import (
    ApiError,
    check_payload,
    is_api_path,
    parse_invoke_request,
    parse_operation,
)

ARN = "arn:aws:lambda:us-west-2:123456789012:function:my-function"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("function", id="as the Runtime Interface Emulator has it"),
        pytest.param("my-function", id="a name"),
        pytest.param("my-function:live", id="a name with an alias"),
        pytest.param("my-function:$LATEST", id="a name with the latest version"),
        pytest.param("my-function:7", id="a name with a version"),
        pytest.param("123456789012:function:my-function", id="a partial ARN"),
        pytest.param(ARN, id="an ARN"),
        pytest.param(f"{ARN}:live", id="an ARN with an alias"),
        pytest.param("arn:aws-cn:lambda:cn-north-1:123456789012:function:shop", id="an ARN of another partition"),
    ],
)
def test_every_form_of_a_name_is_taken(name: str) -> None:
    assert parse_operation("POST", f"/2015-03-31/functions/{name}/invocations", "") == "Invoke"


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", "/2015-03-31/functions/f/invocations", "Invoke"),
        ("POST", "/2021-11-15/functions/f/response-streaming-invocations", "InvokeWithResponseStream"),
        ("POST", "/2014-11-13/functions/f/invoke-async/", "InvokeAsync"),
        ("POST", "/2014-11-13/functions/f/invoke-async", "InvokeAsync"),
        ("GET", "/2015-03-31/functions/f", "GetFunction"),
        ("GET", "/2015-03-31/functions/f/configuration", "GetFunctionConfiguration"),
    ],
)
def test_paths_name_operations(method: str, path: str, operation: str) -> None:
    assert is_api_path(path)
    assert parse_operation(method, path, "") == operation


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/2015-03-31/functions/f/invocations"),
        ("OPTIONS", "/2015-03-31/functions/f/invocations"),
        ("POST", "/2021-11-15/functions/f/invocations"),
        ("DELETE", "/2015-03-31/functions/f"),
        ("GET", "/2015-03-31/functions/"),
        ("GET", "/2015-03-31/functions"),
        ("POST", "/2015-03-31/functions/a/b/invocations"),
    ],
)
def test_other_operations_are_unknown(method: str, path: str) -> None:
    assert is_api_path(path)
    with pytest.raises(ApiError, match="UnknownOperationException") as caught:
        parse_operation(method, path, "")

    assert caught.value.status == 404


@pytest.mark.parametrize(
    "path", ["/", "/functions/f/invocations", "/2015-03-31/functionality", "/2016-01-01/functions/f"]
)
def test_other_paths_are_the_apps(path: str) -> None:
    assert not is_api_path(path)


@pytest.mark.parametrize("name", ["my function", "f:g:h:i", "é", "arn:aws:s3:::bucket"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ApiError, match=f"ValidationException: .* Value '{name}' at 'functionName'") as caught:
        parse_operation("POST", f"/2015-03-31/functions/{name}/invocations", "")

    assert caught.value.status == 400


def test_two_different_qualifiers_are_refused() -> None:
    path = "/2015-03-31/functions/f:live/invocations"

    assert parse_operation("POST", path, "Qualifier=live") == "Invoke"
    with pytest.raises(ApiError, match=r"InvalidParameterValueException: .* live, .* is test"):
        parse_operation("POST", path, "Qualifier=test")


@pytest.mark.parametrize("name", ["x-amz-invocation-type", "x-amz-log-type", "x-amz-tenant-id"])
def test_a_header_with_another_value_is_refused(name: str) -> None:
    with pytest.raises(ApiError, match="ValidationException: 1 validation error detected: Value '<odd>'") as caught:
        parse_invoke_request({name: "<odd>"})

    assert caught.value.status == 400


def test_a_client_context_is_json_in_base64() -> None:
    context = base64.b64encode('{"custom": {"é": 1}}'.encode()).decode()

    assert parse_invoke_request({"x-amz-client-context": context}).client_context == '{"custom": {"é": 1}}'


@pytest.mark.parametrize(
    "context",
    [
        pytest.param("{}", id="not base64"),
        pytest.param(base64.b64encode(b"{").decode(), id="not JSON"),
        pytest.param(base64.b64encode(b"[1]").decode(), id="not an object"),
        pytest.param(base64.b64encode(b'{"a": "' + b"x" * 3000 + b'"}').decode(), id="too long"),
    ],
)
def test_a_client_context_that_is_none_is_refused(context: str) -> None:
    with pytest.raises(ApiError, match="InvalidRequestContentException") as caught:
        parse_invoke_request({"x-amz-client-context": context})

    assert caught.value.status == 400


@pytest.mark.parametrize("payload", [b"{", b"hello", b"\xff", b"NaN", b"{} {}", b'{"a": "\xff"}'])
def test_a_payload_that_is_no_json_is_refused(payload: bytes) -> None:
    with pytest.raises(ApiError, match="InvalidRequestContentException: Could not parse request body into json: "):
        check_payload(payload, "RequestResponse")


@pytest.mark.parametrize("payload", [b"{}", b"null", b"1", b'"text"', b"[1, 2]", b' {"a": 1}\n'])
def test_every_json_is_an_event_byte_for_byte(payload: bytes) -> None:
    assert check_payload(payload, "RequestResponse") == payload


def test_no_payload_is_an_empty_object() -> None:
    assert check_payload(b"", "RequestResponse") == b"{}"


def test_the_limit_of_asynchronous_payloads_is_a_megabyte() -> None:
    largest = b'"' + b"x" * (1024 * 1024 - 2) + b'"'

    assert check_payload(largest, "Event") == largest
    with pytest.raises(ApiError, match="1048577 byte payload is too large for the Event invocation type") as caught:
        check_payload(largest[:-1] + b'x"', "Event")
    assert caught.value.status == 413


@pytest.mark.parametrize(
    ("event", "title"),
    [
        ({"Records": [{"eventSource": "aws:sqs"}]}, "sqs event"),
        ({"Records": [{"EventSource": "aws:sns"}]}, "sns event"),
        ({"source": "shop", "detail-type": "Order", "detail": {}}, "eventbridge event"),
        ({"rawPath": "/up", "requestContext": {"http": {"method": "PUT", "path": "/stage/up"}}}, "PUT /up"),
        ({"httpMethod": "GET", "path": "/", "requestContext": {"elb": {}}}, "GET /"),
        ({"httpMethod": "GET", "path": None, "requestContext": None}, "event"),
        ({"Records": []}, "event"),
        ({"Records": [1]}, "event"),
        ([1], "event"),
        (None, "event"),
    ],
)
def test_log_lines_call_an_event_by_its_source(event: Any, title: str) -> None:
    assert title_of_event(json.dumps(event).encode()) == title
