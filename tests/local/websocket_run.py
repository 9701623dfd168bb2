"""A WebSocket API on the real server, and a function of which a test says what it replies."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

import httpx
from support.processes import SECONDS, wait_until
from websockets.sync.client import ClientConnection, connect

from lambda_web_adapter.adapter.process.ports import listen
from lambda_web_adapter.local.environments.function import Throttled
from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
from lambda_web_adapter.local.log import Log
from lambda_web_adapter.local.server import serve
from lambda_web_adapter.local.websocket_api.app import WebSocketApi
from lambda_web_adapter.local.websocket_api.options import WebSocketOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from lambda_web_adapter.local.environments.function import Function

ACCEPTED = {"statusCode": 200}
FAILED = Outcome.failure("ValueError", "no")


class ScriptedFunction:
    """Takes events, and replies to each route as the test says; 200 without a body otherwise.

    Attributes:
        replies: the reply to each route.
        is_busy: whether further events are throttled.
    """

    def __init__(self) -> None:
        self.replies: dict[str, Any] = {}
        self.is_busy = False
        self._events: Queue[dict[str, Any]] = Queue()
        self._gates: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.loop: asyncio.AbstractEventLoop | None = None

    def submit(self, event: bytes, *, title: str, source: str) -> Invocation:
        if self.is_busy:
            raise Throttled
        parsed = json.loads(event)
        route = parsed["requestContext"]["routeKey"]
        assert title == f"WebSocket {route}"
        self._events.put(parsed)
        self.loop = asyncio.get_running_loop()
        invocation = Invocation(event=event, title=title, source=source, outcome=self.loop.create_future())
        task = self.loop.create_task(self._reply(route, invocation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return invocation

    async def _reply(self, route: str, invocation: Invocation) -> None:
        if route in self._gates:
            await self._gates[route].wait()
        reply = self.replies.get(route, ACCEPTED)
        invocation.end(reply if isinstance(reply, Outcome) else Outcome(payload=json.dumps(reply).encode()))

    def hold(self, route: str) -> None:
        """Let events of a route wait until `release`."""
        self._gates[route] = asyncio.Event()

    def release(self, route: str) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self._gates[route].set)

    def next_event(self) -> dict[str, Any]:
        """Return the next event; wait for it."""
        return self._events.get(timeout=SECONDS)

    def has_event(self) -> bool:
        return not self._events.empty()


class WebSocketRun:
    """A local run with a WebSocket API and no environment."""

    def __init__(self, options: WebSocketOptions | None = None) -> None:
        self.function = ScriptedFunction()
        self._listener = listen("127.0.0.1", 0)
        self.domain = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"ws://{self.domain}"
        self._lines = io.StringIO()
        self.api = WebSocketApi(cast("Function", self.function), Log(stream=self._lines), options)
        self._stopped: Future[asyncio.Event] = Future()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()))
        self.http = httpx.Client(base_url=f"http://{self.domain}", trust_env=False, timeout=SECONDS)

    async def _serve(self) -> None:
        stopped = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        async with serve(self._listener, self.api):
            self._stopped.set_result(stopped)
            await stopped.wait()
            await self.api.stop()

    @property
    def log(self) -> str:
        return self._lines.getvalue()

    def connect(self, path: str = "/", **options: Any) -> AbstractContextManager[ClientConnection]:
        """Connect a client without a proxy, on entering the context."""
        client: AbstractContextManager[ClientConnection] = connect(
            f"{self.url}{path}", open_timeout=SECONDS, proxy=None, **options
        )
        return client

    @contextmanager
    def open(self) -> Iterator[tuple[ClientConnection, str]]:
        """Give a connected client and the connection's id; its `$connect` event is taken."""
        with self.connect() as client:
            yield client, self.function.next_event()["requestContext"]["connectionId"]

    @contextmanager
    def open_without_reading(self) -> Iterator[tuple[socket.socket, str]]:
        """Give the socket of a client that has connected and reads nothing more, and the connection's id."""
        lines = [
            "GET / HTTP/1.1",
            f"Host: {self.domain}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(SECONDS)
            client.connect(self._listener.getsockname())
            client.sendall("\r\n".join([*lines, "", ""]).encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            yield client, self.function.next_event()["requestContext"]["connectionId"]

    def fill_buffers(self, connection_id: str, threads: ThreadPoolExecutor) -> None:
        """Send messages to a client that reads nothing, until the server waits for it."""
        wait_until(lambda: connection_id in self.api._connections, "the client is connected")
        protocol: Any = self.api._connections[connection_id]._asgi_send.__self__  # type: ignore[attr-defined]
        for _ in range(200):  # of 128 KB: the system buffers some megabytes
            threads.submit(self.http.post, f"/@connections/{connection_id}", content=b"x" * 128 * 1024)
        wait_until(lambda: not protocol.writable.is_set(), "the client's buffers are full")

    def stop(self) -> None:
        """Stop the server, and wait until it has stopped."""
        self._loop.call_soon_threadsafe(self._stopped.result(SECONDS).set)
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()

    def __enter__(self) -> WebSocketRun:
        self._thread.start()
        self._stopped.result(SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
        if self._thread.is_alive():
            self.stop()
