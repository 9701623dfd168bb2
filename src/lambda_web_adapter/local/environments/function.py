"""The function: its environments, and the queue of events before them."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from typing import TYPE_CHECKING

from lambda_web_adapter.local.environments.environment import Environment
from lambda_web_adapter.local.environments.environment_states import CODE_CHANGED, IDLE_TOO_LONG, MAKES_ROOM, State
from lambda_web_adapter.local.environments.explanations import describe_busy, is_endless
from lambda_web_adapter.local.environments.invocation import Invocation, Outcome

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from lambda_web_adapter.local.environments.function_options import FunctionOptions
    from lambda_web_adapter.local.environments.program import Program

# Lambda starts an environment for each event that finds none free. Here the assets of a page, asked for at once, are to
# share those that there are, since a cold start takes longer than to wait for them and keeps all cores busy.
# If no environment was free for so long, in seconds, each event that waits gets one:
_BLOCKED_SECONDS = 0.05
# If events have been waiting for so long, although they are handled one after the other, there is one more, but no
# more than cores: they would only share these.
_QUEUE_SECONDS = 0.25
# After how long a provisioned environment that has ended before its first event is started anew, in seconds.
_RESTART_SECONDS = 1.0
# After how long the log says what waiting events wait for, and how often, in seconds.
_EXPLAIN_SECONDS = 1.0
_REPEAT_SECONDS = 10.0
# After how long an endless response is named, in seconds.
_ENDLESS_SECONDS = 2.0


class Throttled(Exception):
    """All environments are busy, and the function rejects further events."""


class Function:
    """The function. Each event goes to an environment that is free; more are started while events wait.

    Attributes:
        options: its configuration.
        environments: its environments, in the order of their starts.
    """

    def __init__(self, program: Program, options: FunctionOptions) -> None:
        """Prepare, without starting an environment."""
        self._program = program
        self.options = options
        self.environments: list[Environment] = []
        self._waiting: deque[Invocation] = deque()
        self._waiting_for_init: deque[Invocation] = deque()  # those that need a new environment
        self._reserved: dict[Environment, Invocation] = {}  # those that are started for one of them
        self._count = 0
        self._scaling: asyncio.TimerHandle | None = None
        self._assigned_at = self._queued_since = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    def submit(  # noqa: PLR0913  # what a caller of Lambda may say
        self,
        event: bytes,
        *,
        title: str,
        source: str = "",
        trace_id: str = "",
        client_context: str = "",
        tenant_id: str = "",
        request_id: str = "",
        replay_of: int = 0,
        is_cold: bool = False,
    ) -> Invocation:
        """Queue an event, and return its invocation.

        Args:
            event: the event, as JSON.
            title: what log lines call it, such as `GET /path`.
            source: the gateway's name; empty for the Invoke API.
            trace_id: the value of X-Amzn-Trace-Id.
            client_context: the caller's client context, as JSON.
            tenant_id: the caller's tenant.
            request_id: the invocation's id, if it has one already: that of the first attempt.
            replay_of: the number of the record that it repeats; 0 if it repeats none.
            is_cold: whether it is to be the first event of a new environment.

        Raises:
            Throttled: all environments are busy, and `throttles` is set.
        """
        invocation = Invocation(
            event=event,
            title=title,
            outcome=asyncio.get_running_loop().create_future(),
            source=source,
            trace_id=trace_id,
            client_context=client_context,
            tenant_id=tenant_id,
            replay_of=replay_of,
        )
        invocation.request_id = request_id or invocation.request_id
        if self._is_stopping:
            self._reject(invocation)
            return invocation
        if is_cold:
            self._waiting_for_init.append(invocation)
            self._start_reserved()
            return invocation
        free = [each for each in self.environments if each.is_free and each not in self._reserved]
        if free:
            self._assign(invocation, free[0])  # the oldest, so that what it keeps in memory is found by the next event
            return invocation
        if self.options.throttles and len(self._waiting) >= self._coming_capacity():
            raise Throttled
        if not self._waiting:
            self._queued_since = invocation.received_at
        self._waiting.append(invocation)
        self._start_as_needed(self.options.is_strict)
        return invocation

    def start(self) -> None:
        """Start the environments that are there before the first event: the provisioned ones, or one."""
        self._start_first()
        self._run(self._retire_idle())
        self._run(self._explain())

    def replace_environments(self) -> None:
        """Have all further events handled by new environments, whose code is that of now.

        Those that there are finish what they work on. They are stopped when a new one is ready, which starts faster
        then; or at once, if their app's port is what the new one needs.
        """
        for environment in self.environments:
            environment.is_outdated = True
        self._stop_outdated(self.options.has_fixed_port)
        self._start_first()
        self._start_as_needed(at_once=True)

    async def stop(self) -> None:
        """Stop all environments, in order; events that wait, or come from now on, get none."""
        self._is_stopping = True
        for task in self._tasks:
            task.cancel()
        for invocation in (*self._waiting, *self._waiting_for_init, *self._reserved.values()):
            self._reject(invocation)
        self._waiting.clear()
        self._waiting_for_init.clear()
        await asyncio.gather(*(each.stop() for each in self.environments))

    # What the environments report.

    def environment_is_free(self, environment: Environment) -> None:
        """Give the environment the event that has waited longest; those that are outdated are stopped instead."""
        self._stop_outdated()
        if environment.is_free and environment in self._reserved:
            self._assign(self._reserved.pop(environment), environment)
        while self._waiting and environment.is_free:
            self._assign(self._waiting.popleft(), environment)
        self._start_reserved()

    def environment_ended(self, environment: Environment, outcome: Outcome | None) -> None:
        """Forget an environment. If its init failed, repeat that within the next invocation, or fail this one."""
        self.environments.remove(environment)
        if self._is_stopping:
            return
        self._stop_outdated()
        if outcome and (invocation := self._take_for_failed_init(environment)):
            if environment.may_retry_init:
                self.environments.append(environment)
                environment.retry_init(invocation)
            else:
                environment.fail(invocation, outcome)
        elif reserved := self._reserved.pop(environment, None):  # it was stopped before its init was complete
            self._waiting_for_init.appendleft(reserved)
        if outcome is None and environment.has_served:
            self._start_provisioned()
        elif self.options.provisioned:  # not at once, or one that ends by itself would be started without end
            asyncio.get_running_loop().call_later(_RESTART_SECONDS, self._start_provisioned)
        self._start_reserved()
        if self.options.has_fixed_port and environment.is_outdated and not self._current():
            self._start_first()
        self._start_as_needed(at_once=True)

    def _take_for_failed_init(self, environment: Environment) -> Invocation | None:
        """Return the event within which a failed init is repeated, or which fails with it; None if there is none."""
        reserved = self._reserved.pop(environment, None)
        if reserved or not self._waiting or environment.is_outdated or environment.has_retried:
            return reserved
        return self._waiting.popleft()

    # How many environments there are.

    def _current(self) -> list[Environment]:
        """Return the environments that get events, now or after their start."""
        usable = (State.STARTING, State.READY)
        return [each for each in self.environments if each.state in usable and not each.is_outdated]

    def _count_starting(self) -> int:
        return sum(each.state is State.STARTING and each not in self._reserved for each in self._current())

    def _room(self) -> int:
        """Return how many more environments there may be."""
        if self.options.has_fixed_port:
            return 1 - len(self.environments)
        return self.options.environments - len(self._current())

    def _coming_capacity(self) -> int:
        """Return how many events the environments will take that are starting or may be started."""
        return (self._room() + self._count_starting()) * self.options.concurrency

    def _stop_outdated(self, at_once: bool = True) -> None:
        """Stop outdated environments that work on nothing; if not at once, only those that are not ready yet."""
        for environment in self.environments:
            is_useless = environment.state is State.STARTING or (at_once and environment.state is State.READY)
            if environment.is_outdated and is_useless and not environment.running:
                self._run(environment.stop(CODE_CHANGED))

    def _reject(self, invocation: Invocation) -> None:
        """End an invocation that no environment will get."""
        invocation.end(Outcome.of_stop())
        invocation.ended.set()

    def _assign(self, invocation: Invocation, environment: Environment) -> None:
        self._assigned_at = time.monotonic()
        environment.assign(invocation)

    def _start_as_needed(self, at_once: bool) -> None:
        """Start an environment for each event that waits: at once, or if that takes longer than a moment."""
        if not self._waiting or self._is_stopping:
            return
        if at_once or not self._current():
            needed = -(-len(self._waiting) // self.options.concurrency) - self._count_starting()
            for _ in range(min(needed, self._room())):
                self._start_environment()
        if not self._scaling:
            self._scaling = asyncio.get_running_loop().call_later(_BLOCKED_SECONDS, self._scale)

    def _scale(self) -> None:
        """Start environments for events that wait longer than they should."""
        self._scaling = None
        now = time.monotonic()
        is_blocked = now - max(self._assigned_at, self._queued_since) >= _BLOCKED_SECONDS
        if not is_blocked and self._waiting and now - self._queued_since >= _QUEUE_SECONDS and self._room() > 0:
            self._queued_since = now
            if not self._count_starting() and len(self._current()) < (os.cpu_count() or 1):
                self._start_environment()
        self._start_as_needed(is_blocked)

    def _start_provisioned(self) -> None:
        """Start one of the provisioned environments, if one is missing."""
        if not self._is_stopping and len(self._current()) < self.options.provisioned:
            self._start_environment()

    def _start_first(self) -> None:
        """Start the environments that are there before the first event: the provisioned ones, or one."""
        for _ in range(min(max(self.options.provisioned, 1), self._room())):
            self._start_environment()

    def _start_environment(self, reserved_for: Invocation | None = None) -> None:
        self._count += 1
        environment = Environment(self._count, self._program, self.options, self)
        if reserved_for:
            self._reserved[environment] = reserved_for
        self.environments.append(environment)
        environment.start()

    def _start_reserved(self) -> None:
        """Start an environment for each event that needs a new one; without room, in place of one that is idle."""
        while self._waiting_for_init:
            idle = [each for each in self._current() if each.is_free and not each.running]
            if idle and self._room() <= 0:
                self._run(idle[0].stop(MAKES_ROOM))
            if self._room() <= 0:  # until one is idle, or, if the app's port is set, has ended
                return
            self._start_environment(self._waiting_for_init.popleft())

    async def _retire_idle(self) -> None:
        """Stop environments that have been idle for long."""
        while True:
            await asyncio.sleep(min(self.options.idle_seconds, 1.0))
            idle_until = time.monotonic() - self.options.idle_seconds
            idle = [each for each in self._current() if each.idle_since and each.idle_since < idle_until]
            for environment in idle[: max(len(self._current()) - self.options.provisioned, 0)]:
                self._run(environment.stop(IDLE_TOO_LONG))

    async def _explain(self) -> None:
        """Log which invocations keep environments busy: endless ones, and those that others have waited for."""
        explained_at, explained = 0.0, None
        while True:
            await asyncio.sleep(_EXPLAIN_SECONDS)
            now = time.monotonic()
            running = [each for environment in self._current() for each in environment.running]
            running.sort(key=lambda each: each.started_at)
            has_waited = bool(self._waiting) and now - self._waiting[0].received_at >= _EXPLAIN_SECONDS
            if running and has_waited and now - explained_at >= _REPEAT_SECONDS:
                explained_at, explained = now, running[0]
                self._explain_busy(running[0], now)
            for invocation in running:
                if invocation is not explained and self._is_endless(invocation, now):
                    explained = invocation
                    self._explain_busy(invocation, now)

    def _is_endless(self, invocation: Invocation, now: float) -> bool:
        """Return whether an endless response has just become one that is to be named."""
        seconds = now - invocation.started_at
        is_new = _ENDLESS_SECONDS <= seconds < _ENDLESS_SECONDS + 1.5 * _EXPLAIN_SECONDS
        return is_new and is_endless(invocation.title, invocation.content_type)

    def _explain_busy(self, invocation: Invocation, now: float) -> None:
        seconds, waiting = now - invocation.started_at, len(self._waiting)
        line = describe_busy(invocation.title, seconds, invocation.content_type, waiting, invocation.environment)
        self._program.log.line(line, fg="yellow")

    def _run(self, coroutine: Coroutine[None, None, None]) -> None:
        """Run a coroutine; the loop itself keeps no reference to its tasks."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
