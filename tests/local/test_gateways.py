"""What holds for every local gateway."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from local.asking import event, request
from support.processes import PROJECT

from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.local.gateways import GATEWAYS, MalformedReply

every_gateway = pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in GATEWAYS])


def headers_of(found: dict[str, Any]) -> set[str]:
    """The names in any of an event's header maps, in lower case."""
    return {name.lower() for key in ("headers", "multiValueHeaders") for name in found.get(key) or {}}


def reply_with(name: str, headers: dict[str, str]) -> bytes:
    """A reply in whose headers a gateway looks."""
    if name == "alb-multi":
        return json.dumps({"statusCode": 200, "multiValueHeaders": {key: [headers[key]] for key in headers}}).encode()
    return json.dumps({"statusCode": 200, "headers": headers}).encode()


def test_every_gateway_can_be_named_in_the_words() -> None:
    assert tuple(GATEWAYS) == EVENT_SOURCES


def test_every_gateway_is_described() -> None:
    page = (PROJECT / "docs" / "gateways.md").read_text()
    table = page.split("\n## How each gateway makes an event\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([a-z][a-z0-9-]*)`", table, re.MULTILINE)

    assert tuple(rows) == EVENT_SOURCES


@every_gateway
@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        pytest.param([("content-type", "text/plain")], b"abc", ("abc", False), id="text"),
        pytest.param([("Content-Type", "Application/JSON")], b"{}", ("{}", False), id="JSON in capitals"),
        pytest.param([("content-type", "text/plain")], "ö".encode(), ("ö", False), id="UTF-8"),
        pytest.param([("content-type", "text/plain")], b"\xf6", ("9g==", True), id="text that is not UTF-8"),
        pytest.param([("content-type", "image/png")], b"abc", ("YWJj", True), id="an image"),
        pytest.param([], b"abc", ("YWJj", True), id="no type"),
        pytest.param(
            [("content-type", "text/plain"), ("content-encoding", "gzip")], b"abc", ("YWJj", True), id="compressed"
        ),
    ],
)
def test_a_body_travels_as_text_or_base64(
    name: str, headers: list[tuple[str, str]], body: bytes, expected: tuple[str, bool]
) -> None:
    found = event(name, request("POST", headers=headers, body=body))

    flag = found["is_base64_encoded" if name == "vpc-lattice-v1" else "isBase64Encoded"]
    assert (found["body"], flag) == expected


@every_gateway
def test_no_body_is_not_base64(name: str) -> None:
    found = event(name, request("POST", headers=[("content-type", "image/png")]))

    assert not found.get("body")
    assert not found["is_base64_encoded" if name == "vpc-lattice-v1" else "isBase64Encoded"]


@every_gateway
def test_headers_for_the_next_hop_only_are_not_passed_on(name: str) -> None:
    hop_by_hop = ["Connection", "keep-alive", "TE", "trailer", "transfer-encoding", "upgrade", "proxy-connection"]

    found = event(name, request(headers=[("x-tag", "1"), *((header, "a") for header in hop_by_hop)]))

    assert "x-tag" in headers_of(found)
    assert headers_of(found) & {header.lower() for header in hop_by_hop} == set()


@every_gateway
def test_headers_for_the_next_hop_only_do_not_come_back(name: str) -> None:
    found = GATEWAYS[name].response(reply_with(name, {"x-tag": "1", "Transfer-Encoding": "chunked", "connection": "a"}))

    assert [header for header in found.headers if header[0] != "content-type"] == [("x-tag", "1")]


@every_gateway
def test_an_event_is_the_same_for_the_same_request(name: str) -> None:
    """Time and id come with the request."""
    assert event(name, request("POST", "/a", "b=c")) == event(name, request("POST", "/a", "b=c"))


@every_gateway
@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        pytest.param({"x-a": "1\r\nset-cookie: b"}, "headers.x-a: The value holds a line break or a NUL", id="lines"),
        pytest.param({"x-a": "\0"}, "headers.x-a: The value holds a line break or a NUL", id="a NUL"),
        pytest.param({"x a": "1"}, "headers: 'x a' is not a header's name", id="a name with a space"),
        pytest.param({"ö": "1"}, "headers: 'ö' is not a header's name", id="a name outside ASCII"),
        pytest.param({"": "1"}, "headers: '' is not a header's name", id="no name"),
    ],
)
def test_a_header_that_cannot_be_sent_is_malformed(name: str, headers: dict[str, str], problem: str) -> None:
    with pytest.raises(MalformedReply) as raised:
        GATEWAYS[name].response(reply_with(name, headers))

    assert str(raised.value) == problem


@every_gateway
@pytest.mark.parametrize(
    "body",
    [
        pytest.param("a", id="cut off"),
        pytest.param("a b=", id="a space in it"),
        pytest.param("ö", id="outside ASCII"),
    ],
)
def test_a_body_that_is_not_base64_is_malformed(name: str, body: str) -> None:
    reply = {"statusCode": 200, "body": body, "isBase64Encoded": True}

    with pytest.raises(MalformedReply, match=r"^body: "):
        GATEWAYS[name].response(json.dumps(reply).encode())


@every_gateway
@pytest.mark.parametrize(
    ("reply", "field"),
    [
        pytest.param({"statusCode": 0}, "statusCode", id="a status of zero"),
        pytest.param({"statusCode": 600}, "statusCode", id="a status too high"),
        pytest.param({"statusCode": "200"}, "statusCode", id="a status that is text"),
        pytest.param({"statusCode": 200.5}, "statusCode", id="a status that is a fraction"),
        pytest.param({"statusCode": 200, "body": {"a": 1}}, "body", id="a body of fields"),
        pytest.param({"statusCode": 200, "isBase64Encoded": "false"}, "isBase64Encoded", id="a flag that is text"),
        pytest.param({"statusCode": 200, "headers": ["a"]}, "headers", id="headers that are a list"),
    ],
)
def test_a_malformed_reply_is_explained_by_its_field(name: str, reply: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedReply, match=f"^{field}: "):
        GATEWAYS[name].response(json.dumps(reply).encode())


@every_gateway
def test_every_byte_can_come_back(name: str) -> None:
    body = bytes(range(256))
    reply = {"statusCode": 200, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}

    assert GATEWAYS[name].response(json.dumps(reply).encode()).body == body
