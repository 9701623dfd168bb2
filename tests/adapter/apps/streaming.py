"""An app that sends its responses part by part, of each kind; as a command, it serves them in chunks.

It makes itself heard by calling /test/... of the fake Runtime API, which can hold it there.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

BLOCK = bytes(range(256)) * 256  # 64 KiB, no text


def tell(name: str) -> None:
    """Says to the test that something has happened; returns when the test lets it go on."""
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        connection.request("GET", f"/test/{name}")
        connection.getresponse().read()
    finally:
        connection.close()


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
    if scope["path"] == "/waits":
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


class Handler(BaseHTTPRequestHandler):
    """The command's; it sends its heads at once."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # the name that http.server calls
        path, _, query = self.path.partition("?")
        status, headers = head(path, query)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        bodiless = self.command == "HEAD" or status in (204, 304)
        if not bodiless:
            self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        if path.startswith("/late/"):
            tell("head")
        for part in parts(path):
            if not bodiless:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        if not bodiless:
            self.wfile.write(b"0\r\n\r\n")

    do_HEAD = do_POST = do_GET  # noqa: N815  # the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server has
        """Nothing is logged."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)
