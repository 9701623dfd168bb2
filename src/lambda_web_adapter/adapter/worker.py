"""One slot of an environment: it asks for an event, has the app handle it, answers, and asks for the next one."""

from __future__ import annotations

import time
import traceback

from lambda_web_adapter.adapter.app_client import AppClient
from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.invocation import Invoker, deadline_from_invocation, reply_without_app
from lambda_web_adapter.adapter.process.supervisor import MAX_FAILED_STARTS, AppState
from lambda_web_adapter.errors import AdapterError, AppKilled, RuntimeApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.adapter.diagnostics.access_log import AccessLog
    from lambda_web_adapter.adapter.lambda_api.response_stream import StreamedReply
    from lambda_web_adapter.adapter.lambda_api.runtime_api import RuntimeApi
    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.adapter.process.supervisor import Supervisor
    from lambda_web_adapter.http.messages import Invocation
    from lambda_web_adapter.settings import Settings

# Exit codes; Lambda shows them, it makes no difference between those that are not 0.
INIT_FAILED = 1
RUNTIME_API_FAILED = 2
# Answers to /next in a row that were none, for each slot, before the environment ends.
_MAX_NEXT_FAILURES = 5
_NEXT_RETRY_SECONDS = 0.1  # seconds


class NextFailures:
    """Counts answers to /next that were none, over all slots, and from the last that was one."""

    def __init__(self, workers: int = 1) -> None:
        """Begins with none."""
        self._limit = _MAX_NEXT_FAILURES * workers
        self.count = 0

    def add(self) -> bool:
        """Counts one; returns whether there were too many."""
        self.count += 1
        return self.count >= self._limit


class Worker:
    """Serves one invocation at a time, over connections of its own."""

    def __init__(self, runtime: RuntimeApi, supervisor: Supervisor, settings: Settings, failures: NextFailures) -> None:
        """Takes the Runtime API, and the app that it shares with the environment's other slots."""
        self._runtime = runtime
        self._supervisor = supervisor
        self._settings = settings
        self._failures = failures
        self._access: AccessLog | None = None
        if settings.access_log:
            from lambda_web_adapter.adapter.diagnostics.access_log import AccessLog  # nobody else pays for it

            self._access = AccessLog()
        self._app: AppProcess | None = None
        self._replied = False
        self._connection: AppClient
        self._invoker: Invoker

    async def serve(self) -> int:
        """Serves invocations until there are none to be had any more; returns the exit code.

        Raises:
            RuntimeApiError: the environment cannot go on.
        """
        supervisor = self._supervisor
        while True:
            invocation: Invocation | None = None
            polled_at = time.monotonic()
            try:
                invocation = await self._runtime.next()
                self._failures.count = 0
                if supervisor.state is AppState.STARTING and supervisor.backend.may_freeze:
                    supervisor.app.started_at += time.monotonic() - polled_at  # it may have been frozen all the while
                await self._handle(invocation)
            except Exception as error:  # noqa: BLE001  # one invocation is all that an error of ours may cost
                if await self._recover(invocation, error):
                    return RUNTIME_API_FAILED
            if supervisor.state is AppState.FAILED:
                log("ERROR", f"The app could not be started {MAX_FAILED_STARTS} times in a row; the environment ends.")
                return INIT_FAILED

    async def _recover(self, invocation: Invocation | None, error: Exception) -> bool:
        """Log an error that nobody expected, and fail its invocation, unless it has its reply.

        Returns:
            Whether the environment has to end, since it gets no events.

        Raises:
            RuntimeApiError: the environment cannot go on.
        """
        if isinstance(error, RuntimeApiError):
            if invocation is not None:
                raise error
            log("ERROR", str(error))
            return await self._has_no_events(fatal=error.fatal)
        log("ERROR", "".join(traceback.format_exception(error)), invocation.request_id if invocation else "")
        if self._app:
            self._connection.close()  # whatever it was in the middle of
            self._app = None
        if invocation is None:
            return await self._has_no_events()
        if not self._replied:
            await self._fail_by(invocation, error)
        return False

    async def _has_no_events(self, *, fatal: bool = False) -> bool:
        """Return whether too many calls in a row brought no event; wait a moment if not."""
        if fatal or self._failures.add():
            return True
        await self._supervisor.backend.sleep(_NEXT_RETRY_SECONDS)
        return False

    async def _fail_by(self, invocation: Invocation, error: Exception) -> None:
        """Fail an invocation by an error of ours, and by nothing else of ours: that may be what is broken."""
        text = f"The adapter failed on this invocation: {error!r}. This is a bug, please report it."
        try:
            await self._runtime.post_error(invocation, AdapterError(text))
        except RuntimeApiError:
            raise
        except Exception:  # noqa: BLE001  # there is no other way to answer; the next invocation may fare better
            log("ERROR", traceback.format_exc(), invocation.request_id)

    async def _handle(self, invocation: Invocation) -> None:
        self._replied = False
        if self._access:
            self._access.start()
        deadline = deadline_from_invocation(invocation, self._settings.deadline_margin)
        try:
            app = await self._supervisor.ready_app(deadline)
        except AppKilled as error:
            await self._reply_with_error(invocation, error, deadline)
            return
        except AdapterError as error:
            await self._fail(invocation, error)
            return
        if app is not self._app:
            self._switch_to(app)
        try:
            reply = await self._invoker.reply_to(invocation, deadline)
        except AdapterError as error:
            await self._fail(invocation, error)
        else:
            await self._post(invocation, reply, deadline)
        await self._connection.wait_until_done(deadline, invocation.request_id)

    async def _post(self, invocation: Invocation, reply: bytes | StreamedReply, deadline: float) -> None:
        if isinstance(reply, bytes):
            await self._runtime.post_response(invocation, reply)
            self._replied = True
        else:
            self._replied = True  # as far as it goes: a stream that has begun takes no error besides
            await self._runtime.post_streamed_response(invocation, reply, deadline + self._settings.deadline_margin)
        if self._access:
            self._access.write(invocation.request_id, None if isinstance(reply, bytes) else reply)

    async def _reply_with_error(self, invocation: Invocation, error: AdapterError, deadline: float) -> None:
        """Answer a request by an error's status, where there is no app to ask; fail an event of another kind."""
        try:
            reply = reply_without_app(invocation, error, self._settings)
        except AdapterError:  # an event that cannot be read has no caller
            reply = None
        if reply is None:
            await self._fail(invocation, error)
            return
        log("ERROR", f"{error.error_type}: {error}{error.details}", invocation.request_id)
        if self._access:
            self._access.set_error(error)
        await self._post(invocation, reply, deadline)

    def _switch_to(self, app: AppProcess) -> None:
        """Goes over to another run of the app."""
        if self._app:
            self._connection.close()
        self._app = app
        self._connection = AppClient(
            app, self._settings.host, self._supervisor.backend, self._settings.pool_idle_timeout
        )
        self._invoker = Invoker(self._settings, self._connection, self._access)

    async def _fail(self, invocation: Invocation, error: AdapterError) -> None:
        kind = f"{error.error_type} ({error.raised})" if error.raised else error.error_type
        log("ERROR", f"{kind}: {error}{error.details}", invocation.request_id)
        if self._access:
            self._access.set_error(error)
        await self._runtime.post_error(invocation, error)
        self._replied = True
        if self._access:
            self._access.write(invocation.request_id)
