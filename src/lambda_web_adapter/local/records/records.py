"""Records of the last invocations, bounded in number and in bytes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.ipc.exchange_frame import Exchange
    from lambda_web_adapter.local.gateways import Request, Response

MAX_RECORDS = 1000
# For all records together, in bytes: 64 KB for each of 1000.
MAX_BYTES = 64 * 1024 * 1024
# The largest part of an event, a body or a reply that is kept, in bytes. What is larger cannot be replayed.
MAX_PART = 1024 * 1024
# After that time a record that is complete has the exchange with the app, which its adapter reports after the reply,
# and its freeze, which comes 10 ms after the end; in seconds.
SETTLE_SECONDS = 0.1
# What a record takes besides its texts, in bytes, measured with sys.getsizeof.
_BASE_SIZE = 1500

RUNNING, SUCCEEDED, FAILED, REJECTED = "running", "succeeded", "failed", "rejected"


@dataclass(slots=True, kw_only=True, eq=False)
class Record:
    """What has happened to an event, or to a request that has not become one.

    Moments are by the monotonic clock, in seconds; 0 until then, or if it never came to that.

    Attributes:
        number: counts all records of a run, from 1.
        received: when it came, in seconds since the epoch.
        title: method, path and query of a request, or what an event is called.
        source: the gateway's name; `event` for events that came through the Invoke API.
        state: `running`; `succeeded` or `failed`, which is the function's outcome; `rejected` if no event was made.
        status: the response's status; None if there is none.
        problem: what went wrong on the way, if anything.
        request_id: the invocation's id; empty for a rejected request, as all that follows.
        trace_id: the value of X-Amzn-Trace-Id.
        tenant_id: the tenant that the caller named.
        replay_of: the number of the record that this one repeats; 0 if none.
        environment: the environment's number; 0 until there is one.
        is_cold: whether the event waited for the environment's init.
        init_ms: how long the environment's init took; 0 unless `is_cold`.
        response_ms: how long the caller waited for the complete response; None until then.
        received_at: when it came.
        started_at: when the environment got it.
        first_byte_at: when the first part of a streamed reply came.
        replied_at: when the reply was complete.
        ended_at: when the environment was idle again, after background work.
        frozen_at: when the environment was frozen after it.
        client_request: the client's request, with up to 1 MB of its body; None if there is only an event.
        client_request_bytes: the size of its body.
        client_response: the gateway's response, with up to 1 MB of its body; of a streamed one, with up to 64 KB.
        client_response_bytes: the size of its body.
        event: the event, up to 1 MB.
        event_bytes: the size of the event.
        exchange: request and response between adapter and app, as the adapter has reported them.
        reply: the reply, up to 1 MB, the beginning of a streamed one, or the error document.
        reply_bytes: the size of the reply.
        is_streamed: whether the reply was streamed.
        memory_bytes: the most memory that the environment had until then; 0 if it was not measured.
        error_type: the type of the function's error.
        error_message: its message.
        error_stack: its stack trace.
        log: the last of its log lines.
    """

    number: int
    received: float
    title: str
    source: str = "event"
    state: str = RUNNING
    status: int | None = None
    problem: str = ""
    request_id: str = ""
    trace_id: str = ""
    tenant_id: str = ""
    replay_of: int = 0
    environment: int = 0
    is_cold: bool = False
    init_ms: float = 0.0
    response_ms: float | None = None
    received_at: float = 0.0
    started_at: float = 0.0
    first_byte_at: float = 0.0
    replied_at: float = 0.0
    ended_at: float = 0.0
    frozen_at: float = 0.0
    client_request: Request | None = None
    client_request_bytes: int = 0
    client_response: Response | None = None
    client_response_bytes: int = 0
    event: bytes = b""
    event_bytes: int = 0
    exchange: Exchange | None = None
    reply: bytes = b""
    reply_bytes: int = 0
    is_streamed: bool = False
    memory_bytes: int = 0
    error_type: str = ""
    error_message: str = ""
    error_stack: tuple[str, ...] = ()
    log: bytes = b""

    @property
    def is_complete(self) -> bool:
        """Return whether both the invocation has ended and the caller has the response."""
        return self.state != RUNNING and self.response_ms is not None

    @property
    def completed_at(self) -> float:
        """Return when it was complete; 0 until then."""
        return max(self.ended_at, self.received_at + (self.response_ms or 0) / 1000) if self.is_complete else 0.0

    @property
    def waited_ms(self) -> float:
        """Return how long it waited for the environment."""
        return self._ms(self.started_at)

    @property
    def duration_ms(self) -> float:
        """Return how long the environment worked on it."""
        return (self.ended_at - self.started_at) * 1000 if self.ended_at and self.started_at else 0.0

    @property
    def size(self) -> int:
        """Return about how many bytes of memory it takes."""
        texts = (self.log, self.title, self.problem, self.error_message, self.event, self.reply, *self.error_stack)
        size = _BASE_SIZE + sum(map(len, texts))
        for message in (self.client_request, self.client_response):
            if message:
                size += len(message.body) + sum(len(name) + len(value) + 100 for name, value in message.headers)
        if self.exchange:
            each = self.exchange
            size += len(each.request_head) + len(each.request_body) + len(each.response_head) + len(each.response_body)
        return size

    def _ms(self, moment: float) -> float:
        """Return a moment in milliseconds after `received_at`; 0 if it has not come."""
        return (moment - self.received_at) * 1000 if moment else 0.0


class Records:
    """The last records: when there are too many, or they take too much memory, the oldest ones are dropped."""

    def __init__(self, max_count: int = MAX_RECORDS, max_bytes: int = MAX_BYTES) -> None:
        """Begin without records."""
        self.max_count = max_count
        self._max_bytes = max_bytes
        self._records: deque[Record] = deque()
        self._by_number: dict[int, Record] = {}
        self._by_request_id: dict[str, Record] = {}
        self._sizes: dict[int, int] = {}  # by number, as of the last `update`
        self._total = 0
        self._count = 0

    def __len__(self) -> int:
        return len(self._records)

    @property
    def numbers(self) -> range:
        """Return the numbers of those that are there."""
        return range(self._count - len(self._records) + 1, self._count + 1)

    @property
    def size(self) -> int:
        """Return about how many bytes of memory all of them take."""
        return self._total

    def add(self, received: float, title: str, request_id: str = "") -> Record:
        """Return a new record."""
        self._count += 1
        record = Record(number=self._count, received=received, title=title, request_id=request_id)
        self._records.append(record)
        self._by_number[record.number] = record
        if request_id:
            self._by_request_id[request_id] = record
        self._sizes[record.number] = 0
        self.update(record)
        return record

    def update(self, record: Record) -> None:
        """Adapt to the size of a record that has changed; one that was dropped stays so."""
        previous = self._sizes.get(record.number)
        if previous is None:
            return
        self._sizes[record.number] = size = record.size
        self._total += size - previous
        while len(self._records) > self.max_count or (self._total > self._max_bytes and len(self._records) > 1):
            self._drop_oldest()

    def get(self, number: int) -> Record | None:
        """Return the record with a number; None if there is none, or it was dropped."""
        return self._by_number.get(number)

    def find(self, request_id: str) -> Record | None:
        """Return the last record of an invocation, by its request id; None if there is none."""
        return self._by_request_id.get(request_id)

    def last(self, count: int) -> list[Record]:
        """Return the last records, the oldest first."""
        return list(islice(self.newest_first(), count))[::-1]

    def newest_first(self) -> Iterator[Record]:
        """Return all records, the newest first."""
        return reversed(self._records)

    def _drop_oldest(self) -> None:
        record = self._records.popleft()
        self._total -= self._sizes.pop(record.number)
        del self._by_number[record.number]
        if self._by_request_id.get(record.request_id) is record:
            del self._by_request_id[record.request_id]
