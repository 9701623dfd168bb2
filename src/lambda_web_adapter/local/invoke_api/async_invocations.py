"""Asynchronous invocations (`X-Amz-Invocation-Type: Event`): a queue that retries what fails, as Lambda's does.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_web_adapter.local.environments.function import Throttled
from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.local.log import RequestLine
from lambda_web_adapter.local.stream_relay import collect
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_web_adapter.local.environments.function import Function
    from lambda_web_adapter.local.log import Log

# How much of an event a dead-letter line shows, in characters.
_EXCERPT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When a failed attempt is repeated. All times are in seconds.

    Attributes:
        error_delays: how long to wait after each failure of the function; after one more it is given up.
        throttle_delay: how long to wait when all environments are busy; it doubles each time.
        max_throttle_delay: the longest such wait.
        max_age: how old an event may become.
    """

    error_delays: tuple[float, ...]
    throttle_delay: float
    max_throttle_delay: float
    max_age: float


# "a one-minute wait between the first two attempts, and two minutes between the second and third attempts"; throttled
# events are tried for up to 6 hours, with waits from 1 second to 5 minutes (Lambda's page of asynchronous invocation).
AS_ON_LAMBDA = RetryPolicy(error_delays=(60.0, 120.0), throttle_delay=1.0, max_throttle_delay=300.0, max_age=6 * 3600.0)
# The same in a time that somebody at a laptop waits.
FAST = RetryPolicy(error_delays=(1.0, 2.0), throttle_delay=0.5, max_throttle_delay=5.0, max_age=6 * 3600.0)


@dataclass(slots=True, kw_only=True)
class _QueuedEvent:
    """An event and what has become of it so far; all attempts have the same request id."""

    event: bytes
    title: str
    trace_id: str
    tenant_id: str
    received_at: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempts: int = 0
    error: str = ""


class AsyncInvocations:
    """The queue of asynchronous invocations of one function."""

    def __init__(
        self,
        function: Function,
        log: Log,
        *,
        policy: RetryPolicy = FAST,
        dead_letter_folder: Path | None = None,
    ) -> None:
        """Start with an empty queue.

        Args:
            function: the function that gets the events.
            log: the log of the local run.
            policy: when failed attempts are repeated.
            dead_letter_folder: where events are written that were given up, if anywhere.
        """
        self._function = function
        self._policy = policy
        self._dead_letter_folder = dead_letter_folder
        self._log = log
        self._deliveries: set[asyncio.Task[None]] = set()

    def enqueue(self, event: bytes, *, title: str, trace_id: str = "", tenant_id: str = "") -> str:
        """Queue an event, and return the request id of its invocation."""
        queued = _QueuedEvent(
            event=event, title=title, trace_id=trace_id, tenant_id=tenant_id, received_at=time.monotonic()
        )
        delivery = asyncio.create_task(self._deliver(queued))
        self._deliveries.add(delivery)
        delivery.add_done_callback(self._deliveries.discard)
        return queued.request_id

    async def stop(self) -> None:
        """Discard what has not been done, and log how many events that were."""
        lost = list(self._deliveries)
        for delivery in lost:
            delivery.cancel()
        await asyncio.gather(*lost, return_exceptions=True)
        if lost:
            events = "1 asynchronous invocation was" if len(lost) == 1 else f"{len(lost)} asynchronous invocations were"
            self._log.line(f"{events} not done when the local run stopped. Send the events again.", fg="red")

    async def _deliver(self, queued: _QueuedEvent) -> None:
        """Invoke the function until it succeeds, or until the policy says to give up."""
        throttle_delay = self._policy.throttle_delay
        while True:
            try:
                if await self._attempt(queued):
                    return
            except Throttled:
                queued.error = "All environments are busy"
                delay, throttle_delay = throttle_delay, min(2 * throttle_delay, self._policy.max_throttle_delay)
            else:
                if queued.attempts > len(self._policy.error_delays):
                    await self._give_up(queued, "RetriesExhausted")
                    return
                delay = self._policy.error_delays[queued.attempts - 1]
            if time.monotonic() + delay - queued.received_at > self._policy.max_age:
                await self._give_up(queued, "EventAgeExceeded")
                return
            await asyncio.sleep(delay)

    async def _attempt(self, queued: _QueuedEvent) -> bool:
        """Invoke the function once, and log that; return whether it succeeded.

        Raises:
            Throttled: all environments are busy.
        """
        invocation = self._function.submit(
            queued.event,
            title=queued.title,
            trace_id=queued.trace_id,
            tenant_id=queued.tenant_id,
            request_id=queued.request_id,
        )
        queued.attempts += 1
        started_at = time.monotonic()
        outcome = await invocation.outcome
        if isinstance(outcome, ReplyStream):
            outcome = await collect(outcome)
        line = RequestLine(title=f"asynchronous {queued.title}", status=200, invocation=invocation)
        line.seconds = time.monotonic() - started_at
        if outcome.failed:
            queued.error = str(InvocationError.of_document(outcome.payload))
            line.status = "error"
            line.problem = f"attempt {queued.attempts} of {len(self._policy.error_delays) + 1}: {queued.error}"
        self._log.request(line)
        return not outcome.failed

    async def _give_up(self, queued: _QueuedEvent, reason: str) -> None:
        """Log the event, and keep it as a file if there is a folder for that."""
        text = queued.event.decode(errors="replace")
        excerpt = text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"
        attempts = "1 attempt" if queued.attempts == 1 else f"{queued.attempts} attempts"
        line = f"Dead letter: {queued.title} {queued.request_id}, {reason} after {attempts}: {queued.error}: {excerpt}"
        if self._dead_letter_folder is not None:
            path = self._dead_letter_folder / f"{queued.request_id}.json"
            try:
                await asyncio.to_thread(_write, path, queued.event)
                line += f" It is in {path}."
            except OSError as error:
                line += f" It cannot be written to {path}: {error}."
        self._log.line(line, fg="red")


def _write(path: Path, event: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(event)
