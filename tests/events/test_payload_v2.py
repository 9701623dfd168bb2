"""The reply to payload 2.0, from an HTTP API and from a function URL: one value for each name, and cookies apart."""

import pytest

from events.replies import Headers, reply_of, response

BOTH = pytest.mark.parametrize(
    "folder", [pytest.param("http_api_v2", id="HTTP API"), pytest.param("function_url", id="function URL")]
)


@BOTH
def test_a_reply_has_a_status_headers_and_a_body(folder: str) -> None:
    given = response(201, [(b"content-type", b"application/json"), (b"location", b"/seeds/7")], b'{"id":7}')

    assert reply_of(folder, given) == {
        "statusCode": 201,
        "headers": {"content-type": "application/json", "location": "/seeds/7"},
        "body": '{"id":7}',
        "isBase64Encoded": False,
    }


@BOTH
def test_a_binary_body_is_marked_as_base64(folder: str) -> None:
    assert reply_of(folder, response(200, [(b"content-type", b"image/png")], b"\x89PNG\r\n\x1a\n")) == {
        "statusCode": 200,
        "headers": {"content-type": "image/png"},
        "body": "iVBORw0KGgo=",
        "isBase64Encoded": True,
    }


@BOTH
@pytest.mark.parametrize("status", [pytest.param(204, id="204"), pytest.param(304, id="304")])
def test_a_reply_without_a_body_has_a_status_all_the_same(folder: str, status: int) -> None:
    assert reply_of(folder, response(status)) == {
        "statusCode": status,
        "headers": {},
        "body": "",
        "isBase64Encoded": False,
    }


@BOTH
def test_cookies_stand_apart_in_their_order(folder: str) -> None:
    headers = [
        (b"set-cookie", b"a=1; Path=/"),
        (b"x-a", b"1"),
        (b"Set-Cookie", b"b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT"),
        (b"set-cookie", b"a=3"),
    ]

    assert reply_of(folder, response(headers=headers)) == {
        "statusCode": 200,
        "headers": {"x-a": "1"},
        "cookies": ["a=1; Path=/", "b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT", "a=3"],
        "body": "",
        "isBase64Encoded": False,
    }


@BOTH
@pytest.mark.parametrize(
    ("headers", "written"),
    [
        pytest.param(
            [(b"vary", b"accept"), (b"etag", b'"1"'), (b"vary", b"cookie")],
            {"vary": "accept, cookie", "etag": '"1"'},
            id="a repeated header",
        ),
        pytest.param(
            [(b"WWW-Authenticate", b"Basic"), (b"www-authenticate", b"Bearer"), (b"Www-Authenticate", b"Digest")],
            {"WWW-Authenticate": "Basic, Bearer, Digest"},
            id="a repeated header in different cases",
        ),
        pytest.param([(b"X-CuStOm", b"1")], {"X-CuStOm": "1"}, id="a name as the app wrote it"),
        pytest.param([(b"x-empty", b"")], {"x-empty": ""}, id="an empty value"),
        pytest.param([(b"x-name", "Möhre ☕".encode())], {"x-name": "Möhre ☕"}, id="a value in UTF-8"),
        pytest.param([(b"x-name", b"M\xf6hre")], {"x-name": "Möhre"}, id="a value in latin-1"),
    ],
)
def test_each_name_has_one_value(folder: str, headers: Headers, written: dict[str, str]) -> None:
    assert reply_of(folder, response(headers=headers))["headers"] == written


@BOTH
def test_the_length_that_answers_a_head_request_is_kept(folder: str) -> None:
    assert reply_of(folder, response(headers=[(b"content-length", b"1234")])) == {
        "statusCode": 200,
        "headers": {"content-length": "1234"},
        "body": "",
        "isBase64Encoded": False,
    }
