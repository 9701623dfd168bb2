"""What stands in front of a request to our own server, as a proxy says where a connection comes from (PROXY protocol).

It is what an app may want to know of the invocation. Nothing of it is read before the app asks for it; and it is no
header, so that nobody takes it for one of the client's.

    0x00 · 4 bytes: length of what is said about the invocation · 4 bytes: length of the event · both · the HTTP request

Lengths are big-endian. About the invocation: lines in the order of `about`, values of the Runtime API's headers. An
event that is no HTTP request is the request's body already; its length is zero here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.messages import Invocation

MARK = b"\0"  # no HTTP method begins with it
_HEAD = 9  # bytes
TRACE_ID = 3  # its line
# Stands in an event for its body, which the request has.
IN_THE_REQUEST = True
# Bytes of an event that is sent as it is; of a larger one, much is its body.
_SMALL = 8 * 1024
_FLAGS = ("isBase64Encoded", "is_base64_encoded")


def about(invocation: Invocation) -> bytes:
    """Writes what the Runtime API says of an invocation; a header's value has no line break in it."""
    return "\n".join(
        (
            invocation.request_id,
            str(invocation.deadline_ms),
            invocation.function_arn,
            invocation.trace_id,
            invocation.tenant_id,
            invocation.client_context,
            invocation.identity,
        )
    ).encode()


def in_front(head: bytes, said: bytes, verbatim: bytes, event: Any, *, is_body: bool) -> bytes:
    """Puts all that in front of a request.

    Args:
        head: the head of the request.
        said: what is said about the invocation.
        verbatim: the event's bytes.
        event: the same, as read; with `IN_THE_REQUEST` for its body.
        is_body: whether the request's body is the event.
    """
    if is_body:
        verbatim = b""
    elif len(verbatim) > _SMALL:
        verbatim = _written(event)
    return b"".join((MARK, len(said).to_bytes(4, "big"), len(verbatim).to_bytes(4, "big"), said, verbatim, head))


def split(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Takes it off what has come.

    Args:
        data: what has come, beginning with `MARK`.

    Returns:
        What is said about the invocation, the event, and the rest; None while it is not there as a whole.
    """
    start = _HEAD + int.from_bytes(data[1:5], "big")
    end = start + int.from_bytes(data[5:_HEAD], "big")
    return (data[_HEAD:start], data[start:end], data[end:]) if len(data) >= end else None


def read(said: bytes, body: bytes) -> Any:
    """Reads an event.

    Args:
        said: the event as it stood in front of the request.
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
