"""Run the app locally: a gateway and a function of several environments, until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.process.listeners import owner_of
from lambda_web_adapter.adapter.process.ports import open_listener
from lambda_web_adapter.local.guard import Guard

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from lambda_web_adapter.local.function import Function
    from lambda_web_adapter.local.function_options import FunctionOptions
    from lambda_web_adapter.local.log import Log
    from lambda_web_adapter.local.watched_files import WatchedFiles
    from lambda_web_adapter.local.websocket_api.options import WebSocketOptions

USAGE = 2
# Where the app gets the events of a WebSocket API unless the user says otherwise: a path makes them requests.
_WEBSOCKET_PATH, _DEFAULT_PATH = "AWS_LWA_WEBSOCKET_PATH", "/ws"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a local run is to do.

    Attributes:
        arguments: the arguments of the bootstrap: the app's name, or the external command after `--`.
        title: what is served, for messages.
        host: the address to listen on.
        port: the port to listen on; 0 for a free one.
        event_source: the gateway's name.
        websocket: the settings of a WebSocket API, which then takes the gateway's place.
        log_style: how the log looks.
        function: the function's configuration.
        watched: the files whose change replaces the environments; None for none.
        program: the bootstrap, as arguments of the interpreter.
    """

    arguments: list[str]
    title: str
    host: str = "127.0.0.1"
    port: int = 8000
    event_source: str = "function-url"
    websocket: WebSocketOptions | None = None
    log_style: str = "short"
    function: FunctionOptions
    watched: WatchedFiles | None = None
    program: list[str] = field(default_factory=lambda: ["-m", "lambda_web_adapter"])


def run(options: RunOptions, environ: Mapping[str, str]) -> int:
    """Serve the app until a signal comes; return the exit code."""
    try:
        listener = open_listener(options.host, options.port)
    except OSError as error:
        sys.stderr.write(f"lambda-web-adapter: {_describe(error, options)}\n")
        return USAGE
    guard = Guard.start(listener)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(options, environ, listener, guard))


async def _serve(options: RunOptions, environ: Mapping[str, str], listener: socket.socket, guard: Guard) -> int:
    # Imported after the guard was forked, which stays small.
    from lambda_web_adapter.local.caller_checks import is_loopback
    from lambda_web_adapter.local.function import Function
    from lambda_web_adapter.local.log import Log
    from lambda_web_adapter.local.program import Program

    stopped = _signals()
    log = Log(options.log_style)
    if options.websocket and not environ.get(_WEBSOCKET_PATH):
        log.line(f"The app gets the events below {_DEFAULT_PATH}: set {_WEBSOCKET_PATH}={_DEFAULT_PATH} on AWS, too.")
        environ = {**environ, _WEBSOCKET_PATH: _DEFAULT_PATH}
    program = Program([*options.program, *options.arguments], environ, guard, log)
    function = Function(program, options.function)
    function.start()  # before the gateways' models are imported
    from lambda_web_adapter.local.gateway_app import GatewayApp
    from lambda_web_adapter.local.gateways import GATEWAYS
    from lambda_web_adapter.local.server import serve

    stops: list[Callable[[], Awaitable[None]]] = [function.stop]
    app: GatewayApp | WebSocketApi
    if options.websocket:
        from lambda_web_adapter.local.websocket_api.app import WebSocketApi

        app = WebSocketApi(function, log, options.websocket, options.host)
        stops.insert(0, app.stop)
    else:
        app = GatewayApp(GATEWAYS[options.event_source], function, log, options.host)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(function.stop)
        host, port = listener.getsockname()[:2]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        await stack.enter_async_context(serve(listener, app))
        behind = "" if options.event_source == "function-url" else f" behind {app.title}"
        scheme = "ws" if options.websocket else "http"
        log.line(f"Serving {options.title} on {scheme}://{address} through an embedded Lambda{behind}. Ctrl-C stops.")
        if not is_loopback(host):
            log.line("Anyone who can reach this address can call the app, and send it events of any source.")
        watching = asyncio.create_task(_reload(options.watched, function, log)) if options.watched else None
        await stopped.wait()
        if watching:
            watching.cancel()
        for stop in stops:
            await stop()
    return 0


async def _reload(files: WatchedFiles, function: Function, log: Log) -> None:
    """Replace the environments whenever files have changed."""
    from lambda_web_adapter.local.reload import CannotWatch, watch

    def changed(paths: set[Path]) -> None:
        names = sorted(os.path.relpath(path) for path in paths)
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        log.line(f"{names[0]}{others} changed: starting anew.", fg="cyan")
        function.replace_environments()

    try:
        await watch(files, changed)
    except CannotWatch as error:
        log.line(f"Reload is off. {error}", fg="yellow")


def _describe(error: OSError, options: RunOptions) -> str:
    """Return why the local run cannot listen, and what to do."""
    if error.errno == errno.EADDRINUSE:
        owner = owner_of(options.port)
        by = f" by {owner}" if owner else ""
        return f"Port {options.port} of {options.host} is taken{by}. Choose another with --port; 0 picks a free one."
    if error.errno == errno.EACCES:
        return f"Port {options.port} is for root only. Choose one from 1024 on with --port."
    return f"{options.host} is not an address of this machine ({error.strerror}). Choose another with --host."


def _signals() -> asyncio.Event:
    """Return an event that is set by the signals that end a program: Ctrl-C, TERM, and the end of the terminal."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory where uvloop is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
