"""What the log says about a request that has timed out, and about an event stream that is buffered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

EVENT_STREAM = b"text/event-stream"
_SWITCH = (
    "text/event-stream, but the reply is buffered, so that the client gets nothing before its end. "
    "Set AWS_LWA_INVOKE_MODE=response_stream, which works behind a "
    "function URL and a REST API whose invoke mode is RESPONSE_STREAM."
)


# About an event stream that has been complete in time; others run into the timeout.
BUFFERED_EVENTS = f"A response is {_SWITCH}"


def describe_timeout(seconds: float, margin: float, *, buffers_events: bool, local_run: bool) -> str:
    """Return what happened to a request that has timed out, and what to set; with a space before it.

    Args:
        seconds: how long the app had.
        margin: how long before the function's timeout the adapter stops waiting, in seconds.
        buffers_events: whether the incomplete response is an event stream in a buffered reply.
        local_run: whether this is a local run.
    """
    if buffers_events:
        return f" It is {_SWITCH}"
    kept = (
        f", and the adapter stops waiting {margin:g} s before the function's timeout, so that it can still reply "
        "(AWS_LWA_DEADLINE_MARGIN_SECONDS)"
        if margin
        else ""
    )
    option = "--timeout SECONDS of the local run" if local_run else "the function's timeout"
    return f" It had {seconds:.1f} s{kept}. If it needs longer, raise {option}; the stacks show what it was doing."


def is_event_stream(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether a response with these headers is an event stream (HTML, "Server-sent events")."""
    return any(name.lower() == b"content-type" and value.lower().startswith(EVENT_STREAM) for name, value in headers)
