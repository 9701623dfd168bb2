"""One connection of the ASGI server: read a request, start a task that calls the app, repeat (RFC 9112).

Uvicorn's own protocol is made for the open network. The adapter sends one request after another over loopback, where
timeouts, flow control of requests and separate writes of head and body only take time.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from lambda_web_adapter.app.asgi.exchange import Exchange, logger
from lambda_web_adapter.app.asgi.scope import build_scope
from lambda_web_adapter.app.request_parser import BAD_REQUEST, NotHttp, RequestParser

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from uvicorn._types import ASGI3Application

    from lambda_web_adapter.app.invocation_tracking import InvocationTracker
    from lambda_web_adapter.app.request_parser import RawRequest


class AsgiConnection(asyncio.Protocol):
    """Serves the requests on one connection, until it ends.

    Attributes:
        tracker: the tracker of invocations.
        transport: the transport to write responses to.
        port: the peer's port, by which the adapter identifies the connection.
        writable: the future to await before the next write; None while the peer reads fast enough.
    """

    def __init__(
        self,
        app: ASGI3Application,
        tracker: InvocationTracker,
        connections: set[AsgiConnection],
        tasks: set[asyncio.Task[Any]],
        app_state: dict[str, Any],
    ) -> None:
        """Serve an app.

        Args:
            app: the app.
            tracker: the tracker of invocations.
            connections: the open connections, to which this one belongs while it is open.
            tasks: the tasks that handle requests.
            app_state: what the app's lifespan keeps for requests.
        """
        self._app = app
        self.tracker = tracker
        self._connections = connections
        self._tasks = tasks
        self._app_state = app_state
        self._loop = asyncio.get_running_loop()
        self._current: Exchange | None = None
        self._paused = False
        self.transport: asyncio.Transport
        self.port = 0
        self.writable: asyncio.Future[None] | None = None

    # Callbacks of the event loop.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as for all streams
        """Start with the first request."""
        self.transport = transport
        self._parser = RequestParser(transport.write, from_adapter=self.tracker.from_adapter)
        self._peer = transport.get_extra_info("peername")[:2]
        self.port = self._peer[1]
        self._task_name = str(self.port)  # by which the server finds the task to cancel
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the app's request: nobody waits for its response any more."""
        self._connections.discard(self)
        if self._current is not None:
            self._current.disconnect()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parse the data; start the request that it completes, unless the previous one is still in progress."""
        try:
            request = self._parser.feed(data)
        except NotHttp as error:
            self._reject(error)
        else:
            if request is not None:
                self._begin(request)
            elif self._current is not None and not self._paused:
                self._paused = True
                self.transport.pause_reading()  # data after a request waits in the kernel

    def pause_writing(self) -> None:
        """Make the app's next write wait, since the peer reads more slowly."""
        self.writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Resume the app's writes."""
        if self.writable is not None:
            if not self.writable.done():
                self.writable.set_result(None)
            self.writable = None

    # Called by the server and the exchange.

    def shutdown(self) -> None:
        """Close the connection, if need be after the response that is in progress."""
        if self._current is None:
            self.transport.close()
        else:
            self._current.keep_alive = False

    def next_exchange(self) -> None:
        """Start the next request if it has come; called when the response is complete."""
        self._current = None
        if self.transport.is_closing():
            return
        try:
            request = self._parser.next_request()
        except NotHttp as error:
            self._reject(error)
            return
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        if request is not None:
            self._begin(request)

    def _reject(self, error: NotHttp) -> None:
        logger.warning("A request was rejected because it is not HTTP: %s", error)
        self.transport.write(BAD_REQUEST)
        self.transport.close()
        self.tracker.control.closing(self.port)

    def _begin(self, request: RawRequest) -> None:
        invocation = request.invocation
        try:
            scope = build_scope(request, self._peer, invocation, self.tracker.root_path)
        except NotHttp as error:
            self._reject(error)
            return
        scope["state"] = self._app_state.copy()
        exchange = Exchange(self, scope, request, invocation)
        self._current = exchange
        task = _new_task(exchange.run(self._app), self._loop, self._task_name)
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def _new_task(call: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop, name: str) -> asyncio.Task[None]:
    """Return a task, which Python 3.12 and later can run at once, so that it takes one turn of the event loop less."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(call, loop=loop, name=name, eager_start=True)
    return loop.create_task(call, name=name)
