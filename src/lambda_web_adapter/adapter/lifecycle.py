"""The life of an environment, readable from top to bottom: start, wait until ready, serve invocations, stop."""

from __future__ import annotations

import functools
import signal
import sys
import time
from dataclasses import dataclass

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.io.blocking_backend import OneAtATime, run
from lambda_web_adapter.adapter.lambda_api.extensions_api import Extension
from lambda_web_adapter.adapter.lambda_api.runtime_api import RuntimeApi
from lambda_web_adapter.adapter.process.process_tree import adopt_orphans
from lambda_web_adapter.adapter.process.stop import stop
from lambda_web_adapter.adapter.process.supervisor import Supervisor
from lambda_web_adapter.adapter.worker import INIT_FAILED, RUNTIME_API_FAILED, Slot, Strikes
from lambda_web_adapter.errors import AdapterError, AfterRestoreFailed, AppError, RuntimeApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.settings import Settings

_OURS = "lambda_web_adapter"
# After SIGTERM came in other people's code: little of the 300 ms that Lambda leaves a runtime to stop.
_AGAIN = 0.001  # seconds
_PATIENCE = 0.05  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What kind of environment it is.

    Attributes:
        slots: how many invocations there may be at once.
        init_seconds: how long after its start the app is waited for before the first event is asked for all the same.
        snap_start: whether the environment is to be a snapshot.
    """

    slots: int = 1
    init_seconds: float = float("inf")
    snap_start: bool = False


def live(address: str, apps: list[AppProcess], settings: Settings, kind: Kind) -> int:
    """Lives the life of an environment whose app was started already, with SIGTERM blocked since before that.

    Args:
        address: `host:port` of the Runtime API.
        apps: the app, in as many processes as are asked for.
        settings: the settings.
        kind: what kind of environment it is.

    Returns:
        The exit code.
    """
    adopt_orphans()  # before anything that takes time: an app may fork and die at once
    signal.signal(signal.SIGTERM, _exit)
    mode = OneAtATime()
    supervisors = [Supervisor(app, settings, mode) for app in apps]
    _watch(supervisors)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        return _live(address, supervisors, settings, kind)
    except AfterRestoreFailed as error:
        log("ERROR", f"{error.error_type}: {error}")  # Lambda knows already
        return INIT_FAILED
    except AppError as error:
        return init_failed(address, error, settings)
    except RuntimeApiError as error:
        log("ERROR", str(error))
        return RUNTIME_API_FAILED
    finally:
        stop([supervisor.app for supervisor in supervisors])


def _live(address: str, supervisors: list[Supervisor], settings: Settings, kind: Kind) -> int:
    # It is one for as long as this object lives; a proxy is for the runtime's calls only.
    extension = Extension(address)
    if settings.register_extension:
        extension.register()
    for supervisor in supervisors:
        run(supervisor.start(supervisor.app.started_at + kind.init_seconds))
    runtime = RuntimeApi(address, supervisors[0].mode, proxy=settings.runtime_api_proxy)
    if kind.snap_start:
        from lambda_web_adapter.adapter import snapstart  # nobody else pays for it

        snapstart.go_through(runtime, supervisors[0].app, settings)
    if kind.slots > 1:
        from lambda_web_adapter.adapter import concurrent_workers  # with an event loop

        return concurrent_workers.serve(address, supervisors, settings, kind.slots)
    return run(Slot(runtime, supervisors[0], settings, Strikes()).serve())


def init_failed(address: str, error: AdapterError, settings: Settings, apps: Sequence[AppProcess] = ()) -> int:
    """End the apps that were started, report that the environment cannot start, and return the exit code."""
    stop(apps)
    log("ERROR", f"{error.error_type}: {error}")
    try:
        run(RuntimeApi(address, OneAtATime(), proxy=settings.runtime_api_proxy).init_failed(error))
    except RuntimeApiError as unreachable:
        log("ERROR", str(unreachable))
    return INIT_FAILED


def _watch(supervisors: list[Supervisor]) -> None:
    """Has the kernel say when a child ends, so that nobody need ask before each request."""

    def child_changed(number: int, frame: FrameType | None) -> None:
        for supervisor in supervisors:
            supervisor.look = supervisor.has_orphans = True
            supervisor.mode.child_changed()

    signal.signal(signal.SIGCHLD, child_changed)


def _exit(number: int, frame: FrameType | None, until: float = 0.0) -> None:
    """Ends the process in order: `finally` stops the app, and another signal must not stop that.

    An exception out of other people's code may leave a lock held (a tracer's, a profiler's) that the end of the process
    waits for. So such code has a moment to be left.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    now = time.monotonic()
    until = until or now + _PATIENCE
    if now < until and frame is not None and not frame.f_globals.get("__name__", "").startswith(_OURS):
        signal.signal(signal.SIGALRM, functools.partial(_exit, until=until))
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        return
    sys.exit(0)
