"""The example of this folder as it is, with a middleware around it that tells of each request, and fails when it is to.

The marker of an invocation comes along in its trace id. Its first word says what is to go wrong; each request is told
to the Runtime API by its marker, which can hold it there: then the app stands still in the middle of the request.
Beside the example there is /parts, whose body comes in parts; in the middle it can be held as well.
"""

from __future__ import annotations

import asyncio
import http.client
import importlib
import inspect
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from chaos.apps.parts import parts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    Message = dict[str, Any]
    Start = Callable[..., Callable[[bytes], object]]

# Spaces change no meaning: of JSON, of HTML, of text.
PADS = {"pads": b" " * 1_000_000, "bloats": b" " * 7_000_000}
RESIZED = {*PADS, "breaks", "exits"}
EXIT_CODE = 3


def tell(name: str) -> None:
    """Says that something has happened; returns when the Runtime API lets it go on."""
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        connection.request("GET", f"/test/{name}")
        connection.getresponse().read()
    finally:
        connection.close()


def marker_of(trace: str) -> tuple[str, str]:
    """The invocation's marker, and what is to go wrong."""
    marker = trace.removeprefix("Root=")
    return marker, marker.partition("-")[0]


def go_wrong(hook: str) -> None:
    """Ends the response in its middle, where that was asked for."""
    if hook == "exits":
        os._exit(EXIT_CODE)
    if hook == "breaks":
        raise RuntimeError("in the middle of the response")


def told_parts(trace: str, query: str) -> Iterator[bytes]:
    """The parts that are asked for; behind the first one, the middle is told."""
    asked = parse_qs(query)
    marker, _ = marker_of(trace)
    for index, part in enumerate(parts(marker, int(asked["number"][0]), int(asked["size"][0]))):
        if index == 1:
            tell(f"{marker}-middle")
        yield part


async def asgi_parts(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    trace = dict(scope["headers"])[b"x-amzn-trace-id"].decode()
    found = told_parts(trace, scope["query_string"].decode())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    while (part := await asyncio.to_thread(next, found, None)) is not None:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


def wsgi_parts(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", [("content-type", "text/plain")])
    return told_parts(environ["HTTP_X_AMZN_TRACE_ID"], environ["QUERY_STRING"])


class Asgi:
    def __init__(self, inner: Callable[..., Awaitable[None]]) -> None:
        self._inner = inner

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        marker, hook = marker_of(dict(scope["headers"])[b"x-amzn-trace-id"].decode())
        await asyncio.to_thread(tell, marker)
        if hook == "raises":
            raise RuntimeError("before the response")

        async def changed(message: Message) -> None:
            if hook in RESIZED and message["type"] == "http.response.start":
                message["headers"] = [field for field in message["headers"] if field[0].lower() != b"content-length"]
            elif hook in PADS and not message.get("more_body"):
                message["body"] = message.get("body", b"") + PADS[hook]
            elif hook in RESIZED:
                await send({**message, "more_body": True})
                go_wrong(hook)
            await send(message)

        inner = asgi_parts if scope["path"].endswith("/parts") else self._inner
        await inner(scope, receive, changed)
        if hook == "lingers":
            await asyncio.to_thread(tell, f"{marker}-after")


class Wsgi:
    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self._inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        marker, hook = marker_of(environ["HTTP_X_AMZN_TRACE_ID"])
        tell(marker)
        if hook == "raises":
            raise RuntimeError("before the response")

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            kept = [field for field in headers if hook not in RESIZED or field[0].lower() != "content-length"]
            return start_response(status, kept, *error)

        inner = wsgi_parts if environ["PATH_INFO"].endswith("/parts") else self._inner
        return Result(inner(environ, start), marker, hook)


class Result:
    """The example's response, and what goes wrong with it: on the way, or after its end."""

    def __init__(self, inner: Iterable[bytes], marker: str, hook: str) -> None:
        self._inner = inner
        self._marker = marker
        self._hook = hook

    def __iter__(self) -> Iterator[bytes]:
        for part in self._inner:
            yield part
            go_wrong(self._hook)
        if self._hook in PADS:
            yield PADS[self._hook]

    def close(self) -> None:
        close = getattr(self._inner, "close", None)
        if close:
            close()
        if self._hook == "lingers":
            tell(f"{self._marker}-after")


example = importlib.import_module("main").app
asynchronous = inspect.iscoroutinefunction(type(example).__call__)
app = Asgi(example) if asynchronous else Wsgi(example)
