"""Say what keeps an environment busy, and what to do about it: an event stream, long polling, a slow request."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qs

_LIMIT = "An environment handles one request at a time, as on Lambda"


class _Kind(NamedTuple):
    """A kind of request: what the log adds to its title, and what to do about it."""

    note: str
    advice: str


_EVENT_STREAM = _Kind(
    ", an event stream",
    f"{_LIMIT}, and an endless stream keeps it until the timeout. Allow more environments (--environments), several "
    "requests at once in each (--concurrency), or let the stream end (--timeout).",
)
_SOCKET_IO = _Kind(
    ", Socket.IO's long polling",
    f"{_LIMIT}, and each poll keeps one for up to 25 s. On Lambda, Socket.IO loses its sessions, as requests reach "
    "different environments; a WebSocket API does not (docs/event-sources.md).",
)
_GRADIO = _Kind(
    ", Gradio's heartbeat, an endless event stream",
    f"{_LIMIT}, and each open page keeps one by its heartbeat. Allow several requests at once in each "
    "(--concurrency), as on Lambda Managed Instances, or more environments (--environments).",
)
_SLOW = _Kind(
    "", f"{_LIMIT}. Allow more environments (--environments), or several requests at once in each (--concurrency)."
)


def describe_busy(title: str, seconds: float, content_type: str = "", waiting: int = 0, environment: int = 0) -> str:
    """Return a log line about an environment that is busy for long.

    Args:
        title: what keeps it busy: `GET /path?query`, or `sqs event`.
        seconds: for how long.
        content_type: the type of the response that has begun; empty if none has.
        waiting: how many requests wait behind it.
        environment: the environment's number; 0 if there is one only.
    """
    kind = _kind(title, content_type)
    who = f"environment {environment}" if environment else "the environment"
    line = f"{who} is busy with {title} for {seconds:.0f} s{kind.note}."
    line = f"{waiting} waiting: {line}" if waiting else f"{line[0].upper()}{line[1:]}"
    return f"{line} {kind.advice}" if waiting or kind is not _SLOW else line


def is_endless(title: str, content_type: str) -> bool:
    """Return whether a response is of a kind that ends late, or never."""
    return _kind(title, content_type) is not _SLOW


def _kind(title: str, content_type: str) -> _Kind:
    path, _, query = title.partition(" ")[2].partition("?")
    if "/socket.io/" in path and parse_qs(query).get("transport") == ["polling"]:
        return _SOCKET_IO
    if "/heartbeat/" in path and (not content_type or _is_event_stream(content_type)):
        return _GRADIO
    return _EVENT_STREAM if _is_event_stream(content_type) else _SLOW


def _is_event_stream(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "text/event-stream"
