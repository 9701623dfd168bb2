"""A local execution environment: the bootstrap as a process, from its init to its end, frozen in between."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Protocol

from lambda_web_adapter.local.environments.bootstrap import start_bootstrap
from lambda_web_adapter.local.environments.environment_states import RUN_ENDS, Activity, State
from lambda_web_adapter.local.environments.invocation import Outcome
from lambda_web_adapter.local.environments.memory_gauge import MemoryGauge
from lambda_web_adapter.local.environments.process_group import ProcessGroup
from lambda_web_adapter.local.environments.runtime_session import RuntimeSession
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from lambda_web_adapter.local.environments.function_options import FunctionOptions
    from lambda_web_adapter.local.environments.invocation import Invocation
    from lambda_web_adapter.local.environments.program import Program

# How long a runtime may take to stop after SIGTERM, in seconds; without an extension it is killed at once (Extensions
# API, "Shutdown phase"). Lambda gives it 500 ms, but shares no processor with an editor and a browser.
_STOP_SECONDS = 2.0


class Owner(Protocol):
    """The function, which distributes events."""

    def environment_is_free(self, environment: Environment) -> None:
        """Give the environment an event, if one waits."""

    def environment_ended(self, environment: Environment, outcome: Outcome | None) -> None:
        """Forget the environment; the outcome says why its init failed, if it did."""


class Environment:
    """One execution environment.

    Attributes:
        number: its number, counted from 1.
        state: where it is in its life.
        is_outdated: whether it runs code that has changed since, so that it gets no more events.
        init_seconds: how long its init took; 0 until it is complete.
        has_served: whether it has had an event.
        idle_since: since when it is idle, by the monotonic clock; 0 while it is not.
    """

    def __init__(self, number: int, program: Program, options: FunctionOptions, owner: Owner) -> None:
        """Prepare, without starting anything."""
        self.number = number
        self.state = State.STARTING
        self.is_outdated = self.has_served = self._is_debugged = False
        self.init_seconds = self.idle_since = self._started_at = 0.0
        self._program = program
        self._options = options
        self._owner = owner
        self._session = RuntimeSession(self, options.concurrency)
        self._init_error: bytes | None = None
        self._end_reason: Outcome | None = None
        self._retried_for: Invocation | None = None
        self._memory = MemoryGauge(options.memory_bytes, lambda memory: program.log.memory_measured(number, memory))
        self.group: ProcessGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def is_free(self) -> bool:
        """Return whether it can take an event now."""
        return self.state is State.READY and not self.is_outdated and self._session.is_free

    @property
    def is_frozen(self) -> bool:
        """Return whether its processes are stopped."""
        return self.group is not None and self.group.is_frozen

    @property
    def running(self) -> list[Invocation]:
        """Return the invocations that it works on."""
        return list(self._session.running.values())

    def start(self) -> None:
        """Start the bootstrap, and return at once; `environment_is_free` follows, or `environment_ended`."""
        self.state = State.STARTING
        self._record(Activity.INIT)
        task = asyncio.create_task(self._live())
        self._tasks.add(task)  # the loop itself keeps no reference to its tasks
        task.add_done_callback(self._tasks.discard)

    def assign(self, invocation: Invocation) -> None:
        """Give it an event, while it is free."""
        if not self.has_served and invocation.received_at < self._started_at + self.init_seconds:
            invocation.is_cold, invocation.init_seconds = True, self.init_seconds
        self.has_served, self.idle_since = True, 0.0
        self._begin(invocation)
        self._record(Activity.BUSY)
        if self.group:
            self.group.thaw()
            self.group.watch_memory(self._options.memory_bytes, self._measured)
        self._session.assign(invocation)

    @property
    def is_stopping(self) -> bool:
        """Return whether `stop` was called."""
        return self.state is State.STOPPING

    def stop(self, reason: str = RUN_ENDS) -> Coroutine[None, None, None]:
        """Give it no more events from now on, and return what stops it in order: SIGTERM, a short time, SIGKILL.

        Args:
            reason: why, for the record of the environment.
        """
        if self.state is not State.ENDED:
            self.state = State.STOPPING
            self._record(Activity.STOPPING, reason)
            self._end_reason = self._end_reason or Outcome.of_stop()  # it works on something only at the end of the run
        return self._stop()

    async def _stop(self) -> None:
        if self.group:
            self.group.thaw()
        if self.group and self._tasks and (self._session.extensions or self._options.is_plain):
            with suppress(ProcessLookupError):
                self._bootstrap.process.terminate()
            await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)
        self.kill()
        if self._tasks:
            await asyncio.wait(self._tasks)  # which does not cancel them if the function stops meanwhile

    def kill(self, reason: Outcome | None = None) -> None:
        """Kill its processes; the reason is the outcome of what is running."""
        self._end_reason = self._end_reason or reason
        if self.group:
            self.group.kill()

    @property
    def has_retried(self) -> bool:
        """Return whether its init was repeated within an invocation."""
        return self._retried_for is not None

    @property
    def may_retry_init(self) -> bool:
        """Return whether a failed init is to be repeated within an invocation, as Lambda does, but only once.

        If the bootstrap has said why it failed, a second init would only say it again.
        """
        return not self.has_retried and (self._options.is_strict or self._init_error is None)

    def fail(self, invocation: Invocation, outcome: Outcome) -> None:
        """End an invocation that waited for an init that has failed."""
        invocation.environment, invocation.started_at = self.number, time.monotonic()
        invocation.is_cold = True
        invocation.end(outcome)
        self._finish(invocation)

    def retry_init(self, invocation: Invocation) -> None:
        """Start the bootstrap once more, within an invocation whose timeout then applies to the init as well."""
        self._retried_for = invocation
        invocation.is_cold = True
        self._begin(invocation)
        self.start()

    # What the session reports.

    def init_completed(self) -> None:
        """Complete the init."""
        if self.state is State.STARTING:
            self.state = State.READY
            self.init_seconds = time.monotonic() - self._started_at
            for invocation in self._session.running.values():  # the init was repeated for it
                invocation.init_seconds = self.init_seconds
            self._record(Activity.BUSY if self.running else Activity.IDLE)
            self._memory.measure_init(self.group)

    def environment_waits(self) -> None:
        """Pass the environment to its owner, and freeze it if nothing is to be done."""
        if self.state is not State.READY:
            return
        if self._session.is_idle:
            self.idle_since = time.monotonic()
            # It may be frozen before the last of several workers is seen to wait.
            self._record(Activity.FROZEN if self.is_frozen else Activity.IDLE)
        self._owner.environment_is_free(self)
        may_freeze = self._session.is_idle and self._options.freezes and not self._is_debugged
        if may_freeze and self.group and self.state is State.READY:
            self.group.freeze()

    def invocation_ended(self, invocation: Invocation) -> None:
        """Finish an invocation: its log lines are read before its end is logged."""
        if timer := self._timers.pop(invocation.request_id, None):
            timer.cancel()
        self._bootstrap.drain()
        self._finish(invocation)

    def init_failed(self, document: bytes) -> None:
        """Keep the reason that the bootstrap reports before it exits."""
        self._init_error = document

    def debugger_attached(self) -> None:
        """Let no timeout end this environment any more, and freeze it no more: a debugger may stop the app."""
        self._is_debugged = True
        self._cancel_timers()
        if self.group:
            self.group.thaw()

    # Its life.

    async def _live(self) -> None:
        """Run the bootstrap from its start to its end."""
        self._session = RuntimeSession(self, self._options.concurrency)
        self._started_at = time.monotonic()
        self._init_error, self._end_reason, self._is_debugged = None, None, False
        self.group = None
        if self._retried_for:
            self._session.assign(self._retried_for)
        async with AsyncExitStack() as stack:
            try:
                self._bootstrap = await start_bootstrap(
                    self._program, self._options, self._session, self._take_output, stack
                )
            except OSError as error:  # no more processes or descriptors, or too many variables for a process
                self._cannot_start(error)
                return
            process = self._bootstrap.process
            self.group = ProcessGroup(process.pid, self._on_freeze)
            self._program.guard.add(process.pid)
            if not self._retried_for:
                init_timer = asyncio.get_running_loop().call_later(self._options.init_seconds, self._init_timed_out)
                stack.callback(init_timer.cancel)
            if self.is_stopping or self._end_reason:  # meanwhile
                self.group.kill()
            code = await process.wait()
            self.group.kill()  # what the bootstrap has left
            self._program.guard.remove(process.pid)
            self._bootstrap.drain()
            self._end(Outcome.of_exit(code, self._init_error))

    def _on_freeze(self) -> None:
        self._record(Activity.FROZEN)
        self._memory.measure_frozen(self.group)

    def _record(self, activity: Activity, reason: str = "") -> None:
        self._program.log.environment_changed(self.number, activity, reason)

    def _begin(self, invocation: Invocation) -> None:
        """Start an invocation's time."""
        invocation.environment, invocation.started_at = self.number, time.monotonic()
        invocation.deadline_ms = int((time.time() + self._options.timeout) * 1000)
        if not self._options.is_plain and not self._is_debugged:
            self._timers[invocation.request_id] = asyncio.get_running_loop().call_later(
                self._options.timeout, self._timed_out, invocation
            )
        self._program.log.started(invocation)

    def _finish(self, invocation: Invocation) -> None:
        invocation.ended_at = time.monotonic()
        if self.state is not State.ENDED:
            self._memory.measure_end(self.group)
        invocation.max_memory = self._memory.most
        invocation.ended.set()
        self._program.log.ended(invocation, self._options)

    def _timed_out(self, invocation: Invocation) -> None:
        """End the environment, as Lambda does; with several invocations at once, only this one ends."""
        text = f"Task timed out after {self._options.timeout:.2f} seconds"
        self._program.log.note(invocation, text)
        outcome = Outcome.failure("Sandbox.Timedout", f"RequestId: {invocation.request_id} Error: {text}")
        if self._options.concurrency > 1:
            invocation.end(outcome)
        else:
            self.kill(outcome)

    def _cancel_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _init_timed_out(self) -> None:
        if self.state is State.STARTING and not self._is_debugged:
            text = f"The init took longer than {self._options.init_seconds:g} s"
            self._program.log.environment(self.number, f"{text} and was broken off.")
            self.kill(Outcome.failure("Sandbox.Timedout", f"{text}."))

    def _measured(self, memory: int) -> bool:
        """Take a measurement; return whether to go on. Above the limit, the environment ends, as on Lambda."""
        self._memory.add(memory)
        if memory <= self._options.memory_bytes or self._options.is_plain:
            return bool(self._session.running)
        used = memory // 1024 // 1024
        text = f"Out of memory: {used} MB of {self._options.memory} MB. The environment was killed; see --memory."
        for invocation in self.running:
            self._program.log.note(invocation, text)
        self.kill(Outcome.failure("Runtime.OutOfMemory", "Error: Runtime exited with error: signal: killed"))
        return False

    def _cannot_start(self, error: OSError) -> None:
        self._program.log.environment(self.number, f"It cannot be started: {error.strerror}.")
        self._end(Outcome.failure("Runtime.ExitError", f"The environment cannot be started: {error.strerror}"))

    def _end(self, outcome: Outcome) -> None:
        """Set the outcome of all that is running, unless it was killed for another reason, and report the end."""
        has_failed_init, was_stopped = self.state is State.STARTING, self.is_stopping
        self._cancel_timers()
        self.state = State.ENDED
        outcome = self._end_reason or outcome
        reason = "" if was_stopped else str(InvocationError.of_document(outcome.payload))
        self._record(Activity.ENDED, reason)
        for invocation in self._session.end(outcome):
            self._finish(invocation)
        self._owner.environment_ended(self, outcome if has_failed_init else None)

    def _take_output(self, text: bytes) -> None:
        for invocation in self._session.running.values():
            invocation.add_log(text)
        self._program.log.output(text)
