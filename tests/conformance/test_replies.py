"""Replies, from the table: as translated, and as the adapter process posts them for a response off the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fixtures.loading import ReplyFixture, reply_fixture

from conformance.callers import got
from conformance.cells import Answers
from conformance.columns import environment_of
from conformance.recorder import response_bytes
from conformance.table import cells
from lambda_web_adapter.events import find_source
from lambda_web_adapter.http.headers import end_to_end

if TYPE_CHECKING:
    from conformance.recorder import Recorders

every_reply = pytest.mark.parametrize(("column", "cell"), cells(Answers))


def written(reply: Any) -> str:
    """JSON that shows every difference: Python takes 1 for true, and 200.0 for 200."""
    return json.dumps(reply, sort_keys=True)


def check(column: str, cell: Answers, found: ReplyFixture, reply: Any) -> None:
    """Sees that a reply is the fixture's, and shows its reader what the row is about."""
    assert written(reply) == written(found.reply)
    if "result" in cell.shows:
        assert {"result": reply} == cell.shows
    else:
        assert got(column, reply).facts(cell.shows) == cell.shows


@every_reply
def test_a_reply_is_translated(column: str, cell: Answers) -> None:
    found = reply_fixture(column, cell.aspect)
    event = found.event.event
    response = end_to_end(found.response, found.event.request.method, found.settings.exclude_response_headers)

    reply = json.loads(find_source(event, found.settings).build_reply(response, event))

    check(column, cell, found, reply)


@every_reply
def test_the_adapter_posts_exactly_that(column: str, cell: Answers, recorders: Recorders) -> None:
    found = reply_fixture(column, cell.aspect)
    recorder = recorders.under(environment_of(column, found.environment))

    outcome, requests = recorder.exchange(
        found.event.verbatim, response_bytes(found.response, found.event.request.method)
    )

    assert outcome.name == "response"
    assert len(requests) == 1
    check(column, cell, found, outcome.json)
