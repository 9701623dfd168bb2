"""The local HTTP APIs, payload 1.0 and 2.0: what a request becomes, and what a reply becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from local.asking import FULL, ID, TIME, TIME_MS, TRACE, event, request

from lambda_web_adapter.local.gateways import GATEWAYS, Response

Pairs = list[tuple[str, str]]
TEXT = ("content-type", "text/plain; charset=utf-8")
DOMAIN = {"apiId": "local", "domainName": "local.execute-api.us-east-1.amazonaws.com", "domainPrefix": "local"}

both = pytest.mark.parametrize(
    "name", [pytest.param("http-api-v1", id="payload 1.0"), pytest.param("http-api-v2", id="payload 2.0")]
)


def test_a_request_becomes_a_payload_2_event() -> None:
    assert event("http-api-v2", FULL) == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/café/a/b/",
        "rawQueryString": "tag=red&page=2&tag=a%2Bb+c&empty=&bare",
        "cookies": ["a=1", "b=2", "c=3"],
        "headers": {
            "host": "localhost:8000",
            "user-agent": "curl/8",
            "x-tag": "one,two",
            "content-type": "application/json",
            "content-length": "7",
            "x-forwarded-for": "198.51.100.66, 203.0.113.7",
            "x-forwarded-port": "8000",
            "x-forwarded-proto": "http",
            "x-amzn-trace-id": f"Root={TRACE}",
        },
        "queryStringParameters": {"tag": "red,a+b c", "page": "2", "empty": "", "bare": ""},
        "requestContext": {
            "accountId": "123456789012",
            **DOMAIN,
            "http": {
                "method": "POST",
                "path": "/café/a/b",
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


def test_a_request_becomes_a_payload_1_event() -> None:
    found = event("http-api-v1", FULL)

    identity = found["requestContext"].pop("identity")
    assert found == {
        "version": "1.0",
        "resource": "$default",
        "path": "/caf%C3%A9/a%2Fb/",
        "httpMethod": "POST",
        "headers": {
            "Host": "localhost:8000",
            "User-Agent": "curl/8",
            "X-Tag": "two",
            "Cookie": "c=3",
            "Content-Type": "application/json",
            "Content-Length": "7",
            "X-Forwarded-For": "198.51.100.66, 203.0.113.7",
            "X-Forwarded-Port": "8000",
            "X-Forwarded-Proto": "http",
            "X-Amzn-Trace-Id": f"Root={TRACE}",
        },
        "multiValueHeaders": {
            "Host": ["localhost:8000"],
            "User-Agent": ["curl/8"],
            "X-Tag": ["one", "two"],
            "Cookie": ["a=1; b=2", "c=3"],
            "Content-Type": ["application/json"],
            "Content-Length": ["7"],
            "X-Forwarded-For": ["198.51.100.66, 203.0.113.7"],
            "X-Forwarded-Port": ["8000"],
            "X-Forwarded-Proto": ["http"],
            "X-Amzn-Trace-Id": [f"Root={TRACE}"],
        },
        "queryStringParameters": {"tag": "a+b c", "page": "2", "empty": "", "bare": ""},
        "multiValueQueryStringParameters": {"tag": ["red", "a+b c"], "page": ["2"], "empty": [""], "bare": [""]},
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            **DOMAIN,
            "extendedRequestId": ID,
            "httpMethod": "POST",
            "path": "/café/a/b/",
            "protocol": "HTTP/1.1",
            "requestId": ID,
            "requestTime": TIME,
            "requestTimeEpoch": TIME_MS,
            "resourceId": "$default",
            "resourcePath": "$default",
            "stage": "$default",
        },
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }
    assert {key: value for key, value in identity.items() if value is not None} == {
        "sourceIp": "203.0.113.7",
        "userAgent": "curl/8",
    }


def test_what_a_request_does_not_have_is_left_out_of_payload_2() -> None:
    found = event("http-api-v2", request())

    assert found.keys().isdisjoint({"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"})
    assert (found["headers"]["content-length"], found["requestContext"]["http"]["userAgent"]) == ("0", "")


def test_what_a_request_does_not_have_is_null_in_payload_1() -> None:
    found = event("http-api-v1", request())

    absent = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body")
    assert {key: found[key] for key in absent} == dict.fromkeys(absent)
    assert found["multiValueHeaders"]["Content-Length"] == ["0"]
    assert found["requestContext"]["identity"]["userAgent"] == ""


@pytest.mark.parametrize(
    ("raw_path", "raw", "in_context"),
    [
        pytest.param("/a%2520b", "/a%20b", "/a%20b", id="decoded once"),
        pytest.param("/a%2Fb", "/a/b", "/a/b", id="an encoded slash is lost"),
        pytest.param("/a/", "/a/", "/a", id="a slash at the end"),
        pytest.param("/", "/", "/", id="nothing but a slash"),
        pytest.param("//a/../b", "//a/../b", "//a/../b", id="nothing is normalised"),
        pytest.param("/%ff", "/\ufffd", "/\ufffd", id="bytes that are not UTF-8 are lost"),
    ],
)
def test_the_path_of_payload_2_comes_decoded(raw_path: str, raw: str, in_context: str) -> None:
    found = event("http-api-v2", request(raw_path=raw_path))

    assert (found["rawPath"], found["requestContext"]["http"]["path"]) == (raw, in_context)


@both
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(
            {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "body": "iVBO", "isBase64Encoded": True},
            (200, [("Content-Type", "image/png")], b"\x89PN"),
            id="base64",
        ),
        pytest.param({"statusCode": 200, "body": "ö"}, (200, [TEXT], "ö".encode()), id="no content type"),
        pytest.param({"statusCode": 204}, (204, [], b""), id="no content has no type"),
        pytest.param(
            {"statusCode": 200, "headers": {"x-a": 1.5, "x-b": False}, "more": 1},
            (200, [("x-a", "1.5"), ("x-b", "false"), TEXT], b""),
            id="headers that are not text, and an unknown key",
        ),
        pytest.param(
            {"statusCode": 401, "headers": {"www-authenticate": "Basic"}},
            (401, [("www-authenticate", "Basic"), TEXT], b""),
            id="a challenge keeps its name",
        ),
    ],
)
def test_a_reply_becomes_a_response(name: str, reply: dict[str, Any], expected: tuple[int, Pairs, bytes]) -> None:
    status, headers, body = expected

    assert GATEWAYS[name].response(json.dumps(reply).encode()) == Response(status=status, headers=headers, body=body)


def test_cookies_of_payload_2_become_lines() -> None:
    reply = {"statusCode": 200, "headers": {"content-type": "a/b"}, "cookies": ["a=1", "b=2"]}

    found = GATEWAYS["http-api-v2"].response(json.dumps(reply).encode())

    assert found.headers == [("content-type", "a/b"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]


def test_both_maps_of_payload_1_count_the_single_values_first() -> None:
    reply = {"statusCode": 200, "headers": {"x-a": "one"}, "multiValueHeaders": {"X-A": ["two", "one"], "x-b": ["1"]}}

    found = GATEWAYS["http-api-v1"].response(json.dumps(reply).encode())

    assert found.headers == [("x-a", "one"), ("X-A", "two"), ("X-A", "one"), ("x-b", "1"), TEXT]


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        pytest.param(b'{"message":"hello"}', b'{"message":"hello"}', id="an object"),
        pytest.param(b'"a \\"b\\""', b'a "b"', id="text loses its quotes"),
        pytest.param(b"42", b"42", id="a number"),
        pytest.param(b"Hello", b"Hello", id="no JSON"),
        pytest.param(b'"Hello', b'"Hello', id="a string that breaks off"),
        pytest.param(b'{"name":"a","age":', b'{"name":"a","age":', id="an object that breaks off"),
    ],
)
def test_a_payload_2_reply_without_a_status_is_the_body(payload: bytes, body: bytes) -> None:
    headers = [("content-type", "application/json")]

    assert GATEWAYS["http-api-v2"].response(payload) == Response(status=200, headers=headers, body=body)


@both
def test_a_failure_is_a_500(name: str) -> None:
    """All other gateways answer 502."""
    assert GATEWAYS[name].refusal == 500
