"""Readiness: the wait until the app accepts requests.

The built-in server sends READY on the control channel. An external command is probed by a TCP connect, or by a GET of
the configured path. No route of the app is called unless a path is configured.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.io.blocking_backend import run_blocking
from lambda_web_adapter.adapter.io.blocking_client import BlockingClient
from lambda_web_adapter.adapter.io.response_parser import ConnectionClosed, NotHttp
from lambda_web_adapter.errors import AppKilled, AppNotFound, AppNotReady, AppStartFailed
from lambda_web_adapter.ipc.control_protocol import DEBUGGER, FAILED, READY, STACKS_DUMPED, parse_failure

if TYPE_CHECKING:
    from typing import TypeVar

    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.errors import AppError
    from lambda_web_adapter.settings import Settings

    Failure = TypeVar("Failure", bound=AppError)

# Between two probes: short at first, when every millisecond is cold start, longer for slow starts.
_FIRST_PAUSE = 0.001  # seconds
_LONGEST_PAUSE = 0.05  # seconds
# After this, an app that is not ready counts as hung, unless the user has set another time: it is the shortest timeout
# of an init phase that is not on demand (Lambda quotas). No app is killed before the deadline of an invocation or init.
_DEFAULT_TIMEOUT_SECONDS = 130.0
_PROGRESS_SECONDS = 2.0  # between log lines about the wait
_SLOW_SECONDS = 5.0  # after which the log shows once what the app does
_CONNECT_SECONDS = 1.0
_PROBE_SECONDS = 5.0  # how long one HTTP probe may take
_MIN_TIMEOUT_SECONDS = 0.001
_PROBE_BYTES = 1024 * 1024  # how much of a probe's response is read, although only the status counts
_EXIT_SECONDS = 2.0  # how long the process may take to end after the control channel has closed
_FAILED_SECONDS = 0.05  # the same after FAILED, short because a thread of the app may go on
# Lines on stderr that repeat the error: uvicorn's and ours for a failed lifespan startup, ours for an import.
_IGNORED_LINES = (
    "Application startup failed. Exiting.",
    "The app's lifespan startup has failed.",
    "The app cannot be imported",
)


def wait_until_ready(app: AppProcess, settings: Settings, deadline: float = float("inf")) -> None:
    """Wait until the app is ready, at most for the configured time after its start, and not beyond the deadline.

    Args:
        app: an app that was started; an earlier wait for it may have timed out.
        settings: the settings.
        deadline: when to stop waiting for now, on the monotonic clock in seconds.

    Raises:
        AppStartFailed: The app raised an exception, or ended.
        AppNotReady: It was not ready in time; if `is_overdue`, it counts as hung.
    """
    ready_by = min(app.started_at + (settings.readiness_check_timeout or float("inf")), deadline)
    if app.is_managed:
        _wait_for_ready_message(app, ready_by, settings)
    else:
        _wait_for_exec(app, ready_by, settings)
        _wait_for_probe(app, ready_by, settings)


def is_overdue(app: AppProcess, settings: Settings) -> bool:
    """Return whether the app's readiness timeout, or the default one, has passed since its start."""
    return not app.control.has_debugger and time.monotonic() >= app.started_at + (
        settings.readiness_check_timeout or _DEFAULT_TIMEOUT_SECONDS
    )


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
    failure.details = _hint(failure) + (f"\nIt wrote to stderr:\n{stderr_tail}" if stderr_tail else "")
    raise failure


def _hint(failure: AppStartFailed) -> str:
    """Log why the import has probably failed, if that is known; return it as a line for the error's details."""
    from lambda_web_adapter.adapter.diagnostics.import_hints import hint_at_cause  # only for failed starts

    hint = hint_at_cause(failure.raised, str(failure), os.curdir)  # which may have been deleted
    if not hint:
        return ""
    log("ERROR", f"Hint: {hint}")
    return f"\nHint: {hint}"


def error_from_message(message: bytes, kind: type[Failure]) -> Failure:
    """Return the error for a FAILED message; an empty message means that the app has ended."""
    if not message:
        return kind("The app ended.")
    text, raised, stack, is_logged = parse_failure(message)
    error = kind(text, raised=raised, stack=stack)
    error.is_logged = is_logged
    return error


def _wait_for_exec(app: AppProcess, deadline: float, settings: Settings) -> None:
    """Wait until the control channel closes, which means that the external command is being executed."""
    message = _read_message(app, deadline, settings)
    if message:
        raise error_from_message(message, AppStartFailed)


def _read_message(app: AppProcess, deadline: float, settings: Settings) -> bytes:
    while True:
        remaining = deadline - time.monotonic()
        pause = _until_next_line(app)
        try:
            message = app.control.read_message(min(remaining, pause))
        except TimeoutError:
            if remaining <= pause:
                raise _not_ready(app, settings, "its import or its lifespan startup is not complete") from None
            _log_wait(app)
            continue
        if message == DEBUGGER:
            app.control.mark_debugged()
            deadline = float("inf")
        elif message != STACKS_DUMPED:  # a late one
            return message


def _until_next_line(app: AppProcess) -> float:
    """Return how long to wait before the next log line about the wait, in seconds."""
    if app.stacks_logged or not app.is_managed or app.control.has_debugger:
        return _PROGRESS_SECONDS
    return min(_PROGRESS_SECONDS, max(app.started_at + _SLOW_SECONDS - time.monotonic(), 0.0))


def _log_wait(app: AppProcess) -> None:
    """Log that the app is waited for; once what it does."""
    if app.control.has_debugger:
        return
    if app.is_managed and not app.stacks_logged and time.monotonic() >= app.started_at + _SLOW_SECONDS:
        app.stacks_logged = True
        if _log_slow_start(app):
            return
    log("INFO", f"Waiting for the app to import and to complete its lifespan startup ({_waited(app)}).")


def _log_slow_start(app: AppProcess) -> str:
    from lambda_web_adapter.adapter.diagnostics.slow_start import log_slow_start  # most starts are fast

    return log_slow_start(app)


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
            failure = _check_listener(app)
        if not failure:
            return
        if app.has_ended(pause):
            raise _start_failed(app)
        now = time.monotonic()
        if now >= deadline:
            raise _not_ready(app, settings, f"{failure}{_elsewhere(app, settings, port)}")
        if now >= next_line:
            log("INFO", f"Waiting for the app ({_waited(app)}): {failure}{_elsewhere(app, settings, port)}.")
            next_line = now + _PROGRESS_SECONDS
        pause = min(pause * 2, _LONGEST_PAUSE)


def _check_listener(app: AppProcess) -> str:
    """Return a failure if a process that is not the app's listens on the external command's port; else empty."""
    from lambda_web_adapter.adapter.process.listeners import unrelated_listener  # the built-in server does not need it

    listener = unrelated_listener(app.port, app.running_processes(), app.run_id)
    return f"{listener}, which the app has not started, listens on port {app.port}" if listener else ""


def _elsewhere(app: AppProcess, settings: Settings, port: int) -> str:
    """Return where the external command listens if it is not where it has to, with what to do; else empty."""
    from lambda_web_adapter.adapter.process import command_advice, listeners  # only slow starts need them

    addresses = listeners.addresses_of(app.running_processes())
    advice = command_advice.describe_listeners(app.command, addresses, settings.host, port)
    return f"; {advice}" if advice else ""


def _probe_tcp(host: str, port: int, deadline: float) -> str:
    """Return why a connect fails; empty if it succeeds."""
    try:
        socket.create_connection((host, port), _bounded(_CONNECT_SECONDS, deadline)).close()
    except OSError as error:
        return f"the connection to {host} port {port} failed: {error.strerror or error}"
    return ""


def _bounded(seconds: float, deadline: float) -> float:
    """Return a timeout that ends by the deadline, never zero, which would make a socket non-blocking."""
    return max(min(seconds, deadline - time.monotonic()), _MIN_TIMEOUT_SECONDS)


def _probe_http(settings: Settings, port: int, path: str, ready_by: float) -> str:
    """Return why a GET of the path fails; empty if it gets a healthy status."""
    connection = BlockingClient(settings.host, port)
    request = f"GET {path} HTTP/1.1\r\nhost: {settings.host}:{port}\r\nconnection: close\r\n\r\n"
    try:
        run_blocking(connection.connect(_bounded(_CONNECT_SECONDS, ready_by)))
        connection.limit = _PROBE_BYTES
        deadline = time.monotonic() + _bounded(_PROBE_SECONDS, ready_by)
        response = run_blocking(connection.send_request(request.encode(), deadline=deadline))
    except (OSError, ConnectionClosed, NotHttp) as error:
        return f"GET {path} on port {port} failed: {error}"
    finally:
        connection.close()
    if response.status in settings.readiness_check_healthy_status:
        return ""
    return f"GET {path} on port {port} returned status {response.status}"


def _start_failed(app: AppProcess) -> AppStartFailed:
    app.has_ended(_EXIT_SECONDS)
    stderr_tail = app.stderr_tail()
    details = f" It wrote to stderr:\n{stderr_tail}" if stderr_tail else ""
    text = f"The app ended before it was ready ({app.exit_status or 'it closed the control channel'})."
    return AppKilled(text, details) if app.ended_by_signal else AppStartFailed(f"{text}{details}")


def _not_ready(app: AppProcess, settings: Settings, reason: str) -> AppNotReady:
    advice = ""
    if is_overdue(app, settings):
        seconds = settings.readiness_check_timeout or _DEFAULT_TIMEOUT_SECONDS
        advice = (
            f" It had {seconds:g} seconds. If it needs longer, set AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS; an "
            "external command has to listen on the port in the variable PORT."
        )
    error = AppNotReady(f"The app is not ready ({_waited(app)}): {reason}.{advice}")
    if app.is_managed and app.pid and time.monotonic() >= app.started_at + _SLOW_SECONDS:
        error.details = _log_slow_start(app)
    return error


def _waited(app: AppProcess) -> str:
    return f"{time.monotonic() - app.started_at:.1f} s after its start"
