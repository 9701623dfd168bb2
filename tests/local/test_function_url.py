"""The local function URL: what a request becomes, and what a reply becomes."""

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from lambda_web_adapter.local.function_url import MalformedReply, event_of, response_of

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope

Pairs = list[tuple[str, str]]


def scope(
    method: str = "GET",
    raw_path: bytes = b"/",
    query: bytes = b"",
    headers: list[tuple[bytes, bytes]] | None = None,
    **others: Any,
) -> "HTTPScope":
    return cast(
        "HTTPScope",
        {
            "type": "http",
            "method": method,
            "raw_path": raw_path,
            "query_string": query,
            "headers": headers or [],
            "client": ("203.0.113.7", 50000),
            "server": ("127.0.0.1", 8000),
            **others,
        },
    )


def event_written(given: "HTTPScope", body: bytes = b"") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event_of(given, body).to_json())
    return found


# Requests


def test_a_request_becomes_an_event() -> None:
    headers = [
        (b"host", b"localhost:8000"),
        (b"user-agent", b"curl/8"),
        (b"content-type", b"application/json"),
        (b"content-length", b"7"),
    ]

    event = event_written(scope("POST", b"/a%20b", b"c=d&c=e&f", headers), b'{"a":1}')

    context = event["requestContext"]
    assert (context.pop("requestId") != "", context.pop("time") != "", context.pop("timeEpoch") > 0) == (True,) * 3
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/a%20b",
        "rawQueryString": "c=d&c=e&f",
        "headers": {
            "host": "localhost:8000",
            "user-agent": "curl/8",
            "content-type": "application/json",
            "content-length": "7",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-proto": "http",
            "x-forwarded-port": "8000",
        },
        "queryStringParameters": {"c": "d,e", "f": ""},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": "local.lambda-url.us-east-1.on.aws",
            "domainPrefix": "local",
            "http": {
                "method": "POST",
                "path": "/a b",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8",
            },
            "routeKey": "$default",
            "stage": "$default",
        },
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }


def test_each_event_has_an_id_of_its_own() -> None:
    first, second = event_of(scope(), b""), event_of(scope(), b"")

    assert first.request_context.request_id != second.request_context.request_id


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        pytest.param([(b"content-type", b"text/plain")], b"abc", ("abc", False), id="text"),
        pytest.param([(b"content-type", b"Application/JSON")], b"{}", ("{}", False), id="JSON in capitals"),
        pytest.param([(b"content-type", b"text/plain")], "ö".encode(), ("ö", False), id="UTF-8"),
        pytest.param([(b"content-type", b"text/plain")], b"\xf6", ("9g==", True), id="text that is not UTF-8"),
        pytest.param([(b"content-type", b"image/png")], b"abc", ("YWJj", True), id="an image"),
        pytest.param([], b"abc", ("YWJj", True), id="no type"),
        pytest.param(
            [(b"content-type", b"text/plain"), (b"content-encoding", b"gzip")], b"abc", ("YWJj", True), id="compressed"
        ),
        pytest.param([(b"content-type", b"text/plain")], b"", (None, False), id="nothing"),
    ],
)
def test_a_body_travels_as_text_or_base64(
    headers: list[tuple[bytes, bytes]], body: bytes, expected: tuple[str | None, bool]
) -> None:
    event = event_of(scope("POST", headers=headers), body)

    assert (event.body, event.is_base64_encoded) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param([(b"x-a", b"1"), (b"x-b", b"2"), (b"x-a", b"3")], {"x-a": "1,3", "x-b": "2"}, id="repeated"),
        pytest.param([(b"connection", b"close"), (b"te", b"trailers"), (b"upgrade", b"h2c")], {}, id="hop by hop"),
        pytest.param([(b"transfer-encoding", b"chunked")], {}, id="a transfer coding"),
        pytest.param([(b"x-a", "ö".encode())], {"x-a": "ö"}, id="outside ASCII"),
        pytest.param(
            [(b"x-forwarded-for", b"198.51.100.66"), (b"x-forwarded-proto", b"https")], {}, id="the gateway's own"
        ),
    ],
)
def test_headers_are_joined_and_cleaned(headers: list[tuple[bytes, bytes]], expected: dict[str, str]) -> None:
    found = event_of(scope(headers=headers), b"").headers

    assert found == expected | {
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-proto": "http",
        "x-forwarded-port": "8000",
    }


@pytest.mark.parametrize(
    ("headers", "cookies"),
    [
        pytest.param([], None, id="none"),
        pytest.param([(b"cookie", b"a=1; b=2")], ["a=1", "b=2"], id="one line"),
        pytest.param([(b"cookie", b"a=1"), (b"cookie", b"b=2;c=3")], ["a=1", "b=2", "c=3"], id="two lines"),
    ],
)
def test_cookies_stand_in_a_list(headers: list[tuple[bytes, bytes]], cookies: list[str] | None) -> None:
    assert event_of(scope(headers=headers), b"").cookies == cookies


def test_the_length_is_that_of_the_body() -> None:
    event = event_of(scope("POST", headers=[(b"transfer-encoding", b"chunked")]), b"abc")

    assert event.headers["content-length"] == "3"


def test_a_caller_without_an_address_is_this_machine() -> None:
    event = event_of(scope(client=None, server=None), b"")

    assert event.request_context.http.source_ip == "127.0.0.1"
    assert event.headers["x-forwarded-port"] == "0"


@pytest.mark.parametrize(
    ("raw_path", "raw", "decoded"),
    [
        pytest.param(b"/caf%C3%A9", "/caf%C3%A9", "/café", id="encoded"),
        pytest.param(b"/a%2Fb", "/a%2Fb", "/a/b", id="an encoded slash"),
        pytest.param(b"//a/../b/", "//a/../b/", "//a/../b/", id="nothing is normalised"),
    ],
)
def test_the_path_comes_encoded_and_decoded(raw_path: bytes, raw: str, decoded: str) -> None:
    event = event_of(scope(raw_path=raw_path), b"")

    assert (event.raw_path, event.request_context.http.path) == (raw, decoded)


@pytest.mark.parametrize(
    ("query", "raw", "parameters"),
    [
        pytest.param(b"", "", None, id="none"),
        pytest.param(b"a=1&b=2&a=3", "a=1&b=2&a=3", {"a": "1,3", "b": "2"}, id="repeated"),
        pytest.param(b"a&b=", "a&b=", {"a": "", "b": ""}, id="empty"),
        pytest.param(b"a=x+y%26z", "a=x+y%26z", {"a": "x y&z"}, id="encoded"),
    ],
)
def test_the_query_comes_raw_and_read(query: bytes, raw: str, parameters: dict[str, str] | None) -> None:
    event = event_of(scope(query=query), b"")

    assert (event.raw_query_string, event.query_string_parameters) == (raw, parameters)


# Replies


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
            {"statusCode": 200, "multiValueHeaders": {"x-a": ["1"]}},
            (200, [("content-type", "application/json")], b""),
            id="multi-value headers are ignored",
        ),
    ],
)
def test_a_reply_becomes_a_response(reply: dict[str, Any], expected: tuple[int, Pairs, bytes]) -> None:
    assert response_of(json.dumps(reply).encode()) == expected


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b'{"message":"hello"}', id="an object"),
        pytest.param(b'"hello"', id="text"),
        pytest.param(b"[1, 2]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"result":{"statusCode":500}}', id="a status further inside"),
        pytest.param(b'{"says":"\\"statusCode\\""}', id="a status in a text"),
        pytest.param(b'["statusCode"]', id="a status in a list"),
    ],
)
def test_a_reply_without_a_status_is_itself_the_body(payload: bytes) -> None:
    """AWS calls it payload format inference: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html."""
    assert response_of(payload) == (200, [("content-type", "application/json")], payload)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        pytest.param(b'{"statusCode":"200"}', "statusCode: Input should be a valid integer", id="a textual status"),
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
        response_of(payload)

    assert str(raised.value) == problem


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        pytest.param(b'{"statusCode":200,"body":"a","isBase64Encoded":true}', "body: ", id="base64 cut off"),
        pytest.param(b'{"statusCode":200,"body":"a b=","isBase64Encoded":true}', "body: ", id="not base64"),
        pytest.param('{"statusCode":200,"body":"ö","isBase64Encoded":true}'.encode(), "body: ", id="outside ASCII"),
        pytest.param(b'{"statusCode":200', "the reply: Invalid JSON", id="broken JSON"),
    ],
)
def test_a_reply_that_cannot_be_decoded_is_malformed(payload: bytes, field: str) -> None:
    with pytest.raises(MalformedReply) as raised:
        response_of(payload)

    assert str(raised.value).startswith(field)
