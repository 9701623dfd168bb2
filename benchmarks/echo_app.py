"""Respond with what identifies a request, after a moment in which others come: `concurrent_invocations.py` uses it."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HEADERS = (b"x-marker", b"x-amzn-trace-id", b"x-amz-tenant-id")


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Handle a request."""
    if scope["type"] == "lifespan":
        return
    body = (await receive())["body"]
    await asyncio.sleep(random.random() / 500)  # noqa: S311  # not a secret
    headers = dict(scope["headers"])
    values = {name.decode(): headers.get(name, b"").decode() for name in HEADERS}
    document = json.dumps({**values, "path": scope["path"], "body": body.decode()}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": document})
