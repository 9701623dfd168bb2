"""ASGI apps: uvicorn on the socket that the bootstrap opened."""

from __future__ import annotations

import asyncio
import signal
from importlib.util import find_spec

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import Server

from lambda_web_adapter.app.origin import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from types import FrameType
    from typing import Any

    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope

    from lambda_web_adapter.app.control import Control

# Seconds; a year. Uvicorn sets this time-out only where the protocol below leaves it to uvicorn.
_KEEP_ALIVE = 365 * 24 * 3600
# For requests still running when SIGTERM comes: half of the 300 ms that Lambda leaves a runtime to stop.
_DRAIN = 0.15  # seconds


def serve(app: ASGI3Application, listener: socket.socket, control: Control) -> int:
    """Serves the app until SIGTERM.

    Returns:
        The exit code: 0, or 1 when the lifespan startup failed.
    """
    config = Config(
        Forwarded(app, control),
        http=_protocol(control),
        ws="none",
        loop="uvloop" if find_spec("uvloop") else "asyncio",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        timeout_keep_alive=_KEEP_ALIVE,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )
    server = _Server(config, control)
    # Uvicorn handles these while it serves, and then puts back what was there: at the end they must not cut it short.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve([listener]))
    return 0 if server.started else 1


def _protocol(control: Control) -> type[HttpToolsProtocol]:
    """Makes the protocol class; uvicorn makes the instances, one for each connection."""

    class Protocol(HttpToolsProtocol):
        """Uvicorn's protocol, with the response's head and body in one write.

        Of a request that it refuses itself, the app never hears, but the adapter must.
        """

        transport: JoiningTransport

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
            super().connection_made(JoiningTransport(transport))

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.transport.head_is_due = True

        def on_response_complete(self) -> None:
            self.transport.flush()
            if self.pipeline or self.transport.is_closing():
                super().on_response_complete()
                return
            # Uvicorn would now set a keep-alive time-out. But a frozen environment thaws after minutes or hours, and a
            # connection that timed out meanwhile would fail the next request.
            self.server_state.total_requests += 1
            self.flow.resume_reading()

        def send_400_response(self, msg: str) -> None:
            super().send_400_response(msg)
            if self.client:
                control.closing(self.client[1])

    return Protocol


class JoiningTransport(asyncio.Transport):
    """Holds a response's head back until the first part of its body, so that both are one write.

    That saves a system call here and a wake-up in the adapter. The ASGI specification asks for it: "the server must not
    start sending the response until it has received at least one Response Body event".

    Attributes:
        head_is_due: whether the next write is a response's head.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        """Takes the transport that does the work."""
        super().__init__()
        self._transport = transport
        self._held = b""
        self.head_is_due = False
        self.is_closing = transport.is_closing  # type: ignore[method-assign]  # asked for each response
        self.get_extra_info = transport.get_extra_info  # type: ignore[method-assign]
        self.pause_reading = transport.pause_reading  # type: ignore[method-assign]
        self.resume_reading = transport.resume_reading  # type: ignore[method-assign]

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Writes, or holds, a part of a response."""
        if self._held:
            data, self._held = self._held + data, b""
        elif self.head_is_due and data[9:12] != b"100":
            self.head_is_due = False
            self._held = bytes(data)
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Writes what is held: the head of a response without a body."""
        if self._held:
            self._transport.write(self._held)
            self._held = b""

    def close(self) -> None:
        """Closes, after what is held was written."""
        self.flush()
        self._transport.close()


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
            self._control.ready()

    async def main_loop(self) -> None:
        """Waits for a signal; uvicorn would wake up ten times a second to look for one."""
        if not self.should_exit:
            await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Runs the lifespan shutdown; uvicorn would sleep for a third of what Lambda leaves for all of it."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_DRAIN)
        await self.lifespan.shutdown()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begins to stop. The signal is not raised again after that, so that `atexit` functions run."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._stop.set)


class Forwarded:
    """Gives an ASGI app the scope as the event states it, and tells the adapter when its call has returned."""

    def __init__(self, app: ASGI3Application, control: Control) -> None:
        """Takes the app and the adapter's ear."""
        self._app = app
        self._control = control

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Calls the app."""
        if scope["type"] == "http":
            client = scope["client"]
            port = client[1] if client else 0
            try:
                _rewrite(scope)  # type: ignore[arg-type]  # the type was just compared
                await self._app(scope, receive, send)
            except BaseException:
                self._control.closing(port)  # uvicorn logs it, and closes the connection
                raise
            self._control.done(port)
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Calls the app for its lifespan; a failed startup goes to the adapter too, as the exception it was."""
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


def _rewrite(scope: dict[str, Any]) -> None:
    """Replaces what the loopback hop says by what the event says (ASGI specification, "HTTP connection scope")."""
    origin = Origin(dict(scope["headers"]))
    scope["scheme"] = origin.scheme
    scope["server"] = (origin.host, origin.port)
    if origin.client:
        scope["client"] = (origin.client, 0)
    if origin.prefix:
        scope["root_path"] = origin.prefix
        scope["path"] = origin.prefix + scope["path"]
        scope["raw_path"] = origin.raw_prefix + scope["raw_path"]
