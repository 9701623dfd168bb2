"""Rules for replies that several sources share: bodies as text or base64, header maps, cookies, JSON."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from lambda_web_adapter.events import base64_codec
from lambda_web_adapter.http.large_bodies import LARGE_BODY
from lambda_web_adapter.http.name_cache import NameCache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lambda_web_adapter.http.messages import Response

# Beginnings of media types that are never text. Their bodies are base64 even if the bytes happen to be valid UTF-8, as
# short ones may be, so that a client always gets a type in the same form.
_BINARY_TYPES = (
    "audio/",
    "font/",
    "image/",
    "video/",
    "application/gzip",
    "application/grpc",
    "application/msword",
    "application/octet-stream",
    "application/pdf",
    "application/protobuf",
    "application/vnd.ms-",
    "application/vnd.openxmlformats",
    "application/vnd.msgpack",
    "application/wasm",
    "application/x-msgpack",
    "application/x-protobuf",
    "application/zip",
)
_TEXT_EXCEPTIONS = ("image/svg+xml",)
# C0 controls other than TAB, LF and CR: JSON writes each as six bytes, base64 as one and a third.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_PLAIN = ("", "identity")  # content codings that leave text readable
_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")


def encode_body(response: Response) -> tuple[str, bool]:
    """Return a response's body as text for JSON: decoded if that is lossless, else as base64.

    Returns:
        The text, and whether it is base64.
    """
    if not response.body:
        return "", False
    text = _decode_losslessly(response)
    if text is None:
        return base64_codec.encode(response.body).decode(), True
    return text, False


def encode_reply(fields: dict[str, Any], response: Response) -> bytes:
    """Return a reply as JSON, with these fields and the response's body."""
    if len(response.body) < LARGE_BODY:
        body, is_base64 = encode_body(response)
        return encode_json(fields | {"body": body, "isBase64Encoded": is_base64})
    from lambda_web_adapter.events import large_bodies  # few functions need it

    kind = _text_type(response)
    not_in_text = None if kind is not None and kind.startswith(_TEXT_TYPES) else _CONTROLS
    return large_bodies.encode_large_reply(fields, response.body, may_be_text=kind is not None, not_in_text=not_in_text)


def _decode_losslessly(response: Response) -> str | None:
    kind = _text_type(response)
    if kind is None:
        return None
    try:
        text = response.body.decode()
    except UnicodeDecodeError:
        return None
    if kind.startswith(_TEXT_TYPES) or not _CONTROLS.search(text):
        return text
    return None


def _text_type(response: Response) -> str | None:
    """Return the media type of a body that may be text, empty if there is none; None if it is binary or compressed."""
    kind = coding = ""
    for name, value in response.headers:
        lower = name.lower()
        if lower == b"content-type":
            kind = kind or _TOKENS[value]
        elif lower == b"content-encoding":
            coding = coding or _TOKENS[value]
    return kind if coding in _PLAIN and _TEXT_BY_KIND[kind] else None


def _is_text_by_kind(kind: str) -> bool:
    return not kind.startswith(_BINARY_TYPES) or kind in _TEXT_EXCEPTIONS


_TEXT_BY_KIND: NameCache[str, bool] = NameCache(_is_text_by_kind)


def _token(value: bytes) -> str:
    return value.partition(b";")[0].strip().lower().decode("latin-1")


_TOKENS: NameCache[bytes, str] = NameCache(_token)


def media_type(response: Response) -> str:
    """Return the response's media type in lower case, without parameters; empty if there is none."""
    return next((_TOKENS[value] for name, value in response.headers if name.lower() == b"content-type"), "")


def decode_header(value: bytes) -> str:
    """Return a header's name or value as text: UTF-8, or Latin-1 if it is not UTF-8 (RFC 9110 §5.5)."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def header_lines(response: Response) -> Iterator[tuple[str, str, str]]:
    """Yield each header's name in lower case, its name as the app wrote it, and its value."""
    for name, value in response.headers:
        lower, spelled = _NAMES[name]
        yield lower, spelled, decode_header(value)


def _name(name: bytes) -> tuple[str, str]:
    spelled = decode_header(name)
    return spelled.lower(), spelled


_NAMES: NameCache[bytes, tuple[str, str]] = NameCache(_name)


def multi_value_headers(response: Response) -> dict[str, list[str]]:
    """Return the headers as a multi-value map, each name as the app first wrote it."""
    names: dict[str, list[str]] = {}
    headers: dict[str, list[str]] = {}
    for lower, spelled, value in header_lines(response):
        values = names.get(lower)
        if values is None:
            headers[spelled] = names[lower] = [value]
        else:
            values.append(value)
    return headers


def joined_headers(response: Response) -> tuple[dict[str, str], list[str]]:
    """Return a map with one value for each header, repeats joined by commas (RFC 9110 §5.3); and a list of cookies."""
    names: dict[str, str] = {}
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for lower, spelled, value in header_lines(response):
        if lower == "set-cookie":
            cookies.append(value)
        elif lower in names:
            headers[names[lower]] += f", {value}"
        else:
            names[lower] = spelled
            headers[spelled] = value
    return headers, cookies


def prelude(response: Response) -> bytes:
    """Return what precedes a streamed body: status, headers and cookies as JSON, and eight NUL bytes.

    It is the same for all sources that stream.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
    """
    headers, cookies = joined_headers(response)
    fields: dict[str, Any] = {"statusCode": response.status, "headers": headers}
    if cookies:
        fields["cookies"] = cookies
    return encode_json(fields) + bytes(8)


def single_value_headers(response: Response) -> dict[str, str]:
    """Return a map with one value for each header, repeats joined by commas (RFC 9110 §5.3).

    Cookies cannot be joined: each further `set-cookie` gets another spelling of the name, which is another key in the
    map, but the same header for a client. There are 512 spellings; any more cookies are dropped.
    """
    names: dict[str, str] = {}
    headers: dict[str, str] = {}
    spellings = _spellings("set-cookie")
    for lower, spelled, value in header_lines(response):
        if lower == "set-cookie":
            if name := next(spellings, None):
                headers[name] = value
        elif lower in names:
            headers[names[lower]] += f", {value}"
        else:
            names[lower] = spelled
            headers[spelled] = value
    return headers


def _spellings(name: str) -> Iterator[str]:
    """Yield a lower-case name in all spellings, beginning with the name itself."""
    letters = [index for index, char in enumerate(name) if char.isalpha()]
    for number in range(2 ** len(letters)):
        capitals = {index for bit, index in enumerate(letters) if number >> bit & 1}
        yield "".join([char.upper() if index in capitals else char for index, char in enumerate(name)])


_DESCRIPTIONS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def status_description(status: int) -> str:
    """Return a status with its reason phrase, in the form that load balancers require."""
    return _DESCRIPTIONS.get(status, str(status))


def encode_json(reply: dict[str, Any]) -> bytes:
    """Return a reply as JSON."""
    try:
        return orjson.dumps(reply)
    except TypeError:  # half of a surrogate pair, which can only come from the event
        return json.dumps(reply).encode("ascii")
