"""Waiting for the app to be ready: bounded, explained, and never by a fixed sleep.

Our own server says on the control channel when it is ready. A command is asked: by a TCP connect, or by a GET of the
configured path. The user's own routes are never called unless a path is configured.
"""

from __future__ import annotations

import socket
import time

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.io.blocking_backend import run_blocking
from lambda_web_adapter.adapter.io.blocking_client import BlockingClient
from lambda_web_adapter.adapter.io.response_parser import ConnectionClosed, NotHttp
from lambda_web_adapter.errors import AppKilled, AppNotFound, AppNotReady, AppStartFailed
from lambda_web_adapter.ipc.control_protocol import FAILED, READY, parse_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.errors import AppError
    from lambda_web_adapter.settings import Settings

    Failure = TypeVar("Failure", bound=AppError)

# Between two looks at a command: short at first, when every millisecond is cold start, longer for slow starters.
_FIRST_PAUSE = 0.001  # seconds
_LONGEST_PAUSE = 0.05  # seconds
# By default an app that is not ready after this is taken to hang: it is the least that Lambda gives an init phase which
# is not on demand (Lambda quotas). It is not ended for that before the time of an invocation, or of Lambda, is up.
_ENOUGH_SECONDS = 130.0
_PROGRESS_SECONDS = 2.0  # between lines in the log about it
_CONNECT_SECONDS = 1.0
_PROBE_SECONDS = 5.0  # an HTTP probe that hangs is tried again
_LEAST_SECONDS = 0.001
_PROBE_BYTES = 1024 * 1024  # of the answer to a probe, of which only the status counts
_EXIT_SECONDS = 2.0  # between the end of the control channel and the end of the process
_FAILED_SECONDS = 0.05  # between the word that the start has failed and the same, unless a thread of the app's goes on
# What uvicorn writes of any lifespan startup that fails, and the built-in server of any import.
_IGNORED_LINES = ("Application startup failed. Exiting.", "The app cannot be imported")


def wait_until_ready(app: AppProcess, settings: Settings, deadline: float = float("inf")) -> None:
    """Waits for the app to be ready, for as long after its start as the settings say, but not beyond the deadline.

    Args:
        app: the app, which was started; it may have been waited for before.
        settings: the settings.
        deadline: when to give up for now, on the monotonic clock in seconds.

    Raises:
        AppStartFailed: the app raised or ended.
        AppNotReady: it was not ready in time; `is_overdue` says whether for good.
    """
    ready_by = min(app.started_at + (settings.readiness_check_timeout or float("inf")), deadline)
    if app.is_managed:
        _wait_for_ready_message(app, ready_by, settings)
    else:
        _wait_for_exec(app, ready_by, settings)
        _wait_for_probe(app, ready_by, settings)


def is_overdue(app: AppProcess, settings: Settings) -> bool:
    """Return whether the app has had all the time to be ready that the settings give it, or that is enough for any."""
    return time.monotonic() >= app.started_at + (settings.readiness_check_timeout or _ENOUGH_SECONDS)


def _wait_for_ready_message(app: AppProcess, deadline: float, settings: Settings) -> None:
    message = _read_message(app, deadline, settings)
    if message == READY:
        return
    if not message.startswith(FAILED):
        raise _start_failed(app)
    if not app.has_ended(_FAILED_SECONDS):
        app.kill()
    failure = error_from_message(message, AppStartFailed)
    if failure.raised == AppNotFound.error_type:
        raise error_from_message(message, AppNotFound)
    reported = {*_IGNORED_LINES, *str(failure).splitlines(), *"".join(failure.stack).splitlines()}
    stderr_tail = app.stderr_tail(reported)
    failure.details = f"\nIt wrote to stderr:\n{stderr_tail}" if stderr_tail else ""
    raise failure


def error_from_message(message: bytes, kind: type[Failure]) -> Failure:
    """Makes the error of a `failed {json}` line; of no line at all, the app ended."""
    if not message:
        return kind("The app ended.")
    text, raised, stack = parse_failure(message)
    return kind(text, raised=raised, stack=stack)


def _wait_for_exec(app: AppProcess, deadline: float, settings: Settings) -> None:
    """The channel's end means that the command is being executed."""
    line = _read_message(app, deadline, settings)
    if line:
        raise error_from_message(line, AppStartFailed)


def _read_message(app: AppProcess, deadline: float, settings: Settings) -> bytes:
    while True:
        remaining = deadline - time.monotonic()
        try:
            return app.control.read_message(min(remaining, _PROGRESS_SECONDS))
        except TimeoutError:
            if remaining <= _PROGRESS_SECONDS:
                raise _not_ready(app, settings, "it has not said that it is ready") from None
        log("INFO", f"Waiting for the app, which imports, or is in its lifespan startup ({_waited(app)}).")


def _wait_for_probe(app: AppProcess, deadline: float, settings: Settings) -> None:
    port = settings.readiness_check_port or app.port
    path = settings.readiness_check_path
    by_http = settings.readiness_check_protocol == "http" or (path and settings.readiness_check_protocol != "tcp")
    pause, next_line = _FIRST_PAUSE, time.monotonic() + _PROGRESS_SECONDS
    while True:
        failure = (
            _probe_http(settings, port, path or "/", deadline) if by_http else _probe_tcp(settings.host, port, deadline)
        )
        if not failure and port == app.port:
            failure = _stranger(app)
        if not failure:
            return
        if app.has_ended(pause):
            raise _start_failed(app)
        now = time.monotonic()
        if now >= deadline:
            raise _not_ready(app, settings, failure)
        if now >= next_line:
            log("INFO", f"Waiting for the app ({_waited(app)}): {failure}.")
            next_line = now + _PROGRESS_SECONDS
        pause = min(pause * 2, _LONGEST_PAUSE)


def _stranger(app: AppProcess) -> str:
    """Describe another process that listens on the command's port; return nothing where there is none."""
    from lambda_web_adapter.adapter.process.listeners import stranger_on  # nobody else pays for it

    found = stranger_on(app.port, app.living(), app.run)
    return f"on port {app.port} listens {found}, which is not the command's" if found else ""


def _probe_tcp(host: str, port: int, deadline: float) -> str:
    """Try to connect; return what is wrong, or nothing."""
    try:
        socket.create_connection((host, port), _bounded(_CONNECT_SECONDS, deadline)).close()
    except OSError as error:
        return f"connecting to {host} port {port} gives: {error.strerror or error}"
    return ""


def _bounded(seconds: float, deadline: float) -> float:
    """Return a length of time that ends by a deadline, but not zero, which has another meaning for sockets."""
    return max(min(seconds, deadline - time.monotonic()), _LEAST_SECONDS)


def _probe_http(settings: Settings, port: int, path: str, ready_by: float) -> str:
    """Ask for the path; return what is wrong, or nothing."""
    connection = BlockingClient(settings.host, port)
    request = f"GET {path} HTTP/1.1\r\nhost: {settings.host}:{port}\r\nconnection: close\r\n\r\n"
    try:
        run_blocking(connection.connect(_bounded(_CONNECT_SECONDS, ready_by)))
        connection.limit = _PROBE_BYTES
        deadline = time.monotonic() + _bounded(_PROBE_SECONDS, ready_by)
        response = run_blocking(connection.send_request(request.encode(), deadline=deadline))
    except (OSError, ConnectionClosed, NotHttp) as error:
        return f"GET {path} on port {port} gives: {error}"
    finally:
        connection.close()
    if response.status in settings.readiness_check_healthy_status:
        return ""
    return f"GET {path} on port {port} gives status {response.status}"


def _start_failed(app: AppProcess) -> AppStartFailed:
    app.has_ended(_EXIT_SECONDS)
    stderr_tail = app.stderr_tail()
    details = f" It wrote:\n{stderr_tail}" if stderr_tail else ""
    text = f"The app ended before it was ready ({app.exit_status or 'it closed the control channel'})."
    return AppKilled(text, details) if app.ended_by_signal else AppStartFailed(f"{text}{details}")


def _not_ready(app: AppProcess, settings: Settings, why: str) -> AppNotReady:
    advice = ""
    if is_overdue(app, settings):
        advice = (
            f" It had {settings.readiness_check_timeout or _ENOUGH_SECONDS:g} seconds. If it needs longer, set "
            "AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS; a command has to listen on the port in the variable PORT."
        )
    return AppNotReady(f"The app is not ready ({_waited(app)}): {why}.{advice}")


def _waited(app: AppProcess) -> str:
    return f"{time.monotonic() - app.started_at:.1f} s after its start"
