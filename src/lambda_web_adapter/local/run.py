"""Run the app locally: gateways and a function of several environments, until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import signal
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.process.listeners import owner_of
from lambda_web_adapter.adapter.process.ports import open_listener
from lambda_web_adapter.local.environments.guard import Guard
from lambda_web_adapter.local.event_sources import WEBSOCKET
from lambda_web_adapter.local.inspector.options import InspectorOptions
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lambda_web_adapter.local.environments.function_options import FunctionOptions
    from lambda_web_adapter.local.gateways import GatewayOptions
    from lambda_web_adapter.local.inspector.inspected_run import InspectedRun
    from lambda_web_adapter.local.listeners import Listener
    from lambda_web_adapter.local.log import Log
    from lambda_web_adapter.local.reload.watched_files import WatchedFiles
    from lambda_web_adapter.local.tls import Certificate
    from lambda_web_adapter.local.websocket_api.options import WebSocketOptions

USAGE = 2
# Where the app gets the events of a WebSocket API unless the user says otherwise: a path makes them requests.
_WEBSOCKET_PATH, _DEFAULT_PATH = "AWS_LWA_WEBSOCKET_PATH", "/ws"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a local run is to do.

    Attributes:
        arguments: the arguments of the bootstrap: the app's name, or the external command after `--`.
        settings: the settings of the app, with its name.
        command: the external command, if it is one.
        title: what is served, for messages.
        listeners: the gateways, and where each listens.
        gateway: the gateways' options; None if there are none.
        websocket: the settings of WebSocket APIs.
        certificate: the certificate, if the gateways are served over TLS.
        dead_letter_folder: where asynchronous events are written that were given up, if anywhere.
        log_style: how the log looks.
        function: the function's configuration.
        watched: the files whose change replaces the environments; None for none.
        inspector: the inspector's configuration.
        program: the bootstrap, as arguments of the interpreter.
    """

    arguments: list[str]
    settings: Settings = field(default_factory=Settings)
    command: tuple[str, ...] = ()
    title: str
    listeners: tuple[Listener, ...]
    gateway: GatewayOptions | None = None
    websocket: WebSocketOptions
    certificate: Certificate | None = None
    dead_letter_folder: Path | None = None
    log_style: str = "short"
    function: FunctionOptions
    watched: WatchedFiles | None = None
    inspector: InspectorOptions = field(default_factory=InspectorOptions)
    program: list[str] = field(default_factory=lambda: ["-m", "lambda_web_adapter"])


def run(options: RunOptions, environ: Mapping[str, str]) -> int:
    """Serve the app until a signal comes; return the exit code."""
    sockets: list[socket.socket] = []
    for listener in options.listeners:
        try:
            sockets.append(open_listener(listener.host, listener.port))
        except OSError as error:
            sys.stderr.write(f"lambda-web-adapter: {_describe(error, listener)}\n")
            return USAGE
    guard = Guard.start(*sockets)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(options, environ, sockets, guard))


async def _serve(options: RunOptions, environ: Mapping[str, str], sockets: list[socket.socket], guard: Guard) -> int:
    stopped = _signals()
    ports = [bound.getsockname()[1] for bound in sockets]
    run = _start_function(options, environ, ports, guard)  # before the gateways' models are imported
    from lambda_web_adapter.local.gateway_servers import GatewayServers
    from lambda_web_adapter.local.inspector.server import serve_inspector

    async with AsyncExitStack() as stack:
        servers = GatewayServers(options, run.function, run.log)
        if file := options.inspector.record_file:
            from lambda_web_adapter.local.records.record_file import write_records

            await stack.enter_async_context(write_records(run.recorder, file, run.masker, run.log))
        stack.push_async_callback(run.function.stop)
        line = await stack.enter_async_context(serve_inspector(run, environ))
        for listener, bound in zip(options.listeners, sockets, strict=True):
            url = await stack.enter_async_context(servers.serve(listener, bound))
            run.listeners.append((listener.source, url))
        if options.inspector.has_page:
            run.log.line(line)
        if options.watched:
            from lambda_web_adapter.local.reload.watcher import reload_environments

            reloading = reload_environments(options.watched, run.function, run.log)
            stack.callback(asyncio.create_task(reloading).cancel)
        await stopped.wait()
        await servers.stop()  # whose last events the function still gets
        await run.function.stop()
    return 0


def _start_function(options: RunOptions, environ: Mapping[str, str], ports: list[int], guard: Guard) -> InspectedRun:
    """Start the function, and return it with its log and its records."""
    # Imported after the guard was forked, which stays small.
    from lambda_web_adapter.local.environments.function import Function
    from lambda_web_adapter.local.environments.program import Program
    from lambda_web_adapter.local.inspector.inspected_run import InspectedRun
    from lambda_web_adapter.local.log import Log
    from lambda_web_adapter.local.records.masking import Masker
    from lambda_web_adapter.local.records.recorder import Recorder
    from lambda_web_adapter.local.records.records import Records

    inspector = options.inspector
    recorder = Recorder(Records(inspector.keep, inspector.max_bytes))
    log = Log(options.log_style, recorder=recorder)
    app_environ = _app_environ(options, environ, log)
    arguments = [*options.program, *options.arguments]
    program = Program(arguments, app_environ, guard, log, reports_exchanges=inspector.has_page)
    run = InspectedRun(
        options=options,
        environ=app_environ,
        function=Function(program, options.function),
        recorder=recorder,
        log=log,
        masker=Masker(inspector.masked_headers),
        ports=ports,
        started=time.time(),
    )
    if options.function.has_fixed_port:
        log.line("The app's port is set, so that there is one environment at a time. Unset AWS_LWA_PORT for more.")
    run.function.start()
    return run


def _app_environ(options: RunOptions, environ: Mapping[str, str], log: Log) -> Mapping[str, str]:
    """Return the environ of the app; behind a WebSocket API, it has a path for that API's events."""
    if environ.get(_WEBSOCKET_PATH) or all(listener.source != WEBSOCKET for listener in options.listeners):
        return environ
    log.line(f"The app gets the events below {_DEFAULT_PATH}: set {_WEBSOCKET_PATH}={_DEFAULT_PATH} on AWS, too.")
    return {**environ, _WEBSOCKET_PATH: _DEFAULT_PATH}


def _describe(error: OSError, listener: Listener) -> str:
    """Return why the local run cannot listen, and what to do."""
    if error.errno == errno.EADDRINUSE:
        owner = owner_of(listener.port)
        by = f" by {owner}" if owner else ""
        return f"Port {listener.port} of {listener.host} is taken{by}. Choose another port; 0 picks a free one."
    if error.errno == errno.EACCES:
        return f"Port {listener.port} is for root only. Choose one from 1024 on with --port."
    return f"{listener.host} is not an address of this machine ({error.strerror}). Choose another with --host."


def _signals() -> asyncio.Event:
    """Return an event that is set by the signals that end a program: Ctrl-C, TERM, and the end of the terminal."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # nohup(1): the program is to go on without the terminal
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory where uvloop is installed; not under a debugger, which cannot follow its processes."""
    if "pydevd" in sys.modules:  # the engine of debugpy and of PyCharm
        return None
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
