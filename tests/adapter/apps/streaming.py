"""Apps of both kinds that send their responses part by part; `streaming_command` serves the same.

It makes itself heard by calling /test/... of the Runtime API for tests, which can hold it there.
"""

from __future__ import annotations

import os
import signal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from telling import tell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

BLOCK = bytes(range(256)) * 256  # 64 KiB, no text


def head(path: str, query: str) -> tuple[int, list[tuple[str, str]]]:
    """The status and the headers of a response; the query has more of them."""
    what, _, argument = path.strip("/").partition("/")
    status = int(argument) if what in ("empty", "status", "without-end") else 200
    headers = [(name, value) for name, values in parse_qs(query).items() for value in values]
    if "content-type" not in dict(headers):
        headers.append(("content-type", "text/plain"))
    return status, headers


def parts(path: str) -> Iterator[bytes]:
    """The parts of a body, each as late as the test wants it."""
    what, _, argument = path.strip("/").partition("/")
    if what == "blocks":
        yield from blocks(int(argument))
    elif what == "without-end":
        while True:
            yield BLOCK
    elif what != "empty":
        yield b"one"
        tell("two")
        do(what)
        yield b"two"
        tell("three")
        yield b"three"


def blocks(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield BLOCK
        if number % 16 == 0:
            tell("block")


def do(what: str) -> None:
    """Does what happens in the middle."""
    if what == "exits":
        os._exit(7)
    if what == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "raises":
        raise RuntimeError("in the middle of the response")
    if what == "hangs":
        tell("hanging")


async def waiting() -> AsyncIterator[bytes]:
    import asyncio  # only for ASGI, as it takes long

    yield b"one"
    await asyncio.Event().wait()


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """The ASGI app."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    import asyncio

    if scope["path"] == "/waits":
        from starlette.responses import StreamingResponse  # it takes long

        await StreamingResponse(waiting())(scope, receive, send)  # type: ignore[arg-type]  # ours is narrower
        return
    status, headers = head(scope["path"], scope["query_string"].decode("ascii"))
    raw = [(name.encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    found = parts(scope["path"])
    while (part := await asyncio.to_thread(next, found, None)) is not None:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


def wsgi(environ: dict[str, Any], start_response: Callable[..., Callable[[bytes], object]]) -> Iterator[bytes]:
    """The WSGI app."""
    status, headers = head(environ["PATH_INFO"], environ["QUERY_STRING"])
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return parts(environ["PATH_INFO"])
