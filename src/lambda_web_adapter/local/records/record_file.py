"""A file of records: a line of JSON for each one, with everything that the inspector knows of it."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from lambda_web_adapter.local.records.conversion import to_detail
from lambda_web_adapter.local.records.record_models import InvocationDetail
from lambda_web_adapter.local.records.recorder import InvocationCompleted
from lambda_web_adapter.local.records.records import SETTLE_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from lambda_web_adapter.local.log import Log
    from lambda_web_adapter.local.records.masking import Masker
    from lambda_web_adapter.local.records.recorder import Change, Recorder
    from lambda_web_adapter.local.records.records import Record

# How many changes may wait while a batch is written: more than a local run can have in that time.
_MAX_WAITING = 100_000
# What pydantic says of JSON that ends too early.
_EARLY_END = "EOF while parsing"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no record.

    Attributes:
        number: its number, from 1.
        problem: what follows "Line 1 of FILE", such as "is incomplete".
    """

    number: int
    problem: str


def read_records(path: Path) -> Iterator[InvocationDetail | BadLine]:
    """Yield the records that a file has now, and which lines are none; what is appended meanwhile is not read.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        for number, line in enumerate(_present_lines(file), 1):
            if not line.strip():
                continue
            try:
                yield InvocationDetail.model_validate_json(line)
            except ValidationError as error:
                yield BadLine(number, _describe(error))


def has_records(path: Path) -> bool:
    """Return whether a file has records rather than an event: by its name, or by its first line.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        if path.suffix == ".jsonl":
            return True
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # a pipe, whose first line would be gone
            return False
        first = next((line for line in file if line.strip()), b"")
    try:
        InvocationDetail.model_validate_json(first)
    except ValidationError:
        return False
    return True


def _present_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines up to the present end: a run that is sent the records may append those of the replays."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        yield from file
        return
    while file.tell() < status.st_size and (line := file.readline(status.st_size - file.tell())):
        yield line


@asynccontextmanager
async def write_records(recorder: Recorder, file: BinaryIO, masker: Masker, log: Log) -> AsyncIterator[None]:
    """Append each record that is complete while the block runs, a moment later; all are in the file at the end.

    Args:
        recorder: the records.
        file: the file; it is closed at the end.
        masker: masks secrets.
        log: the log, which says so if the file cannot be written any more.
    """
    with file, recorder.follow(_MAX_WAITING) as queue:
        writer = _Writer(file, masker, queue)
        task = asyncio.create_task(writer.follow())
        task.add_done_callback(lambda task: None if task.cancelled() else _report(task.exception(), log))
        try:
            yield
        finally:
            if task.cancel():  # else it has failed, and so would this
                await asyncio.wait((task,))
                await _finish(writer, log)


class _Writer:
    """Appends records to a file when nothing more will come to them."""

    def __init__(self, file: BinaryIO, masker: Masker, queue: asyncio.Queue[Change]) -> None:
        self._file = file
        self._masker = masker
        self._queue = queue
        self._pending: deque[Record] = deque()  # in the order of their ends
        self._pool = ThreadPoolExecutor(1)  # an event of 1 MB would keep the loop busy

    async def follow(self) -> None:
        """Append records until the task is cancelled.

        Raises:
            OSError: the file cannot be written.
        """
        while True:
            self._take(await self._queue.get())
            while self._pending:
                await asyncio.sleep(SETTLE_SECONDS)
                self._take_waiting()
                await self._append(self._pop_settled())

    async def finish(self) -> None:
        """Append all that is left.

        Raises:
            OSError: the file cannot be written.
        """
        self._take_waiting()
        await self._append(list(self._pending))
        self._pool.shutdown()

    def _take(self, change: Change) -> None:
        if isinstance(change, InvocationCompleted):
            self._pending.append(change.record)

    def _take_waiting(self) -> None:
        while not self._queue.empty():
            self._take(self._queue.get_nowait())

    def _pop_settled(self) -> list[Record]:
        settled, until = [], time.monotonic() - SETTLE_SECONDS
        while self._pending and self._pending[0].completed_at <= until:
            settled.append(self._pending.popleft())
        return settled

    async def _append(self, records: Sequence[Record]) -> None:
        """Append records in the thread; what has begun is completed, and comes before what follows."""
        await asyncio.shield(asyncio.wrap_future(self._pool.submit(self._write, records)))

    def _write(self, records: Sequence[Record]) -> None:
        for record in records:
            line = memoryview(to_detail(record, self._masker).model_dump_json().encode() + b"\n")
            while line:  # a disk that is nearly full takes a part of it, and then nothing
                line = line[self._file.write(line) :]


async def _finish(writer: _Writer, log: Log) -> None:
    try:
        await writer.finish()
    except OSError as error:
        _report(error, log)


def _report(error: BaseException | None, log: Log) -> None:
    log.line(f"Further invocations are not recorded: the file cannot be written ({error}).", fg="red")


def _describe(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid" and _EARLY_END in first["msg"]:
        return "is incomplete."
    place = ".".join(map(str, first["loc"]))
    return f"is no record: {place}: {first['msg']}" if place else f"is no record: {first['msg']}"
