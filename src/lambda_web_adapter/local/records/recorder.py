"""Records of what happens to invocations, made from what the log gets, for commands that look at a run."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.local.records.records import FAILED, REJECTED, SUCCEEDED, Records
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.local.environments.invocation import Invocation
    from lambda_web_adapter.local.log import RequestLine
    from lambda_web_adapter.local.records.records import Record

# How many records wait for a slow follower; then the oldest ones are dropped.
_MAX_QUEUE = 1000


class Recorder:
    """Makes records of invocations and requests.

    A record is complete when both the invocation has ended and its request has its response, in any order.

    Attributes:
        records: the last records.
    """

    def __init__(self, records: Records | None = None) -> None:
        """Begin without records."""
        self.records = records or Records()
        self._incomplete: dict[Invocation, Record] = {}
        self._followers: set[asyncio.Queue[Record]] = set()

    def start(self, invocation: Invocation) -> None:
        """Make the record of an invocation that an environment has got."""
        if invocation in self._incomplete:  # its init is repeated
            return
        received = time.time() - (time.monotonic() - invocation.received_at)
        record = self.records.add(received, invocation.title)
        record.request_id, record.environment = invocation.request_id, invocation.environment
        record.trace_id, record.tenant_id = invocation.trace_id, invocation.tenant_id
        record.event_bytes = len(invocation.event)
        self._incomplete[invocation] = record

    def end(self, invocation: Invocation) -> None:
        """Complete the record with what the environment has done; it may have failed before it got the event."""
        self.start(invocation)
        record = self._incomplete[invocation]
        record.source = invocation.source or record.source
        record.environment, record.is_cold = invocation.environment, invocation.is_cold
        record.waited_ms = (invocation.started_at - invocation.received_at) * 1000
        record.init_ms = invocation.init_seconds * 1000
        record.duration_ms = (invocation.ended_at - invocation.started_at) * 1000
        record.memory_bytes = invocation.max_memory
        record.log = _app_lines(invocation)
        error = _error_of(invocation)
        record.state = FAILED if error else SUCCEEDED
        if error:
            record.error_type, record.error_message = error.error_type or "Unhandled", error.error_message
        self._update(record, invocation)

    def respond(self, line: RequestLine) -> None:
        """Take note of a response: to an invocation's request, or to one that has not become an invocation."""
        invocation = line.invocation
        record = self._incomplete.get(invocation) if invocation else None
        if record is None:
            record = self.records.add(time.time() - line.seconds, line.title)
            record.state = REJECTED
        else:
            record.title = line.title
        record.status = line.status if isinstance(line.status, int) else None
        record.problem, record.response_ms = line.problem, line.seconds * 1000
        self._update(record, invocation)

    @contextmanager
    def follow(self) -> Iterator[asyncio.Queue[Record]]:
        """Return a queue that gets each record as soon as it is complete, while the block runs."""
        queue: asyncio.Queue[Record] = asyncio.Queue(_MAX_QUEUE)
        self._followers.add(queue)
        try:
            yield queue
        finally:
            self._followers.discard(queue)

    def _update(self, record: Record, invocation: Invocation | None) -> None:
        self.records.update(record)
        if not record.is_complete:
            return
        if invocation:
            self._incomplete.pop(invocation, None)
        for queue in self._followers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(record)


def _app_lines(invocation: Invocation) -> bytes:
    """Return the log lines of the app, without those that Lambda writes about each invocation."""
    own = [f"{word} RequestId: {invocation.request_id}".encode() for word in ("START", "END", "REPORT")]
    return b"".join(line for line in invocation.log.splitlines(keepends=True) if not line.startswith(tuple(own)))


def _error_of(invocation: Invocation) -> InvocationError | None:
    """Return why the function failed, also in the middle of a stream; None if it did not."""
    outcome = invocation.outcome.result()  # it has one, since the invocation has ended
    if isinstance(outcome, ReplyStream):
        return outcome.error
    return InvocationError.of_document(outcome.payload) if outcome.failed else None
