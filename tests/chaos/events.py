"""Events of several sources for both examples, each with a marker that has to come back in its own reply only.

The marker is the invocation's id too. Its first word tells the app's middleware what is to go wrong.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from e2e.events import Request, alb, http_api_2, rest_api, sqs

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from fake_runtime_api import Call

MARKER = re.compile(r"[a-z]+-(?:fastapi|flask)-\d{4}-[0-9a-f]{4}")
QUEUE = "SQS"
HTTP: dict[str, Callable[[Request], dict[str, Any]]] = {
    "HTTP API v2": http_api_2,
    "REST API": rest_api,
    "ALB": alb,
}
SOURCES = (*HTTP, QUEUE)
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Event:
    """An event, and its right reply.

    Attributes:
        marker: what tells it from all others.
        source: where it comes from.
        document: the event.
        status: of the right reply to a request.
        words: what stands in the right reply, in its headers or its body.
    """

    marker: str
    source: str
    document: dict[str, Any]
    status: int
    words: str

    @property
    def http(self) -> bool:
        return self.source != QUEUE


def make(example: str, number: int, hook: str, source: str, chance: random.Random) -> Event:
    """Makes an event for an example.

    Args:
        example: `fastapi` or `flask`.
        number: which one it is.
        hook: what is to go wrong in the app; `plain` for nothing.
        source: one of `SOURCES`.
        chance: decides what is asked for.
    """
    marker = f"{hook}-{example}-{number:04}-{chance.getrandbits(16):04x}"
    if source == QUEUE:
        document = sqs("no JSON")
        document["Records"][0]["messageId"] = marker
        return Event(marker, source, document, 200, marker)
    request, status, words = chance.choice(_FASTAPI if example == "fastapi" else _FLASK)(marker)
    return Event(marker, source, HTTP[source](request), status, words)


_Asked = tuple[Request, int, str]


def _shown(marker: str) -> _Asked:
    return Request(path="/request", query={"marker": [marker]}), 200, f"/request?marker={marker}"


def _variety(marker: str) -> _Asked:
    return Request(path=f"/varieties/{marker}"), 404, f"There is no variety '{marker}'."


def _new_variety(marker: str) -> _Asked:
    body = json.dumps({"slug": marker, "name": "Chaos", "species": "tomato", "sow_in": 3})
    return Request(method="POST", path="/varieties", headers=JSON, body=body), 201, f'"slug":"{marker}"'


def _recipe(marker: str) -> _Asked:
    return Request(path=f"/recipes/{marker}"), 404, f"There is no recipe &#39;{marker}&#39; in the box."


def _new_recipe(marker: str) -> _Asked:
    body = f"title={marker}&ingredients=salt&steps=stir".encode()
    return Request(method="POST", path="/recipes/new", headers=FORM, body=body), 303, f"/recipes/{marker}"


_FASTAPI = (_shown, _variety, _new_variety)
_FLASK = (_shown, _recipe, _new_recipe)


def assert_is_right(event: Event, reply: Call) -> None:
    """Holds a reply to what was asked for."""
    assert reply.name == "response", f"{event.marker} is an error: {reply.body!r:.500}"
    said = reply.json
    if event.http:
        assert said["statusCode"] == event.status, f"{event.marker}: {reply.body!r:.500}"
        assert event.words in f"{said.get('headers')} {said.get('multiValueHeaders')} {said['body']}", f"{reply.body!r}"
    else:
        assert said == {"batchItemFailures": [{"itemIdentifier": event.words}]}
    found = set(MARKER.findall(reply.body.decode()))
    assert found == {event.marker}, f"the reply to {event.marker} has {found}"
