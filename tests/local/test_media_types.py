"""The local REST API's `binaryMediaTypes`: bodies of other types are text in both directions."""

from __future__ import annotations

import base64
import json

import pytest
from local.asking import request

from lambda_web_adapter.local.gateways import GatewayOptions, Response, build_gateway
from lambda_web_adapter.local.gateways.media_types import is_binary

PNG = b"\x89PNG\xff"
NONE: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("media_type", "types", "expected"),
    [
        pytest.param("image/png", ("image/png",), True, id="the same"),
        pytest.param("Image/PNG; q=1", ("image/png",), True, id="in capitals, with parameters"),
        pytest.param("image/png", ("image/*",), True, id="a wildcard"),
        pytest.param("text/plain", ("*/*",), True, id="all types"),
        pytest.param("*/*", ("image/png",), False, id="a client that accepts all"),
        pytest.param("image/*", ("image/png",), False, id="a client that accepts all images"),
        pytest.param("imagex/png", ("image/*",), False, id="another type"),
        pytest.param("image/png", NONE, False, id="no types"),
    ],
)
def test_a_type_is_binary_if_the_list_has_it(media_type: str, types: tuple[str, ...], expected: bool) -> None:
    assert is_binary(media_type, types) is expected


@pytest.mark.parametrize(
    ("types", "content_type", "body", "expected"),
    [
        pytest.param(("image/png",), "image/png", PNG, (base64.b64encode(PNG).decode(), True), id="in the list"),
        pytest.param(NONE, "image/png", PNG, ("\ufffdPNG\ufffd", False), id="not in the list: bytes are lost"),
        pytest.param(("*/*",), "text/plain", b"abc", ("YWJj", True), id="even text, if all types are binary"),
        pytest.param(("image/png",), None, b"abc", ("abc", False), id="no type counts as JSON"),
        pytest.param(("*/*",), "image/png", b"", (None, False), id="no body"),
    ],
)
def test_a_request_body_is_base64_only_for_types_in_the_list(
    types: tuple[str, ...], content_type: str | None, body: bytes, expected: tuple[str | None, bool]
) -> None:
    headers = [] if content_type is None else [("Content-Type", content_type)]
    gateway = build_gateway("rest-api", GatewayOptions(binary_media_types=types))

    found = json.loads(gateway.event(request("POST", headers=headers, body=body)).to_json())

    assert (found["body"], found["isBase64Encoded"]) == expected


def received(types: tuple[str, ...] | None, accept: str | None, is_base64: bool = True) -> bytes:
    reply = {
        "statusCode": 200,
        "multiValueHeaders": {"content-type": ["image/png"], "content-length": ["5"]},
        "body": base64.b64encode(PNG).decode() if is_base64 else "text",
        "isBase64Encoded": is_base64,
    }
    gateway = build_gateway("rest-api", GatewayOptions(binary_media_types=types))
    sent = request(headers=[] if accept is None else [("accept", accept)])
    return gateway.finish(gateway.response(json.dumps(reply).encode()), sent).body


@pytest.mark.parametrize(
    ("types", "accept", "is_decoded"),
    [
        pytest.param(None, "*/*", True, id="without the option all types are binary"),
        pytest.param(NONE, "image/png", False, id="no types"),
        pytest.param(("image/png",), "image/png", True, id="the client accepts it"),
        pytest.param(("image/png",), "image/png, */*", True, id="the client prefers it"),
        pytest.param(("image/png",), "text/html, image/png", False, id="only the first accepted type counts"),
        pytest.param(("image/png",), "*/*", False, id="curl"),
        pytest.param(("*/*",), "*/*", True, id="all types"),
        pytest.param(("image/png",), None, True, id="no Accept: the reply's type counts"),
    ],
)
def test_a_base64_reply_is_decoded_only_for_types_in_the_list(
    types: tuple[str, ...] | None, accept: str | None, is_decoded: bool
) -> None:
    assert received(types, accept) == (PNG if is_decoded else base64.b64encode(PNG))


def test_a_reply_of_text_is_the_same_whatever_the_list_has() -> None:
    assert received(NONE, "image/png", is_base64=False) == b"text"


def test_a_length_of_the_decoded_body_is_not_sent_with_base64() -> None:
    gateway = build_gateway("rest-api", GatewayOptions(binary_media_types=()))
    response = Response(status=200, headers=[("Content-Length", "5"), ("x-a", "b")], body=PNG, is_base64=True)

    assert gateway.finish(response, request()).headers == [("x-a", "b")]
