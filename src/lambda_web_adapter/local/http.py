"""Reading a request's body and sending an answer, for the two ASGI apps of the local run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable

# These have no body, and no length of one (RFC 9110 §8.6).
WITHOUT_BODY = (204, 304)


async def read_body(receive: ASGIReceiveCallable) -> bytes:
    """Reads the whole body; what is left of one whose sender has gone is empty."""
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def answer(
    send: ASGISendCallable, status: int, headers: Mapping[str, str] | Iterable[tuple[str, str]], body: bytes
) -> None:
    """Sends an answer, with its length unless the headers say one."""
    pairs = list(headers.items() if hasattr(headers, "items") else headers)
    if status not in WITHOUT_BODY and not any(name.lower() == "content-length" for name, _ in pairs):
        pairs.append(("content-length", str(len(body))))
    raw = [(name.lower().encode("latin-1"), value.encode("utf-8")) for name, value in pairs]
    await send({"type": "http.response.start", "status": status, "headers": raw, "trailers": False})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def answer_json(send: ASGISendCallable, status: int, document: dict[str, Any]) -> None:
    """Sends a JSON document."""
    await answer(send, status, {"content-type": "application/json"}, orjson.dumps(document))
