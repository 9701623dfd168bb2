"""Serve ASGI apps on the socket that the bootstrap opened."""

from __future__ import annotations

import asyncio
import inspect
import select
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lambda_web_adapter.app.asgi.adapter_messages import AdapterMessages
from lambda_web_adapter.app.asgi.connection import AsgiConnection
from lambda_web_adapter.app.asgi.lifespan import LifespanTask, ReportedLifespan
from lambda_web_adapter.app.hooks.calls import attempt_async
from lambda_web_adapter.app.shutdown import Ending
from lambda_web_adapter.app.stack_dump import show_own_stack_on_signal
from lambda_web_adapter.app_api.hooks import hooks_on_shutdown

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable
    from typing import Any

    from uvicorn._types import ASGI3Application

    from lambda_web_adapter.app.invocation_tracking import InvocationTracker
    from lambda_web_adapter.settings import Settings

# How long requests may go on after SIGTERM: half of the 300 ms that Lambda gives a runtime to stop.
_DRAIN_SECONDS = 0.15
# As many workers may connect at once as for the listening socket itself (see `adapter/process/ports.py`), which asyncio
# makes listen again.
_BACKLOG = 2048


def _loop_factory(setting: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what creates the event loop.

    If gevent or eventlet has replaced `select`, asyncio's own loop calls theirs, so that the app's threads, which are
    green threads then, can run. Under uvloop they would never run, and signals would not be handled.
    """
    is_automatic = setting == "auto" and inspect.isbuiltin(select.select) and find_spec("uvloop")
    if setting == "uvloop" or is_automatic:
        import uvloop

        return uvloop.new_event_loop
    return asyncio.SelectorEventLoop


class AsgiServer:
    """Runs an app's lifespan, and accepts connections in between."""

    def __init__(self, app: ASGI3Application, tracker: InvocationTracker, settings: Settings) -> None:
        """Prepare to serve an app."""
        self._app = app
        self._tracker = tracker
        self._settings = settings
        self._connections: set[AsgiConnection] = set()
        self._tasks: set[asyncio.Task[Any]] = set()  # which handle requests
        self._lifespan = ReportedLifespan(app, tracker.control, settings.lifespan)
        self._shut_down: Callable[[], Awaitable[object]]  # set by `_open`
        self._loop: asyncio.AbstractEventLoop | None = None
        self._servers: list[asyncio.Server]  # set by `_open`
        self._stop = asyncio.Event()
        self._has_started = False
        self._ending = Ending(self._begin_to_stop)

    def run(self, listener: socket.socket) -> int:
        """Serve the app until SIGTERM.

        Returns:
            The exit code: 0, or 1 when the lifespan startup failed.
        """
        self._ending.take_over()  # before asyncio, which would have SIGINT cancel the server
        with asyncio.Runner(loop_factory=_loop_factory(self._settings.loop)) as runner:
            try:
                runner.run(self._serve(listener))
            except SystemExit:  # raised in a task or a callback of the app's; the server has not failed
                if self._has_started:
                    self._tracker.control.stopping()
                raise
        return 0 if self._has_started else 1

    async def _serve(self, listener: socket.socket) -> None:
        """Serve the app until `stop`; return early if its startup fails."""
        control = self._tracker.control
        self._loop = asyncio.get_running_loop()
        messages = AdapterMessages(control, self._tasks, self._begin_to_stop)
        messages.handle_on_loop()
        try:
            if not await self._open(listener):
                return
            self._ending.take_over()  # from handlers that the lifespan startup has installed
            show_own_stack_on_signal()  # before READY: without this handler, the signal would end the process
            self._has_started = True
            control.ready()
            messages.handle_in_thread()
            await self._stop.wait()
            control.stopping()
            await self._close()
            for hook in hooks_on_shutdown():
                await attempt_async(hook, "on_shutdown")
        finally:
            self._ending.ignore()

    async def _open(self, listener: socket.socket) -> bool:
        """Run the lifespan startup and accept connections; return whether the startup has succeeded."""
        lifespan = LifespanTask(self._lifespan)
        if self._settings.lifespan != "off" and not await lifespan.startup():
            return False

        def connection() -> AsgiConnection:
            return AsgiConnection(self._app, self._tracker, self._connections, self._tasks, lifespan.state)

        server = await asyncio.get_running_loop().create_server(connection, sock=listener, backlog=_BACKLOG)
        self._servers, self._shut_down = [server], lifespan.shutdown
        return True

    async def _close(self) -> None:
        """Accept no more connections, let the requests end, and run the lifespan shutdown."""
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.shutdown()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_DRAIN_SECONDS)
        await self._shut_down()

    def _begin_to_stop(self) -> None:
        """Begin to stop, once the app is up; safe in signal handlers and in other threads."""
        if self._loop is None:  # the signal has come before the loop exists
            self._stop.set()
        else:
            self._loop.call_soon_threadsafe(self._stop.set)
