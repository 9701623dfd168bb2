"""The end of the app's processes, in the time that Lambda leaves for it."""

from __future__ import annotations

import os
import signal
import time

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.process import process_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_web_adapter.adapter.process.app_process import AppProcess

# What Lambda leaves a runtime for SIGTERM when an extension is registered ("Lambda execution environment", "Shutdown").
_STOP_SECONDS = 0.3
# The end of that time, kept for processes behind one that does not hand on the signal, as a shell that waits for its
# command before it runs its trap.
_WORKERS_SECONDS = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.01  # between two looks at who has ended


def stop(apps: Sequence[AppProcess]) -> None:
    """Ask each app's own process to end, then those that outlive it, and kill what has not ended in time.

    A server with workers ends them in order itself, lifespan shutdown included; a signal to them would cut that short.
    """
    deadline = time.monotonic() + _STOP_SECONDS
    for app in apps:
        app.terminate()
    signalled: set[int] = set()
    pause = _FIRST_PAUSE
    while [app for app in apps if not _has_stopped(app, signalled, deadline)] and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    for app in apps:
        if not app.has_ended():
            log("WARNING", f"The app did not end within {_STOP_SECONDS:g} s after SIGTERM; it is killed.")
        app.kill()


def _has_stopped(app: AppProcess, signalled: set[int], deadline: float) -> bool:
    """Return whether nothing is left of an app, and ask those that outlive its own process to end."""
    late = time.monotonic() >= deadline - _WORKERS_SECONDS
    if not late and not app.has_ended():
        return False
    running = app.living()
    # One of them may be a server with workers, behind a shell that has ended.
    adopted = [pid for pid, parent in running.items() if parent == os.getpid()]
    workers = set(running if late else adopted) - {app.pid} - signalled
    process_tree.send(signal.SIGTERM, workers)
    signalled |= workers
    return not running and app.has_ended()  # without /proc, nothing is known of what is left
