"""The bytes of AWS's event streams; clients of AWS read them in tests/side_by_side."""

from __future__ import annotations

import struct
import zlib

from lambda_web_adapter.local.invoke_api import event_stream


def test_a_message_without_headers_and_payload_is_that_of_the_specification() -> None:
    """The first of the vectors that AWS's SDKs are tested with: "empty_message"."""
    assert event_stream.encode_message({}, b"").hex() == "000000100000000005c248eb7d98c8ff"


def test_a_chunk_has_the_headers_of_an_event() -> None:
    (message,) = event_stream.payload_chunks(b"hello")

    size, headers_size = struct.unpack(">II", message[:8])
    headers = message[12 : 12 + headers_size]
    assert size == len(message)
    assert message[12 + headers_size : -4] == b"hello"
    assert struct.unpack(">I", message[-4:])[0] == zlib.crc32(message[:-4])
    assert b"\x0b:event-type\x07\x00\x0cPayloadChunk" in headers
    assert b"\x0d:message-type\x07\x00\x05event" in headers


def test_a_large_part_becomes_several_chunks() -> None:
    part = bytes(range(256)) * 1000

    messages = list(event_stream.payload_chunks(part))

    assert len(messages) == 4
    assert all(len(message) < 66_000 for message in messages)


def test_an_empty_part_becomes_no_chunk() -> None:
    assert list(event_stream.payload_chunks(b"")) == []


def test_the_last_message_has_only_what_there_is() -> None:
    assert b'"ErrorCode"' not in event_stream.invoke_complete(log_result="bG9n")
    assert b'{"LogResult":"bG9n"}' in event_stream.invoke_complete(log_result="bG9n")
