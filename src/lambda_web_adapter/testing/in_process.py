"""A function whose environment is in this process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.worker import deadline_from_invocation
from lambda_web_adapter.app.loader import detect_interface, load_app
from lambda_web_adapter.errors import AppNotFound
from lambda_web_adapter.http.messages import Invocation as LambdaInvocation
from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
from lambda_web_adapter.settings import Settings
from lambda_web_adapter.testing.argument_checks import in_words_of_tests
from lambda_web_adapter.testing.environment import Environment, Handling
from lambda_web_adapter.testing.function import MAX_HISTORY, AppFunction, scaled_margin
from lambda_web_adapter.testing.record import InvocationRecord
from lambda_web_adapter.testing.surroundings import Surroundings, own_environ, variables_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Any

    from lambda_web_adapter.local.environments.function_options import FunctionOptions

__tracebackhide__ = True  # pytest leaves this module's frames out


class InProcessFunction(AppFunction):
    """A function with one environment, which serves the app in the running event loop."""

    def __init__(self, app: Any, options: FunctionOptions, environ: Mapping[str, str]) -> None:
        """Prepare, without loading or starting the app.

        Args:
            app: the app, or its name.
            options: the function's configuration.
            environ: environment variables in addition to those of this process.
        """
        self._app = app
        self._interface = ""
        self._environ = environ
        self._settings = Settings.from_environ({**own_environ(), **environ})
        self._environment: Environment | None = None
        self._surroundings = Surroundings(variables_for(environ, options), self._take_log, self._take_line)
        self._turns, self._starting = asyncio.Condition(), asyncio.Lock()
        self._loading = threading.Lock()
        self._users = 0  # of the environment; one that has it alone counts as more than there can be
        self._running: dict[str, InvocationRecord] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._formatter = logging.Formatter("[%(levelname)s] %(name)s: %(message)s")
        self._may_crash = False
        self.options = options
        self.timeout = options.timeout
        self.concurrency = 1
        self.streams = self._settings.invoke_mode == "response_stream"
        self.is_timed = False
        self.history: deque[InvocationRecord] = deque(maxlen=MAX_HISTORY)

    def load(self) -> None:
        """Import the app that is named, once; raise what its import raises."""
        with self._loading, self._surroundings.in_place():
            if self._interface:
                return
            try:
                if isinstance(self._app, str):
                    self._app = load_app(self._app, Path(self._settings.app_dir).absolute())
                self._interface = detect_interface(self._app, self._settings.interface)
            except AppNotFound as error:
                error.args = (in_words_of_tests(error),)
                raise

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
        """Have the app handle an event, and return its invocation."""
        invocation = Invocation(
            event=event,
            title=title,
            outcome=asyncio.get_running_loop().create_future(),
            source=source,
            trace_id=trace_id,
            client_context=client_context,
            tenant_id=tenant_id,
        )
        task = asyncio.create_task(self._handle(invocation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return invocation

    async def _handle(self, invocation: Invocation) -> None:
        """Have the app handle an event; what keeps it from starting is the exception of the outcome."""
        record = InvocationRecord(raw_event=invocation.event, invocation=invocation)
        try:
            async with self._turn():
                self.history.append(record)
                self._running[invocation.request_id] = record
                try:
                    with self._surroundings.in_place():
                        await self._handle_in_turn(invocation, record)
                finally:
                    invocation.ended_at = time.monotonic()
                    record.complete()
                    del self._running[invocation.request_id]
        except asyncio.CancelledError:
            invocation.end(Outcome.failure("Runtime.Stopped", "The transport has been closed."))
        except Exception as error:  # noqa: BLE001  # whoever waits for the outcome raises it
            record.error = record.error or error
            if not invocation.outcome.done():
                invocation.outcome.set_exception(error)
        finally:
            invocation.ended.set()

    async def _handle_in_turn(self, invocation: Invocation, record: InvocationRecord) -> None:
        settings = self._settings_now()
        environment = await self._ready_environment(invocation)
        invocation.environment, invocation.started_at = 1, time.monotonic()
        invocation.deadline_ms = int((time.time() + self.timeout) * 1000)
        on_lambda = LambdaInvocation(
            invocation.request_id,
            invocation.event,
            invocation.deadline_ms,
            invocation.invocation_id,
            invocation.trace_id,
            invocation.tenant_id,
            self.options.arn.encode(),
            invocation.client_context.encode(),
        )
        deadline = deadline_from_invocation(on_lambda, settings.deadline_margin)
        crashes, self._may_crash = self._may_crash, False
        how = Handling(
            settings=settings,
            is_single=self.concurrency == 1,
            own_thread=self.streams or self.is_timed or self.concurrency > 1,
            crashes=crashes,
        )
        await environment.handle(on_lambda, record, deadline, how)

    def _settings_now(self) -> Settings:
        """Return the settings in the blocks that the test is in."""
        mode = "response_stream" if self.streams else "buffered"
        margin = scaled_margin(self._settings.deadline_margin, self.timeout)
        return self._settings.replaced(invoke_mode=mode, deadline_margin=margin)

    async def _ready_environment(self, invocation: Invocation) -> Environment:
        """Return the environment; if there is none, start it for this invocation."""
        async with self._starting:
            if self._environment is None or self._environment.has_ended:
                invocation.is_cold, began = True, time.monotonic()
                environment = Environment(self._app, self._interface, self._settings)
                await environment.start()
                self._environment = environment
                invocation.init_seconds = time.monotonic() - began
            return self._environment

    @contextlib.asynccontextmanager
    async def _turn(self, *, alone: bool = False) -> AsyncIterator[None]:
        """Wait until the environment takes another invocation, or has none if `alone`."""
        async with self._turns:
            await self._turns.wait_for(lambda: self._users < (1 if alone else self.concurrency))
            share = sys.maxsize if alone else 1
            self._users += share
        try:
            yield
        finally:
            self._users -= share
            async with self._turns:
                self._turns.notify_all()

    def crash(self) -> None:
        """Have the app end in the middle of the next invocation."""
        self._may_crash = True

    async def cold(self) -> None:
        """End the environment in order, once it is idle."""
        async with self._turn(alone=True):
            await self._stop()

    async def freeze(self, seconds: float) -> None:
        """Stop the event loop for a number of seconds, once the environment is idle."""
        async with self._turn(alone=True):
            time.sleep(seconds)  # noqa: ASYNC251  # the app's event loop is this one, and is to stop

    def forget(self) -> None:
        """Forget an environment whose event loop has ended."""
        if self._environment is not None:
            self._environment.close("its event loop has ended")
        self._environment, self._users = None, 0
        self._turns, self._starting = asyncio.Condition(), asyncio.Lock()

    async def close(self) -> None:
        """Cancel what is running, and end the environment in order."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))
        await self._stop()

    async def _stop(self) -> None:
        environment, self._environment = self._environment, None
        if environment is not None:
            with self._surroundings.in_place():
                await environment.stop()

    def _take_log(self, request_id: str, record: logging.LogRecord) -> None:
        """Add a log record to its invocation; without one, to the only one that is running."""
        if running := self._record_of(request_id):
            running.invocation.add_log_line(self._formatter.format(record))
            if record.exc_info and record.exc_info[1] and record.levelno >= logging.ERROR:
                running.logged_error = record.exc_info[1]

    def _take_line(self, request_id: str, line: str) -> None:
        """Add a line of the adapter in the same way."""
        if running := self._record_of(request_id):
            running.invocation.add_log_line(line.rstrip("\n").encode("utf-8", "backslashreplace").decode())

    def _record_of(self, request_id: str) -> InvocationRecord | None:
        if request_id or len(self._running) != 1:
            return self._running.get(request_id)
        return next(iter(self._running.values()))
