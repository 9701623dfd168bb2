"""What log lines call an event."""

from __future__ import annotations

import orjson


def title_of_event(event: bytes) -> str:
    """Return the title of an event that is JSON, such as `sqs event`; only `event` if its source is not known."""
    parsed = orjson.loads(event)
    if not isinstance(parsed, dict):
        return "event"
    records = parsed.get("Records")
    record = records[0] if isinstance(records, list) and records else None
    source = (record.get("eventSource") or record.get("EventSource")) if isinstance(record, dict) else None
    if isinstance(source, str):
        return f"{source.removeprefix('aws:')} event"
    return "eventbridge event" if "detail-type" in parsed else "event"
