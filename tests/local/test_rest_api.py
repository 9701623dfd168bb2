"""The local REST API: what a request becomes, and what a reply becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from local.asking import FULL, ID, TIME, TIME_MS, TRACE, event, request

from lambda_web_adapter.local.gateways import GATEWAYS, MalformedReply, Response

Pairs = list[tuple[str, str]]
REST_API = GATEWAYS["rest-api"]
JSON = ("content-type", "application/json")


def test_a_request_becomes_an_event() -> None:
    assert event("rest-api", FULL) == {
        "resource": "/{proxy+}",
        "path": "/caf%C3%A9/a%2Fb/",
        "httpMethod": "POST",
        "headers": {
            "Host": "localhost:8000",
            "User-Agent": "curl/8",
            "X-Tag": "two",
            "cookie": "c=3",
            "content-type": "application/json",
            "X-Forwarded-For": "198.51.100.66, 203.0.113.7",
            "X-Forwarded-Port": "8000",
            "X-Forwarded-Proto": "http",
            "X-Amzn-Trace-Id": f"Root={TRACE}",
        },
        "multiValueHeaders": {
            "Host": ["localhost:8000"],
            "User-Agent": ["curl/8"],
            "X-Tag": ["one", "two"],
            "cookie": ["a=1; b=2", "c=3"],
            "content-type": ["application/json"],
            "X-Forwarded-For": ["198.51.100.66, 203.0.113.7"],
            "X-Forwarded-Port": ["8000"],
            "X-Forwarded-Proto": ["http"],
            "X-Amzn-Trace-Id": [f"Root={TRACE}"],
        },
        "queryStringParameters": {"tag": "a+b c", "page": "2", "empty": "", "bare": ""},
        "multiValueQueryStringParameters": {"tag": ["red", "a+b c"], "page": ["2"], "empty": [""], "bare": [""]},
        "pathParameters": {"proxy": "caf%C3%A9/a%2Fb/"},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": "local.example.com",
            "domainPrefix": "local",
            "extendedRequestId": ID,
            "httpMethod": "POST",
            "identity": {
                "accessKey": None,
                "accountId": None,
                "caller": None,
                "cognitoAuthenticationProvider": None,
                "cognitoAuthenticationType": None,
                "cognitoIdentityId": None,
                "cognitoIdentityPoolId": None,
                "principalOrgId": None,
                "sourceIp": "203.0.113.7",
                "user": None,
                "userAgent": "curl/8",
                "userArn": None,
            },
            "path": "/caf%C3%A9/a%2Fb/",
            "protocol": "HTTP/1.1",
            "requestId": ID,
            "requestTime": TIME,
            "requestTimeEpoch": TIME_MS,
            "resourceId": "local",
            "resourcePath": "/{proxy+}",
            "stage": "prod",
        },
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }


def test_what_a_request_does_not_have_is_null() -> None:
    found = event("rest-api", request())

    absent = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body")
    assert {key: found[key] for key in absent} == dict.fromkeys(absent)
    assert (found["resource"], found["requestContext"]["resourcePath"]) == ("/", "/")
    assert found["requestContext"]["identity"]["userAgent"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("a=1&b=2&a=3", {"a": ["1", "3"], "b": ["2"]}, id="repeated"),
        pytest.param("%C3%A9=a+b%26c", {"é": ["a b&c"]}, id="decoded"),
        pytest.param("a&b=&&=c", {"a": [""], "b": [""], "": ["c"]}, id="empty"),
        pytest.param("a=%ff", {"a": ["\ufffd"]}, id="bytes that are not UTF-8 are lost"),
    ],
)
def test_the_query_comes_decoded(query: str, expected: dict[str, list[str]]) -> None:
    assert event("rest-api", request(query=query))["multiValueQueryStringParameters"] == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(
            {"statusCode": 200, "multiValueHeaders": {"Content-Type": ["image/png"]}, "body": "iVBO"}
            | {"isBase64Encoded": True},
            (200, [("Content-Type", "image/png")], b"\x89PN"),
            id="base64",
        ),
        pytest.param({"statusCode": 404, "body": "ö"}, (404, [JSON], "ö".encode()), id="no content type"),
        pytest.param({"statusCode": 204}, (204, [], b""), id="no content has no type"),
        pytest.param(
            {"statusCode": 200, "headers": {"x-a": "three"}, "multiValueHeaders": {"X-A": ["one", "two"]}},
            (200, [("X-A", "one"), ("X-A", "two"), ("x-a", "three"), JSON], b""),
            id="both maps count, the multi values first",
        ),
        pytest.param(
            {"statusCode": 200, "headers": {"x-a": "one"}, "multiValueHeaders": {"X-A": ["one"]}},
            (200, [("X-A", "one"), JSON], b""),
            id="a value that is in both maps comes once",
        ),
        pytest.param(
            {"statusCode": 401, "multiValueHeaders": {"www-authenticate": ["a", "b"], "date": ["c"], "Server": ["d"]}},
            (
                401,
                [
                    ("x-amzn-remapped-www-authenticate", "a"),
                    ("x-amzn-remapped-www-authenticate", "b"),
                    ("x-amzn-remapped-date", "c"),
                    ("x-amzn-remapped-Server", "d"),
                    JSON,
                ],
                b"",
            ),
            id="headers that are renamed",
        ),
        pytest.param(
            {"statusCode": 200, "headers": {"x-a": 1}, "multiValueHeaders": {"x-b": [2, True]}},
            (200, [("x-b", "2"), ("x-b", "true"), ("x-a", "1"), JSON], b""),
            id="headers that are not text",
        ),
    ],
)
def test_a_reply_becomes_a_response(reply: dict[str, Any], expected: tuple[int, Pairs, bytes]) -> None:
    status, headers, body = expected

    assert REST_API.response(json.dumps(reply).encode()) == Response(status=status, headers=headers, body=body)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        pytest.param(
            {"statusCode": 200, "cookies": ["a=1"]}, "cookies: Extra inputs are not permitted", id="payload 2.0's"
        ),
        pytest.param(
            {"statusCode": 200, "statusDescription": "200 OK"},
            "statusDescription: Extra inputs are not permitted",
            id="a load balancer's",
        ),
        pytest.param({"body": "no status"}, "statusCode: Field required", id="no status"),
        pytest.param({"status_code": 200}, "statusCode: Field required", id="a status in Python's spelling"),
        pytest.param(
            {"statusCode": 200, "multiValueHeaders": {"a": "b"}},
            "multiValueHeaders.a: Input should be a valid array",
            id="a string where a list belongs",
        ),
    ],
)
def test_a_reply_that_a_rest_api_refuses_is_explained(reply: dict[str, Any], problem: str) -> None:
    with pytest.raises(MalformedReply) as raised:
        REST_API.response(json.dumps(reply).encode())

    assert str(raised.value) == problem
