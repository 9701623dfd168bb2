"""The app, served in this process by the built-in server's connections."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import socket
import threading
from functools import partial
from typing import TYPE_CHECKING

from lambda_web_adapter.app.asgi.lifespan import LifespanTask, ReportedLifespan
from lambda_web_adapter.app.asgi.root_path import root_path_of
from lambda_web_adapter.app.control_channel import AdapterChannel
from lambda_web_adapter.app.hooks.calls import attempt, attempt_async
from lambda_web_adapter.app.invocation_tracking import InvocationTracker
from lambda_web_adapter.app.server import from_asgi2, with_script_name
from lambda_web_adapter.app.stack_dump import dump_stacks
from lambda_web_adapter.app.wsgi.connection import WsgiConnection
from lambda_web_adapter.app.wsgi.response import ConnectionLost
from lambda_web_adapter.app_api.current_invocation import CURRENT
from lambda_web_adapter.app_api.hooks import hooks_on_shutdown
from lambda_web_adapter.errors import AppStartFailed
from lambda_web_adapter.testing.event_loop_thread import call_in_caller
from lambda_web_adapter.testing.socket_pair import HOST, NumberedAsgiConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from lambda_web_adapter.app_api.current_invocation import Invocation
    from lambda_web_adapter.settings import Settings

__tracebackhide__ = True  # pytest leaves this module's frames out

# How long a request that is cancelled may take to end, in seconds.
_CANCEL_SECONDS = 1.0


class Channel(AdapterChannel):
    """The app's end of the control channel, in a process that is also the adapter's.

    Attributes:
        failure: why the lifespan startup failed; None if it did not.
    """

    failure: BaseException | None = None

    def failed(self, error: BaseException, *, is_logged: bool = False) -> None:
        """Keep the exception itself for the test."""
        self.failure = error

    def _send(self, line: bytes) -> None:
        with contextlib.suppress(OSError):  # a call may return after the environment has ended
            super()._send(line)

    def _wake_adapter(self) -> None:
        """Do nothing: the event loop sees the channel close."""


class _CallTracker(InvocationTracker):
    """Track one call, which may go on after its invocation, or begin only then: it ends nothing of the next one."""

    __slots__ = ("_invocation", "_is_over", "_lock")

    def __init__(self, **values: Any) -> None:
        """Track nothing yet."""
        super().__init__(**values)
        self._invocation: Invocation | None = None
        self._is_over = False
        self._lock = threading.Lock()  # the invocation may end while the call's thread begins

    def begin(self, invocation: Invocation | None) -> None:
        """Set the current invocation, or, if it is over, only that of the call's thread or task."""
        with self._lock:
            self._invocation = invocation
            if self._is_over:
                CURRENT.in_context.set(invocation)
            else:
                super().begin(invocation)

    def end(self, invocation: Invocation | None) -> None:
        """Reset the current invocation, unless it is another one by now."""
        with self._lock:
            if CURRENT.in_process is invocation:
                super().end(invocation)

    def abandon(self) -> None:
        """Reset the current invocation although the call goes on, or is yet to begin."""
        with self._lock:
            self._is_over = True
        self.end(self._invocation)


class Call:
    """One call of the app, and what a test wants to know about it, or has planned for it.

    Attributes:
        tracker: sets the current invocation.
        error: what the app has raised; None if it has returned.
        crash: ends the app, if it is to end in the middle of this call; else None.
    """

    def __init__(self, tracker: _CallTracker, crash: Callable[[], None] | None = None) -> None:
        """Prepare a call."""
        self.error: BaseException | None = None
        self.tracker = tracker
        self.crash = crash
        self.task: asyncio.Task[Any] | None = None
        self.transport: asyncio.Transport | None = None
        self.connection: socket.socket | None = None

    def end_app(self) -> None:
        """End the app in the middle of the call: nothing that it sends from now on arrives."""
        crash, self.crash = self.crash, None
        if crash:
            crash()
        self.abandon()

    def abandon(self) -> None:
        """Cancel the call of an ASGI app; close the connection of a WSGI app, whose thread cannot be ended."""
        if self.task is not None:
            self.task.cancel()
        self.close()
        if self.connection is not None:
            with contextlib.suppress(OSError):  # it is closed
                self.connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the app's end of the connection, if an event loop has it; the invocation is over."""
        self.tracker.abandon()
        if self.transport is not None:
            self.transport.abort()


class ServedApp:
    """The app between a cold start and the end of the environment."""

    def __init__(self, app: Any, interface: str, settings: Settings, control: Channel) -> None:
        """Prepare to serve an app.

        Args:
            app: the app.
            interface: its interface, as `detect_interface` returns it.
            settings: the settings.
            control: the app's end of the control channel.
        """
        self._is_wsgi = interface == "wsgi"
        self._settings = settings
        self._control = control
        if self._is_wsgi:
            self._app = with_script_name(app, settings)
        else:
            self._root_path = root_path_of(app, settings.root_path)
            self._app = from_asgi2(app) if interface == "asgi2" else app
            self._lifespan = LifespanTask(ReportedLifespan(self._app, control, settings.lifespan))
        self._connections: set[Any] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    def new_call(self, crash: Callable[[], None] | None, *, is_single: bool) -> Call:
        """Return a call that is about to be made.

        Args:
            crash: ends the app, if it is to end in the middle of this call; else None.
            is_single: whether the environment has single invocations.
        """
        settings = self._settings
        tracker = _CallTracker(control=self._control, single=is_single, freeze_seconds=settings.before_freeze_seconds)
        tracker.underscore_headers = settings.underscore_headers
        if not self._is_wsgi:
            tracker.root_path = self._root_path
        return Call(tracker, crash)

    async def start(self) -> None:
        """Run the lifespan startup.

        Raises:
            AppStartFailed: it has failed; the cause is what the app has raised.
        """
        if self._is_wsgi or self._settings.lifespan == "off" or await self._lifespan.startup():
            return
        failure = self._control.failure
        raise AppStartFailed(f"The app's lifespan startup has failed: {failure!r}") from failure

    async def accept(self, connection: socket.socket, number: int, *, call: Call, own_thread: bool) -> None:
        """Serve the app's end of a connection.

        Args:
            connection: the socket.
            number: the connection's number.
            call: gets what the test sees of it.
            own_thread: whether a WSGI app gets a thread of its own; else it is called where the test waits.
        """
        if self._is_wsgi:
            call.connection = connection
            serve = partial(self._serve_wsgi, connection, number, call)
            if own_thread or not call_in_caller(partial(_serve_in_caller, serve, call)):
                context = contextvars.copy_context()
                threading.Thread(target=context.run, args=(serve,), name=f"wsgi-{number}", daemon=True).start()
            return
        connection.setblocking(False)

        def build() -> NumberedAsgiConnection:
            app = partial(_watch_asgi, self._app, call)
            served = NumberedAsgiConnection(app, call.tracker, self._connections, self._tasks, self._lifespan.state)
            served.number = number
            return served

        call.transport, _ = await asyncio.get_running_loop().connect_accepted_socket(build, connection)

    def _serve_wsgi(self, connection: socket.socket, number: int, call: Call) -> None:
        app = partial(_watch_wsgi, self._app, call)
        with connection:
            try:
                WsgiConnection(app, connection, (HOST, number), call.tracker).run()
            except (ConnectionLost, OSError):  # the request has timed out, or the client has left
                return

    def dump_stacks(self, call: Call) -> None:
        """Write to stderr what the call's task and the app's threads are doing."""
        dump_stacks(self._control, asyncio.get_running_loop(), [call.task] if call.task else [], shares_process=True)

    async def cancel(self, call: Call) -> None:
        """Cancel a call; it may ignore that."""
        call.abandon()
        if call.task is not None and not call.task.done():
            await asyncio.wait({call.task}, timeout=_CANCEL_SECONDS)

    async def shut_down(self) -> None:
        """End in order: the lifespan shutdown, and the functions of `on_shutdown`."""
        if not self._is_wsgi:
            await self._cancel_tasks()
            await self._lifespan.shutdown()
            for hook in hooks_on_shutdown():
                await attempt_async(hook, "on_shutdown")
            return
        for hook in hooks_on_shutdown():
            await asyncio.to_thread(attempt, hook, "on_shutdown")

    async def kill(self) -> None:
        """End without a shutdown; what the lifespan holds is released."""
        if not self._is_wsgi:
            await self._cancel_tasks()
            await self._lifespan.cancel()

    async def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=_CANCEL_SECONDS)


def _serve_in_caller(serve: Callable[[], None], call: Call) -> None:
    """Serve a call in the thread of the test, which gets what is meant for it: Ctrl-C, or the end by pytest-timeout."""
    serve()
    if call.error is not None and not isinstance(call.error, (Exception, SystemExit)):
        raise call.error


async def _watch_asgi(app: Any, call: Call, scope: Any, receive: Any, send: Any) -> Any:
    """Call an ASGI app for a request, and keep what it raises."""
    call.task = asyncio.current_task()

    async def crashing_send(message: Any) -> None:
        call.end_app()
        await asyncio.get_running_loop().create_future()  # until the task is cancelled

    try:
        return await app(scope, receive, crashing_send if call.crash else send)
    except BaseException as error:
        if not isinstance(error, asyncio.CancelledError):
            call.error = error
        raise
    finally:
        if call.crash:  # the app has sent nothing
            call.end_app()


def _watch_wsgi(app: Any, call: Call, environ: Any, start_response: Any) -> Any:
    """Call a WSGI app for a request, and keep what it raises."""

    def crashing_start(*_: object) -> Any:
        call.end_app()
        raise ConnectionLost("the app has ended")

    try:
        parts = app(environ, crashing_start if call.crash else start_response)
        return parts if isinstance(parts, (list, tuple)) else _WatchedParts(parts, call)
    except ConnectionLost:
        raise
    except BaseException as error:
        call.error = error
        if call.crash:
            call.end_app()
            raise ConnectionLost("the app has ended") from error
        raise


class _WatchedParts:
    """The parts of a WSGI app's response; what it raises in the middle of them is the call's error."""

    def __init__(self, parts: Iterable[bytes], call: Call) -> None:
        self._parts = parts
        self._call = call

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._parts
        except (ConnectionLost, GeneratorExit):  # the server reads no further
            raise
        except BaseException as error:
            self._call.error = error
            raise

    def close(self) -> None:
        """Close the parts, as the server does (PEP 3333)."""
        if close := getattr(self._parts, "close", None):
            close()
