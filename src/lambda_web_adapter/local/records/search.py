"""Finds a text in records."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_web_adapter.local.records.records import Record


def matches(record: Record, text: str) -> bool:
    """Return whether a record has a text: in its title, source, status, ids, error, problem or log lines."""
    if not text:
        return True
    fields = (
        record.title,
        record.source,
        str(record.status or ""),
        record.request_id,
        record.trace_id,
        record.tenant_id,
        record.problem,
        record.error_type,
        record.error_message,
        record.log.decode("utf-8", "replace"),
    )
    return text.casefold() in "\n".join(fields).casefold()
