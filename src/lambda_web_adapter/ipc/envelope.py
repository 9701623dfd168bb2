"""What stands in front of a request to our own server, as a proxy says where a connection comes from (PROXY protocol).

It is what an app may want to know of the invocation. Nothing of it is read before the app asks for it; and it is no
header, so that nobody takes it for one of the client's.

    0x00 · 4 bytes: the preface's length, big-endian · the preface · the HTTP request

A preface is seven lines, values of the Runtime API's headers in the order of `in_front`, and the event. An event that
is no HTTP request is the request's body already, and missing here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Invocation

# The header by which the app knows an event from a request of the Internet. No client can set it (see `http.headers`).
EVENT_SOURCE = "x-amzn-event-source"
# Set in a command's process, which has no preface: the adapter has started it, so that header is to be believed.
COMMAND_VARIABLE = "LAMBDA_WEB_ADAPTER_COMMAND"

MARK = b"\0"  # no HTTP method begins with it
HEAD = 5  # bytes in front of the preface: the mark, and the length
_LINES = 7
# Stands in an event for its body, which the request has.
IN_THE_REQUEST = True
# Bytes of an event that is sent as it is; of a larger one, much is its body.
_SMALL = 8 * 1024
_FLAGS = ("isBase64Encoded", "is_base64_encoded")


def in_front(head: bytes, invocation: Invocation, verbatim: bytes, event: Any) -> bytes:
    """Puts a preface in front of a request.

    Args:
        head: the head of the request.
        invocation: what it is about; a header's value has no line break in it.
        verbatim: the event's bytes; none if it is the request's body.
        event: the same, as read; with `IN_THE_REQUEST` for its body.
    """
    if len(verbatim) > _SMALL:
        verbatim = _written(event)
    about = b"%b\n%b\n%d\n%b\n%b\n%b\n%b\n" % (
        invocation.trace_id.encode(),  # first, as it is looked at each time
        invocation.request_id.encode(),
        invocation.deadline_ms,
        invocation.function_arn,
        invocation.tenant_id.encode(),
        invocation.client_context,
        invocation.identity,
    )
    length = len(about) + len(verbatim)
    return b"%b%b%b%b%b" % (MARK, length.to_bytes(4, "big"), about, verbatim, head)


def about(preface: bytes) -> list[str]:
    """Says what a preface says of the invocation, in the order of `in_front`."""
    return [line.decode("utf-8", "replace") for line in preface.split(b"\n", _LINES)[:_LINES]]


def event_of(preface: bytes, body: bytes) -> Any:
    """Reads the event.

    Args:
        preface: what stood in front of the request.
        body: the request's body.
    """
    import json  # few apps want an event
    from base64 import b64encode

    import orjson

    said = preface.split(b"\n", _LINES)[_LINES]
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
