"""Events and replies with large bodies, without copies of the body.

A JSON parser or writer would hold a large body in three forms at once, with up to 4 bytes per character of text. Here a
body is decoded and encoded in chunks that stay in the processor's cache.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from io import BytesIO
from typing import TYPE_CHECKING

import orjson

from lambda_web_adapter.events import base64_codec
from lambda_web_adapter.http.large_bodies import CODING_CHUNK, LARGE_BODY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# With unescaped quotes around the name, so that nothing within a string matches.
_BODY = re.compile(rb'"body"[ \t\r\n]*:[ \t\r\n]*"')
_FLAG = b'"isBase64Encoded"'
# Stands for the body while the rest is parsed.
_PLACEHOLDER = "the body is kept apart"
_LONGEST_ESCAPE = 12  # bytes of the longest sequence that must not be cut: `\ud83d\ude00`
_CUT_RANGE = 4096  # bytes to search for a position to cut


def read_large_event(event: bytes) -> dict[str, Any] | None:
    """Return the event with its large body parsed apart from the rest; None if the result may be wrong.

    It is right if there is only one `body`, and the placeholder turns out to be the event's own body.
    """
    begin = _BODY.search(event)
    if begin is None:
        return None
    start = begin.end()
    end = event.find(b'"', start)  # base64 has no quotes and no escapes
    if end - start < LARGE_BODY or event[end - 1 : end] == b"\\":
        # It is text, whose end is mostly the last quote before the flag.
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
    """Return the inside of a JSON string as UTF-8, decoded in chunks; None if that fails."""
    buffer = BytesIO(bytes(end - start))  # large enough: decoding escapes never makes text longer
    while start < end:
        cut = _find_cut(event, start + CODING_CHUNK, end)
        try:
            buffer.write(orjson.loads(b'"%b"' % event[start:cut]).encode())
        except orjson.JSONDecodeError:
            return None
        start = cut
    buffer.truncate()
    return buffer.getvalue()


def _find_cut(event: bytes, wanted: int, end: int) -> int:
    """Return the first position from `wanted` on that splits no character and no escape; `end` if none is near."""
    for position in range(wanted, min(wanted + _CUT_RANGE, end)):
        if event[position] & 0xC0 != 0x80 and event.rfind(b"\\", position - _LONGEST_ESCAPE, position) < 0:
            return position
    return end


def encode_large_reply(
    fields: dict[str, Any], body: bytes, *, may_be_text: bool, not_in_text: re.Pattern[str] | None
) -> bytes:
    """Return a reply as JSON, with these fields and the body, which is written to its place in chunks.

    Args:
        fields: the other fields.
        body: the response's body.
        may_be_text: whether a body that is valid UTF-8 may be sent as text; otherwise it becomes base64.
        not_in_text: matches characters that must not be sent as text.
    """
    length = _json_text_length(body, not_in_text) if may_be_text else None
    begin, rest = b'{"body":"', b'",' + orjson.dumps(fields | {"isBase64Encoded": length is None})[1:]
    if length is None:
        length, chunks = base64_codec.encoded_length(len(body)), base64_codec.encode_chunks(body)
    else:
        chunks = _escape_chunks(body)
    reply = BytesIO(bytes(len(begin) + length + len(rest)))  # of its final size
    reply.write(begin)
    reply.writelines(chunks)
    reply.write(rest)
    return reply.getvalue()


def _json_text_length(body: bytes, not_in_text: re.Pattern[str] | None) -> int | None:
    """Return the length of a body as a JSON string without its quotes; None if it cannot be sent as text."""
    length = 0
    try:
        for text in _decode_chunks(body):
            if not_in_text and not_in_text.search(text):
                return None
            length += len(orjson.dumps(text)) - 2
    except UnicodeDecodeError:
        return None
    return length


def _escape_chunks(body: bytes) -> Iterator[bytes]:
    for text in _decode_chunks(body):
        yield orjson.dumps(text)[1:-1]


def _decode_chunks(body: bytes) -> Iterator[str]:
    """Yield the chunks of a body, decoded as UTF-8."""
    decoder = getincrementaldecoder("utf-8")()
    for start in range(0, len(body), CODING_CHUNK):
        yield decoder.decode(body[start : start + CODING_CHUNK], start + CODING_CHUNK >= len(body))
