"""The format of a streamed response: a prelude of JSON, eight zero bytes, and the body as it is.

Lambda's gateways read it where the content type says so. It is read here once for all tests, and strictly: no other
keys than the gateways take, and no value of another type.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"
SEPARATOR = bytes(8)
KEYS = {"statusCode", "headers", "cookies"}


@dataclass(frozen=True)
class StreamedReply:
    """What the client would get."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes


def split(data: bytes) -> tuple[bytes, bytes]:
    """Splits what was streamed into the prelude, as bytes, and what comes after the zero bytes.

    Raises:
        ValueError: there are no zero bytes.
    """
    head, found, payload = data.partition(SEPARATOR)
    if not found:
        raise ValueError(f"no prelude: {data[:200]!r}")
    return head, payload


def read_streamed(data: bytes) -> StreamedReply:
    """Reads a whole streamed response, as a gateway does."""
    head, payload = split(data)
    prelude: dict[str, Any] = json.loads(head)
    assert isinstance(prelude, dict), prelude
    assert prelude.keys() <= KEYS, prelude
    headers, cookies = prelude.get("headers", {}), prelude.get("cookies", [])
    assert isinstance(prelude["statusCode"], int)
    assert all(isinstance(value, str) for value in [*headers.values(), *cookies]), prelude
    assert "set-cookie" not in {name.lower() for name in headers}, prelude
    return StreamedReply(prelude["statusCode"], headers, cookies, payload)
