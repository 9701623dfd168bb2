"""What becomes of an invocation, as its caller hears of it; each has exactly one outcome."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chaos.events import MARKER, assert_is_right

if TYPE_CHECKING:
    from chaos.events import Event
    from chaos.runtime_api import Post

# The statuses of the adapter's own replies to requests (errors.py).
STATUSES = {
    "Runtime.AppExited": 502,
    "Function.InvalidResponse": 502,
    "Function.ResponseSizeTooLarge": 502,
    "Function.AppUnreachable": 502,
    "Function.AppTimeout": 504,
}
# Failures that are reported as such whatever the source, since there is no app to ask.
NO_APP = {"Runtime.AppNotReady"}

RIGHT, TOLD, FAILED, REFUSED, ENDED = KINDS = ("right", "told", "failed", "refused", "ended")


@dataclass(frozen=True)
class Outcome:
    """An outcome.

    Attributes:
        kind: `right`: the app's own reply. `told`: a reply that tells the HTTP caller of an error. `failed`: a call to
            /error. `refused`: the Runtime API refused the post. `ended`: the environment ended before there was one.
        why: the type of the error, or the status of the refusal.
    """

    kind: str
    why: str = ""


def outcome_of(event: Event, post: Post | None) -> Outcome:
    """Judges what was posted for an event: the right reply, or an error in the form that its source has for one."""
    if post is None:
        return Outcome(ENDED)
    call = post.call
    assert set(MARKER.findall(call.body.decode())) <= {event.marker}, f"another's reply: {call.body!r:.500}"
    if not post.taken:
        return Outcome(REFUSED, str(post.status))
    if call.name == "error":
        why = call.json["errorType"]
        assert call.headers["lambda-runtime-function-error-type"] == why
        assert not event.http or why in NO_APP, f"{event.marker}, a request, was answered with an error: {why}"
        return Outcome(FAILED, why)
    status = call.json.get("statusCode", 0) if event.http else 0
    if status >= 500:
        return Outcome(TOLD, _why(call.json["body"], status))
    assert_is_right(event, call)
    return Outcome(RIGHT)


def _why(body: str, status: int) -> str:
    """The type of the adapter's error, or what the app's server said of its exception."""
    if body == "Internal Server Error":
        return "the app raised"
    why: str = json.loads(body)["errorType"]
    assert STATUSES[why] == status, f"{why} has status {status}"
    return why
