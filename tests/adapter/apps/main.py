"""One app for the tests of the adapter, of both kinds: what it does is in the path, what it sees is in the reply.

It makes itself heard by calling /test/... of the Runtime API for tests, which can hold it there.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from telling import tell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

count = 0


def answer(method: str, path: str, query: str, headers: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
    """Does what the path says; returns status and body."""
    global count  # to show that the process lives on
    count += 1
    what, _, argument = path.strip("/").partition("/")
    if what == "exit":
        os._exit(int(argument))
    if what == "kill":
        signal.raise_signal(signal.Signals[argument])  # to this thread, which does not go on
    if what == "tell":
        tell(argument)
    if what == "bytes":
        return 200, b"x" * int(argument)
    if what == "echo":
        return 200, body
    if what == "digest":
        return 200, json.dumps(hashlib.sha256(body).hexdigest()).encode()
    if what == "print":
        sys.stdout.write(f"{argument}\n")
    seen = {
        "pid": os.getpid(),
        "count": count,
        "method": method,
        "path": path,
        "query": query,
        "headers": headers,
        "body": body.decode("utf-8", "surrogateescape"),
    }
    return int(argument) if what == "status" else 200, json.dumps(seen).encode()


def kind_of(path: str, headers: list[tuple[str, str]]) -> str:
    """The content type of a response: an echo has the request's."""
    return dict(headers)["content-type"] if path == "/echo" else "application/json"


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """The ASGI app; /after/NAME goes on after its response, as a background task does."""
    if scope["type"] == "lifespan":
        await receive()
        tell("startup")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        tell("shutdown")
        await send({"type": "lifespan.shutdown.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["path"].startswith(("/hold/", "/both/")):
        await _hold(scope["path"][6:])
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    status, content = answer(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, body)
    length = str(len(content)).encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", kind_of(scope["path"], headers).encode()), (b"content-length", length)],
        }
    )
    if scope["path"].startswith("/breaks-off"):
        await send({"type": "http.response.body", "body": content[:10], "more_body": True})
        raise RuntimeError("in the middle of the response")
    await send({"type": "http.response.body", "body": content})
    import asyncio  # a WSGI app does not need it, and it takes long

    for what in _afterwards(scope["path"]):
        await asyncio.to_thread(what)


async def _hold(name: str) -> None:
    """Stands still without keeping the event loop, and tells when it is cancelled."""
    import asyncio

    try:
        await asyncio.to_thread(tell, name)
    except asyncio.CancelledError:
        tell(f"{name}-cancelled")
        raise


def wsgi(environ: dict[str, Any], start_response: Callable[..., Callable[[bytes], object]]) -> Iterable[bytes]:
    """The WSGI app; the end of /after/NAME comes in the result's `close`."""
    headers = [
        (key.removeprefix("HTTP_").replace("_", "-").lower(), value)
        for key, value in environ.items()
        if key.startswith("HTTP_") or key == "CONTENT_TYPE"
    ]
    path = environ["PATH_INFO"]
    body = environ["wsgi.input"].read()
    if path.startswith(("/hold/", "/both/")):
        tell(path[6:])
        tell(f"{path[6:]}-over")
    status, content = answer(environ["REQUEST_METHOD"], path, environ["QUERY_STRING"], headers, body)
    start_response(f"{status} -", [("content-type", kind_of(path, headers)), ("content-length", str(len(content)))])
    return _Result(path, content)


class _Result:
    def __init__(self, path: str, content: bytes) -> None:
        self._path = path
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        if self._path.startswith("/breaks-off"):
            yield self._content[:10]
            raise RuntimeError("in the middle of the response")
        yield self._content

    def close(self) -> None:
        for what in _afterwards(self._path):
            what()


def _afterwards(path: str) -> list[Callable[[], None]]:
    what, _, argument = path.strip("/").partition("/")
    if what == "both":
        return [lambda: tell(f"{argument}-after")]
    if what == "after":
        return [lambda: tell(argument), lambda: tell(f"{argument}-ended")]
    return [lambda: os._exit(int(argument))] if what == "exit-after" else []


if os.environ.get("APP_IGNORES") == "SIGTERM":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal = lambda *_: None  # neither does the server get it
if os.environ.get("APP_RAISES_ON_START") and os.path.exists(os.environ["APP_RAISES_ON_START"]):
    raise ZeroDivisionError("the second start")
tell("import")
atexit.register(tell, "exit")
