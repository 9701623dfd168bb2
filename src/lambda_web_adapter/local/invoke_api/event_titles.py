"""What log lines call an event."""

from __future__ import annotations

from typing import Any

import orjson


def title_of_event(event: bytes) -> str:
    """Return the title of an event that is JSON: `GET /path`, `sqs event`, or `event` if its source is not known."""
    parsed = orjson.loads(event)
    if not isinstance(parsed, dict):
        return "event"
    http = _mapping(_mapping(parsed.get("requestContext")).get("http"))
    method, path = http.get("method") or parsed.get("httpMethod"), parsed.get("rawPath") or parsed.get("path")
    if isinstance(method, str) and isinstance(path, str):
        return f"{method} {path}"
    records = parsed.get("Records")
    record = _mapping(records[0]) if isinstance(records, list) and records else {}
    source = record.get("eventSource") or record.get("EventSource")
    if isinstance(source, str):
        return f"{source.removeprefix('aws:')} event"
    return "eventbridge event" if "detail-type" in parsed else "event"


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
