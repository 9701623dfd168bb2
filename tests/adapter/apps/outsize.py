"""An app whose responses are larger than any source takes: `/KIND/MEGABYTES`. It tells whether it has sent all of one.

KIND is `text`; `random`; `noise`, the same as text; `length`, text whose length is said; or `status`, text with a 400.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from telling import tell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

MEGABYTE = 1024 * 1024
NOISE = os.urandom(MEGABYTE)


def head(kind: str, megabytes: int) -> tuple[int, list[tuple[str, str]]]:
    headers = [("content-type", "application/octet-stream" if kind == "random" else "text/plain")]
    if kind == "length":
        headers.append(("content-length", str(megabytes * MEGABYTE)))
    return (400 if kind == "status" else 200), headers


def parts(kind: str, megabytes: int) -> Generator[bytes, None, None]:
    whole = False
    try:
        for number in range(megabytes):
            yield NOISE[number:] + NOISE[:number] if kind in ("random", "noise") else b"x" * MEGABYTE
        whole = True
    finally:
        tell("whole" if whole else "cut")


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    kind, megabytes = asked(scope["path"])
    status, headers = head(kind, megabytes)
    raw = [(name.encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    found = parts(kind, megabytes)
    try:
        for part in found:
            await send({"type": "http.response.body", "body": part, "more_body": True})
    except OSError:
        found.close()
        raise
    await send({"type": "http.response.body"})


def wsgi(
    environ: dict[str, Any], start_response: Callable[..., Callable[[bytes], object]]
) -> Generator[bytes, None, None]:
    kind, megabytes = asked(environ["PATH_INFO"])
    status, headers = head(kind, megabytes)
    start_response(f"{status} ", headers)
    return parts(kind, megabytes)


def asked(path: str) -> tuple[str, int]:
    _, kind, megabytes = path.split("/") if path.count("/") == 2 else ("", "text", "0")
    return kind, int(megabytes)
