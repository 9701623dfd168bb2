"""botocore's parser reads our event streams, checksums included."""

from __future__ import annotations

import json

from botocore.eventstream import EventStreamBuffer, EventStreamMessage
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.local.invoke_api import event_stream


def read(data: bytes, step: int) -> list[EventStreamMessage]:
    """Feeds the parser some bytes at a time."""
    buffer = EventStreamBuffer()
    messages = []
    for start in range(0, len(data), step):
        buffer.add_data(data[start : start + step])
        messages += list(buffer)
    return messages


@given(st.lists(st.binary(max_size=200_000), max_size=5), st.integers(1, 100_000))
def test_parts_come_back(parts: list[bytes], step: int) -> None:
    data = b"".join(message for part in parts for message in event_stream.payload_chunks(part))

    messages = read(data, max(step, len(data) // 50))

    assert b"".join(message.payload for message in messages) == b"".join(parts)
    assert all(
        message.headers
        == {":event-type": "PayloadChunk", ":content-type": "application/octet-stream", ":message-type": "event"}
        for message in messages
    )


@given(st.text(), st.text(), st.text(alphabet="abc="))
def test_the_end_comes_back(code: str, details: str, log: str) -> None:
    data = event_stream.invoke_complete(error_code=code, error_details=details, log_result=log)

    (message,) = read(data, len(data))

    assert message.headers[":event-type"] == "InvokeComplete"
    fields = {"ErrorCode": code, "ErrorDetails": details, "LogResult": log}
    assert json.loads(message.payload) == {name: value for name, value in fields.items() if value}


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=50), max_size=5), st.binary(max_size=1000))
def test_any_headers_come_back(headers: dict[str, str], payload: bytes) -> None:
    (message,) = read(event_stream.encode_message(headers, payload), 1000)

    assert (message.headers, message.payload) == (headers, payload)
