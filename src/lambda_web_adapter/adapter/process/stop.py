"""Stop all apps within the time that Lambda gives for it."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.process import process_tree
from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_web_adapter.adapter.process.app_process import AppProcess

# What Lambda gives a runtime after SIGTERM if an extension is registered ("Lambda execution environment", "Shutdown").
_STOP_SECONDS = 0.3
# In a local run, where a busy laptop needs more than Lambda for the same; local/environments kills after 2 s.
_LOCAL_STOP_SECONDS = 1.5
# The last part of that time, for processes whose parent does not pass the signal on, such as a shell that waits for its
# child before it runs its trap.
_WORKERS_SECONDS = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.01  # seconds between two checks


def stop(apps: Sequence[AppProcess]) -> None:
    """Send SIGTERM to each app's own process, then to those that outlive it, and kill what has not ended in time.

    A server stops its worker processes itself, lifespan shutdown included; a signal to them would cut that short.
    """
    seconds = _LOCAL_STOP_SECONDS if os.environ.get(LOCAL_RUN_VARIABLE) else _STOP_SECONDS
    started_at = time.monotonic()
    deadline, workers_at = started_at + seconds, started_at + _STOP_SECONDS - _WORKERS_SECONDS
    for app in apps:
        app.terminate()
    signalled: set[int] = set()
    pause = _FIRST_PAUSE
    while [app for app in apps if not _has_stopped(app, signalled, workers_at)] and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    for app in apps:
        if not app.has_ended():
            log("WARNING", f"The app did not end within {seconds:g} s after SIGTERM; it is killed.")
        app.kill()


def _has_stopped(app: AppProcess, signalled: set[int], workers_at: float) -> bool:
    """Return whether nothing is left of an app; send SIGTERM to processes that outlive its own.

    From `workers_at` on, all of its processes get it.
    """
    late = time.monotonic() >= workers_at
    if not late and not app.has_ended():
        return False
    running = app.running_processes()
    # An adopted process may be a server with worker processes, started by a shell that has ended.
    adopted = [pid for pid, parent in running.items() if parent == os.getpid()]
    workers = set(running if late else adopted) - {app.pid} - signalled
    process_tree.send(signal.SIGTERM, workers)
    signalled |= workers
    return not running and app.has_ended()  # without /proc, `running` is empty
