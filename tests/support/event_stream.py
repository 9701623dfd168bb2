"""The messages of an AWS event stream, read strictly: checksums, headers and the end must be those of the format.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_FRAME = 16  # bytes: two lengths, and a checksum after them and at the end
_TEXT = 7  # the type of a header whose value is text


def read_event_stream(data: bytes) -> tuple[bytes, dict[str, Any] | None]:
    """Reads the response of InvokeWithResponseStream: the payload of its chunks, and the error of its end, if any."""
    *chunks, (last, document) = _messages(data)
    assert {kind for kind, _ in chunks} <= {"PayloadChunk"}
    assert last == "InvokeComplete"
    end: dict[str, str] = json.loads(document)
    assert end.keys() <= {"ErrorCode", "ErrorDetails", "LogResult"}
    error: dict[str, Any] | None = json.loads(end["ErrorDetails"]) if "ErrorCode" in end else None
    return b"".join(payload for _, payload in chunks), error


def _messages(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yields the type of each event, and its payload."""
    while data:
        size, header_size = struct.unpack_from(">II", data)
        message, data = data[:size], data[size:]
        assert len(message) == size
        assert struct.unpack_from(">I", message, 8)[0] == zlib.crc32(message[:8])
        assert struct.unpack(">I", message[-4:])[0] == zlib.crc32(message[:-4])
        headers = dict(_headers(message[12 : 12 + header_size]))
        assert headers[":message-type"] == "event"
        yield headers[":event-type"], message[12 + header_size : size - _FRAME + 12]


def _headers(data: bytes) -> Iterator[tuple[str, str]]:
    while data:
        name_size = data[0]
        name, data = data[1 : 1 + name_size], data[1 + name_size :]
        kind, size = struct.unpack_from(">BH", data)
        assert kind == _TEXT
        yield name.decode(), data[3 : 3 + size].decode()
        data = data[3 + size :]
