"""SnapStart: the app's hooks around the snapshot, and the wait for a restore, which goes through it.

Hooks are functions that a Python app has registered, and, of any app, paths that it gets a POST of, as from the AWS
Lambda Web Adapter. https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html
"""

from __future__ import annotations

import time

from lambda_web_adapter.adapter.io.blocking_backend import run_blocking
from lambda_web_adapter.adapter.io.blocking_client import BlockingClient
from lambda_web_adapter.adapter.io.response_parser import ConnectionClosed, NotHttp
from lambda_web_adapter.adapter.process.readiness import error_from_message, wait_until_ready
from lambda_web_adapter.errors import AfterRestoreFailed, AppError, BeforeSnapshotFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.adapter.lambda_api.runtime_api import RuntimeApi
    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.settings import Settings

    Kind = type[BeforeSnapshotFailed | AfterRestoreFailed]

_RESTORE_SECONDS = 10.0  # what Lambda gives the restore hooks (Lambda Developer Guide, "SnapStart runtime hooks")


def snapshot_and_restore(runtime: RuntimeApi, app: AppProcess, settings: Settings) -> None:
    """Has the snapshot taken, and comes back restored, perhaps many times, in as many environments.

    Raises:
        BeforeSnapshotFailed: a hook before the snapshot failed.
        AfterRestoreFailed: a hook after the restore failed; Lambda was told.
        RuntimeApiError: the Runtime API has no restore.
    """
    seconds = settings.readiness_check_timeout or float("inf")
    if path := settings.snapstart_before_checkpoint_path:
        _post(app, settings.host, path, seconds, BeforeSnapshotFailed)
    _run_hooks(app, "snapshot", seconds, BeforeSnapshotFailed)
    run_blocking(runtime.wait_for_restore())
    try:
        _run_hooks(app, "restore", _RESTORE_SECONDS, AfterRestoreFailed)
        if path := settings.snapstart_after_restore_path:
            _post(app, settings.host, path, _RESTORE_SECONDS, AfterRestoreFailed)
        if not app.is_managed:
            _wait_until_reachable(app, settings)
    except AfterRestoreFailed as error:
        run_blocking(runtime.post_restore_error(error))
        raise


def _post(app: AppProcess, host: str, path: str, seconds: float, kind: Kind) -> None:
    """Call a path of the app, on a connection that is not used again.

    Raises:
        BeforeSnapshotFailed: the app did not answer with a 2xx, where `error_class` is that.
        AfterRestoreFailed: the same, where it is this.
    """
    connection = BlockingClient(host, app.port, app.is_gone)
    head = f"POST {path} HTTP/1.1\r\nhost: {host}:{app.port}\r\ncontent-length: 0\r\n\r\n"
    deadline = time.monotonic() + seconds
    try:
        run_blocking(connection.connect(min(seconds, _RESTORE_SECONDS)))
        port = connection.port
        response = run_blocking(connection.send_request(head.encode(), method="POST", deadline=deadline, whole=False))
        while not connection.complete:
            run_blocking(connection.read_chunk(deadline))
        if app.is_managed:
            _wait_until_done(app, port, deadline)
    except TimeoutError:
        raise kind(f"POST {path}, the app's hook for SnapStart, was not answered within {seconds:g} seconds.") from None
    except (OSError, ConnectionClosed, NotHttp) as error:
        raise kind(f"POST {path}, the app's hook for SnapStart, was not answered: {error}.") from None
    finally:
        connection.close()
    if not 200 <= response.status < 300:
        raise kind(f"POST {path}, the app's hook for SnapStart, was answered with {response.status}, not with a 2xx.")


def _wait_until_done(app: AppProcess, port: int, deadline: float) -> None:
    """Wait until the call has returned; a snapshot in the middle of it would have its rest happen in each restore."""
    lines = (b"done %d" % port, b"closing %d" % port, b"")
    while app.control.read_message(deadline - time.monotonic()) not in lines:
        pass


def _wait_until_reachable(app: AppProcess, settings: Settings) -> None:
    """Wait until a command takes requests again, which a restore may have kept from it.

    Raises:
        AfterRestoreFailed: it does not, or not in time.
    """
    app.started_at = time.monotonic()  # the time of a snapshot counts for nothing
    try:
        wait_until_ready(app, settings, app.started_at + _RESTORE_SECONDS)
    except AppError as error:
        raise AfterRestoreFailed(f"After the restore: {error}") from None


def _run_hooks(app: AppProcess, message: str, seconds: float, error_class: Kind) -> None:
    """Has our own server do something; a command has no hooks."""
    if not app.is_managed:
        return
    app.control.send(message)
    deadline = time.monotonic() + seconds
    try:
        while (line := app.control.read_message(deadline - time.monotonic())) != b"completed":
            if line.startswith(b"failed ") or not line:
                raise error_from_message(line, error_class)
    except TimeoutError:
        raise error_class(f"The hooks were not done within {seconds:g} seconds.") from None
