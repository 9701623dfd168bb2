"""The reply to a REST API, and to payload 1.0: every header stands in the multi-value map."""

import pytest

from events.replies import Headers, reply_of, response

BOTH = pytest.mark.parametrize(
    "folder", [pytest.param("rest_api", id="REST API"), pytest.param("http_api_v1", id="HTTP API 1.0")]
)


@BOTH
def test_a_reply_has_a_status_multi_value_headers_and_a_body(folder: str) -> None:
    given = response(201, [(b"content-type", b"application/json"), (b"location", b"/seeds/7")], b'{"id":7}')

    assert reply_of(folder, given) == {
        "statusCode": 201,
        "multiValueHeaders": {"content-type": ["application/json"], "location": ["/seeds/7"]},
        "body": '{"id":7}',
        "isBase64Encoded": False,
    }


@BOTH
def test_a_binary_body_is_marked_as_base64(folder: str) -> None:
    assert reply_of(folder, response(200, [(b"content-type", b"image/png")], b"\x89PNG\r\n\x1a\n")) == {
        "statusCode": 200,
        "multiValueHeaders": {"content-type": ["image/png"]},
        "body": "iVBORw0KGgo=",
        "isBase64Encoded": True,
    }


@BOTH
def test_no_content_type_is_invented(folder: str) -> None:
    assert reply_of(folder, response(204)) == {
        "statusCode": 204,
        "multiValueHeaders": {},
        "body": "",
        "isBase64Encoded": False,
    }


@BOTH
@pytest.mark.parametrize(
    ("headers", "written"),
    [
        pytest.param(
            [(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT")],
            {"set-cookie": ["a=1; Path=/", "b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT"]},
            id="two cookies",
        ),
        pytest.param(
            [(b"vary", b"accept"), (b"etag", b'"1"'), (b"vary", b"cookie")],
            {"vary": ["accept", "cookie"], "etag": ['"1"']},
            id="a repeated header",
        ),
        pytest.param(
            [(b"Vary", b"accept"), (b"VARY", b"cookie")],
            {"Vary": ["accept", "cookie"]},
            id="a repeated header in different cases",
        ),
        pytest.param([(b"X-CuStOm", b"1")], {"X-CuStOm": ["1"]}, id="a name as the app wrote it"),
        pytest.param([(b"x-empty", b"")], {"x-empty": [""]}, id="an empty value"),
        pytest.param([(b"x-name", "Möhre ☕".encode())], {"x-name": ["Möhre ☕"]}, id="a value in UTF-8"),
        pytest.param([(b"x-name", b"M\xf6hre")], {"x-name": ["Möhre"]}, id="a value in latin-1"),
    ],
)
def test_each_header_line_is_one_value(folder: str, headers: Headers, written: dict[str, list[str]]) -> None:
    assert reply_of(folder, response(headers=headers))["multiValueHeaders"] == written


@BOTH
def test_the_length_that_answers_a_head_request_is_kept(folder: str) -> None:
    assert reply_of(folder, response(headers=[(b"content-length", b"1234")])) == {
        "statusCode": 200,
        "multiValueHeaders": {"content-length": ["1234"]},
        "body": "",
        "isBase64Encoded": False,
    }
