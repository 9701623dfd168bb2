"""The local load balancer, without and with multi-value headers: what a request becomes, and what a reply becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from local.asking import FULL, TRACE, event, request

from lambda_web_adapter.local.gateways import GATEWAYS, MalformedReply, Response

Pairs = list[tuple[str, str]]
COMMON = {
    "requestContext": {
        "elb": {
            "targetGroupArn": ("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/local/0123456789abcdef")
        }
    },
    "httpMethod": "POST",
    "path": "/caf%C3%A9/a%2Fb/",
    "body": '{"a":1}',
    "isBase64Encoded": False,
}

both = pytest.mark.parametrize("name", [pytest.param("alb", id="single"), pytest.param("alb-multi", id="multi")])


def test_a_request_becomes_an_event_with_the_last_values() -> None:
    assert event("alb", FULL) == COMMON | {
        "queryStringParameters": {"tag": "a%2Bb+c", "page": "2", "empty": "", "bare": ""},
        "headers": {
            "host": "localhost:8000",
            "user-agent": "curl/8",
            "x-tag": "two",
            "cookie": "c=3",
            "content-type": "application/json",
            "content-length": "7",
            "x-forwarded-for": "198.51.100.66, 203.0.113.7",
            "x-forwarded-port": "8000",
            "x-forwarded-proto": "http",
            "x-amzn-trace-id": f"Root={TRACE}",
        },
    }


def test_a_request_becomes_an_event_with_lists_of_values() -> None:
    assert event("alb-multi", FULL) == COMMON | {
        "multiValueQueryStringParameters": {"tag": ["red", "a%2Bb+c"], "page": ["2"], "empty": [""], "bare": [""]},
        "multiValueHeaders": {
            "host": ["localhost:8000"],
            "user-agent": ["curl/8"],
            "x-tag": ["one", "two"],
            "cookie": ["a=1; b=2", "c=3"],
            "content-type": ["application/json"],
            "content-length": ["7"],
            "x-forwarded-for": ["198.51.100.66, 203.0.113.7"],
            "x-forwarded-port": ["8000"],
            "x-forwarded-proto": ["http"],
            "x-amzn-trace-id": [f"Root={TRACE}"],
        },
    }


@pytest.mark.parametrize(
    ("name", "query"),
    [
        pytest.param("alb", "queryStringParameters", id="single"),
        pytest.param("alb-multi", "multiValueQueryStringParameters", id="multi"),
    ],
)
def test_a_request_with_nothing_has_an_empty_query_and_body(name: str, query: str) -> None:
    found = event(name, request())

    assert (found[query], found["body"], found["isBase64Encoded"]) == ({}, "", False)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("a=1&b=2&a=3", {"a": ["1", "3"], "b": ["2"]}, id="repeated"),
        pytest.param("a%20b=c+d%26", {"a%20b": ["c+d%26"]}, id="nothing is decoded"),
        pytest.param("a=b=c&=d&e", {"a": ["b=c"], "": ["d"], "e": [""]}, id="odd equal signs"),
        pytest.param("&a=1&&", {"a": ["1"]}, id="nothing between ampersands"),
    ],
)
def test_the_query_comes_as_sent(query: str, expected: dict[str, list[str]]) -> None:
    assert event("alb-multi", request(query=query))["multiValueQueryStringParameters"] == expected


@pytest.mark.parametrize(
    ("name", "reply", "expected"),
    [
        pytest.param(
            "alb",
            {"statusCode": 200, "statusDescription": "200 OK", "headers": {"set-cookie": "a=1", "Set-cookie": "b=2"}},
            (200, [("set-cookie", "a=1"), ("Set-cookie", "b=2")], b""),
            id="names that differ in case are lines",
        ),
        pytest.param(
            "alb",
            {"statusCode": 200, "multiValueHeaders": {"x-a": ["1"]}, "body": "iVBO", "isBase64Encoded": True},
            (200, [], b"\x89PN"),
            id="the other map is ignored, base64 is decoded",
        ),
        pytest.param(
            "alb-multi",
            {"statusCode": 404, "multiValueHeaders": {"set-cookie": ["a=1", "b=2"]}, "headers": {"x-a": "1"}},
            (404, [("set-cookie", "a=1"), ("set-cookie", "b=2")], b""),
            id="values are lines, the other map is ignored",
        ),
        pytest.param("alb", {"statusCode": 200, "body": "a"}, (200, [], b"a"), id="no content type is added"),
        pytest.param("alb-multi", {"statusCode": 204}, (204, [], b""), id="a status alone"),
    ],
)
def test_a_reply_becomes_a_response(name: str, reply: dict[str, Any], expected: tuple[int, Pairs, bytes]) -> None:
    status, headers, body = expected

    assert GATEWAYS[name].response(json.dumps(reply).encode()) == Response(status=status, headers=headers, body=body)


def test_with_multi_value_headers_a_reply_without_them_is_malformed() -> None:
    with pytest.raises(MalformedReply, match=r"^multiValueHeaders: Field required"):
        GATEWAYS["alb-multi"].response(b'{"statusCode":200,"headers":{"a":"b"}}')


@both
@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        pytest.param({"headers": {}}, "statusCode: Field required", id="no status"),
        pytest.param(
            {"statusCode": 200, "headers": {"a": 1}}, "headers.a: Input should be a valid string", id="number"
        ),
        pytest.param(
            {"statusCode": 200, "statusDescription": 200},
            "statusDescription: Input should be a valid string",
            id="a description that is a number",
        ),
    ],
)
def test_a_malformed_reply_is_explained(name: str, reply: dict[str, Any], problem: str) -> None:
    with pytest.raises(MalformedReply) as raised:
        GATEWAYS[name].response(json.dumps(reply).encode())

    assert str(raised.value) == problem


@both
def test_a_megabyte_is_the_most(name: str) -> None:
    fits = json.dumps({"statusCode": 200, "body": "a" * (1024 * 1024 - 32)}).encode()

    assert len(fits) <= 1024 * 1024
    assert len(GATEWAYS[name].response(fits).body) == 1024 * 1024 - 32
    with pytest.raises(MalformedReply, match=r"^the reply: It has 1048577 bytes, .* takes 1048576$"):
        GATEWAYS[name].response(fits.ljust(1024 * 1024 + 1))
    assert GATEWAYS[name].max_body == 1024 * 1024
