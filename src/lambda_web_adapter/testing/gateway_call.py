"""One request of an httpx client to a local gateway, which is an ASGI app, and its response."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx

from lambda_web_adapter.local.gateway_app import GatewayApp
from lambda_web_adapter.testing.event_loop_thread import EventLoopEnded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

    from lambda_web_adapter.local.environments.invocation import Invocation
    from lambda_web_adapter.local.gateways import Gateway
    from lambda_web_adapter.local.log import RequestLine
    from lambda_web_adapter.testing.event_loop_thread import EventLoopThread
    from lambda_web_adapter.testing.function import AppFunction

__tracebackhide__ = True  # pytest leaves this module's frames out

_PORTS = {"http": 80, "https": 443}


class GatewayCall(httpx.AsyncByteStream):
    """A request on its way; also the body of its response.

    Attributes:
        problem: why the gateway itself responded with an error; empty if it did not.
        invocation: its invocation; None if the gateway responded by itself.
    """

    def __init__(self, body: bytes, *, streams: bool) -> None:
        """Prepare, with the request's body; a streamed response waits for its reader after each part."""
        self.problem = ""
        self.invocation: Invocation | None = None
        self._body: bytes | None = body
        self._streams = streams
        self._head: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._parts: deque[bytes] = deque()
        self._is_complete = self._has_left = False
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None]

    async def respond(
        self, gateway: Gateway, function: AppFunction, request: httpx.Request, client: tuple[str, int]
    ) -> httpx.Response:
        """Return the response: when it is complete and the app is done, or, if it is streamed, when it begins."""
        app = GatewayApp(gateway, function, self)
        call: Any = app(_scope(request, client), self._receive, self._send)  # type: ignore[arg-type]  # plain messages
        self._task = asyncio.create_task(call)
        self._task.add_done_callback(lambda _: self._wake())
        stream: httpx.AsyncByteStream = self
        try:
            while self._head is None:
                if self._task.done():
                    await self._task  # which raises why there is no response
                    raise httpx.RemoteProtocolError("The gateway has sent no response.", request=request)
                await self._changed.wait()
            if not self._streams:
                stream = httpx.ByteStream(b"".join([part async for part in self]))
                await self._wait_until_done()
        except asyncio.CancelledError:
            self._leave()
            raise
        status, headers = self._head
        return httpx.Response(status, headers=headers, stream=stream, extensions={"http_version": b"HTTP/1.1"})

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the parts of the body; raise as `next_part` does."""
        while (part := await self.next_part()) is not None:
            yield part

    async def next_part(self) -> bytes | None:
        """Return the next part of the body; None at its end.

        Raises:
            httpx.RemoteProtocolError: the body is incomplete, since the function has failed in the middle of it.
        """
        while not self._parts:
            if self._is_complete:
                return None
            if self._task.done():
                await self._task
                raise httpx.RemoteProtocolError(f"The response is incomplete: {self.problem or 'it was closed'}.")
            await self._changed.wait()
        part = self._parts.popleft()
        self._wake()
        return part

    async def aclose(self) -> None:
        """Leave, if the response is not complete; wait until the app is done."""
        self._leave()
        await self._wait_until_done()

    async def _wait_until_done(self) -> None:
        await asyncio.wait({self._task})
        if self.invocation is not None:
            await self.invocation.ended.wait()

    def request(self, line: RequestLine) -> None:
        """Keep what the gateway would log."""
        self.problem, self.invocation = line.problem, line.invocation

    async def _receive(self) -> dict[str, Any]:
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        while not self._has_left:
            await self._changed.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._head = (message["status"], message["headers"])
        elif message.get("body"):
            self._parts.append(message["body"])
        self._is_complete |= message["type"] == "http.response.body" and not message.get("more_body", False)
        self._wake()
        while self._streams and self._parts and not self._has_left:
            await self._changed.wait()

    def _leave(self) -> None:
        self._has_left = True
        self._parts.clear()
        self._wake()

    def _wake(self) -> None:
        """Have whoever waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()


class BlockingBody(httpx.SyncByteStream):
    """The body of a streamed response for a client without an event loop."""

    def __init__(self, call: GatewayCall, thread: EventLoopThread) -> None:
        """Read from a call in the event loop of a thread."""
        self._call = call
        self._thread = thread

    def __iter__(self) -> Iterator[bytes]:
        """Yield the parts; raise as `GatewayCall.next_part` does."""
        try:
            while (part := self._thread.run(self._call.next_part())) is not None:
                yield part
        except EventLoopEnded as error:
            raise httpx.RemoteProtocolError(f"The response is incomplete: {error}") from None

    def close(self) -> None:
        """Leave, if the response is not complete; wait until the app is done."""
        with suppress(EventLoopEnded):
            self._thread.run(self._call.aclose())


def _scope(request: httpx.Request, client: tuple[str, int]) -> dict[str, Any]:
    """Return what the server of a local run would have as the request's scope."""
    url = request.url
    path, _, query = url.raw_path.partition(b"?")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "raw_path": path,
        "query_string": query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": client,
        "server": (url.host, url.port or _PORTS.get(url.scheme, 80)),
    }
