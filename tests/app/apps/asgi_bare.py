"""A bare ASGI app with a small app for each case, by the first segment of the path without the prefix."""

import asyncio
import atexit
import json
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SECONDS = 20.0

_APPS: dict[str, App] = {}
_gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

atexit.register(sys.stdout.write, "at exit\n")


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(scope, receive, send)
        return
    name = scope["path"].removeprefix(scope["root_path"]).split("/")[1]
    await _APPS[name](scope, receive, send)


async def _lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    sys.stdout.write(f"{(await receive())['type']}\n")
    scope["state"]["opened"] = "by the lifespan"
    await send({"type": "lifespan.startup.complete"})
    sys.stdout.write(f"{(await receive())['type']}\n")
    await send({"type": "lifespan.shutdown.complete"})


def case(served: App) -> App:
    _APPS[served.__name__] = served
    return served


def _rest(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(scope["root_path"]).split("/", 2)[2]


async def _answer(send: Send, body: bytes, status: int = 200) -> None:
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    return body


@case
async def no_content(scope: Scope, receive: Receive, send: Send) -> None:
    await _answer(send, b"", 204)


@case
async def scope(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells the scope; bytes are marked, as JSON has none."""
    await _answer(send, json.dumps(scope, default=lambda value: {"bytes": value.decode("latin-1")}).encode())


_APPS["what"] = scope


@case
async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await _answer(send, await _body(receive))


@case
async def unread(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without looking at the body."""
    await _answer(send, b"not read")


@case
async def streamed(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    await asyncio.wait_for(_gates[_rest(scope)].wait(), SECONDS)
    await send({"type": "http.response.body", "body": b"second"})


@case
async def equal_lengths(scope: Scope, receive: Receive, send: Send) -> None:
    lengths = [(b"content-length", b"5, 5"), (b"Content-Length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": lengths})
    await send({"type": "http.response.body", "body": b"hello"})


@case
async def different_lengths(scope: Scope, receive: Receive, send: Send) -> None:
    lengths = [(b"content-length", b"5"), (b"content-length", b"6")]
    await send({"type": "http.response.start", "status": 200, "headers": lengths})
    await send({"type": "http.response.body", "body": b"hello"})


@case
async def looks_like_a_head(scope: Scope, receive: Receive, send: Send) -> None:
    """Streams what a server writes, as a viewer of logs may."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"26")]})
    await send({"type": "http.response.body", "body": b"seen: ", "more_body": True})
    await send({"type": "http.response.body", "body": b"HTTP/1.1 200 OK", "more_body": True})
    await asyncio.wait_for(_gates[_rest(scope)].wait(), SECONDS)
    await send({"type": "http.response.body", "body": b" done"})


@case
async def background(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers, and works on until its gate is open."""
    await _answer(send, b"accepted", 202)
    await asyncio.wait_for(_gates[_rest(scope)].wait(), SECONDS)
    sys.stdout.write(f"background work {_rest(scope)} is finished\n")


@case
async def gate(scope: Scope, receive: Receive, send: Send) -> None:
    """Lets what waits for this gate go on."""
    _gates[_rest(scope)].set()
    await _answer(send, b"open")


@case
async def raises(scope: Scope, receive: Receive, send: Send) -> None:
    raise LookupError("the app failed")


@case
async def raises_after_reading(scope: Scope, receive: Receive, send: Send) -> None:
    await _body(receive)
    raise LookupError("the app failed")


@case
async def raises_in_the_body(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    raise LookupError("the app failed")


@case
async def raises_in_the_background(scope: Scope, receive: Receive, send: Send) -> None:
    await _answer(send, b"accepted", 202)
    raise LookupError("the background work failed")


@case
async def never_answers(scope: Scope, receive: Receive, send: Send) -> None:
    """Returns as if all were well."""


@case
async def answers_in_part(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})


@case
async def corrects_its_head(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends a head that is not valid after its length, then a valid one."""
    start: Message = {"type": "http.response.start", "status": 200}
    length = (b"content-length", b"5")
    with suppress(RuntimeError):
        await send({**start, "headers": [length, (b"not a name", b"")]})
    await send({**start, "headers": [length]})
    await send({"type": "http.response.body", "body": b"hello"})


@case
async def corrects_its_body(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends a body that is too short, then one that is too long, then a valid one."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    for body in (b"he", b"hello!"):
        with suppress(RuntimeError):
            await send({"type": "http.response.body", "body": body})
    await send({"type": "http.response.body", "body": b"hello"})


@case
async def cancels_a_send(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends more than the client takes, cancels that when its gate is open, and sends a last part."""

    async def send_much() -> None:
        while True:
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})

    await send({"type": "http.response.start", "status": 200, "headers": []})
    sending = asyncio.create_task(send_much())
    await asyncio.wait_for(_gates[_rest(scope)].wait(), SECONDS)
    sending.cancel()
    await asyncio.wait([sending])
    await send({"type": "http.response.body", "body": b"the end"})


@case
async def sends_too_much(scope: Scope, receive: Receive, send: Send) -> None:
    await _answer(send, b"whole")
    await send({"type": "http.response.body", "body": b"more"})
