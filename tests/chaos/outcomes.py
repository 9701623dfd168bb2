"""What becomes of an invocation, as its caller hears of it; each has exactly one outcome."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chaos.events import assert_begins_rightly, assert_is_right
from chaos.replies import foreign, read_stream, read_whole

if TYPE_CHECKING:
    from chaos.events import Event
    from chaos.replies import Reply
    from chaos.runtime_api import Post
    from lambda_web_adapter.testing.runtime_api import ReplyStream

# The statuses of the adapter's own replies to requests (errors.py).
STATUSES = {
    "Runtime.AppExited": 502,
    "Runtime.AppStartFailed": 502,
    "Function.InvalidResponse": 502,
    "Function.ResponseSizeTooLarge": 502,
    "Function.AppUnreachable": 502,
    "Function.AppTimeout": 504,
}
# Failures that are reported as such whatever the source, since there is no app to ask.
NO_APP = {"Runtime.AppNotReady"}
# What breaks a stream off without another word: no last chunk has come.
CUT_OFF = "cut off"

RIGHT, TOLD, FAILED, BROKEN, REFUSED, ENDED = KINDS = ("right", "told", "failed", "broken", "refused", "ended")


@dataclass(frozen=True)
class Outcome:
    """An outcome.

    Attributes:
        kind: `right`: the app's own reply. `told`: a reply that tells the HTTP caller of an error. `failed`: a call to
            /error. `broken`: a stream that began rightly, and ends with an error, or not at all. `refused`: the Runtime
            API refused the post. `ended`: the environment ended before there was one, or in its middle.
        why: the type of the error, or the status of the refusal.
    """

    kind: str
    why: str = ""


def outcome_of(event: Event, post: Post | None, *, streams: bool, over: bool) -> Outcome:
    """Judges what was posted for an event: the right reply, or an error in the form that its source has for one.

    Args:
        event: the event.
        post: the call that ended it.
        streams: whether the environment streams its replies.
        over: whether the environment has ended.
    """
    if post is None:
        return Outcome(ENDED)
    call = post.call
    if call.name == "response":
        assert (call.stream is not None) == (streams and event.streamed), f"{event.marker}: {call.headers}"
    if call.stream:
        return _of_stream(event, post, call.stream, over=over)
    assert not foreign(event.marker, call.body), f"another's reply: {call.body!r:.500}"
    if not post.taken:
        return Outcome(REFUSED, str(post.status))
    if call.name == "error":
        why = call.json["errorType"]
        assert call.headers["lambda-runtime-function-error-type"] == why
        assert not event.http or why in NO_APP, f"{event.marker}, a request, was answered with an error: {why}"
        return Outcome(FAILED, why)
    if event.http:
        return _of_reply(event, read_whole(call.json))
    assert call.json == {"batchItemFailures": [{"itemIdentifier": event.words}]}, f"{call.body!r:.500}"
    return Outcome(RIGHT)


def _of_stream(event: Event, post: Post, stream: ReplyStream, *, over: bool) -> Outcome:
    reply = read_stream(stream)
    if stream.is_complete and post.taken and not stream.trailers:
        assert reply.ended, f"{event.marker}: a body whose coding does not end: {reply}"
        return _of_reply(event, reply)
    assert not foreign(event.marker, reply.head, reply.body), f"another's reply: {reply}"
    if reply.status < 500:
        assert_begins_rightly(event, reply)
    if not post.status:
        return Outcome(ENDED) if over else Outcome(BROKEN, CUT_OFF)
    if not post.taken:
        return Outcome(REFUSED, str(post.status))
    why = stream.trailers["lambda-runtime-function-error-type"]
    said = json.loads(base64.b64decode(stream.trailers["lambda-runtime-function-error-body"], validate=True))
    assert said["errorType"] == why
    assert reply.status == event.status, f"{event.marker}: an error behind {reply}"
    assert "gzip" not in reply.head.decode() or not reply.ended, f"{event.marker}: an end before an error: {reply}"
    return Outcome(BROKEN, why)


def _of_reply(event: Event, reply: Reply) -> Outcome:
    assert not foreign(event.marker, reply.head, reply.body), f"another's reply: {reply}"
    if reply.status >= 500:
        return Outcome(TOLD, _why(reply.body.decode(), reply.status))
    assert_is_right(event, reply)
    return Outcome(RIGHT)


def _why(body: str, status: int) -> str:
    """The type of the adapter's error, or what the app's server said of its exception."""
    if body == "Internal Server Error":
        return "the app raised"
    why: str = json.loads(body)["errorType"]
    assert STATUSES[why] == status, f"{why} has status {status}"
    return why
