"""Records of the last invocations, bounded in number and in bytes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

MAX_RECORDS = 1000
# 32 MB for all records: half of it if each has the most log lines that an invocation keeps.
MAX_BYTES = 32 * 1024 * 1024
# What a record takes besides its texts, in bytes, measured with sys.getsizeof.
_BASE_SIZE = 1000

RUNNING, SUCCEEDED, FAILED, REJECTED = "running", "succeeded", "failed", "rejected"


@dataclass(slots=True, kw_only=True, eq=False)
class Record:
    """What has happened to an event, or to a request that has not become one.

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
        environment: the environment's number; 0 until there is one.
        is_cold: whether the event waited for the environment's init.
        waited_ms: how long it waited for the environment.
        init_ms: how long the environment's init took; 0 unless `is_cold`.
        duration_ms: how long the environment worked on it.
        response_ms: how long the caller waited for the complete response; None until then.
        event_bytes: the size of the event.
        memory_bytes: the most memory that the environment had until then; 0 if it was not measured.
        error_type: the type of the function's error.
        error_message: its message.
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
    environment: int = 0
    is_cold: bool = False
    waited_ms: float = 0.0
    init_ms: float = 0.0
    duration_ms: float = 0.0
    response_ms: float | None = None
    event_bytes: int = 0
    memory_bytes: int = 0
    error_type: str = ""
    error_message: str = ""
    log: bytes = b""

    @property
    def is_complete(self) -> bool:
        """Return whether both the invocation has ended and the caller has the response."""
        return self.state != RUNNING and self.response_ms is not None

    @property
    def size(self) -> int:
        """Return about how many bytes of memory it takes."""
        return _BASE_SIZE + len(self.log) + len(self.title) + len(self.problem) + len(self.error_message)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object: times in ms have two decimals, the log is a list of lines."""
        error = {"type": self.error_type, "message": self.error_message} if self.error_type else None
        return {
            "number": self.number,
            "received": round(self.received, 3),
            "title": self.title,
            "source": self.source,
            "state": self.state,
            "is_complete": self.is_complete,
            "status": self.status,
            "problem": self.problem,
            "error": error,
            "request_id": self.request_id,
            "trace_id": self.trace_id,
            "tenant_id": self.tenant_id,
            "environment": self.environment,
            "is_cold": self.is_cold,
            "waited_ms": round(self.waited_ms, 2),
            "init_ms": round(self.init_ms, 2),
            "duration_ms": round(self.duration_ms, 2),
            "response_ms": None if self.response_ms is None else round(self.response_ms, 2),
            "event_bytes": self.event_bytes,
            "memory_bytes": self.memory_bytes,
            "log": self.log.decode("utf-8", "replace").splitlines(),
        }


class Records:
    """The last records: when there are too many, or they take too much memory, the oldest ones are dropped."""

    def __init__(self, max_count: int = MAX_RECORDS, max_bytes: int = MAX_BYTES) -> None:
        """Begin without records."""
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._records: deque[Record] = deque()
        self._sizes: dict[int, int] = {}  # by number, as of the last `update`
        self._total = 0
        self._count = 0

    def __len__(self) -> int:
        return len(self._records)

    @property
    def size(self) -> int:
        """Return about how many bytes of memory all of them take."""
        return self._total

    def add(self, received: float, title: str) -> Record:
        """Return a new record."""
        self._count += 1
        record = Record(number=self._count, received=received, title=title)
        self._records.append(record)
        self._sizes[record.number] = 0
        self.update(record)
        return record

    def update(self, record: Record) -> None:
        """Take note that a record has changed, and so has its size; one that was dropped stays so."""
        previous = self._sizes.get(record.number)
        if previous is None:
            return
        self._sizes[record.number] = size = record.size
        self._total += size - previous
        while len(self._records) > self._max_count or (self._total > self._max_bytes and len(self._records) > 1):
            self._total -= self._sizes.pop(self._records.popleft().number)

    def last(self, count: int) -> list[Record]:
        """Return the last records, the oldest first."""
        skipped = max(len(self._records) - count, 0)
        return [record for index, record in enumerate(self._records) if index >= skipped]
