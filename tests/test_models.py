"""The typed events and replies: what they take, and which field they name when they do not."""

import json
from typing import Any

import pytest
from fixtures.loading import aspects, fixture
from pydantic import ValidationError

from lambda_web_adapter.events import source_of, to_request
from lambda_web_adapter.models import InvocationError, PayloadV2Event, PayloadV2Reply
from lambda_web_adapter.settings import Settings

# Events that AWS does not send: their maps are null, which the hot path forgives and a model may not.
_NOT_OF_AWS = {"null_maps"}
PAYLOAD_V2 = [
    pytest.param(folder, aspect, id=f"{folder}/{aspect}")
    for folder in ("http_api_v2", "function_url")
    for aspect in sorted(aspects(folder) - _NOT_OF_AWS)
]


@pytest.mark.parametrize(("folder", "aspect"), PAYLOAD_V2)
def test_an_event_read_and_written_means_the_same_request(folder: str, aspect: str) -> None:
    found = fixture(folder, aspect)

    written = json.loads(PayloadV2Event.model_validate_json(found.verbatim).to_json())

    settings = Settings.from_environment(found.environment)
    assert to_request(source_of(written), written, settings, b"") == found.request


@pytest.mark.parametrize(("folder", "aspect"), PAYLOAD_V2)
def test_an_event_read_and_written_twice_is_the_same(folder: str, aspect: str) -> None:
    event = PayloadV2Event.model_validate_json(fixture(folder, aspect).verbatim)

    assert PayloadV2Event.model_validate_json(event.to_json()) == event


def test_an_event_has_names_in_pythons_spelling() -> None:
    event = PayloadV2Event.model_validate(fixture("function_url", "cookies").event)

    assert event.raw_path == "/seeds"
    assert event.cookies == ["session=abc123", "theme=dark"]
    assert event.request_context.http.source_ip == "203.0.113.7"
    assert event.request_context.http.method == "GET"
    assert event.request_context.account_id == "anonymous"
    assert event.request_context.time_epoch == 1772366400000


def test_an_event_takes_null_where_aws_sends_it_and_ignores_what_it_does_not_know() -> None:
    event = PayloadV2Event.model_validate(
        {
            "version": "2.0",
            "rawPath": "/",
            "cookies": None,
            "queryStringParameters": None,
            "pathParameters": None,
            "stageVariables": None,
            "body": None,
            "somethingNew": [1],
            "requestContext": {
                "authentication": None,
                "authorizer": {"jwt": {"claims": None}},
                "http": {"method": "GET", "path": "/", "userAgent": None, "somethingNew": 1},
            },
        }
    )

    assert json.loads(event.to_json()) == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {},
        "requestContext": {
            "accountId": "",
            "apiId": "",
            "authorizer": {"jwt": {"claims": None}},
            "domainName": "",
            "domainPrefix": "",
            "http": {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": ""},
            "requestId": "",
            "routeKey": "$default",
            "stage": "$default",
            "time": "",
            "timeEpoch": 0,
        },
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize(
    ("event", "field"),
    [
        pytest.param({}, "requestContext", id="no context"),
        pytest.param({"requestContext": {}}, "requestContext.http", id="no description of the request"),
        pytest.param({"requestContext": {"http": {"path": "/"}}}, "requestContext.http.method", id="no method"),
        pytest.param(
            {"headers": {"a": 1}, "requestContext": {"http": {"method": "GET", "path": "/"}}},
            "headers.a",
            id="a header that is a number",
        ),
    ],
)
def test_what_is_wrong_with_an_event_is_named(event: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as raised:
        PayloadV2Event.model_validate(event)

    assert [".".join(map(str, error["loc"])) for error in raised.value.errors()] == [field]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(
            {"statusCode": 200},
            PayloadV2Reply(status_code=200, headers=None, cookies=None, body=None, is_base64_encoded=False),
            id="a status alone",
        ),
        pytest.param(
            {
                "statusCode": 201,
                "headers": {"a": "b"},
                "cookies": ["c=d"],
                "body": "text",
                "isBase64Encoded": True,
                "more": 1,
            },
            PayloadV2Reply(status_code=201, headers={"a": "b"}, cookies=["c=d"], body="text", is_base64_encoded=True),
            id="all keys, and an unknown one",
        ),
        pytest.param(
            {"statusCode": 200, "headers": {"a": 1, "b": True, "c": False, "d": 1.5}},
            PayloadV2Reply(status_code=200, headers={"a": "1", "b": "true", "c": "false", "d": "1.5"}),
            id="headers that are not text",
        ),
        pytest.param(
            {"statusCode": 204, "headers": None, "cookies": None, "body": None},
            PayloadV2Reply(status_code=204),
            id="nulls",
        ),
    ],
)
def test_a_reply_is_read(reply: dict[str, Any], expected: PayloadV2Reply) -> None:
    assert PayloadV2Reply.model_validate_json(json.dumps(reply)) == expected


@pytest.mark.parametrize(
    ("reply", "fields"),
    [
        pytest.param({}, ["statusCode"], id="no status"),
        pytest.param({"statusCode": "200"}, ["statusCode"], id="a status that is text"),
        pytest.param({"statusCode": 200.5}, ["statusCode"], id="a status that is a fraction"),
        pytest.param({"statusCode": None}, ["statusCode"], id="a null status"),
        pytest.param({"statusCode": True}, ["statusCode"], id="a status that is a boolean"),
        pytest.param({"statusCode": 99}, ["statusCode"], id="a status too low"),
        pytest.param({"statusCode": 600}, ["statusCode"], id="a status too high"),
        pytest.param({"statusCode": 200, "headers": {"a": ["b"]}}, ["headers.a"], id="a header that is a list"),
        pytest.param({"statusCode": 200, "headers": []}, ["headers"], id="headers that are a list"),
        pytest.param({"statusCode": 200, "cookies": "a=b"}, ["cookies"], id="cookies that are text"),
        pytest.param({"statusCode": 200, "cookies": [1]}, ["cookies.0"], id="a cookie that is a number"),
        pytest.param({"statusCode": 200, "body": {}}, ["body"], id="a body that is an object"),
        pytest.param({"statusCode": 200, "isBase64Encoded": "true"}, ["isBase64Encoded"], id="a mark that is text"),
        pytest.param({"statusCode": 1, "body": 1}, ["statusCode", "body"], id="two fields"),
    ],
)
def test_what_is_wrong_with_a_reply_is_named(reply: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(ValidationError) as raised:
        PayloadV2Reply.model_validate_json(json.dumps(reply))

    assert [".".join(map(str, error["loc"])) for error in raised.value.errors()] == fields


def test_a_failed_invocation_is_read() -> None:
    document = b'{"errorMessage":"no","errorType":"ValueError","stackTrace":["a","b"],"requestId":"1"}'

    assert InvocationError.model_validate_json(document) == InvocationError(
        error_message="no", error_type="ValueError", stack_trace=["a", "b"]
    )


def test_a_failed_invocation_may_say_nothing() -> None:
    assert InvocationError.model_validate_json(b"{}") == InvocationError(
        error_message="", error_type="", stack_trace=[]
    )
