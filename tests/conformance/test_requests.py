"""Requests, from the table: as translated, as the adapter process sends them, and as apps of both kinds see them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from app.serving import Served
from fixtures.loading import Fixture, event_bytes, fixture
from support.whole_request import request_bytes

from conformance.cells import Becomes, Refuses, Spares
from conformance.columns import SWITCHED_ON, environment_of
from conformance.problems import problem_of
from conformance.table import cells
from conformance.wire import expected, read
from lambda_web_adapter.errors import AdapterError
from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.http.messages import Invocation
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from conformance.recorder import Recorders

every_request = pytest.mark.parametrize(("column", "cell"), cells(Becomes))
every_refusal = pytest.mark.parametrize(("column", "cell"), cells(Refuses))


def fixture_of(column: str, cell: Becomes) -> Fixture:
    return fixture(cell.folder or column, cell.aspect)


def translated(event: Any, settings: Settings, verbatim: bytes) -> bytes:
    request = build_request(find_source(event, settings), event, settings, verbatim)
    return request_bytes(request, Invocation(request_id="1", event=verbatim))


@every_request
def test_a_request_is_translated(column: str, cell: Becomes) -> None:
    found = fixture_of(column, cell)

    made = read(translated(found.event, found.settings, found.verbatim))

    assert made.facts(cell.shows) == cell.shows
    assert made == expected(found.request)


@every_request
def test_the_app_gets_exactly_that_from_the_adapter(column: str, cell: Becomes, recorders: Recorders) -> None:
    found = fixture_of(column, cell)
    recorder = recorders.under(environment_of(cell.folder or column, found.environment))

    outcome, requests = recorder.exchange(found.verbatim)

    assert outcome.name == "response"
    [made] = map(read, requests)
    event = found.event
    [request_context] = made.headers.pop("x-amzn-request-context")
    [lambda_context] = made.headers.pop("x-amzn-lambda-context")
    assert json.loads(request_context) == (event.get("requestContext") if isinstance(event, dict) else None)
    assert json.loads(lambda_context)["request_id"] == outcome.path.split("/")[-2]
    assert made.facts(cell.shows) == cell.shows
    assert made == expected(found.request)


@every_request
def test_an_app_sees_that_behind_its_server(column: str, cell: Becomes, site: Served) -> None:
    found = fixture_of(column, cell)
    request = found.request

    with site.connect() as client:
        client.send(translated(found.event, found.settings, found.verbatim))
        response = client.response(request.method)

    [seen] = response.values("x-seen")
    assert json.loads(seen) == {
        "method": request.method,
        "path": unquote(request.path),
        "root_path": unquote(request.prefix),
        "whole_raw_path": request.prefix + request.path,
        "raw_query": request.query,
        "client": request.client or "127.0.0.1",  # the hop that the server itself sees
        "scheme": dict(request.headers).get("x-forwarded-proto", "https"),
        "body": request.body.hex(),
    }


def changed(column: str, cell: Refuses) -> tuple[Any, dict[str, str]]:
    """The event of a refusal, and the variables that it is refused under."""
    event = json.loads(event_bytes(column, "simple"))
    cell.change(event)
    return event, {**SWITCHED_ON, **cell.environment}


@every_refusal
def test_what_is_refused_is_not_translated(column: str, cell: Refuses) -> None:
    event, environment = changed(column, cell)

    with pytest.raises(AdapterError) as raised:
        translated(event, Settings.from_environ(environment), b"")

    assert raised.value.error_type == cell.error_type
    assert cell.status in (0, raised.value.status)


@every_refusal
def test_what_is_refused_is_answered_and_never_sent(column: str, cell: Refuses, recorders: Recorders) -> None:
    event, environment = changed(column, cell)

    outcome, requests = recorders.under(environment).exchange(json.dumps(event).encode())

    assert requests == []
    assert problem_of(column, outcome) == (cell.status, cell.error_type)


@pytest.mark.parametrize(("column", "cell"), cells(Spares))
def test_what_needs_no_app_is_answered_without_it(column: str, cell: Spares, recorders: Recorders) -> None:
    recorder = recorders.under(environment_of(column, {}))

    outcome, requests = recorder.exchange(json.dumps(cell.event).encode())

    assert (outcome.name, outcome.json) == ("response", cell.result)
    assert requests == []
