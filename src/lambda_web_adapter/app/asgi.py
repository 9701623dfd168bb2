"""ASGI apps: uvicorn on the socket that the bootstrap opened."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from _thread import start_new_thread  # bound before an app can replace it
from importlib.util import find_spec

from uvicorn.config import Config
from uvicorn.server import Server

from lambda_web_adapter.app.asgi_connection import connections
from lambda_web_adapter.app.calling import attempt_async
from lambda_web_adapter.app.stacks import show_own_stack_on_signal, show_stacks
from lambda_web_adapter.hooks import hooks_on_shutdown

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from types import FrameType

    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope

    from lambda_web_adapter.app.control import Control
    from lambda_web_adapter.app.handling import Handling

# For requests still running when SIGTERM comes: half of the 300 ms that Lambda leaves a runtime to stop.
_DRAIN = 0.15  # seconds


def serve(app: ASGI3Application, listener: socket.socket, handling: Handling) -> int:
    """Serves the app until SIGTERM.

    Returns:
        The exit code: 0, or 1 when the lifespan startup failed.
    """
    config = Config(
        Lifespan(app, handling.control),
        http=connections(app, handling),  # type: ignore[arg-type]  # it is called for each connection, as a class is
        ws="none",
        loop="uvloop" if find_spec("uvloop") else "asyncio",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )
    server = _Server(config, handling.control)
    # Uvicorn handles these while it serves, and then puts back what was there: at the end they must not cut it short.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve([listener]))
    return 0 if server.started else 1


class _Server(Server):
    """Uvicorn's server, without its ticks: it says when it is ready, and waits for a signal."""

    def __init__(self, config: Config, control: Control) -> None:
        super().__init__(config)
        self._control = control
        self._stop = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Runs the lifespan startup and begins to accept."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            show_own_stack_on_signal()  # the signal may come at once, and would end a process without this
            self._control.ready()
            if self._control.fileno() >= 0:
                start_new_thread(self._do_what_is_asked, ())

    def _do_what_is_asked(self) -> None:
        """Do what the adapter asks for, in a thread, since the event loop may hang; without an adapter, stop."""
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            while asked := self._control.asked():
                for line in asked:
                    if line == "stacks":
                        show_stacks(self._control, self._loop)
                    else:
                        self._loop.call_soon_threadsafe(self._do_on_the_loop, line)
            self.handle_exit(signal.SIGTERM, None)

    def _do_on_the_loop(self, asked: str) -> None:
        word, _, port = asked.partition(" ")
        if word == "cancel":
            self._cancel(port)
            return
        from lambda_web_adapter.app import snapshot  # only with SnapStart

        task = self._loop.create_task(snapshot.answer_async(word, self._control))  # hooks may be asynchronous
        self.server_state.tasks.add(task)
        task.add_done_callback(self.server_state.tasks.discard)

    def _cancel(self, port: str) -> None:
        """Cancels the call for a request; one that takes no notice goes on."""
        for task in self.server_state.tasks:
            if task.get_name() == port:
                task.cancel()
        self._control.cancelled(port)

    async def main_loop(self) -> None:
        """Waits for a signal; uvicorn would wake up ten times a second to look for one."""
        if not self.should_exit:
            await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Runs the lifespan shutdown and the app's hooks; uvicorn would sleep for a third of what Lambda leaves."""
        self._control.stopping()
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_DRAIN)
        await self.lifespan.shutdown()
        for hook in hooks_on_shutdown():
            await attempt_async(hook, "on_shutdown")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begins to stop. The signal is not raised again after that, so that `atexit` functions run."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._stop.set)


class Lifespan:
    """Calls an ASGI app for its lifespan; a failed startup goes to the adapter too, as the exception it was."""

    def __init__(self, app: ASGI3Application, control: Control) -> None:
        """Takes the app and the adapter's ear."""
        self._app = app
        self._control = control

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Calls the app."""
        failure: StartupFailed | None = None

        async def watched(message: ASGISendEvent) -> None:
            nonlocal failure
            if message["type"] == "lifespan.startup.failed":
                failure = StartupFailed(message.get("message", ""))
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except BaseException as error:
            if failure:
                self._control.failed(failure if isinstance(error, asyncio.CancelledError) else error)
            raise
        if failure:
            self._control.failed(failure)


class StartupFailed(Exception):
    """The app answered lifespan startup with a failure."""
