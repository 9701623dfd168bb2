"""Read a request's body and send a response, for the two ASGI apps of the local run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable

# Statuses without a body; 204 has no content-length either (RFC 9110 §8.6).
NO_CONTENT = 204
WITHOUT_BODY = (NO_CONTENT, 304)


class ClientDisconnected(Exception):
    """The connection ended before the whole body had come."""


class BodyTooLarge(Exception):
    """The body is larger than the limit."""


async def read_body(receive: ASGIReceiveCallable, max_bytes: int | None = None) -> bytes:
    """Return the whole body.

    Args:
        receive: the request's `receive`.
        max_bytes: the limit, if there is one.

    Raises:
        ClientDisconnected: the connection ended first.
        BodyTooLarge: the body has more than `max_bytes`.
    """
    parts, size, more_body = [], 0, True
    while more_body:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnected
        part = message.get("body", b"")
        size += len(part)
        if max_bytes is not None and size > max_bytes:
            raise BodyTooLarge
        parts.append(part)
        more_body = message.get("more_body", False)
    return b"".join(parts)


def encode_headers(pairs: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return headers in ASGI's form."""
    return [(name.lower().encode("latin-1"), value.encode("utf-8")) for name, value in pairs]


async def send_response(
    send: ASGISendCallable, status: int, headers: Mapping[str, str] | Iterable[tuple[str, str]], body: bytes | None
) -> None:
    """Send a response, with its length unless the headers have one; for a response to HEAD, the body is None."""
    pairs = list(headers.items() if hasattr(headers, "items") else headers)
    if status == NO_CONTENT:
        pairs = [pair for pair in pairs if pair[0].lower() != "content-length"]
    elif (
        body is not None
        and status not in WITHOUT_BODY
        and not any(name.lower() == "content-length" for name, _ in pairs)
    ):
        pairs.append(("content-length", str(len(body))))
    await send({"type": "http.response.start", "status": status, "headers": encode_headers(pairs), "trailers": False})
    await send({"type": "http.response.body", "body": body or b"", "more_body": False})


async def send_json(send: ASGISendCallable, status: int, document: dict[str, Any]) -> None:
    """Send a response with a JSON document."""
    await send_response(send, status, {"content-type": "application/json"}, orjson.dumps(document))
