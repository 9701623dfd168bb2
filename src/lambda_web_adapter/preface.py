"""The event in front of a request to our own server, as a proxy says where a connection comes from (PROXY protocol).

It is not read before the app asks for it, and no header, so that nobody takes it for one of the client's.

    0x00 · length of the event, 4 bytes, big-endian · the event as JSON · the HTTP request

An event that is no HTTP request is the request's body already; its length is zero here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MARK = b"\0"  # no HTTP method begins with it
_HEAD = 5  # bytes
# Stands in an event for its body, which the request has.
IN_THE_REQUEST = True
# Bytes of an event that is sent as it is; of a larger one, much is its body.
_SMALL = 8 * 1024
_FLAGS = ("isBase64Encoded", "is_base64_encoded")


def with_event(head: bytes, verbatim: bytes, event: Any, *, is_body: bool) -> bytes:
    """Puts an event in front of a request.

    Args:
        head: the head of the request.
        verbatim: the event's bytes.
        event: the same, as read; with `IN_THE_REQUEST` for its body.
        is_body: whether the request's body is the event.
    """
    if is_body:
        said = b""
    elif len(verbatim) <= _SMALL:
        said = verbatim
    else:
        said = _written(event)
    return b"".join((MARK, len(said).to_bytes(_HEAD - 1, "big"), said, head))


def split(data: bytes) -> tuple[bytes, bytes] | None:
    """Takes the event off what has come.

    Args:
        data: what has come, beginning with `MARK`.

    Returns:
        The event and the rest; None while the event is not there as a whole.
    """
    end = _HEAD + int.from_bytes(data[1:_HEAD], "big")
    return (data[_HEAD:end], data[end:]) if len(data) >= max(end, _HEAD) else None


def read(said: bytes, body: bytes) -> Any:
    """Reads an event.

    Args:
        said: what stood in front of the request.
        body: the request's body.
    """
    import json  # few apps want an event
    from base64 import b64encode

    import orjson

    try:
        event = orjson.loads(said or body)
    except orjson.JSONDecodeError:
        event = json.loads(said or body)  # see `events.reading`
    if said and isinstance(event, dict) and event.get("body") is IN_THE_REQUEST:
        encoded = any(event.get(flag) is True for flag in _FLAGS)
        event["body"] = b64encode(body).decode("ascii") if encoded else body.decode("utf-8", "surrogatepass")
    return event


def _written(event: Any) -> bytes:
    import orjson  # the adapter has it; the app need not

    try:
        return orjson.dumps(event)
    except TypeError:  # see `events.reading`
        import json

        return json.dumps(event).encode("ascii")
