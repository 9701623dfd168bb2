"""Preludes of streamed replies: where they end, and which status and headers they make."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_web_adapter.local.gateways import GATEWAYS, MalformedReply, Response
from lambda_web_adapter.local.gateways.prelude import SEPARATOR, PreludeParser

STREAMING = ("function-url", "rest-api")
every_streaming = pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in STREAMING])


def head(name: str, prelude: Any) -> Response:
    make = GATEWAYS[name].head
    assert make is not None
    return make(json.dumps(prelude).encode())


def test_only_gateways_that_stream_on_aws_have_a_head() -> None:
    assert tuple(name for name, gateway in GATEWAYS.items() if gateway.head) == STREAMING


def test_a_prelude_ends_at_the_first_eight_nuls() -> None:
    assert PreludeParser(100).feed(b"{}" + bytes(10) + b"a") == (b"{}", b"\0\0a")


def test_seven_nuls_are_no_end() -> None:
    reader = PreludeParser(100)

    assert reader.feed(b"{}" + bytes(7)) is None
    assert reader.feed(b"a" + SEPARATOR) == (b"{}" + bytes(7) + b"a", b"")


@pytest.mark.parametrize("size", [pytest.param(0, id="none"), pytest.param(3, id="three"), pytest.param(7, id="seven")])
def test_the_nuls_may_come_in_two_parts(size: int) -> None:
    reader = PreludeParser(100)

    assert reader.feed(b"{}" + bytes(size)) is None
    assert reader.feed(bytes(8 - size) + b"body") == (b"{}", b"body")


def test_a_prelude_may_be_as_long_as_the_gateway_says() -> None:
    assert PreludeParser(10).feed(b"{}" + SEPARATOR + b"body") == (b"{}", b"body")


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([b"{ }" + SEPARATOR], id="in one part"),
        pytest.param([b"{ }" + bytes(7), b"\0"], id="by its last NUL"),
        pytest.param([b"a" * 11], id="without an end"),
    ],
)
def test_a_prelude_that_is_too_long_is_malformed(parts: list[bytes]) -> None:
    reader = PreludeParser(10)

    for part in parts[:-1]:
        assert reader.feed(part) is None

    with pytest.raises(MalformedReply, match=r"^the prelude: There are no eight NUL bytes behind it within 10 bytes$"):
        reader.feed(parts[-1])


def test_a_rest_api_looks_for_the_end_in_the_first_16_kilobytes() -> None:
    assert GATEWAYS["rest-api"].max_prelude == 16 * 1024


@every_streaming
def test_cookies_are_a_line_each(name: str) -> None:
    found = head(name, {"statusCode": 201, "headers": {"content-type": "a/b"}, "cookies": ["a=1; Path=/", "b=2"]})

    assert (found.status, found.body) == (201, b"")
    assert found.headers == [("content-type", "a/b"), ("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2")]


@every_streaming
def test_headers_for_the_next_hop_only_do_not_come_back(name: str) -> None:
    found = head(name, {"statusCode": 200, "headers": {"content-type": "a/b", "Transfer-Encoding": "chunked"}})

    assert found.headers == [("content-type", "a/b")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [pytest.param("function-url", "application/octet-stream"), pytest.param("rest-api", "application/json")],
)
def test_the_gateway_says_the_content_type_that_the_prelude_leaves_out(name: str, expected: str) -> None:
    assert head(name, {"statusCode": 200}).headers == [("content-type", expected)]
    assert head(name, {"statusCode": 204}).headers == []


@every_streaming
def test_the_gateway_keeps_headers_for_itself(name: str) -> None:
    found = head(name, {"statusCode": 401, "headers": {"content-type": "a/b", "WWW-Authenticate": "Basic"}})

    assert found.headers == [("content-type", "a/b"), ("x-amzn-remapped-WWW-Authenticate", "Basic")]


def test_a_rest_api_takes_both_maps() -> None:
    prelude = {"statusCode": 200, "headers": {"content-type": "a/b"}, "multiValueHeaders": {"x-tag": ["1", "2"]}}

    assert head("rest-api", prelude).headers == [("x-tag", "1"), ("x-tag", "2"), ("content-type", "a/b")]


def test_a_function_url_ignores_the_map_of_lists() -> None:
    prelude = {"statusCode": 200, "headers": {"content-type": "a/b"}, "multiValueHeaders": {"x-tag": ["1"]}}

    assert head("function-url", prelude).headers == [("content-type", "a/b")]


@every_streaming
@pytest.mark.parametrize(
    ("prelude", "problem"),
    [
        pytest.param({}, "statusCode: ", id="no status"),
        pytest.param({"statusCode": "200"}, "statusCode: ", id="a status that is text"),
        pytest.param({"statusCode": 200, "headers": ["a"]}, "headers: ", id="headers that are a list"),
        pytest.param({"statusCode": 200, "cookies": "a=b"}, "cookies: ", id="cookies that are text"),
        pytest.param({"statusCode": 200, "headers": {"a": "\r\n"}}, "headers.a: The value holds", id="a line break"),
        pytest.param({"statusCode": 200, "cookies": ["a\0"]}, "headers.set-cookie: The value holds", id="a NUL"),
        pytest.param([], "the reply: ", id="a list"),
    ],
)
def test_a_malformed_prelude_is_explained_by_its_field(name: str, prelude: Any, problem: str) -> None:
    with pytest.raises(MalformedReply, match=f"^{problem}"):
        head(name, prelude)
