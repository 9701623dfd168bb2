"""An event's bytes, read: by the faster of two JSON readers that can, and without copies of a large body.

A reader would hold such a body in three forms at once, and as text in up to four bytes for each character.
"""

from __future__ import annotations

import json
import re
from io import BytesIO

import orjson

from lambda_web_adapter.errors import InvalidEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LARGE_EVENT_BYTES = 256 * 1024  # bytes
# The names stand between quotes that are not escaped, so that nothing within a string looks like them.
_BODY = re.compile(rb'"body"[ \t\r\n]*:[ \t\r\n]*"')
_FLAG = b'"isBase64Encoded"'
# Stands for the body while the rest is read.
_PLACEHOLDER = "the body is kept apart"

_CHUNK_BYTES = 64 * 1024  # bytes; so that what is worked on stays in the processor's cache
_ESCAPES = 12  # bytes of the longest sequence that must not be cut: `\ud83d\ude00`
_LOOK = 4096  # bytes within which a place to cut is looked for


def read_event(event: bytes) -> Any:
    """Reads an event.

    Returns:
        The event. Of a large body it has the bytes, for `request_rules.body_bytes`: base64 as a view, text as UTF-8.

    Raises:
        InvalidEvent: it is not JSON.
    """
    if len(event) >= _LARGE_EVENT_BYTES and (parsed := _read_with_large_body(event)):
        return parsed
    try:
        return orjson.loads(event)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(event)  # it forgives what orjson does not: half of a surrogate pair, NaN
    except (ValueError, RecursionError) as error:
        raise InvalidEvent(f"The event is not JSON: {error}. It begins with {event[:100]!r}.") from None


def _read_with_large_body(event: bytes) -> dict[str, Any] | None:
    """Reads a large body and the rest one after the other; None where that is not sure to be right.

    It is sure if there is only one body, and if what stands for it is found where the event's own belongs.
    """
    begin = _BODY.search(event)
    if begin is None:
        return None
    start = begin.end()
    end = event.find(b'"', start)  # base64 has no quotes and no escapes
    if (
        end - start < _LARGE_EVENT_BYTES or event[end - 1 : end] == b"\\"
    ):  # text, which mostly comes right before the flag
        end = event.rfind(b'"', start, max(event.find(_FLAG, start), start))
    if end - start < _LARGE_EVENT_BYTES or _BODY.search(event, end):
        return None
    try:
        parsed = orjson.loads(b"".join((event[:start], _PLACEHOLDER.encode(), event[end:])))
    except orjson.JSONDecodeError:
        return None
    if not isinstance(parsed, dict) or parsed.get("body") != _PLACEHOLDER:
        return None
    is_base64 = parsed.get("isBase64Encoded") is True and event.find(b"\\", start, end) < 0
    body = memoryview(event)[start:end] if is_base64 else _decode_text(event, start, end)
    parsed["body"] = body
    return None if body is None else parsed


def _decode_text(event: bytes, start: int, end: int) -> bytes | None:
    """Reads a JSON string's inside as UTF-8, piece by piece; None where it is none, or has no place to cut."""
    text = BytesIO(bytes(end - start))  # it is no longer than it is with its escapes
    while start < end:
        cut = _find_cut(event, start + _CHUNK_BYTES, end)
        try:
            text.write(orjson.loads(b'"%b"' % event[start:cut]).encode())
        except orjson.JSONDecodeError:
            return None
        start = cut
    text.truncate()
    return text.getvalue()


def _find_cut(event: bytes, wanted: int, end: int) -> int:
    """Finds a place between two characters, away from escapes; `end` where there is none near."""
    for place in range(wanted, min(wanted + _LOOK, end)):
        if event[place] & 0xC0 != 0x80 and event.rfind(b"\\", place - _ESCAPES, place) < 0:
            return place
    return end
