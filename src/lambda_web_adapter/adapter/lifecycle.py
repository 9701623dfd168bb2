"""The life of an environment, readable from top to bottom: start, wait until ready, serve invocations, stop."""

from __future__ import annotations

import signal
import sys
import time

from lambda_web_adapter.adapter.app_connection import AppConnection
from lambda_web_adapter.adapter.extension import Extension
from lambda_web_adapter.adapter.invocation import Invoker, deadline_of
from lambda_web_adapter.adapter.log import log
from lambda_web_adapter.adapter.readiness import is_overdue, wait_until_ready
from lambda_web_adapter.adapter.runtime_api import RuntimeApi
from lambda_web_adapter.errors import AdapterError, AfterRestoreFailed, AppError, AppNotReady, RuntimeApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from lambda_web_adapter.adapter.app_process import AppProcess
    from lambda_web_adapter.messages import Invocation
    from lambda_web_adapter.settings import Settings

# Exit codes; Lambda shows them, it makes no difference between those that are not 0.
INIT_FAILED = 1
RUNTIME_API_FAILED = 2
# Answers to /next in a row that were none, before the bootstrap ends and Lambda makes a new environment.
_STRIKES = 5
_STRIKE_PAUSE = 0.1  # seconds
# Starts of the app in a row that failed, before the bootstrap ends.
_FAILED_STARTS = 3


def run(
    runtime: RuntimeApi,
    app: AppProcess,
    settings: Settings,
    *,
    init_seconds: float = float("inf"),
    snap_start: bool = False,
) -> int:
    """Lives the life of an environment whose app was started already, with SIGTERM blocked since before that.

    Args:
        runtime: the Runtime API.
        app: the app.
        settings: the settings.
        init_seconds: how long after its start the app is waited for before the first event is asked for all the same.
        snap_start: whether the environment is to be a snapshot.

    Returns:
        The exit code.
    """
    signal.signal(signal.SIGTERM, _exit)
    app.watch()
    app.child_changed = True  # it may have ended before it was watched
    extension = Extension(runtime.address)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        if settings.register_extension:
            extension.register()
        environment = _Environment(runtime, app, settings)
        environment.start(app.started_at + init_seconds)
        if snap_start:
            from lambda_web_adapter.adapter import snapshot  # nobody else pays for it

            snapshot.go_through(runtime, app, settings)
        return environment.serve()
    except AfterRestoreFailed as error:
        log("ERROR", f"{error.error_type}: {error}")  # Lambda knows already
        return INIT_FAILED
    except AppError as error:
        return init_failed(runtime, error)
    except RuntimeApiError as error:
        log("ERROR", str(error))
        return RUNTIME_API_FAILED
    finally:
        app.stop()


def init_failed(runtime: RuntimeApi, error: AdapterError) -> int:
    """Reports that the environment could not start, to Lambda and in the log.

    Returns:
        The exit code.
    """
    log("ERROR", f"{error.error_type}: {error}")
    try:
        runtime.init_failed(error)
    except RuntimeApiError as unreachable:
        log("ERROR", str(unreachable))
    return INIT_FAILED


class _Environment:
    """One environment that serves one invocation at a time."""

    def __init__(self, runtime: RuntimeApi, app: AppProcess, settings: Settings) -> None:
        self._runtime = runtime
        self._app = app
        self._settings = settings
        self._ready = False
        self._failed_starts = 0
        self._connection: AppConnection | None = None

    def start(self, until: float) -> None:
        """Waits for the app; what is not ready by then is waited for within the first invocation.

        An environment that has not asked for an event after 10 s is killed, and the app starts again from nothing.

        Raises:
            AppError: the app cannot be served.
        """
        try:
            self._wait_until_ready(until)
        except AppNotReady as error:
            if is_overdue(self._app, self._settings):
                raise
            log("WARNING", f"{error} The first event is asked for meanwhile.")

    def serve(self) -> int:
        """Serves invocations until there are none to be had any more."""
        strikes = 0
        while True:
            try:
                invocation = self._runtime.next()
            except RuntimeApiError as error:
                strikes += 1
                log("ERROR", str(error))
                if error.fatal or strikes == _STRIKES:
                    return RUNTIME_API_FAILED
                time.sleep(_STRIKE_PAUSE)
                continue
            strikes = 0
            self._handle(invocation)
            if self._failed_starts == _FAILED_STARTS:
                log("ERROR", f"The app could not be started {_FAILED_STARTS} times in a row; the environment ends.")
                return INIT_FAILED

    def _handle(self, invocation: Invocation) -> None:
        deadline = deadline_of(invocation, self._settings.deadline_margin)
        try:
            self._ensure_app(deadline)
        except AdapterError as error:
            self._fail(invocation, error)
            return
        try:
            reply = self._invoker.reply_to(invocation, deadline)
        except AdapterError as error:
            self._fail(invocation, error)
        else:
            self._runtime.respond(invocation, reply)
        if self._connection:
            self._connection.wait_until_done(deadline, invocation.request_id)

    def _fail(self, invocation: Invocation, error: AdapterError) -> None:
        kind = f"{error.error_type} ({error.raised})" if error.raised else error.error_type
        log("ERROR", f"{kind}: {error}{error.details}", invocation.request_id)
        self._runtime.fail(invocation, error)

    def _ensure_app(self, deadline: float) -> None:
        """Starts the app again if it has ended, or waits on for one that was started again.

        Raises:
            AppError: it does not start.
        """
        if not self._app.child_changed and self._app.pid and self._ready:
            return
        self._app.child_changed = False
        if self._app.has_ended():
            log("WARNING", f"The app has ended ({self._app.end}); it is started again.")
            self._ready = False
            if self._connection:
                self._connection.close()
            self._app.stop()
            self._app.start()
        if not self._ready:
            self._wait_until_ready(deadline)

    def _wait_until_ready(self, deadline: float) -> None:
        try:
            wait_until_ready(self._app, self._settings, deadline)
        except AppNotReady:
            if is_overdue(self._app, self._settings):
                self._failed_starts += 1
                self._app.kill()
            raise
        except AppError:
            self._failed_starts += 1
            raise
        self._failed_starts = 0
        self._app.share_core()
        self._connection = AppConnection(self._app, self._settings.host)
        self._invoker = Invoker(self._settings, self._connection)
        self._ready = True


def _exit(number: int, frame: FrameType | None) -> None:
    """Ends the process in order: `finally` stops the app, and another signal must not stop that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)
