"""Parsing of events: by the faster of two JSON parsers that can, and without copies of a large body.

A JSON parser would hold a large body in three forms at once, and as text in up to four bytes for each character.
"""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import TYPE_CHECKING

import orjson

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.http.large_bodies import CODING_CHUNK, LARGE_BODY

if TYPE_CHECKING:
    from typing import Any

# With unescaped quotes around the names, so that nothing within a string matches.
_BODY = re.compile(rb'"body"[ \t\r\n]*:[ \t\r\n]*"')
_FLAG = b'"isBase64Encoded"'
# Replaces the body while the rest is parsed.
_PLACEHOLDER = "the body is kept apart"
_LONGEST_ESCAPE = 12  # bytes of the longest sequence that must not be cut: `\ud83d\ude00`
_CUT_RANGE = 4096  # bytes to search for a place to cut


def read_event(event: bytes) -> Any:
    """Return the parsed event.

    A large body stays bytes, which `request_rules.decode_body` takes: base64 as a view of the event, text as UTF-8.

    Raises:
        InvalidEvent: the event is not JSON.
    """
    if len(event) >= LARGE_BODY and (parsed := _read_with_large_body(event)):
        return parsed
    try:
        return orjson.loads(event)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(event)  # accepts half of a surrogate pair and NaN, too
    except (ValueError, RecursionError) as error:
        raise InvalidEvent(f"The event is not JSON: {error}. It begins with {event[:100]!r}.") from None


def _read_with_large_body(event: bytes) -> dict[str, Any] | None:
    """Return the event with its large body parsed apart from the rest; None if that is not certain to be right.

    It is certain if there is only one `body`, and the placeholder turns out to be the event's own body.
    """
    begin = _BODY.search(event)
    if begin is None:
        return None
    start = begin.end()
    end = event.find(b'"', start)  # base64 has no quotes and no escapes
    if end - start < LARGE_BODY or event[end - 1 : end] == b"\\":
        # It is text, which mostly ends right before the flag.
        end = event.rfind(b'"', start, max(event.find(_FLAG, start), start))
    if end - start < LARGE_BODY or _BODY.search(event, end):
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
    """Return the inside of a JSON string as UTF-8, decoded in chunks; None if it cannot be decoded so."""
    text = BytesIO(bytes(end - start))  # large enough: decoding escapes never makes text longer
    while start < end:
        cut = _find_cut(event, start + CODING_CHUNK, end)
        try:
            text.write(orjson.loads(b'"%b"' % event[start:cut]).encode())
        except orjson.JSONDecodeError:
            return None
        start = cut
    text.truncate()
    return text.getvalue()


def _find_cut(event: bytes, wanted: int, end: int) -> int:
    """Return the first position from `wanted` on that is between two characters and after no escape, or `end`."""
    for position in range(wanted, min(wanted + _CUT_RANGE, end)):
        if event[position] & 0xC0 != 0x80 and event.rfind(b"\\", position - _LONGEST_ESCAPE, position) < 0:
            return position
    return end
