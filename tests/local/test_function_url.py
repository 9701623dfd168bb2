"""The local function URL: what a request becomes, and what a reply becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from local.asking import FULL, ID, TIME, TIME_MS, TRACE, event, request

from lambda_web_adapter.local.gateways import GATEWAYS, MalformedReply, Response

Pairs = list[tuple[str, str]]
FUNCTION_URL = GATEWAYS["function-url"]


def test_a_request_becomes_an_event() -> None:
    assert event("function-url", FULL) == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/caf%C3%A9/a%2Fb/",
        "rawQueryString": "tag=red&page=2&tag=a%2Bb+c&empty=&bare",
        "cookies": ["a=1", "b=2", "c=3"],
        "headers": {
            "host": "localhost:8000",
            "user-agent": "curl/8",
            "x-tag": "one,two",
            "cookie": "a=1; b=2; c=3",
            "content-type": "application/json",
            "content-length": "7",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "8000",
            "x-forwarded-proto": "http",
            "x-amzn-trace-id": f"Root={TRACE}",
        },
        "queryStringParameters": {"tag": "red,a+b c", "page": "2", "empty": "", "bare": ""},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": "local.lambda-url.us-east-1.on.aws",
            "domainPrefix": "local",
            "http": {
                "method": "POST",
                "path": "/café/a/b/",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8",
            },
            "requestId": ID,
            "routeKey": "$default",
            "stage": "$default",
            "time": TIME,
            "timeEpoch": TIME_MS,
        },
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }


def test_what_a_request_does_not_have_is_left_out() -> None:
    found = event("function-url", request())

    assert found.keys().isdisjoint({"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"})
    assert "userAgent" not in found["requestContext"]["http"]
    assert "content-length" not in found["headers"]


def test_the_length_is_that_of_the_body() -> None:
    found = event("function-url", request("POST", headers=[("transfer-encoding", "chunked")], body=b"abc"))

    assert found["headers"]["content-length"] == "3"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(
            {"statusCode": 201, "headers": {"content-type": "text/plain", "x-a": "1"}, "body": "ö"},
            (201, [("content-type", "text/plain"), ("x-a", "1")], "ö".encode()),
            id="text",
        ),
        pytest.param(
            {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "body": "iVBO", "isBase64Encoded": True},
            (200, [("Content-Type", "image/png")], b"\x89PN"),
            id="base64",
        ),
        pytest.param(
            {"statusCode": 200, "headers": {"content-type": "a/b"}, "cookies": ["a=1", "b=2"]},
            (200, [("content-type", "a/b"), ("set-cookie", "a=1"), ("set-cookie", "b=2")], b""),
            id="cookies",
        ),
        pytest.param({"statusCode": 404}, (404, [("content-type", "application/json")], b""), id="a status alone"),
        pytest.param({"statusCode": 204}, (204, [], b""), id="no content has no type"),
        pytest.param({"statusCode": 304, "headers": {"etag": "1"}}, (304, [("etag", "1")], b""), id="nor has 304"),
        pytest.param(
            {"statusCode": 200, "headers": {"x-a": 1, "x-b": True}},
            (200, [("x-a", "1"), ("x-b", "true"), ("content-type", "application/json")], b""),
            id="headers that are not text",
        ),
        pytest.param(
            {"statusCode": 200, "multiValueHeaders": {"x-a": ["1"]}, "statusDescription": "200 OK"},
            (200, [("content-type", "application/json")], b""),
            id="unknown keys are ignored",
        ),
        pytest.param(
            {"statusCode": 401, "headers": {"content-type": "a/b", "WWW-Authenticate": "Basic"}},
            (401, [("content-type", "a/b"), ("x-amzn-remapped-WWW-Authenticate", "Basic")], b""),
            id="a challenge is renamed",
        ),
    ],
)
def test_a_reply_becomes_a_response(reply: dict[str, Any], expected: tuple[int, Pairs, bytes]) -> None:
    status, headers, body = expected

    assert FUNCTION_URL.response(json.dumps(reply).encode()) == Response(status=status, headers=headers, body=body)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b'{"message":"hello"}', id="an object"),
        pytest.param(b'"hello"', id="text"),
        pytest.param(b"[1, 2]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"result":{"statusCode":500}}', id="a status further inside"),
        pytest.param(b'{"says":"\\"statusCode\\""}', id="a status in a string"),
        pytest.param(b'["statusCode"]', id="a status in a list"),
        pytest.param(b'{"status_code":500}', id="a status in Python's spelling"),
        pytest.param(b"no JSON", id="no JSON"),
    ],
)
def test_a_reply_without_a_status_is_itself_the_body(payload: bytes) -> None:
    """AWS calls it payload format inference: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html."""
    headers = [("content-type", "application/json")]

    assert FUNCTION_URL.response(payload) == Response(status=200, headers=headers, body=payload)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        pytest.param(b'{"statusCode":"200"}', "statusCode: Input should be a valid integer", id="a textual status"),
        pytest.param(b'{"statusCode":null}', "statusCode: Input should be a valid integer", id="a null status"),
        pytest.param(
            b'{"statusCode":99}', "statusCode: Input should be greater than or equal to 100", id="a status too low"
        ),
        pytest.param(
            b'{"statusCode":200,"headers":{"a":["b"]}}',
            "headers.a: Input should be a valid string",
            id="a header that is a list",
        ),
        pytest.param(
            b'{"statusCode":200,"cookies":"a=b"}', "cookies: Input should be a valid array", id="cookies that are text"
        ),
        pytest.param(b'{"statusCode":200,"body":{}}', "body: Input should be a valid string", id="a body of fields"),
        pytest.param(
            b'{"statusCode":1,"body":1}',
            "statusCode: Input should be greater than or equal to 100; body: Input should be a valid string",
            id="two fields",
        ),
    ],
)
def test_a_malformed_reply_is_explained_field_by_field(payload: bytes, problem: str) -> None:
    with pytest.raises(MalformedReply) as raised:
        FUNCTION_URL.response(payload)

    assert str(raised.value) == problem


def test_a_reply_that_breaks_off_is_malformed() -> None:
    with pytest.raises(MalformedReply, match=r"^the reply: Invalid JSON"):
        FUNCTION_URL.response(b'{"statusCode":200')
