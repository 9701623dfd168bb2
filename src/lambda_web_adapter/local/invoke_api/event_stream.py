"""Encode messages of an AWS event stream, the format of InvokeWithResponseStream's body.

A message is a prelude (its length, its headers' length, a checksum of both), headers, a payload and a checksum of all
before it. Numbers are big-endian, checksums are CRC-32.
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html has a description; the Smithy
specification "Event stream specification" is the reference.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_STRING = 7  # the header type of UTF-8 text
_CHECKSUM_SIZE = 4  # bytes
_PRELUDE_SIZE = 8  # bytes, without its checksum
# Bytes of payload in a message: clients take much more, and show a chunk when all of it has come.
_MAX_CHUNK = 64 * 1024


def payload_chunks(part: bytes) -> Iterator[bytes]:
    """Yield the PayloadChunk messages for a part of the payload."""
    for start in range(0, len(part), _MAX_CHUNK):
        yield encode_event("PayloadChunk", "application/octet-stream", part[start : start + _MAX_CHUNK])


def invoke_complete(*, error_code: str = "", error_details: str = "", log_result: str = "") -> bytes:
    """Return the InvokeComplete message, which ends the stream; what is empty is left out."""
    fields = {"ErrorCode": error_code, "ErrorDetails": error_details, "LogResult": log_result}
    document = {name: value for name, value in fields.items() if value}
    return encode_event("InvokeComplete", "application/json", orjson.dumps(document))


def encode_event(event_type: str, content_type: str, payload: bytes) -> bytes:
    """Return a message that is an event."""
    headers = {":event-type": event_type, ":content-type": content_type, ":message-type": "event"}
    return encode_message(headers, payload)


def encode_message(headers: dict[str, str], payload: bytes) -> bytes:
    """Return a message with text headers."""
    encoded = b"".join(_encode_header(name, value) for name, value in headers.items())
    size = _PRELUDE_SIZE + _CHECKSUM_SIZE + len(encoded) + len(payload) + _CHECKSUM_SIZE
    prelude = struct.pack(">II", size, len(encoded))
    message = prelude + _checksum(prelude) + encoded + payload
    return message + _checksum(message)


def _encode_header(name: str, value: str) -> bytes:
    raw_name, raw_value = name.encode(), value.encode()
    return struct.pack(">B", len(raw_name)) + raw_name + struct.pack(">BH", _STRING, len(raw_value)) + raw_value


def _checksum(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))
