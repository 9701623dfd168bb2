"""Replies, read as the services read them, and no other keys than they take."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.streamed_format import read_streamed

if TYPE_CHECKING:
    import httpx
    from support.rie import StreamedPayload

SINGLE = {"statusCode", "headers", "body", "isBase64Encoded"}
MULTI = {"statusCode", "multiValueHeaders", "body", "isBase64Encoded"}
KEYS = {
    "rest-api": MULTI,
    "http-api-1.0": MULTI,
    "http-api-2.0": SINGLE | {"cookies"},
    "function-url": SINGLE | {"cookies"},
    "alb": SINGLE | {"statusDescription"},
    "alb-multi": MULTI | {"statusDescription"},
}


@dataclass(frozen=True)
class Reply:
    """What the client would get, and whether the body came as base64."""

    status: int
    headers: dict[str, list[str]]
    cookies: list[str]
    body: bytes
    is_base64: bool

    @property
    def text(self) -> str:
        assert not self.is_base64
        return self.body.decode()


def read_reply(source: str, response: httpx.Response) -> Reply:
    """Reads what the emulator has answered; the keys must be those of the source."""
    assert response.status_code == 200, response.text
    assert "x-amz-function-error" not in response.headers, response.text  # AWS's emulator never sends it
    document: dict[str, Any] = response.json()
    keys = KEYS[source] - ({"cookies"} - document.keys())
    assert document.keys() == keys, document
    if source.startswith("alb"):
        assert document["statusDescription"].startswith(f"{document['statusCode']} ")
    headers = _headers(document)
    cookies = headers.pop("set-cookie", []) + document.get("cookies", [])
    body = document["body"]
    is_base64 = document["isBase64Encoded"]
    content = base64.b64decode(body, validate=True) if is_base64 else body.encode()
    return Reply(document["statusCode"], headers, cookies, content, is_base64)


def read_streamed_reply(payload: StreamedPayload) -> Reply:
    """Reads what the emulator has passed on of a streamed response, which is all of it, as it came."""
    reply = read_streamed(payload.content)
    return Reply(reply.status, _headers({"headers": reply.headers}), reply.cookies, reply.body, is_base64=False)


def _headers(document: dict[str, Any]) -> dict[str, list[str]]:
    """Values by name in lower case; a map of single values may have one name in several spellings."""
    found: dict[str, list[str]] = {}
    for name, values in document.get("multiValueHeaders", {}).items():
        assert isinstance(values, list)
        found.setdefault(name.lower(), []).extend(values)
    for name, value in document.get("headers", {}).items():
        assert isinstance(value, str)
        found.setdefault(name.lower(), []).append(value)
    return found
