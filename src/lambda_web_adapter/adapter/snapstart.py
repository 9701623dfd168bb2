"""SnapStart: the app's hooks around the snapshot, and the wait for the restore, during which the snapshot is taken.

Hooks are functions that a Python app has registered, and paths of any app that get a POST, as from the AWS Lambda Web
Adapter. https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.io.blocking_backend import run_blocking
from lambda_web_adapter.adapter.io.blocking_client import BlockingClient
from lambda_web_adapter.adapter.io.response_parser import ConnectionClosed, NotHttp
from lambda_web_adapter.adapter.process.readiness import error_from_message, wait_until_ready
from lambda_web_adapter.errors import AfterRestoreFailed, AppError, BeforeSnapshotFailed
from lambda_web_adapter.ipc.control_protocol import (
    AFTER_RESTORE,
    BEFORE_SNAPSHOT,
    COMPLETED,
    FAILED,
    encode,
    end_messages,
)

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.lambda_api.runtime_api import RuntimeApi
    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.settings import Settings

    ErrorClass = type[BeforeSnapshotFailed | AfterRestoreFailed]

_RESTORE_SECONDS = 10.0  # Lambda's timeout for restore hooks (Lambda Developer Guide, "SnapStart runtime hooks")


def snapshot_and_restore(runtime: RuntimeApi, app: AppProcess, settings: Settings) -> None:
    """Run the hooks around the snapshot; return in each environment that is restored from it.

    Raises:
        BeforeSnapshotFailed: a hook before the snapshot failed.
        AfterRestoreFailed: a hook after the restore failed; the error was posted to the Runtime API.
        RuntimeApiError: the Runtime API has no restore.
    """
    seconds = settings.readiness_check_timeout or float("inf")
    if path := settings.snapstart_before_checkpoint_path:
        _post(app, settings.host, path, seconds, BeforeSnapshotFailed)
    _run_hooks(app, BEFORE_SNAPSHOT, seconds, BeforeSnapshotFailed)
    run_blocking(runtime.wait_for_restore())
    try:
        _run_hooks(app, AFTER_RESTORE, _RESTORE_SECONDS, AfterRestoreFailed)
        if path := settings.snapstart_after_restore_path:
            _post(app, settings.host, path, _RESTORE_SECONDS, AfterRestoreFailed)
        if not app.is_managed:
            _wait_until_reachable(app, settings)
    except AfterRestoreFailed as error:
        run_blocking(runtime.post_restore_error(error))
        raise


def _post(app: AppProcess, host: str, path: str, seconds: float, error_class: ErrorClass) -> None:
    """Send a POST to a path of the app, on a connection that is not used again.

    Raises:
        BeforeSnapshotFailed, AfterRestoreFailed: (`error_class`) the status is not 2xx, or no response came in time.
    """
    hook = f"The app's SnapStart hook, POST {path},"
    connection = BlockingClient(host, app.port, app)
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
        raise error_class(f"{hook} did not finish within {seconds:g} seconds.") from None
    except (OSError, ConnectionClosed, NotHttp) as error:
        raise error_class(f"{hook} failed: {error}.") from None
    finally:
        connection.close()
    if not 200 <= response.status < 300:
        raise error_class(f"{hook} responded with status {response.status}; it must be 2xx.")


def _wait_until_done(app: AppProcess, port: int, deadline: float) -> None:
    """Wait until the app's call has returned; otherwise the rest of it would run in each restored environment."""
    messages = (*end_messages(port), b"")
    while app.control.read_message(deadline - time.monotonic()) not in messages:
        pass


def _wait_until_reachable(app: AppProcess, settings: Settings) -> None:
    """Wait until an external command takes requests again after the restore.

    Raises:
        AfterRestoreFailed: it takes none, or not in time.
    """
    app.started_at = time.monotonic()  # the time spent in the snapshot does not count
    try:
        wait_until_ready(app, settings, app.started_at + _RESTORE_SECONDS)
    except AppError as error:
        raise AfterRestoreFailed(f"After the restore: {error}") from None


def _run_hooks(app: AppProcess, message: bytes, seconds: float, error_class: ErrorClass) -> None:
    """Have the built-in server run the hooks that `message` names; an external command has none."""
    if not app.is_managed:
        return
    app.control.send(encode(message))
    deadline = time.monotonic() + seconds
    try:
        while (received := app.control.read_message(deadline - time.monotonic())) != COMPLETED:
            if received.startswith(FAILED) or not received:
                raise error_from_message(received, error_class)
    except TimeoutError:
        raise error_class(f"The app's SnapStart hooks took longer than {seconds:g} seconds.") from None
