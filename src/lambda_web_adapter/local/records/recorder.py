"""Records of what happens to invocations and environments, made from what the log gets."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING

from lambda_web_adapter.local.environments.environment_states import Activity
from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.local.records.lanes import Lanes
from lambda_web_adapter.local.records.records import FAILED, MAX_PART, REJECTED, SUCCEEDED, Records
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeVar

    from lambda_web_adapter.ipc.exchange_frame import Exchange
    from lambda_web_adapter.local.environments.invocation import Invocation
    from lambda_web_adapter.local.gateways import Request, Response
    from lambda_web_adapter.local.log import RequestLine
    from lambda_web_adapter.local.records.records import Record

    _Message = TypeVar("_Message", Request, Response)

# How many changes wait for a slow follower; then the oldest ones are dropped.
_MAX_QUEUE = 1000


@dataclass(frozen=True, slots=True)
class InvocationStarted:
    """An environment has got an event."""

    record: Record


@dataclass(frozen=True, slots=True)
class InvocationCompleted:
    """A record is complete; the exchange with the app, and the freeze, may follow a moment later."""

    record: Record


@dataclass(frozen=True, slots=True)
class EnvironmentChanged:
    """An environment does something else from now on; `at` is in seconds since the epoch."""

    number: int
    at: float
    state: str
    reason: str


Change = InvocationStarted | InvocationCompleted | EnvironmentChanged


class Recorder:
    """Makes records of invocations and requests.

    A record is complete when both the invocation has ended and its request has its response, in any order.

    Attributes:
        records: the last records.
        lanes: what the environments did.
    """

    def __init__(self, records: Records | None = None) -> None:
        """Begin without records."""
        self.records = Records() if records is None else records
        self.lanes = Lanes()
        self._incomplete: dict[Invocation, Record] = {}
        self._first_since_idle: dict[int, int] = {}  # by environment, the number of a record
        self._followers: set[asyncio.Queue[Change]] = set()

    def start(self, invocation: Invocation) -> None:
        """Make the record of an invocation that an environment has got."""
        if invocation in self._incomplete:  # its init is repeated
            return
        received = time.time() - (time.monotonic() - invocation.received_at)
        record = self.records.add(received, invocation.title, invocation.request_id)
        record.environment, record.source = invocation.environment, invocation.source or record.source
        record.received_at, record.started_at = invocation.received_at, invocation.started_at
        record.trace_id, record.tenant_id = invocation.trace_id, invocation.tenant_id
        record.replay_of = invocation.replay_of
        record.event, record.event_bytes = invocation.event[:MAX_PART], len(invocation.event)
        self._incomplete[invocation] = record
        if not invocation.ended_at and self.lanes.state(record.environment) != Activity.BUSY:
            self._first_since_idle[record.environment] = record.number
        self._notify(InvocationStarted(record))

    def end(self, invocation: Invocation) -> None:
        """Complete the record with what the environment has done; it may have failed before it got the event."""
        self.start(invocation)
        record = self._incomplete[invocation]
        record.source = invocation.source or record.source
        record.environment, record.is_cold = invocation.environment, invocation.is_cold
        record.init_ms = invocation.init_seconds * 1000
        record.started_at, record.first_byte_at = invocation.started_at, invocation.first_byte_at
        record.replied_at, record.ended_at = invocation.responded_at, invocation.ended_at
        record.memory_bytes = invocation.max_memory
        record.log = _app_lines(invocation)
        _set_outcome(record, invocation)
        self._update(record, invocation)

    def respond(self, line: RequestLine) -> None:
        """Complete the record with a response: to an invocation's request, or to one that has not become an event."""
        invocation = line.invocation
        record = self._incomplete.get(invocation) if invocation else None
        if record is None:
            record = self.records.add(time.time() - line.seconds, line.title)
            record.state, record.received_at = REJECTED, time.monotonic() - line.seconds
            record.replay_of = line.replay_of
        else:
            record.title = line.title
        line.number, record.source = record.number, line.source or record.source
        if line.request:
            record.client_request, record.client_request_bytes = _bounded(line.request), len(line.request.body)
        if line.response:
            size = line.response_bytes or len(line.response.body)
            record.client_response, record.client_response_bytes = _bounded(line.response), size
        record.status = line.status if isinstance(line.status, int) else None
        record.problem, record.response_ms = line.problem, line.seconds * 1000
        self._update(record, invocation)

    def add_exchange(self, exchange: Exchange) -> None:
        """Add an exchange with the app to its record; it comes before or after the record is complete."""
        if record := self.records.find(exchange.request_id):
            record.exchange = exchange
            self.records.update(record)

    def change_environment(self, number: int, state: str, reason: str = "") -> None:
        """Record what an environment does from now on, and why."""
        moment = time.time()
        if self.lanes.change(number, moment, state, reason):
            self._notify(EnvironmentChanged(number, moment, str(state), reason))
        if state == Activity.FROZEN:
            self._freeze(number)
        elif state == Activity.ENDED:
            self._first_since_idle.pop(number, None)

    def _freeze(self, environment: int) -> None:
        """Note the freeze in each record of the environment since it was idle: with several workers, more than one."""
        first, moment = self._first_since_idle.get(environment, 0), time.monotonic()
        for record in takewhile(lambda each: first and each.number >= first, self.records.newest_first()):
            if record.environment == environment:
                record.frozen_at = moment

    def measure_environment(self, number: int, memory: int) -> None:
        """Record how much memory an environment has, in bytes."""
        self.lanes.measure(number, time.time(), memory)

    @contextmanager
    def follow(self, max_waiting: int = _MAX_QUEUE) -> Iterator[asyncio.Queue[Change]]:
        """Return a queue that gets what happens to invocations and environments while the block runs.

        Args:
            max_waiting: how many changes wait for a slow follower; of more, the oldest ones are dropped.
        """
        queue: asyncio.Queue[Change] = asyncio.Queue(max_waiting)
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
        self._notify(InvocationCompleted(record))

    def _notify(self, change: Change) -> None:
        for queue in self._followers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(change)


def _set_outcome(record: Record, invocation: Invocation) -> None:
    """Set the reply, and why the function failed, also in the middle of a stream."""
    outcome = invocation.outcome.result()  # it has one, since the invocation has ended
    if isinstance(outcome, ReplyStream):
        error, record.is_streamed = outcome.error, True
        record.reply, record.reply_bytes = bytes(invocation.stream_start), invocation.stream_size
    else:
        error = InvocationError.of_document(outcome.payload) if outcome.failed else None
        record.reply, record.reply_bytes = outcome.payload[:MAX_PART], len(outcome.payload)
    record.state = FAILED if error else SUCCEEDED
    if error:
        record.error_type, record.error_message = error.error_type or "Unhandled", error.error_message
        record.error_stack = tuple(error.stack_trace)


def _bounded(message: _Message) -> _Message:
    """Return a message whose body has at most `MAX_PART` bytes."""
    return message if len(message.body) <= MAX_PART else replace(message, body=message.body[:MAX_PART])


def _app_lines(invocation: Invocation) -> bytes:
    """Return the log lines of the app, without those that Lambda writes about each invocation."""
    own = [f"{word} RequestId: {invocation.request_id}".encode() for word in ("START", "END", "REPORT")]
    return b"".join(line for line in invocation.log.splitlines(keepends=True) if not line.startswith(tuple(own)))
