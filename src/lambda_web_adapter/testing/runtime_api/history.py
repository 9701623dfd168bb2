"""What a runtime has done so far, for the error of a wait that has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lambda_web_adapter.testing.runtime_api.calls import Call
    from lambda_web_adapter.testing.runtime_api.events import Event

_CALLS = 20
_BODY_BYTES = 300


def describe_calls(calls: Sequence[Call], address: str, began: float) -> str:
    """Return the last calls, a line for each with the seconds since the start."""
    if not calls:
        return f"The runtime has made no call. Is AWS_LAMBDA_RUNTIME_API={address} in its environ?"
    omitted = f"\n  ({len(calls) - _CALLS} calls before these)" if len(calls) > _CALLS else ""
    return f"The runtime's calls:{omitted}" + "".join(f"\n  {_describe_call(call, began)}" for call in calls[-_CALLS:])


def _describe_call(call: Call, began: float) -> str:
    line = f"{call.at - began:.3f} s {call.method} {call.path}"
    if call.name in ("error", "init/error", "restore/error"):
        line += f" {call.body[:_BODY_BYTES].decode('utf-8', 'replace')}"
    return f"{line} {call.stream!r}" if call.stream else line


def describe_events(open_events: Iterable[Event], queued: int, waiting: int) -> str:
    """Return what the runtime has to do: events without a reply, events in the queue, calls that wait for one."""
    unanswered = ", ".join(event.request_id for event in open_events if not event.is_replied) or "none"
    return (
        f"Invocations without a reply: {unanswered}. Events in the queue: {queued}. Calls that wait for one: {waiting}."
    )
