"""The reply to a load balancer: which of the header maps it reads is seen from the event."""

import json

import pytest
from fixtures.loading import fixture

from events.replies import Headers, reply_of, response
from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.settings import Settings

BOTH = pytest.mark.parametrize(
    "folder", [pytest.param("alb_single", id="single value"), pytest.param("alb_multi", id="multi value")]
)


def test_a_reply_in_single_values_has_headers_and_no_multi_value_headers() -> None:
    given = response(201, [(b"content-type", b"application/json"), (b"location", b"/seeds/7")], b'{"id":7}')

    assert reply_of("alb_single", given) == {
        "statusCode": 201,
        "statusDescription": "201 Created",
        "headers": {"content-type": "application/json", "location": "/seeds/7"},
        "body": '{"id":7}',
        "isBase64Encoded": False,
    }


def test_a_reply_in_multi_values_has_multi_value_headers_and_no_headers() -> None:
    given = response(200, [(b"content-type", b"image/png"), (b"vary", b"a"), (b"Vary", b"b")], b"\x89PNG\r\n\x1a\n")

    assert reply_of("alb_multi", given) == {
        "statusCode": 200,
        "statusDescription": "200 OK",
        "multiValueHeaders": {"content-type": ["image/png"], "vary": ["a", "b"]},
        "body": "iVBORw0KGgo=",
        "isBase64Encoded": True,
    }


def test_an_event_whose_multi_value_map_is_null_takes_single_values() -> None:
    event = fixture("alb_single", "null_maps").event

    assert json.loads(find_source(event).build_reply(response(204), event)) == {
        "statusCode": 204,
        "statusDescription": "204 No Content",
        "body": "",
        "isBase64Encoded": False,
        "headers": {},
    }


def test_an_event_whose_single_maps_are_null_takes_multi_values() -> None:
    event = fixture("alb_multi", "null_single_maps").event

    assert json.loads(find_source(event).build_reply(response(204), event)) == {
        "statusCode": 204,
        "statusDescription": "204 No Content",
        "body": "",
        "isBase64Encoded": False,
        "multiValueHeaders": {},
    }


@BOTH
@pytest.mark.parametrize(
    ("status", "description"),
    [
        pytest.param(200, "200 OK", id="200"),
        pytest.param(304, "304 Not Modified", id="304"),
        pytest.param(418, "418 I'm a Teapot", id="418"),
        pytest.param(503, "503 Service Unavailable", id="503"),
        pytest.param(299, "299", id="an unknown status"),
        pytest.param(599, "599", id="an unknown error"),
    ],
)
def test_the_status_is_described(folder: str, status: int, description: str) -> None:
    reply = reply_of(folder, response(status))

    assert (reply["statusCode"], reply["statusDescription"]) == (status, description)


@pytest.mark.parametrize(
    ("headers", "written"),
    [
        pytest.param(
            [(b"vary", b"accept"), (b"VARY", b"cookie")],
            {"vary": "accept, cookie"},
            id="a repeated header in different cases",
        ),
        pytest.param([(b"X-CuStOm", b"1")], {"X-CuStOm": "1"}, id="a name as the app wrote it"),
        pytest.param([(b"Set-Cookie", b"a=1")], {"set-cookie": "a=1"}, id="one cookie"),
        pytest.param(
            [(b"set-cookie", b"a=1"), (b"x-a", b"1"), (b"set-cookie", b"b=2"), (b"set-cookie", b"c=3")],
            {"set-cookie": "a=1", "x-a": "1", "Set-cookie": "b=2", "sEt-cookie": "c=3"},
            id="cookies, each under another spelling",
        ),
        pytest.param([(b"x-name", "Möhre ☕".encode())], {"x-name": "Möhre ☕"}, id="a value in UTF-8"),
        pytest.param([(b"x-name", b"M\xf6hre")], {"x-name": "Möhre"}, id="a value in latin-1"),
    ],
)
def test_each_name_has_one_value_in_single_values(headers: Headers, written: dict[str, str]) -> None:
    assert reply_of("alb_single", response(headers=headers))["headers"] == written


@pytest.mark.parametrize(
    ("headers", "written"),
    [
        pytest.param(
            [(b"set-cookie", b"a=1"), (b"Set-Cookie", b"b=2")], {"set-cookie": ["a=1", "b=2"]}, id="two cookies"
        ),
        pytest.param([(b"x-name", "Möhre ☕".encode())], {"x-name": ["Möhre ☕"]}, id="a value in UTF-8"),
        pytest.param([(b"x-name", b"M\xf6hre")], {"x-name": ["Möhre"]}, id="a value in latin-1"),
    ],
)
def test_each_header_line_is_one_value_in_multi_values(headers: Headers, written: dict[str, list[str]]) -> None:
    assert reply_of("alb_multi", response(headers=headers))["multiValueHeaders"] == written


def test_five_hundred_and_twelve_cookies_fit_into_single_values() -> None:
    headers = [(b"set-cookie", b"cookie%d=1" % number) for number in range(512)]

    written = reply_of("alb_single", response(headers=headers))["headers"]

    assert list(written.values()) == [f"cookie{number}=1" for number in range(512)]
    assert {name.lower() for name in written} == {"set-cookie"}


def test_a_cookie_for_which_no_spelling_is_left_is_dropped_and_nothing_else_is() -> None:
    headers = [*((b"set-cookie", b"cookie%d=1" % number) for number in range(513)), (b"x-last", b"1")]

    written = reply_of("alb_single", response(headers=headers))["headers"]

    assert len(written) == 513
    assert "cookie512=1" not in written.values()
    assert written["x-last"] == "1"


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        pytest.param("203.0.113.9, 198.51.100.7:43210", "198.51.100.7", id="with a port"),
        pytest.param("[2001:db8::7]:43210", "2001:db8::7", id="IPv6 with a port"),
        pytest.param("2001:db8::7", "2001:db8::7", id="IPv6 without"),
    ],
)
def test_client_port_preservation_does_not_become_part_of_the_address(hops: str, client: str) -> None:
    event = {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/", "headers": {"x-forwarded-for": hops}}

    assert build_request(find_source(event), event, Settings(), b"").client == client
