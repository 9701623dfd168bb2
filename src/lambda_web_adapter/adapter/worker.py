"""One worker of an environment: it gets an invocation, posts the app's reply, and gets the next one."""

from __future__ import annotations

import os
import time
import traceback
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.app_client import AppClient
from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.invocation import Invoker, NoObserver, reply_without_app
from lambda_web_adapter.adapter.process.supervisor import MAX_FAILED_STARTS, AppState
from lambda_web_adapter.errors import AdapterError, AppKilled, RuntimeApiError
from lambda_web_adapter.ipc.parent_process import EXCHANGES_FD_VARIABLE

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.diagnostics.access_log import AccessLog
    from lambda_web_adapter.adapter.diagnostics.exchange_report import Observer
    from lambda_web_adapter.adapter.lambda_api.response_stream import StreamedReply
    from lambda_web_adapter.adapter.lambda_api.runtime_api import RuntimeApi
    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.adapter.process.supervisor import Supervisor
    from lambda_web_adapter.http.messages import Invocation
    from lambda_web_adapter.settings import Settings

# Exit codes. Lambda shows them, and treats all except 0 alike.
INIT_FAILED = 1
RUNTIME_API_FAILED = 2
# How many failed calls of /next in a row, for each worker, end the environment.
_MAX_NEXT_FAILURES = 5
_NEXT_RETRY_SECONDS = 0.1  # seconds
# Lambda's longest timeout (Lambda quotas, "Function timeout"), for a Runtime API that sends no deadline.
_MAX_TIMEOUT_SECONDS = 900.0  # seconds


class NextFailures:
    """Counts the failed calls of /next of all workers since the last one that succeeded."""

    def __init__(self, workers: int = 1) -> None:
        """Set the limit for a number of workers."""
        self._limit = _MAX_NEXT_FAILURES * workers
        self.count = 0

    def add(self) -> bool:
        """Count a failed call; return whether that is too many."""
        self.count += 1
        return self.count >= self._limit


class Worker:
    """Serves invocations one after the other, over its own connections."""

    def __init__(self, runtime: RuntimeApi, supervisor: Supervisor, settings: Settings, failures: NextFailures) -> None:
        """Prepare to serve.

        Args:
            runtime: the Runtime API.
            supervisor: the supervisor of the app; other workers may share it.
            settings: the settings.
            failures: the failed calls of /next, which all workers share.
        """
        self._runtime = runtime
        self._supervisor = supervisor
        self._settings = settings
        self._failures = failures
        self._observer = _observer(settings)
        self._app: AppProcess | None = None
        self._replied = False
        self._connection: AppClient
        self._invoker: Invoker

    async def serve(self) -> int:
        """Serve invocations until the environment has to end, and return the exit code.

        Raises:
            RuntimeApiError: A reply cannot be posted, and the environment cannot go on.
        """
        supervisor = self._supervisor
        while True:
            invocation: Invocation | None = None
            polled_at = time.monotonic()
            try:
                invocation = await self._runtime.next()
                self._failures.count = 0
                if supervisor.state is AppState.STARTING and supervisor.backend.may_freeze:
                    supervisor.app.started_at += time.monotonic() - polled_at  # the app may have been frozen
                await self._handle(invocation)
            except Exception as error:  # noqa: BLE001  # a bug of the adapter may fail this invocation, but no others
                if await self._recover(invocation, error):
                    return RUNTIME_API_FAILED
            if supervisor.state is AppState.FAILED:
                log("ERROR", f"The app could not be started {MAX_FAILED_STARTS} times in a row; the environment ends.")
                return INIT_FAILED

    async def _recover(self, invocation: Invocation | None, error: Exception) -> bool:
        """Log an unexpected error, and fail its invocation unless the reply has been posted.

        Returns:
            Whether the environment has to end, since it gets no events.

        Raises:
            RuntimeApiError: The reply cannot be posted, and the environment cannot go on.
        """
        if isinstance(error, RuntimeApiError):
            if invocation is not None:
                raise error
            log("ERROR", str(error))
            return await self._has_no_events(fatal=error.fatal)
        log("ERROR", "".join(traceback.format_exception(error)), invocation.request_id if invocation else "")
        if self._app:
            self._connection.close()  # it may be in the middle of a response
            self._app = None
        if invocation is None:
            return await self._has_no_events()
        if not self._replied:
            await self._fail_by(invocation, error)
        return False

    async def _has_no_events(self, *, fatal: bool = False) -> bool:
        """Return whether too many calls in a row have failed; if not, wait a moment before the next."""
        if fatal or self._failures.add():
            return True
        await self._supervisor.backend.sleep(_NEXT_RETRY_SECONDS)
        return False

    async def _fail_by(self, invocation: Invocation, error: Exception) -> None:
        """Fail an invocation because of a bug of the adapter, with as little code as possible: more may be broken."""
        text = f"The adapter failed on this invocation: {error!r}. This is a bug, please report it."
        try:
            await self._runtime.post_error(invocation, AdapterError(text))
        except RuntimeApiError:
            raise
        except Exception:  # noqa: BLE001  # nothing else can be posted; the next invocation may succeed
            log("ERROR", traceback.format_exc(), invocation.request_id)

    async def _handle(self, invocation: Invocation) -> None:
        self._replied = False
        self._observer.start()
        deadline = deadline_from_invocation(invocation, self._settings.deadline_margin)
        if self._settings.commands and await self._run_command(invocation, deadline):
            return
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

    async def _run_command(self, invocation: Invocation, deadline: float) -> bool:
        """Run the command in an event, and post the reply; return whether it is one. The app need not be ready."""
        from lambda_web_adapter.adapter.commands import parse_command, run_command  # few functions have the setting

        try:
            arguments = parse_command(invocation.event)
            if arguments is None:
                return False
            command = [*self._settings.commands, *arguments]
            reply = await self._supervisor.backend.call_blocking(run_command, command, deadline)
        except AdapterError as error:
            await self._fail(invocation, error)
        else:
            await self._post(invocation, reply, deadline)
        return True

    async def _post(self, invocation: Invocation, reply: bytes | StreamedReply, deadline: float) -> None:
        if isinstance(reply, bytes):
            await self._runtime.post_response(invocation, reply)
            self._replied = True
            self._observer.write(invocation.request_id)
        else:
            self._replied = True  # a stream that has begun cannot be replaced by an error
            await self._runtime.post_streamed_response(invocation, reply, deadline + self._settings.deadline_margin)
            self._observer.write(invocation.request_id, reply)

    async def _reply_with_error(self, invocation: Invocation, error: AdapterError, deadline: float) -> None:
        """Reply to an HTTP caller with the error's status when the app cannot be started; fail other invocations."""
        try:
            reply = reply_without_app(invocation, error, self._settings)
        except AdapterError:  # an event that cannot be parsed has no HTTP caller
            reply = None
        if reply is None:
            await self._fail(invocation, error)
            return
        log("ERROR", f"{error.error_type}: {error.log_text}{error.details}", invocation.request_id)
        self._observer.set_error(error)
        await self._post(invocation, reply, deadline)

    def _switch_to(self, app: AppProcess) -> None:
        """Use another run of the app from now on."""
        if self._app:
            self._connection.close()
        self._app = app
        self._connection = AppClient(
            app,
            self._settings.host,
            self._supervisor.backend,
            self._supervisor.timeout_policy,
            idle_seconds=self._settings.pool_idle_timeout,
        )
        self._connection.deadline_margin = self._settings.deadline_margin
        self._connection.hints_at_streams = self._settings.invoke_mode != "response_stream"
        self._invoker = Invoker(self._settings, self._connection, self._observer)

    async def _fail(self, invocation: Invocation, error: AdapterError) -> None:
        kind = f"{error.error_type} ({error.raised})" if error.raised else error.error_type
        log("ERROR", f"{kind}: {error.log_text}{error.details}", invocation.request_id)
        self._observer.set_error(error)
        await self._runtime.post_error(invocation, error)
        self._replied = True
        self._observer.write(invocation.request_id)


def _observer(settings: Settings) -> Observer:
    """Return what observes the invocations; few environments import any of it."""
    observer: AccessLog | NoObserver = NoObserver()
    if settings.access_log:
        from lambda_web_adapter.adapter.diagnostics.access_log import AccessLog

        observer = AccessLog()
    if descriptor := os.environ.get(EXCHANGES_FD_VARIABLE):
        from lambda_web_adapter.adapter.diagnostics.exchange_report import ExchangeReport

        return ExchangeReport(int(descriptor), observer)
    return observer


def deadline_from_invocation(invocation: Invocation, margin: float) -> float:
    """Return the invocation's deadline on the monotonic clock, `margin` seconds before Lambda's."""
    remaining = invocation.deadline_ms / 1000 - time.time() - margin if invocation.deadline_ms else _MAX_TIMEOUT_SECONDS
    if not 0.0 <= remaining <= _MAX_TIMEOUT_SECONDS:
        remaining = 0.0 if remaining < 0.0 else _MAX_TIMEOUT_SECONDS
    return time.monotonic() + remaining
