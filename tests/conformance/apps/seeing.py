"""Apps of both kinds that say what they see of a request: in a header, since a response to HEAD has no body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def asgi(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """The ASGI app; the path without the root path, which the specification has in front of it."""
    if scope["type"] == "lifespan":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    assert scope["path"].startswith(scope["root_path"])
    seen = {
        "method": scope["method"],
        "path": scope["path"].removeprefix(scope["root_path"]),
        "root_path": scope["root_path"],
        "whole_raw_path": scope["raw_path"].decode("ascii"),
        "raw_query": scope["query_string"].decode("ascii"),
        "client": scope["client"][0] if scope["client"] else "",
        "scheme": scope["scheme"],
        "body": body.hex(),
    }
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-seen", json.dumps(seen).encode())]})
    await send({"type": "http.response.body", "body": b""})


def wsgi(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    """The WSGI app; what is text there are bytes, spelled as Latin-1 (PEP 3333)."""
    seen = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"].encode("latin-1").decode(),
        "root_path": environ["SCRIPT_NAME"].encode("latin-1").decode(),
        "whole_raw_path": environ["REQUEST_URI"].partition("?")[0],
        "raw_query": environ["QUERY_STRING"],
        "client": environ.get("REMOTE_ADDR", ""),
        "scheme": environ["wsgi.url_scheme"],
        "body": environ["wsgi.input"].read().hex(),
    }
    start_response("200 OK", [("x-seen", json.dumps(seen)), ("content-length", "0")])
    return []
