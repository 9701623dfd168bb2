"""Reading a request's body and sending an answer, for the two ASGI apps of the local run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable

# These have no body, and the first of them no length of one in any case (RFC 9110 §8.6).
NO_CONTENT = 204
WITHOUT_BODY = (NO_CONTENT, 304)


class ClientDisconnected(Exception):
    """The connection ended before the body did."""


class BodyTooLarge(Exception):
    """The body has more bytes than may come; no more than those were kept."""


async def read_body(receive: ASGIReceiveCallable, max_bytes: int | None = None) -> bytes:
    """Reads the whole body.

    Args:
        receive: where it comes from.
        max_bytes: how many bytes may come, if there is a limit.

    Raises:
        ClientDisconnected: it did not come whole.
        BodyTooLarge: more came.
    """
    parts, size, has_more = [], 0, True
    while has_more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnected
        part = message.get("body", b"")
        size += len(part)
        if max_bytes is not None and size > max_bytes:
            raise BodyTooLarge
        parts.append(part)
        has_more = message.get("more_body", False)
    return b"".join(parts)


def encode_headers(pairs: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Writes header lines as ASGI has them."""
    return [(name.lower().encode("latin-1"), value.encode("utf-8")) for name, value in pairs]


async def send_response(
    send: ASGISendCallable, status: int, headers: Mapping[str, str] | Iterable[tuple[str, str]], body: bytes | None
) -> None:
    """Sends an answer, with its length unless the headers say one; None is the body of an answer to HEAD."""
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
    """Sends a JSON document."""
    await send_response(send, status, {"content-type": "application/json"}, orjson.dumps(document))
