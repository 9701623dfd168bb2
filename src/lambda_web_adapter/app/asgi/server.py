"""Serve ASGI apps with uvicorn, on the socket that the bootstrap opened."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import re
import select
from importlib.util import find_spec
from typing import TYPE_CHECKING

from uvicorn.config import Config
from uvicorn.server import Server

from lambda_web_adapter.app.asgi.connection import connection_factory
from lambda_web_adapter.app.asgi.exchange import logger
from lambda_web_adapter.app.control_channel import start_new_thread
from lambda_web_adapter.app.hooks.calls import attempt_async
from lambda_web_adapter.app.middleware import is_coroutine_callable, layers, required_arguments
from lambda_web_adapter.app.shutdown import Ending
from lambda_web_adapter.app.stack_dump import dump_stacks, show_own_stack_on_signal
from lambda_web_adapter.app_api.hooks import hooks_on_shutdown
from lambda_web_adapter.ipc.control_protocol import CANCEL, DUMP_STACKS, parse

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from typing import Literal

    from uvicorn._types import (
        ASGI3Application,
        ASGIReceiveCallable,
        ASGIReceiveEvent,
        ASGISendCallable,
        ASGISendEvent,
        Scope,
    )

    from lambda_web_adapter.app.control_channel import AdapterChannel
    from lambda_web_adapter.app.invocation_tracking import InvocationTracker
    from lambda_web_adapter.settings import Settings

# How long requests may go on after SIGTERM: half of the 300 ms that Lambda gives a runtime to stop.
_DRAIN_SECONDS = 0.15


def serve(app: ASGI3Application, listener: socket.socket, tracker: InvocationTracker, settings: Settings) -> int:
    """Serve the app until SIGTERM.

    Returns:
        The exit code: 0, or 1 when the lifespan startup failed.
    """
    config = Config(
        Lifespan(app, tracker.control, settings.lifespan),
        http=connection_factory(app, tracker),  # type: ignore[arg-type]  # it is called for each connection, as a class is
        ws="none",
        loop=_choose_loop(settings.loop),
        lifespan="off" if settings.lifespan == "off" else "auto",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )
    server = _Server(config, tracker.control)
    server.ending.take_over()  # before asyncio, which would have SIGINT cancel the server
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        try:
            runner.run(server.serve([listener]))
        except SystemExit:  # raised in a task or a callback of the app's; the server has not failed
            if server.started:
                tracker.control.stopping()
            raise
    return 0 if server.started else 1


def _choose_loop(setting: str) -> Literal["asyncio", "uvloop"]:
    """Return the name of the event loop.

    If gevent or eventlet has replaced `select`, asyncio's own loop calls theirs, so that the app's threads, which are
    green threads then, can run. Under uvloop they would never run, and signals would not be handled.
    """
    if setting != "auto":
        return "uvloop" if setting == "uvloop" else "asyncio"
    return "uvloop" if inspect.isbuiltin(select.select) and find_spec("uvloop") else "asyncio"


class _Server(Server):
    """Uvicorn's server without its ticks: it sends the adapter a message when it is ready, and waits for a signal."""

    def __init__(self, config: Config, control: AdapterChannel) -> None:
        super().__init__(config)
        self._control = control
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop
        self.ending = Ending(self.stop)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `ending`: uvicorn would raise them again, and not handle them under eventlet."""
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self.ending.ignore()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Run the lifespan startup, then accept connections."""
        await super().startup(sockets)
        if self.started:
            self.ending.take_over()  # from handlers that the lifespan startup has installed
            show_own_stack_on_signal()  # before READY: without this handler, the signal would end the process
            self._control.ready()
            if self._control.fileno() >= 0:
                start_new_thread(self._handle_messages, ())

    def _handle_messages(self) -> None:
        """Do what the adapter's messages request, in a thread, since the event loop may hang; stop when they end."""
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            while messages := self._control.read_messages():
                for message in messages:
                    if message == DUMP_STACKS:
                        dump_stacks(self._control, self._loop, self.server_state.tasks)
                    else:
                        self._loop.call_soon_threadsafe(self._handle_on_loop, message)
            self.stop()

    def _handle_on_loop(self, message: bytes) -> None:
        name, port = parse(message)
        if name == CANCEL:
            self._cancel(port)
            return
        from lambda_web_adapter.app.hooks import snapstart  # only with SnapStart

        task = self._loop.create_task(snapstart.run_hooks_async(name, self._control))  # hooks may be asynchronous
        self.server_state.tasks.add(task)
        task.add_done_callback(self.server_state.tasks.discard)

    def _cancel(self, port: int) -> None:
        """Cancel the task of a request; an app that ignores the cancellation goes on."""
        for task in self.server_state.tasks:
            if task.get_name() == str(port):
                task.cancel()
        self._control.cancelled(port)

    async def main_loop(self) -> None:
        """Wait for a signal; uvicorn would wake up ten times a second to check for one."""
        if not self.should_exit:
            await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Run the lifespan shutdown and the app's hooks; uvicorn would first sleep for 100 of the 300 ms."""
        self._control.stopping()
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_DRAIN_SECONDS)
        await self.lifespan.shutdown()
        for hook in hooks_on_shutdown():
            await attempt_async(hook, "on_shutdown")

    def stop(self) -> None:
        """Begin to stop; unlike uvicorn, do not raise the signal again afterwards, so that `atexit` functions run."""
        self.should_exit = True
        if hasattr(self, "_loop"):  # the signal may come before the loop exists
            self._loop.call_soon_threadsafe(self._stop.set)


class StartupFailed(Exception):
    """The app reported that its lifespan startup failed, or has no lifespan although one is required."""


class Lifespan:
    """An ASGI app's lifespan, whose errors are sent to the adapter or logged."""

    def __init__(self, app: ASGI3Application, control: AdapterChannel, setting: str) -> None:
        """Wrap an app; with the setting `on`, its lifespan is required."""
        self._app = app
        self._control = control
        self._required = setting == "on"
        self._received = self._complete = False
        self._failure: StartupFailed | None = None

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Call the app for its lifespan."""

        async def tracking_receive() -> ASGIReceiveEvent:
            message = await receive()
            self._received = True
            return message

        async def tracking_send(message: ASGISendEvent) -> None:
            if message["type"] == "lifespan.startup.failed":
                self._failure = StartupFailed(message.get("message", ""))
            self._complete = self._complete or message["type"] == "lifespan.startup.complete"
            await send(message)

        try:
            await self._app(scope, tracking_receive, tracking_send)
            if self._required and not self._complete and not self._failure:
                raise StartupFailed("The app returned without lifespan.startup.complete, and AWS_LWA_LIFESPAN=on.")
        except BaseException as error:
            await self._report(error, send)
            raise
        if self._failure:
            self._control.failed(self._failure)

    async def _report(self, error: BaseException, send: ASGISendCallable) -> None:
        """Send an exception of the app to the adapter or log it, depending on when it was raised."""
        cancelled = isinstance(error, asyncio.CancelledError)
        if self._failure:
            self._control.failed(self._failure if cancelled else error)
        elif self._complete:
            if not cancelled:  # the event loop cancels the task when it ends
                logger.error("The app's lifespan has failed after its startup.", exc_info=error)
        elif self._required or not (cancelled or isinstance(error, Exception)):
            self._control.failed(error)
            logger.error("The app's lifespan startup has failed.", exc_info=error)
            await send({"type": "lifespan.startup.failed", "message": ""})  # also for SystemExit
        elif not self._received and _rejects_lifespan(self._app, error):
            logger.info("The app has no lifespan (%r).", error)
        else:
            logger.warning(
                "The app raised an exception before its lifespan startup was complete; it is served without a "
                "lifespan. Set AWS_LWA_LIFESPAN=on to have the start fail instead, or =off to skip the lifespan.",
                exc_info=error,
            )


def _rejects_lifespan(app: ASGI3Application, error: BaseException) -> bool:
    """Return whether an exception means that the app does not support scopes of this type.

    It does if its message says so, or if it is what a check of the scope's type raises and the app is no middleware: a
    middleware may have passed on what the startup of the app within raised.
    """
    if isinstance(error, (AttributeError, ImportError, NameError, OSError)):
        return False
    if re.search(r"lifespan|scope.?type", str(error), re.IGNORECASE):
        return True
    return isinstance(error, (AssertionError, NotImplementedError)) and not _holds_an_asgi_app(app)


def _holds_an_asgi_app(app: ASGI3Application) -> bool:
    inner = itertools.chain.from_iterable(itertools.islice(layers(app), 1, None))
    return any(is_coroutine_callable(each) and required_arguments(each) == 3 for each in inner)
