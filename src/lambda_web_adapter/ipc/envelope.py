"""What stands in front of a request to our own server, as a proxy says where a connection comes from (PROXY protocol).

It is what an app may want to know of the invocation. Nothing of it is read before the app asks for it; and it is no
header, so that nobody takes it for one of the client's.

    0x00 · 4 bytes: the preface's length, big-endian · the preface · the HTTP request

A preface is seven lines, values of the Runtime API's headers in the order of `prepend_envelope`, and the event. An
event that is no HTTP request is the request's body already, and missing here.
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

START_BYTE = b"\0"  # no HTTP method begins with it
HEADER_BYTES = 5  # bytes in front of the preface: the mark, and the length
_LINES = 7
# Stands in an event for its body, which the request has.
BODY_IN_REQUEST = True
# Bytes of an event that is sent as it is; of a larger one, much is its body.
_MAX_VERBATIM_BYTES = 8 * 1024
_FLAGS = ("isBase64Encoded", "is_base64_encoded")


def prepend_envelope(head: bytes, invocation: Invocation, raw_event: bytes, event: Any) -> bytes:
    """Puts a preface in front of a request.

    Args:
        head: the head of the request.
        invocation: what it is about; a header's value has no line break in it.
        raw_event: the event's bytes; none if it is the request's body.
        event: the same, as read; with `BODY_IN_REQUEST` for its body.
    """
    if len(raw_event) > _MAX_VERBATIM_BYTES:
        raw_event = _encode(event)
    context_lines = b"%b\n%b\n%d\n%b\n%b\n%b\n%b\n" % (
        invocation.trace_id.encode(),  # first, as it is looked at each time
        invocation.request_id.encode(),
        invocation.deadline_ms,
        invocation.function_arn,
        invocation.tenant_id.encode(),
        invocation.client_context,
        invocation.identity,
    )
    length = len(context_lines) + len(raw_event)
    return b"%b%b%b%b%b" % (START_BYTE, length.to_bytes(4, "big"), context_lines, raw_event, head)


def parse_context(envelope: bytes) -> list[str]:
    """Says what a preface says of the invocation, in the order of `prepend_envelope`."""
    return [line.decode("utf-8", "replace") for line in envelope.split(b"\n", _LINES)[:_LINES]]


def parse_event(envelope: bytes, body: bytes) -> Any:
    """Reads the event.

    Args:
        envelope: what stood in front of the request.
        body: the request's body.
    """
    import json  # few apps want an event
    from base64 import b64encode

    import orjson

    raw_event = envelope.split(b"\n", _LINES)[_LINES]
    try:
        event = orjson.loads(raw_event or body)
    except orjson.JSONDecodeError:
        event = json.loads(raw_event or body)  # see `events.reading`
    if raw_event and isinstance(event, dict) and event.get("body") is BODY_IN_REQUEST:
        encoded = any(event.get(flag) is True for flag in _FLAGS)
        event["body"] = b64encode(body).decode("ascii") if encoded else body.decode("utf-8", "surrogatepass")
    return event


def _encode(event: Any) -> bytes:
    import orjson  # the adapter has it; the app need not

    try:
        return orjson.dumps(event)
    except TypeError:  # see `events.reading`
        import json

        return json.dumps(event).encode("ascii")
