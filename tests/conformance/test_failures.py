"""Apps that fail, from the table: what the caller of each source hears, and that the adapter goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import bootstrap
from fixtures.loading import event_bytes

from conformance.callers import got
from conformance.cells import Fails
from conformance.columns import SWITCHED_ON
from conformance.problems import problem_of
from conformance.recorder import APPS, Recorders
from conformance.table import cells
from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from lambda_web_adapter.testing.runtime_api import Call

# What the app answers instead, byte for byte, and the variables to run under.
RESPONSES = {
    "closes": b"",
    "breaks off": b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
    "too large": b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 6400000\r\n\r\n" + b"x" * 6_400_000,
    "error status": b"HTTP/1.1 503 -\r\ncontent-length: 6\r\n\r\nbroken",
    "status 503": b"HTTP/1.1 503 -\r\ncontent-length: 6\r\n\r\nbroken",
}
CLOSES = {"closes", "breaks off"}
VARIABLES = {"error status": {"AWS_LWA_ERROR_STATUS_CODES": "500-599"}}


def failing(*scenarios: str) -> list[Any]:
    return [parameter for parameter in cells(Fails) if parameter.values[1].scenario in scenarios]


def event_of(column: str) -> bytes:
    return event_bytes(column, "sqs" if column == "pass_through" else "simple")


def test_every_scenario_is_run() -> None:
    found = {parameter.values[1].scenario for parameter in cells(Fails)}

    assert found == {*RESPONSES, "raises", "unreachable"}


@pytest.mark.parametrize(("column", "cell"), failing(*RESPONSES))
def test_a_response_that_cannot_be_passed_on_is_an_error(column: str, cell: Fails, recorders: Recorders) -> None:
    recorder = recorders.under({**SWITCHED_ON, **VARIABLES.get(cell.scenario, {})})

    outcome, requests = recorder.exchange(event_of(column), RESPONSES[cell.scenario], closes=cell.scenario in CLOSES)
    after, _ = recorder.exchange(event_of(column))

    assert len(requests) == 1
    assert problem_of(column, outcome) == (cell.status, cell.error_type)
    assert after.name == "response"


@pytest.fixture(scope="module")
def invoke_unreachable() -> Iterator[Callable[[bytes], Call]]:
    """Has events handled by an adapter whose app is ready, by another port, and listens on none."""
    with ExitStack() as stack:
        api = stack.enter_context(RuntimeApi())
        ready = api.address.rpartition(":")[2]
        command = ("sleep", "1000")
        stack.enter_context(bootstrap(api, "--", *command, AWS_LWA_READINESS_CHECK_PORT=ready, **SWITCHED_ON))
        yield api.invoke


@pytest.mark.parametrize(("column", "cell"), failing("unreachable"))
def test_an_app_that_cannot_be_reached_is_an_error(
    column: str, cell: Fails, invoke_unreachable: Callable[[bytes], Call]
) -> None:
    outcome = invoke_unreachable(event_of(column))

    assert problem_of(column, outcome) == (cell.status, cell.error_type)


@pytest.fixture(scope="module", params=["raising:asgi", "raising:wsgi"], ids=["asgi", "wsgi"])
def invoke_raising(request: pytest.FixtureRequest) -> Iterator[Callable[[bytes], Call]]:
    """Has events handled by an app of either kind that raises."""
    with ExitStack() as stack:
        api = stack.enter_context(RuntimeApi())
        stack.enter_context(bootstrap(api, request.param, cwd=APPS, **SWITCHED_ON))
        yield api.invoke


@pytest.mark.parametrize(("column", "cell"), failing("raises"))
def test_an_app_that_raises_is_the_caller_s_500(
    column: str, cell: Fails, invoke_raising: Callable[[bytes], Call]
) -> None:
    outcome = invoke_raising(event_of(column))

    if cell.status:
        assert (outcome.name, got(column, outcome.json).status) == ("response", cell.status)
    else:
        assert problem_of(column, outcome) == (0, cell.error_type)
    assert b"RuntimeError" not in outcome.body
