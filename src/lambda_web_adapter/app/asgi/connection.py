"""One connection of the ASGI server: read a request, have the app called, again (RFC 9112).

Uvicorn's own protocol is made for the open network. On the loopback hop, where the adapter sends one whole request
after another, its time-outs, its flow control of requests and its writes of head and body apart are only in the way.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial

from lambda_web_adapter.app.asgi.exchange import Exchange, logger
from lambda_web_adapter.app.asgi.scope import build_scope
from lambda_web_adapter.app.request_parser import BAD_REQUEST, NotHttp, RequestParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from uvicorn._types import ASGI3Application
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from lambda_web_adapter.app.invocation_tracking import InvocationTracker
    from lambda_web_adapter.app.request_parser import RawRequest


def connection_factory(app: ASGI3Application, handling: InvocationTracker) -> Callable[..., AsgiConnection]:
    """Makes what uvicorn's server calls for each connection, with arguments of its own."""
    return partial(AsgiConnection, app, handling)


class AsgiConnection(asyncio.Protocol):
    """Serves one connection until its end.

    Attributes:
        handling: how invocations are handled.
        transport: where responses are written to.
        port: the peer's port, by which the adapter knows the connection.
        writable: what to wait for before more is written; None while the peer keeps up.
    """

    def __init__(
        self,
        app: ASGI3Application,
        handling: InvocationTracker,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Takes the app, how it is to be served, and what uvicorn's server has for all of its connections."""
        self._app = app
        self.handling = handling
        self._server_state = server_state
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._current: Exchange | None = None
        self._paused = False
        self.transport: asyncio.Transport
        self.port = 0
        self.writable: asyncio.Future[None] | None = None

    # What the event loop calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as for all streams
        """Begins."""
        self.transport = transport
        self._reader = RequestParser(transport.write, from_adapter=self.handling.from_adapter)
        self._peer = transport.get_extra_info("peername")[:2]
        self.port = self._peer[1]
        self._name = str(self.port)  # of the tasks, by which one can be found to be cancelled
        self._server_state.connections.add(self)  # type: ignore[arg-type]  # it is closed by `shutdown`, as uvicorn's

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells the app that nobody waits for its response any more."""
        self._server_state.connections.discard(self)
        if self._current is not None:
            self._current.disconnect()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Reads, and has the app called, unless it has the request before this one."""
        try:
            request = self._reader.feed(data)
        except NotHttp as error:
            self._refuse(error)
        else:
            if request is not None:
                self._begin(request)
            elif self._current is not None and not self._paused:
                self._paused = True
                self.transport.pause_reading()  # what is behind a request waits where it is

    def pause_writing(self) -> None:
        """Makes the app wait: the peer does not keep up."""
        self.writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Lets the app go on."""
        if self.writable is not None:
            if not self.writable.done():
                self.writable.set_result(None)
            self.writable = None

    # What the server and the exchange call.

    def shutdown(self) -> None:
        """Closes the connection, after the response that is on its way."""
        if self._current is None:
            self.transport.close()
        else:
            self._current.keep_alive = False

    def next_exchange(self) -> None:
        """Goes on with the next request: the response is complete."""
        self._current = None
        if self.transport.is_closing():
            return
        try:
            request = self._reader.next_request()
        except NotHttp as error:
            self._refuse(error)
            return
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        if request is not None:
            self._begin(request)

    def _refuse(self, error: NotHttp) -> None:
        logger.warning("A request was refused, since it is not HTTP: %s", error)
        self.transport.write(BAD_REQUEST)
        self.transport.close()
        self.handling.control.closing(self.port)

    def _begin(self, request: RawRequest) -> None:
        invocation = request.invocation
        try:
            scope = build_scope(request, self._peer, invocation, self.handling.root_path)
        except NotHttp as error:
            self._refuse(error)
            return
        scope["state"] = self._app_state.copy()
        exchange = Exchange(self, scope, request, invocation)
        self._current = exchange
        task = _new_task(exchange.run(self._app), self._loop, self._name)
        if not task.done():
            tasks = self._server_state.tasks
            tasks.add(task)
            task.add_done_callback(tasks.discard)


def _new_task(call: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop, name: str) -> asyncio.Task[None]:
    """Begins a task: at once, where Python can (3.12), which saves a turn of the event loop."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(call, loop=loop, name=name, eager_start=True)
    return loop.create_task(call, name=name)
