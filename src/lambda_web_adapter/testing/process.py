"""A function whose environment is a bootstrap with an app process, as in a local run."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
import sysconfig
from collections import deque
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from lambda_web_adapter.errors import AppNotFound, AppStartFailed
from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE
from lambda_web_adapter.local.environments.function import Function
from lambda_web_adapter.local.environments.guard import Guard
from lambda_web_adapter.local.environments.invocation import Outcome
from lambda_web_adapter.local.environments.program import Program
from lambda_web_adapter.local.log import Log
from lambda_web_adapter.models import InvocationError
from lambda_web_adapter.settings import APP_DIR, Settings
from lambda_web_adapter.testing.app_name import find_app
from lambda_web_adapter.testing.argument_checks import in_words_of_tests
from lambda_web_adapter.testing.function import MAX_HISTORY, AppFunction, scaled_margin
from lambda_web_adapter.testing.record import InvocationFailed, InvocationRecord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lambda_web_adapter.errors import AppError
    from lambda_web_adapter.ipc.exchange_frame import Exchange
    from lambda_web_adapter.local.environments.environment import Environment
    from lambda_web_adapter.local.environments.function_options import FunctionOptions
    from lambda_web_adapter.local.environments.invocation import Invocation
    from lambda_web_adapter.local.environments.reply_stream import ReplyStream

_POLL_SECONDS = 0.001  # between two looks at something that nobody announces
_TCP_TABLE = Path("/proc/net/tcp")  # proc(5)


class ProcessFunction(AppFunction):
    """A function with one environment, which is a process; what it is set to starts another one."""

    def __init__(self, app: Any, options: FunctionOptions, environ: Mapping[str, str]) -> None:
        """Prepare, without starting anything.

        Args:
            app: the app's name, or an app that is a global of a module.
            options: the function's configuration.
            environ: the environment variables.

        Raises:
            ValueError: the app has no name.
            RuntimeError: this process is itself one of those, and imports the test.
        """
        if os.environ.get(LOCAL_RUN_VARIABLE):
            raise RuntimeError(
                "The app's own process makes a LambdaTransport with as_process, and would start itself again: its "
                "module imports that of a test, or is one."
            )
        self._settings = Settings.from_environ(environ)
        self._options = options
        name, folder = (app, "") if isinstance(app, str) else find_app(app)
        self._arguments = ["-m", "lambda_web_adapter", name]
        self._environ = {APP_DIR: folder, **environ} if folder else dict(environ)
        self._function: _Function | None = None
        self._set_to: tuple[float, int, bool] | None = None
        self._guard: Guard | None = None
        self._stopping: set[asyncio.Task[None]] = set()
        self._may_crash = False
        self.timeout = options.timeout
        self.concurrency = 1
        self.streams = self._settings.invoke_mode == "response_stream"
        self.is_timed = False
        self.history: deque[InvocationRecord] = deque(maxlen=MAX_HISTORY)

    def load(self) -> None:
        """Do nothing: the process imports the app."""

    def submit(  # noqa: PLR0913  # what a caller of Lambda may say
        self,
        event: bytes,
        *,
        title: str,
        source: str = "",
        trace_id: str = "",
        client_context: str = "",
        tenant_id: str = "",
    ) -> Invocation:
        """Queue an event, and return its invocation."""
        function = self._function_now()
        function.may_crash, self._may_crash = self._may_crash, False
        invocation = function.submit(
            event, title=title, source=source, trace_id=trace_id, client_context=client_context, tenant_id=tenant_id
        )
        record = InvocationRecord(raw_event=event, invocation=invocation)
        self.history.append(record)
        invocation.outcome.add_done_callback(partial(_keep_outcome, record))
        return invocation

    def _function_now(self) -> _Function:
        """Return the function as it is set now."""
        set_to = (self.timeout, self.concurrency, self.streams)
        if self._function is None or self._set_to != set_to:
            self._retire()
            self._guard = self._guard or Guard.start_program()
            options = replace(self._options, timeout=self.timeout, concurrency=self.concurrency)
            environ = {
                **_with_search_path(self._environ),
                "AWS_LWA_INVOKE_MODE": "response_stream" if self.streams else "buffered",
                "AWS_LWA_DEADLINE_MARGIN_SECONDS": f"{scaled_margin(self._settings.deadline_margin, self.timeout):g}",
            }
            program = Program(self._arguments, environ, self._guard, _Log(self.history), reports_exchanges=True)
            self._function = _Function(program, options)
            self._function.start()
            self._set_to = set_to
        return self._function

    def _retire(self) -> None:
        """Stop the function that there is, in the background."""
        function, self._function = self._function, None
        if function is not None:
            task = asyncio.create_task(function.stop())
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)

    def crash(self) -> None:
        """Have the app's process killed in the middle of the next invocation."""
        self._may_crash = True

    async def cold(self) -> None:
        """End the environment in order."""
        self._retire()
        if self._stopping:
            await asyncio.wait(set(self._stopping))

    async def freeze(self, seconds: float) -> None:
        """Wait until the environment is frozen, and for a number of seconds more."""
        while not self._is_frozen():  # noqa: ASYNC110  # the processes are stopped a moment after the end
            await asyncio.sleep(_POLL_SECONDS)
        await asyncio.sleep(seconds)

    def _is_frozen(self) -> bool:
        return self._function is None or all(each.is_frozen for each in self._function.environments)

    def forget(self) -> None:
        """Kill what is left of an environment whose event loop has ended."""
        self._function = None
        self._stopping.clear()
        self._close_guard()

    async def close(self) -> None:
        """End the environment in order."""
        await self.cold()
        self._close_guard()

    def _close_guard(self) -> None:
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.close()


class _Log(Log):
    """A log that adds exchanges to records and writes nothing: invocations have their lines."""

    def __init__(self, history: deque[InvocationRecord]) -> None:
        super().__init__(stream=io.StringIO())
        self._history = history

    def exchange_reported(self, exchange: Exchange) -> None:
        for record in self._history:
            if record.request_id == exchange.request_id:
                record.exchange = exchange
                _keep_adapter_error(record)

    def _write(self, text: str) -> None:
        """Write nothing: the lines of a whole test run would fill the memory."""


class _Function(Function):
    """A function that can have its app killed in the middle of an invocation.

    Attributes:
        may_crash: whether that happens to the next one.
    """

    may_crash = False
    _init_error: InvocationError | None = None

    def environment_ended(self, environment: Environment, outcome: Outcome | None) -> None:
        """Keep why the init of an environment has failed, for the event that waits for it."""
        self._init_error = InvocationError.of_document(outcome.payload) if outcome else None
        super().environment_ended(environment, outcome)

    def _take_for_failed_init(self, environment: Environment) -> Invocation | None:
        invocation = super()._take_for_failed_init(environment)
        if invocation and self._init_error and not environment.may_retry_init:
            invocation.outcome.set_exception(_start_failure(self._init_error))
        return invocation

    def _assign(self, invocation: Invocation, environment: Environment) -> None:
        if self.may_crash and environment.group:
            self.may_crash = False
            environment.group.thaw()
            app = psutil.Process(environment.group.leader).children()[0]
            app.suspend()  # so that it cannot respond before it is killed
            self._run(_kill_in_the_middle(app, invocation))
        super()._assign(invocation, environment)


async def _kill_in_the_middle(app: psutil.Process, invocation: Invocation) -> None:
    """Kill a suspended app once a request waits for it."""
    ports = {each.laddr.port for each in app.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
    while not invocation.outcome.done() and not _has_unread_bytes(ports):  # noqa: ASYNC110  # nobody announces it
        await asyncio.sleep(_POLL_SECONDS)
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        os.kill(app.pid, signal.SIGKILL)


def _has_unread_bytes(ports: set[int]) -> bool:
    """Return whether a connection to one of these ports has bytes that nobody has read, or that is not known."""
    if not _TCP_TABLE.exists():
        return True
    rows = [row.split() for row in _TCP_TABLE.read_text().splitlines()[1:]]
    return any(int(row[1].partition(":")[2], 16) in ports and int(row[4].partition(":")[2], 16) for row in rows)


def _start_failure(error: InvocationError) -> AppError:
    """Return why the app could not be started, as far as another process can know it."""
    kind = AppNotFound if error.error_type == AppNotFound.error_type else AppStartFailed
    prefix = "" if error.error_type == kind.error_type else f"{error.error_type}: "
    failure = kind(f"{prefix}{error.error_message.strip()}", raised=error.error_type)
    if isinstance(failure, AppNotFound):
        failure.args = (in_words_of_tests(failure),)
    if error.stack_trace:
        failure.add_note("The app's traceback:\n" + "\n".join(line.rstrip("\n") for line in error.stack_trace))
    return failure


def _keep_outcome(record: InvocationRecord, future: asyncio.Future[Outcome | ReplyStream]) -> None:
    if future.cancelled():
        return
    if failure := future.exception():
        record.error = failure
        return
    outcome = future.result()
    if isinstance(outcome, Outcome):
        record.raw_reply = outcome.payload
        if outcome.failed:
            error = InvocationError.of_document(outcome.payload)
            record.error = InvocationFailed(error.error_type, error.error_message, error.stack_trace)
    _keep_adapter_error(record)


def _keep_adapter_error(record: InvocationRecord) -> None:
    """Keep the error by which the adapter has replied to an HTTP caller, once both exchange and reply have come."""
    future = record.invocation.outcome
    kind = record.exchange.error_type if record.exchange else ""
    if kind and record.error is None and future.done() and not future.cancelled() and not future.exception():
        outcome = future.result()
        if not isinstance(outcome, Outcome):
            record.error = InvocationFailed(kind, "The reply breaks off; the log has the reason.", [])
        elif not outcome.failed:
            record.error = InvocationFailed(kind, _message_of(outcome.payload), [])


def _message_of(reply: bytes) -> str:
    """Return the message of a reply by which the adapter reports an error to an HTTP caller."""
    try:
        return str(json.loads(json.loads(reply)["body"])["message"])
    except (ValueError, LookupError, TypeError):
        return "The log has the reason."


def _with_search_path(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with a PYTHONPATH of all folders that this process has added, as pytest's `pythonpath`."""
    own = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    own |= {str(Path(path) / "lib-dynload") for path in own}
    added = [os.path.abspath(path) for path in sys.path if path and path not in own and not path.endswith(".zip")]
    paths = [*environ.get("PYTHONPATH", "").split(os.pathsep), *added]
    return {**environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(filter(None, paths)))}
