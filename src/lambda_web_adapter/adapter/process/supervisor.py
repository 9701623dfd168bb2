"""The app's life, run after run: ready before it is used, started again when it has ended, given up if it never is."""

from __future__ import annotations

from enum import Enum

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.process.readiness import is_overdue, wait_until_ready
from lambda_web_adapter.errors import AppError, AppNotReady, AppStartFailed, SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.adapter.io.backend import Backend
    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.settings import Settings

# Starts of the app in a row that failed, before the environment ends.
MAX_FAILED_STARTS = 3
_LOOK_SECONDS = 0.005  # between two looks whether an app whose server has stopped has ended


class AppState(Enum):
    """Where an app is in its life; `docs/lifecycle.md` has the table of what leads from one to another."""

    STARTING = "it starts, and is not ready yet"
    READY = "it takes requests"
    ENDED = "its process has ended; the next event starts it again"
    FAILED = "it did not start several times in a row; the environment ends"


class Supervisor:
    """Keeps an app at work.

    Attributes:
        app: the run of now.
        state: where it is.
        needs_check: whether a child has ended or stopped since the app was last looked after.
        has_orphans: whether that child may be one that was adopted.
        backend: how to wait.
    """

    def __init__(self, app: AppProcess, settings: Settings, backend: Backend) -> None:
        """Takes the first run, which was started."""
        self.app = app
        self.state = AppState.STARTING
        self.has_orphans = False
        self.needs_check = True  # it may have ended before anybody looked
        self._settings = settings
        self.backend = backend
        self._failed_starts = 0

    def set_backend(self, backend: Backend) -> None:
        """Waits in another way from now on."""
        self.backend = backend
        if self.state is AppState.READY:
            backend.app_started(self.app)

    async def start(self, deadline: float) -> None:
        """Waits for the app; what is not ready by then is waited for within the first invocation.

        An environment that has not asked for an event after 10 s is killed, and the app starts again from nothing.

        Raises:
            AppError: the app cannot be served.
        """
        try:
            await self._wait_until_ready(deadline)
        except AppNotReady as error:
            if is_overdue(self.app, self._settings):
                raise
            log("WARNING", f"{error} The first event is asked for meanwhile.")

    async def ready_app(self, deadline: float) -> AppProcess:
        """Returns an app that takes requests: waits for one that starts, and starts one again that has ended.

        Args:
            deadline: when to give up, on the monotonic clock in seconds.

        Raises:
            AppError: there is none, or not in time.
        """
        if self.state is AppState.READY and not self.needs_check and self.app.pid and not self.app.lost_at:
            return self.app
        try:
            async with self.backend.exclusive_start(deadline):
                await self._check_app(deadline)
        except TimeoutError:
            raise AppNotReady("The app was still being started at the function's time-out.") from None
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
            if was_ready:  # once for each run; a start that failed was counted then
                self._judge_end()
            self._restart_app()
        if self.state is AppState.STARTING:
            log("INFO", "An invocation waits for the app, which starts.")
            await self._wait_until_ready(deadline)

    async def _is_gone(self) -> bool:
        """Return whether the app takes no requests any more; wait for one whose server has stopped to end."""
        while not self.app.is_gone():
            if not self.app.lost_at:
                return False
            await self.backend.sleep(_LOOK_SECONDS)
        return True

    def _restart_app(self) -> None:
        log("WARNING", f"The app has ended ({self.app.exit_status}); it is started again.")
        self.app.kill()  # it has ended; this ends what it has left
        try:
            self.app = self.app.restart()
        except (SettingsError, OSError) as error:
            self._start_failed()
            if isinstance(error, SettingsError):
                raise
            raise AppStartFailed(f"The app cannot be started again: {error}.") from error
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
        self.backend.app_started(self.app)

    def _judge_end(self) -> None:
        """Count the start of an app whose server has failed since: it would do so again and again.

        Raises:
            AppStartFailed: there were too many in a row, without an answered request in between.
        """
        if self.app.has_responded or not self.app.server_failed:
            self._failed_starts = 0
        if self.app.server_failed:
            self._start_failed()
            if self.state is AppState.FAILED:
                raise AppStartFailed("The server of the app has failed after each start; the log has the exception.")

    def _start_failed(self) -> None:
        self._failed_starts += 1
        self.state = AppState.FAILED if self._failed_starts >= MAX_FAILED_STARTS else AppState.ENDED
