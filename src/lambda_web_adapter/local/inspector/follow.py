"""What happens in a run, as server-sent events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson

from lambda_web_adapter.local.records.conversion import to_summary
from lambda_web_adapter.local.records.recorder import EnvironmentChanged, InvocationStarted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lambda_web_adapter.local.records.recorder import Change, Recorder
    from lambda_web_adapter.local.records.records import Record

# How often a stream without events has a comment, in seconds: so that a client notices that the run is gone.
_KEEP_ALIVE_SECONDS = 15.0
_KEEP_ALIVE = b": still there\n\n"
_STARTED, _COMPLETED, _ENVIRONMENT = "started", "invocation", "environment"


async def follow(recorder: Recorder, last: int, *, with_log: bool) -> AsyncIterator[bytes]:
    """Yield the last records, then all that happens from now on.

    Args:
        recorder: the records.
        last: how many of the complete records come first; those that are running come as well.
        with_log: whether records have their log lines.
    """
    with recorder.follow() as queue:
        newest_first = list(recorder.records.newest_first())
        complete = [record for record in newest_first if record.is_complete][:last]
        running = [record for record in newest_first if not record.is_complete]
        for record in reversed(complete):
            yield _record_event(_COMPLETED, record, with_log)
        for record in reversed(running):
            yield _record_event(_STARTED, record, with_log)
        yield b": follow\n\n"
        while True:
            try:
                async with asyncio.timeout(_KEEP_ALIVE_SECONDS):
                    change = await queue.get()
            except TimeoutError:
                yield _KEEP_ALIVE
            else:
                yield _encode(change, with_log)


def _encode(change: Change, with_log: bool) -> bytes:
    if isinstance(change, EnvironmentChanged):
        return b"event: %b\ndata: %b\n\n" % (_ENVIRONMENT.encode(), orjson.dumps(change))
    name = _STARTED if isinstance(change, InvocationStarted) else _COMPLETED
    return _record_event(name, change.record, with_log)


def _record_event(name: str, record: Record, with_log: bool) -> bytes:
    data = to_summary(record).model_dump_json(exclude=None if with_log else {"log"}).encode()
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (record.number, name.encode(), data)
