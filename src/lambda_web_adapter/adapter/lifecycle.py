"""The life of an environment, readable from top to bottom: start, wait until ready, serve invocations, stop."""

from __future__ import annotations

import functools
import signal
import sys
import time
from dataclasses import dataclass

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.io.blocking_backend import BlockingBackend, run_blocking
from lambda_web_adapter.adapter.lambda_api.extensions_api import Extension
from lambda_web_adapter.adapter.lambda_api.runtime_api import RuntimeApi
from lambda_web_adapter.adapter.process.process_tree import adopt_orphans
from lambda_web_adapter.adapter.process.stop import stop
from lambda_web_adapter.adapter.process.supervisor import Supervisor
from lambda_web_adapter.adapter.worker import INIT_FAILED, RUNTIME_API_FAILED, NextFailures, Worker
from lambda_web_adapter.errors import AdapterError, AfterRestoreFailed, AppError, RuntimeApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.settings import Settings

_PACKAGE = "lambda_web_adapter"
# After SIGTERM came in other people's code: little of the 300 ms that Lambda leaves a runtime to stop.
_RETRY_SECONDS = 0.001  # seconds
_MAX_WAIT_SECONDS = 0.05  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What kind of environment it is.

    Attributes:
        max_concurrency: how many invocations there may be at once.
        init_seconds: how long after its start the app is waited for before the first event is asked for all the same.
        snap_start: whether the environment is to be a snapshot.
    """

    max_concurrency: int = 1
    init_seconds: float = float("inf")
    snap_start: bool = False


def run(address: str, apps: list[AppProcess], settings: Settings, environment: Environment) -> int:
    """Lives the life of an environment whose app was started already, with SIGTERM blocked since before that.

    Args:
        address: `host:port` of the Runtime API.
        apps: the app, in as many processes as are asked for.
        settings: the settings.
        environment: what kind of environment it is.

    Returns:
        The exit code.
    """
    adopt_orphans()  # before anything that takes time: an app may fork and die at once
    signal.signal(signal.SIGTERM, _exit)
    backend = BlockingBackend()
    supervisors = [Supervisor(app, settings, backend) for app in apps]
    _watch_children(supervisors)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        return _run(address, supervisors, settings, environment)
    except AfterRestoreFailed as error:
        log("ERROR", f"{error.error_type}: {error}")  # Lambda knows already
        return INIT_FAILED
    except AppError as error:
        return report_init_error(address, error, settings)
    except RuntimeApiError as error:
        log("ERROR", str(error))
        return RUNTIME_API_FAILED
    finally:
        stop([supervisor.app for supervisor in supervisors])


def _run(address: str, supervisors: list[Supervisor], settings: Settings, environment: Environment) -> int:
    # It is one for as long as this object lives; a proxy is for the runtime's calls only.
    extension = Extension(address)
    if settings.register_extension:
        extension.register()
    for supervisor in supervisors:
        run_blocking(supervisor.start(supervisor.app.started_at + environment.init_seconds))
    runtime = RuntimeApi(address, supervisors[0].backend, proxy=settings.runtime_api_proxy)
    if environment.snap_start:
        from lambda_web_adapter.adapter import snapstart  # nobody else pays for it

        snapstart.snapshot_and_restore(runtime, supervisors[0].app, settings)
    if environment.max_concurrency > 1:
        from lambda_web_adapter.adapter import concurrent_workers  # with an event loop

        return concurrent_workers.serve(address, supervisors, settings, environment.max_concurrency)
    return run_blocking(Worker(runtime, supervisors[0], settings, NextFailures()).serve())


def report_init_error(address: str, error: AdapterError, settings: Settings, apps: Sequence[AppProcess] = ()) -> int:
    """End the apps that were started, report that the environment cannot start, and return the exit code."""
    stop(apps)
    log("ERROR", f"{error.error_type}: {error}")
    try:
        run_blocking(RuntimeApi(address, BlockingBackend(), proxy=settings.runtime_api_proxy).post_init_error(error))
    except RuntimeApiError as unreachable:
        log("ERROR", str(unreachable))
    return INIT_FAILED


def _watch_children(supervisors: list[Supervisor]) -> None:
    """Has the kernel say when a child ends, so that nobody need ask before each request."""

    def child_changed(number: int, frame: FrameType | None) -> None:
        for supervisor in supervisors:
            supervisor.needs_check = supervisor.has_orphans = True
            supervisor.backend.child_changed()

    signal.signal(signal.SIGCHLD, child_changed)


def _exit(number: int, frame: FrameType | None, deadline: float = 0.0) -> None:
    """Ends the process in order: `finally` stops the app, and another signal must not stop that.

    An exception out of other people's code may leave a lock held (a tracer's, a profiler's) that the end of the process
    waits for. So such code has a moment to be left.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    now = time.monotonic()
    deadline = deadline or now + _MAX_WAIT_SECONDS
    if now < deadline and frame is not None and not frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        signal.signal(signal.SIGALRM, functools.partial(_exit, deadline=deadline))
        signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS)
        return
    sys.exit(0)
