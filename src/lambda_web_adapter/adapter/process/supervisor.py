"""Start the app, wait until it is ready, and restart it when it has ended."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.process.readiness import is_overdue, wait_until_ready
from lambda_web_adapter.errors import AppError, AppNotReady, AppStartFailed, SettingsError

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.io.backend import Backend
    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.adapter.timeouts import TimeoutPolicy
    from lambda_web_adapter.settings import Settings

# After this many failed starts in a row the environment ends.
MAX_FAILED_STARTS = 3
_POLL_SECONDS = 0.005  # between two checks of an app whose server has stopped: has its process ended?


class AppState(Enum):
    """The state of an app; `docs/lifecycle.md` has the table of transitions."""

    STARTING = "it starts, and is not ready yet"
    READY = "it takes requests"
    ENDED = "its process has ended; the next event restarts it"
    FAILED = "several starts in a row have failed; the environment ends"


class Supervisor:
    """Starts an app, and restarts it when it has ended.

    Attributes:
        app: the current run.
        state: the app's state.
        needs_check: whether a child has ended or stopped since the app was last checked.
        has_orphans: whether that child may be an adopted one.
        backend: the backend, which does the waiting.
        timeout_policy: what happens to requests that hang.
    """

    def __init__(self, app: AppProcess, settings: Settings, backend: Backend, timeout_policy: TimeoutPolicy) -> None:
        """Supervise an app, whose first run has been started."""
        self.app = app
        self.state = AppState.STARTING
        self.has_orphans = False
        self.needs_check = True  # it may have ended already
        self._settings = settings
        self.backend = backend
        self.timeout_policy = timeout_policy
        self._failed_starts = 0

    def switch_to(self, backend: Backend, timeout_policy: TimeoutPolicy) -> None:
        """Use another backend and policy from now on."""
        self.backend = backend
        self.timeout_policy = timeout_policy
        if self.state is AppState.READY:
            backend.watch(self.app)

    async def start(self, deadline: float) -> None:
        """Wait until the app is ready, or until the deadline; after that, the first invocation goes on waiting.

        Lambda kills an environment that has not requested an event after 10 s, and the app starts from scratch.

        Raises:
            AppError: The app cannot be served.
        """
        try:
            await self._wait_until_ready(deadline)
        except AppNotReady as error:
            if is_overdue(self.app, self._settings):
                raise
            log("WARNING", f"{error} The adapter requests the first event meanwhile.")

    async def ready_app(self, deadline: float) -> AppProcess:
        """Return an app that takes requests, after waiting for one that starts or restarting one that has ended.

        Args:
            deadline: when to stop waiting, on the monotonic clock in seconds.

        Raises:
            AppError: The app cannot be started, or not in time.
        """
        if self.state is AppState.READY and not self.needs_check and self.app.pid and not self.app.unreachable_since:
            return self.app
        try:
            async with self.backend.exclusive(deadline):
                await self._check_app(deadline)
        except TimeoutError:
            raise AppNotReady("The app was still being started at the function's timeout.") from None
        return self.app

    async def _check_app(self, deadline: float) -> None:
        self.needs_check = False
        if self.has_orphans:
            self.has_orphans = False
            self.app.collect_orphans()
        was_ready = self.state is AppState.READY
        if self.app.has_ended() or (was_ready and await self._is_gone()):
            self.state = AppState.ENDED
        if self.state is AppState.ENDED:
            if was_ready:  # once for each run; a failed start is counted already
                self._judge_end()
            self._restart_app()
        if self.state is AppState.STARTING:
            log("INFO", "An invocation waits for the app to start.")
            await self._wait_until_ready(deadline)

    async def _is_gone(self) -> bool:
        """Return whether the app takes no more requests; if its server has stopped, wait for its process to end."""
        while not self.app.is_gone():
            if not self.app.unreachable_since:
                return False
            await self.backend.sleep(_POLL_SECONDS)
        return True

    def _restart_app(self) -> None:
        log("WARNING", f"The app has ended ({self.app.exit_status}); it is restarted.")
        self.app.kill()  # its own process has ended; this kills those that it has left
        ended, self.app = self.app, self.app.next_run()  # before the fork, so that SIGTERM reaches it
        try:
            self.app.start(execute=True)
        except (SettingsError, OSError, RuntimeError) as error:  # the last one, if no thread can be started
            self.app.kill()
            self.app = ended
            self._start_failed()
            if isinstance(error, SettingsError):
                raise
            raise AppStartFailed(f"The app cannot be restarted: {error}.") from error
        self.state = AppState.STARTING

    async def _wait_until_ready(self, deadline: float) -> None:
        try:
            await self.backend.call_blocking(wait_until_ready, self.app, self._settings, deadline)
        except AppNotReady:
            if is_overdue(self.app, self._settings):
                self.app.kill()
                self._start_failed()
            raise
        except AppError:
            self._start_failed()
            raise
        self.state = AppState.READY
        self.app.pin_to_one_core()
        self.backend.watch(self.app)

    def _judge_end(self) -> None:
        """Count a run that ended because the built-in server failed as a failed start: the next may fail likewise.

        Raises:
            AppStartFailed: Too many failed in a row, without a response in between.
        """
        if self.app.has_responded or not self.app.server_failed:
            self._failed_starts = 0
        if self.app.server_failed:
            self._start_failed()
            if self.state is AppState.FAILED:
                raise AppStartFailed("The app's server has failed after each start; the log has the exception.")

    def _start_failed(self) -> None:
        self._failed_starts += 1
        self.state = AppState.FAILED if self._failed_starts >= MAX_FAILED_STARTS else AppState.ENDED
