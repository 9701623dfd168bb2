"""The envelope: invocation and event, sent to the built-in server before a request, as in the PROXY protocol.

The built-in server does not read it before the app needs it. It is not a header, since clients can send headers.

    0x00 · 4 bytes: length of the envelope, big-endian · the envelope · the HTTP request

An envelope has seven lines, the values of the Runtime API's headers in the order of `prepend_envelope`, and then the
event, which is left out where it is the request's body.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Invocation

# The variable by which an external command, which gets no envelope, knows that it can trust `EVENT_SOURCE_HEADER`.
COMMAND_VARIABLE = "LAMBDA_WEB_ADAPTER_COMMAND"

START_BYTE = b"\0"  # no HTTP method begins with it
HEADER_BYTES = 5  # bytes before the envelope: START_BYTE and the length
_CONTEXT_LINES = 7
# Stands in the event for a body that is sent as the request's body.
BODY_IN_REQUEST = True
# Larger events are written again without their body, which makes up most of them.
_MAX_VERBATIM_BYTES = 8 * 1024
_BASE64_FLAGS = ("isBase64Encoded", "is_base64_encoded")


def prepend_envelope(head: bytes, invocation: Invocation, raw_event: bytes, event: Any) -> bytes:
    """Return the head of a request with an envelope before it.

    Args:
        head: the head of the request.
        invocation: the invocation; its values come from headers, so that they have no line breaks.
        raw_event: the event as Lambda delivered it; empty if it is the request's body.
        event: the parsed event, with `BODY_IN_REQUEST` for its body.
    """
    if len(raw_event) > _MAX_VERBATIM_BYTES:
        raw_event = _without_body(raw_event, event)
    context_lines = b"%b\n%b\n%d\n%b\n%b\n%b\n%b\n" % (
        invocation.trace_id.encode(),  # first, as it is read for each request
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
    """Return the values of the invocation from an envelope, in the order of `prepend_envelope`."""
    return [line.decode("utf-8", "replace") for line in envelope.split(b"\n", _CONTEXT_LINES)[:_CONTEXT_LINES]]


def parse_event(envelope: bytes, body: bytes) -> Any:
    """Return the event.

    Args:
        envelope: the request's envelope.
        body: the request's body.
    """
    import json  # few apps read the event; orjson would make floats of integers beyond 64 bits
    from base64 import b64encode

    raw_event = envelope.split(b"\n", _CONTEXT_LINES)[_CONTEXT_LINES]
    try:
        event = json.loads(raw_event or body)
    except RecursionError:
        import orjson  # it reads deeper

        event = orjson.loads(raw_event or body)
    if raw_event and isinstance(event, dict) and event.get("body") is BODY_IN_REQUEST:
        encoded = any(event.get(flag) is True for flag in _BASE64_FLAGS)
        event["body"] = b64encode(body).decode("ascii") if encoded else body.decode("utf-8", "surrogatepass")
    return event


def _without_body(raw_event: bytes, event: dict[str, Any]) -> bytes:
    """Return an event as JSON, with `BODY_IN_REQUEST` for its body."""
    import json
    import re

    import orjson  # only the adapter process gets here, and it has imported orjson already

    try:
        encoded = orjson.dumps(event)
    except TypeError:  # half of a surrogate pair or an integer beyond 64 bits, which `events.reading` accepts
        return json.dumps(event).encode("ascii")
    # A number with an exponent may be an integer beyond 64 bits, which orjson reads as a float.
    if not re.search(rb"\de\d+[,\]}]", encoded):
        return encoded
    try:
        exact = json.loads(raw_event)
    except RecursionError:  # orjson reads deeper
        return encoded
    if event.get("body") is BODY_IN_REQUEST:
        exact["body"] = BODY_IN_REQUEST
    return json.dumps(exact).encode("ascii")
