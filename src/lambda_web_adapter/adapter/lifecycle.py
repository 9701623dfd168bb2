"""The life of an environment, readable from top to bottom: start, wait until ready, serve invocations, stop."""

from __future__ import annotations

import functools
import signal
import sys
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.io.blocking_backend import BlockingBackend, run_blocking
from lambda_web_adapter.adapter.lambda_api.extensions_api import Extension
from lambda_web_adapter.adapter.lambda_api.runtime_api import RuntimeApi
from lambda_web_adapter.adapter.process.stop import stop
from lambda_web_adapter.adapter.process.supervisor import Supervisor
from lambda_web_adapter.adapter.timeouts import KillApp
from lambda_web_adapter.adapter.worker import INIT_FAILED, RUNTIME_API_FAILED, NextFailures, Worker
from lambda_web_adapter.errors import AdapterError, AfterRestoreFailed, AppError, RuntimeApiError
from lambda_web_adapter.events import import_sources
from lambda_web_adapter.ipc import start_file
from lambda_web_adapter.ipc.garbage_collection import resume_collection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.settings import Settings

_PACKAGE = "lambda_web_adapter"
# How long code that SIGTERM interrupts may take to return; Lambda gives a runtime 300 ms to stop.
_MAX_WAIT_SECONDS = 0.05
_RETRY_SECONDS = 0.001  # between two checks of that


class Environment:
    """The kind of execution environment that Lambda has started.

    Not a dataclass: that would add half a millisecond to each cold start.

    Attributes:
        max_concurrency: the largest number of concurrent invocations.
        init_seconds: how long to wait for the app to be ready; after that, the first event is requested anyway.
        snap_start: whether Lambda will take a snapshot of the environment.
    """

    def __init__(
        self, *, max_concurrency: int = 1, init_seconds: float = float("inf"), snap_start: bool = False
    ) -> None:
        """Describe an environment."""
        self.max_concurrency = max_concurrency
        self.init_seconds = init_seconds
        self.snap_start = snap_start


def run(address: str, apps: list[AppProcess], settings: Settings, environment: Environment) -> int:
    """Run an environment until it ends; the app was started, with SIGTERM blocked.

    Args:
        address: `host:port` of the Runtime API.
        apps: the app, in one or more processes.
        settings: the settings.
        environment: the kind of environment.

    Returns:
        The exit code.
    """
    signal.signal(signal.SIGTERM, _exit)
    backend = BlockingBackend()
    supervisors = [Supervisor(app, settings, backend, KillApp(backend)) for app in apps]
    _watch_children(supervisors)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        return _run(address, supervisors, settings, environment)
    except AfterRestoreFailed as error:
        log("ERROR", f"{error.error_type}: {error}")  # it was posted to the Runtime API already
        return INIT_FAILED
    except AppError as error:
        return report_init_error(address, error, settings)
    except RuntimeApiError as error:
        log("ERROR", str(error))
        return RUNTIME_API_FAILED
    finally:
        stop([supervisor.app for supervisor in supervisors])


def _run(address: str, supervisors: list[Supervisor], settings: Settings, environment: Environment) -> int:
    # The registration lasts as long as this object. It bypasses the Runtime API's proxy, which is not for extensions.
    extension = Extension(address)
    if settings.register_extension:
        extension.register()
    for supervisor in supervisors:
        run_blocking(supervisor.start(supervisor.app.started_at + environment.init_seconds))
    resume_collection()
    if doubt := start_file.doubt():
        log("WARNING", doubt)
    if environment.init_seconds == float("inf"):  # no caller waits for this init, but for what the first event imports
        import_sources()
    runtime = RuntimeApi(address, supervisors[0].backend, proxy=settings.runtime_api_proxy)
    if environment.snap_start:
        from lambda_web_adapter.adapter import snapstart  # few environments need it

        snapstart.snapshot_and_restore(runtime, supervisors[0].app, settings)
    if environment.max_concurrency > 1:
        from lambda_web_adapter.adapter import concurrent_workers  # which imports asyncio

        return concurrent_workers.serve(address, supervisors, settings, environment.max_concurrency)
    return run_blocking(Worker(runtime, supervisors[0], settings, NextFailures()).serve())


def report_init_error(address: str, error: AdapterError, settings: Settings, apps: Sequence[AppProcess] = ()) -> int:
    """Stop the apps, report to Lambda that the environment cannot start, and return the exit code."""
    stop(apps)
    log("ERROR", f"{error.error_type}: {error.log_text}")
    try:
        run_blocking(RuntimeApi(address, BlockingBackend(), proxy=settings.runtime_api_proxy).post_init_error(error))
    except RuntimeApiError as unreachable:
        log("ERROR", str(unreachable))
    return INIT_FAILED


def _watch_children(supervisors: list[Supervisor]) -> None:
    """Have the apps checked when a child ends, which saves a system call before each request."""

    def child_changed(number: int, frame: FrameType | None) -> None:
        for supervisor in supervisors:
            supervisor.needs_check = supervisor.has_orphans = True
            supervisor.backend.child_changed()

    signal.signal(signal.SIGCHLD, child_changed)


def _exit(number: int, frame: FrameType | None, deadline: float = 0.0) -> None:
    """End the process by an exception: `finally` stops the app, which another SIGTERM must not interrupt.

    An exception raised within other people's code (a tracer's, a profiler's) may leave a lock held, for which the
    process then waits at its end. So such code gets a moment to return first.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    now = time.monotonic()
    deadline = deadline or now + _MAX_WAIT_SECONDS
    if now < deadline and frame is not None and not frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        signal.signal(signal.SIGALRM, functools.partial(_exit, deadline=deadline))
        signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS)
        return
    sys.exit(0)
