"""Events of several sources for both examples, each with a marker that has to come back in its own reply only.

The marker is the invocation's id too. Its first word tells the app's middleware what is to go wrong.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from e2e.events import Request, alb, function_url, http_api_2, rest_api, sqs

from chaos.apps.parts import parts

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from chaos.replies import Reply

QUEUE = "SQS"
HTTP: dict[str, Callable[[Request], dict[str, Any]]] = {
    "HTTP API v2": http_api_2,
    "REST API": rest_api,
    "function URL": function_url,
    "ALB": alb,
}
SOURCES = (*HTTP, QUEUE)
# Whose callers take a stream, where one is to be had.
STREAMED = ("REST API", "function URL")
# As every browser sends it; what comes of it is the environment's matter.
GZIP = {"accept-encoding": "gzip"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


class Parts(NamedTuple):
    """A body in parts: how many, and the bytes of each, beside its name."""

    number: int
    size: int


FEW = Parts(4, 0)


@dataclass(frozen=True)
class Event:
    """An event, and its right reply.

    Attributes:
        marker: what tells it from all others.
        source: where it comes from.
        document: the event.
        status: of the right reply to a request.
        words: what stands in the right reply, in its headers or its body.
        body: all of the right reply's body, where that is known.
    """

    marker: str
    source: str
    document: dict[str, Any]
    status: int
    words: str
    body: bytes = b""

    @property
    def http(self) -> bool:
        return self.source != QUEUE

    @property
    def streamed(self) -> bool:
        """Whether the reply is streamed, where replies are."""
        return self.source in STREAMED

    @property
    def middle(self) -> str:
        """What the app tells in the middle of a body in parts."""
        return f"{self.marker}-middle"


def make(
    example: str, number: int, hook: str, source: str, chance: random.Random, wanted: Parts | None = None
) -> Event:
    """Makes an event for an example.

    Args:
        example: `fastapi` or `flask`.
        number: which one it is.
        hook: what is to go wrong in the app; `plain` for nothing.
        source: one of `SOURCES`.
        chance: decides what is asked for.
        wanted: the parts that are asked for, if it has to be those.
    """
    marker = f"{hook}-{example}-{number:04}-{chance.getrandbits(16):04x}"
    if source == QUEUE:
        document = sqs("no JSON")
        document["Records"][0]["messageId"] = marker
        return Event(marker, source, document, 200, marker)
    asked = [*(_FASTAPI if example == "fastapi" else _FLASK), *([] if hook in _PADDED else [_few])]
    request, status, words, body = _parts(marker, wanted) if wanted else chance.choice(asked)(marker)
    if hook != "bloats":  # a reply that is to be too large must not become small
        request = replace(request, headers={**request.headers, **GZIP})
    return Event(marker, source, HTTP[source](request), status, words, body)


_Asked = tuple[Request, int, str, bytes]
# What the middleware makes larger, so that the body is not known to the last byte.
_PADDED = ("pads", "bloats")


def _parts(marker: str, wanted: Parts) -> _Asked:
    query = {"number": [str(wanted.number)], "size": [str(wanted.size)]}
    return Request(path="/parts", query=query), 200, marker, b"".join(parts(marker, *wanted))


def _few(marker: str) -> _Asked:
    return _parts(marker, FEW)


def _shown(marker: str) -> _Asked:
    return Request(path="/request", query={"marker": [marker]}), 200, f"/request?marker={marker}", b""


def _variety(marker: str) -> _Asked:
    return Request(path=f"/varieties/{marker}"), 404, f"There is no variety '{marker}'.", b""


def _new_variety(marker: str) -> _Asked:
    body = json.dumps({"slug": marker, "name": "Chaos", "species": "tomato", "sow_in": 3})
    return Request(method="POST", path="/varieties", headers=JSON, body=body), 201, f'"slug":"{marker}"', b""


def _recipe(marker: str) -> _Asked:
    return Request(path=f"/recipes/{marker}"), 404, f"There is no recipe &#39;{marker}&#39; in the box.", b""


def _new_recipe(marker: str) -> _Asked:
    body = f"title={marker}&ingredients=salt&steps=stir".encode()
    return Request(method="POST", path="/recipes/new", headers=FORM, body=body), 303, f"/recipes/{marker}", b""


_FASTAPI = (_shown, _variety, _new_variety)
_FLASK = (_shown, _recipe, _new_recipe)


def assert_is_right(event: Event, reply: Reply) -> None:
    """Holds a reply to what was asked for."""
    assert reply.status == event.status, f"{event.marker}: {reply}"
    assert event.words.encode() in reply.head + reply.body, f"{event.marker}: {reply}"
    assert not event.body or reply.body == event.body, f"{event.marker}: not the right bytes: {reply}"


def assert_begins_rightly(event: Event, reply: Reply) -> None:
    """Holds what there is of a reply that broke off to what was asked for: no other byte stands in it."""
    assert reply.status in (0, event.status), f"{event.marker}: {reply}"
    assert not event.body or event.body.startswith(reply.body), f"{event.marker}: not the right bytes: {reply}"
