"""The plain server of `lambda-web-adapter serve`: uvicorn around an ASGI or a WSGI app, without Lambda.

WSGI apps run through a2wsgi. The built-in WSGI server has more throughput, but is made for one trusted client, the
adapter: here, each open connection would have a thread, and nothing would limit slow clients.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvicorn import Config, Server

from lambda_web_adapter.adapter.process.listeners import owner_of
from lambda_web_adapter.app.hooks.calls import attempt_async
from lambda_web_adapter.app.import_traceback import shorten
from lambda_web_adapter.app.loader import detect_interface, load_app
from lambda_web_adapter.app.server import from_asgi2
from lambda_web_adapter.app_api.hooks import hooks_on_shutdown
from lambda_web_adapter.errors import AppError, SettingsError
from lambda_web_adapter.local.log import Log, RequestLine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope

    from lambda_web_adapter.settings import Settings

FAILED = 1

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# How many requests to a WSGI app run at once: as many threads as Starlette has for synchronous routes (anyio's limit).
_THREADS = 40
# For how long idle connections are kept, in seconds: longer than AWS's load balancers keep them (60 s), which would
# otherwise send a request on a connection that is being closed.
_KEEP_ALIVE_SECONDS = 75
# How long the app's own shutdown may take after the last request, in seconds, before the process ends anyway.
_SHUTDOWN_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """How to serve.

    Attributes:
        host: the address to listen on.
        port: the port; 0 for a free one.
        stop_seconds: how long requests may go on after a signal that ends the server.
        logs_access: whether the log has a line for each request.
        trusts_proxy: whether scheme and client are taken from X-Forwarded-Proto and X-Forwarded-For.
    """

    host: str
    port: int
    stop_seconds: float = 25.0
    logs_access: bool = False
    trusts_proxy: bool = False


def serve(settings: Settings, options: ServeOptions) -> int:
    """Serve the app until a signal comes; return the exit code.

    Raises:
        AppNotFound: there is no such app.
        SettingsError: the address cannot be used.
    """
    listener = _bind(options.host, options.port)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end_at_once)  # until `PlainServer` handles them
    log = Log()
    folder = Path(os.path.abspath(settings.app_dir))
    try:
        app = load_app(settings.app, folder)
        interface = detect_interface(app, settings.interface)
    except (AppError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001  # all that the app's own code raises, SystemExit included
        shorten(error, folder)
        log.line(f"The app cannot be imported:\n{''.join(traceback.format_exception(error)).rstrip()}")
        return FAILED
    if interface == "wsgi":
        app = _from_wsgi(app, underscores=settings.underscore_headers)
    if interface == "asgi2":  # an app of ASGI 2 is called with the scope alone
        app = from_asgi2(app)
    server = PlainServer(AccessLog(app, log) if options.logs_access else app, settings, options, log)
    config = server.config
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        try:
            return runner.run(server.run_until_stopped(listener, settings.app or "the app"))
        except SystemExit:  # how uvicorn ends after a failed lifespan startup, which it has logged
            return FAILED


def _end_at_once(number: int, frame: FrameType | None) -> None:
    """End the process while the app is imported, as the kernel would: not if it is a container's process 1."""
    os._exit(128 + number)


class PlainServer(Server):
    """Uvicorn, ended in the same order by SIGTERM, SIGINT and SIGHUP, and within a time."""

    def __init__(self, app: ASGI3Application, settings: Settings, options: ServeOptions, log: Log) -> None:
        """Prepare."""
        super().__init__(
            Config(
                app,
                interface="asgi3",
                http="httptools",
                ws="websockets-sansio",
                lifespan=settings.lifespan,  # type: ignore[arg-type]  # it has the same three values
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=options.trusts_proxy,
                forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS", "*"),
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=options.stop_seconds,  # type: ignore[arg-type]  # fractions are fine
            )
        )
        self._options = options
        self._log = log
        self._title = ""

    async def run_until_stopped(self, listener: socket.socket, title: str) -> int:
        """Serve until a signal comes; return the exit code.

        Raises:
            SystemExit: the lifespan startup failed.
        """
        self._title = title
        await self.serve([listener])
        for hook in hooks_on_shutdown():
            await attempt_async(hook, "on_shutdown")
        return 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the app, listen, and say where.

        Raises:
            SettingsError: another program, which had the address as well, has listened first.
            SystemExit: the lifespan startup failed.
        """
        try:
            await super().startup(sockets)
            addresses = [listener.getsockname()[:2] for listener in sockets or ()]
        except OSError:  # asyncio's, or that of a socket that uvloop has closed because it cannot listen
            await self.lifespan.shutdown()
            raise SettingsError(_describe_taken(self._options.host, self._options.port)) from None
        for host, port in addresses:
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            self._log.line(f"Serving {self._title} on http://{address}. Ctrl-C stops.")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals that end the server; afterwards, further ones are ignored: the process is ending."""
        for number in _ENDING:
            signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            for number in _ENDING:
                signal.signal(number, signal.SIG_IGN)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second Ctrl-C does not wait for requests."""
        if not self.should_exit:
            timer = threading.Timer(self._options.stop_seconds + _SHUTDOWN_SECONDS, self._give_up)
            timer.daemon = True
            timer.start()
        super().handle_exit(sig, frame)

    def _give_up(self) -> None:
        """End the process, whose threads or event loop hang: neither can be interrupted."""
        self._log.line("The app was still running at the end of --stop-timeout and was broken off.")
        sys.stdout.flush()
        os._exit(FAILED)


class AccessLog:
    """An ASGI app around another one: it logs each request when its response is complete."""

    def __init__(self, app: ASGI3Application, log: Log) -> None:
        """Prepare."""
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Call the app, and log the request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["type"] == "http" else "WebSocket"
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        line = RequestLine(title=f"{method} {target.decode('utf-8', 'replace')}")

        async def tracking_send(message: ASGISendEvent) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                line.status = message["status"]
            elif message["type"] == "websocket.accept":
                line.status = 101
            await send(message)

        started_at = time.monotonic()
        try:
            await self._app(scope, receive, tracking_send)
        except Exception:
            line.status = 500 if line.status == "-" else line.status  # which uvicorn sends, and logs the reason
            raise
        finally:
            line.seconds = time.monotonic() - started_at
            self._log.request(line)


def _from_wsgi(app: Any, *, underscores: bool) -> ASGI3Application:
    from a2wsgi import WSGIMiddleware

    from lambda_web_adapter.app.wsgi.underscore_headers import without_underscores

    bridge: Any = WSGIMiddleware(app, workers=_THREADS)
    return bridge if underscores else without_underscores(bridge)


def _bind(host: str, port: int) -> socket.socket:
    """Return a socket that has the address but does not listen yet, so that no client connects before the app is up.

    Raises:
        SettingsError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(_describe(error, host, port)) from None
    return listener


def _describe(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return _describe_taken(host, port)
    if error.errno == errno.EACCES:
        return f"Port {port} is for root only. Choose one from 1024 on with --port."
    return f"{host} is not an address of this machine ({error.strerror}). Choose another with --host."


def _describe_taken(host: str, port: int) -> str:
    owner = owner_of(port)
    by = f" by {owner}" if owner else ""
    return f"Port {port} of {host} is taken{by}. Choose another with --port; 0 picks a free one."
