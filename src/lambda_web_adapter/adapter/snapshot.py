"""SnapStart: the app's hooks around the snapshot, and the wait for a restore, which goes through it.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html
"""

from __future__ import annotations

import time

from lambda_web_adapter.adapter.one_at_a_time import run
from lambda_web_adapter.adapter.readiness import failure_of
from lambda_web_adapter.errors import AfterRestoreFailed, BeforeSnapshotFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.adapter.app_process import AppProcess
    from lambda_web_adapter.adapter.runtime_api import RuntimeApi
    from lambda_web_adapter.settings import Settings

_RESTORE_SECONDS = 10.0  # what Lambda gives the restore hooks (Lambda Developer Guide, "SnapStart runtime hooks")


def go_through(runtime: RuntimeApi, app: AppProcess, settings: Settings) -> None:
    """Has the snapshot taken, and comes back restored, perhaps many times, in as many environments.

    Raises:
        BeforeSnapshotFailed: a hook before the snapshot failed.
        AfterRestoreFailed: a hook after the restore failed; Lambda was told.
        RuntimeApiError: the Runtime API has no restore.
    """
    _ask(app, "snapshot", settings.readiness_check_timeout, BeforeSnapshotFailed)
    run(runtime.restore_next())
    try:
        _ask(app, "restore", _RESTORE_SECONDS, AfterRestoreFailed)
    except AfterRestoreFailed as error:
        run(runtime.restore_failed(error))
        raise


def _ask(app: AppProcess, word: str, seconds: float, kind: type[BeforeSnapshotFailed | AfterRestoreFailed]) -> None:
    """Has our own server do something; a command has no hooks."""
    if not app.speaks:
        return
    app.control.ask(word)
    until = time.monotonic() + seconds
    try:
        while (line := app.control.read_line(until - time.monotonic())) != b"completed":
            if line.startswith(b"failed ") or not line:
                raise failure_of(line, kind)
    except TimeoutError:
        raise kind(f"The hooks were not done within {seconds:g} seconds.") from None
