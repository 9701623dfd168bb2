"""A Runtime API that refuses, breaks off, or is gone: what the bootstrap makes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from adapter.test_loop import body, get

from lambda_web_adapter.testing.runtime_api import RESET, Answer, RuntimeApi

if TYPE_CHECKING:
    from adapter.conftest import Start


@pytest.mark.parametrize(
    ("event", "call", "status"),
    [
        *[pytest.param(get("/"), "response", status, id=f"response {status}") for status in (400, 403, 410, 413)],
        pytest.param(b"no JSON", "error", 410, id="error 410"),
    ],
)
def test_an_answer_that_is_refused_is_logged_and_the_next_event_is_served(
    event: object, call: str, status: int, api: RuntimeApi, start: Start
) -> None:
    api.script(call, Answer(status))
    log = start("main:wsgi")

    refused = api.invoke(event, request_id="the-id")
    served = body(api.invoke(get("/served")))

    assert refused.name == call
    assert served["path"] == "/served"
    log.wait_for(rf"ERROR.*the-id.*/{call} with {status}.*scripted")
    assert len(api.calls_of(call)) == (2 if call == "response" else 1)


def test_an_answer_other_than_202_counts_as_taken_if_it_is_a_success(api: RuntimeApi, start: Start) -> None:
    api.script("response", Answer(200), Answer(204, b"", {"Content-Length": None}))
    log = start("main:wsgi")

    for _ in range(3):
        api.invoke(get("/"))

    assert api.call_names[:6] == ["next", "response"] * 3
    assert "ERROR" not in log.text


def test_a_broken_connection_is_tried_again(api: RuntimeApi, start: Start) -> None:
    api.script("next", RESET, RESET)
    api.script("response", RESET)
    log = start("main:wsgi")

    assert body(api.invoke(get("/")))["count"] == 1
    api.wait_for_call("next", 4)

    assert api.call_names == ["next", "next", "next", "response", "response", "next"]
    first, second = api.calls_of("response")
    assert (first.path, first.body) == (second.path, second.body)
    assert "ERROR" not in log.text


def test_a_connection_that_was_closed_meanwhile_is_opened_again(api: RuntimeApi, start: Start) -> None:
    api.script("response", Answer(202, headers={"Connection": "close"}))
    start("main:wsgi")

    assert [body(api.invoke(get("/")))["count"] for _ in range(2)] == [1, 2]

    first, second, third, fourth = [call.connection for call in api.runtime_calls][:4]
    assert first == second != third == fourth


def test_a_500_for_the_next_event_ends_the_bootstrap(api: RuntimeApi, start: Start) -> None:
    log = start("main:app")
    api.wait_for_call("next")
    api.script("next", Answer(500))
    api.invoke(get("/"))

    assert log.wait() != 0
    log.wait_for("ERROR.*/next with 500.*scripted")
    assert api.calls_of("test/shutdown")
    assert api.call_names == ["next", "response", "next"]


@pytest.mark.parametrize(("event", "call"), [(get("/"), "response"), (b"no JSON", "error")], ids=["response", "error"])
def test_a_500_for_an_answer_ends_the_bootstrap(event: object, call: str, api: RuntimeApi, start: Start) -> None:
    api.script(call, Answer(500))
    log = start("main:app")
    api.invoke(event)

    assert log.wait() != 0
    log.wait_for(f"ERROR.*/{call} with 500.*scripted")
    assert api.calls_of("test/shutdown")
    assert api.call_names == ["next", call]


def test_refusals_in_a_row_end_the_bootstrap_without_a_flood(api: RuntimeApi, start: Start) -> None:
    api.script("next", *[Answer(403)] * 100)
    log = start("main:wsgi")

    assert log.wait() != 0
    assert 1 < len(api.calls_of("next")) < 20
    log.wait_for("ERROR.*/next with 403")


def test_refusals_that_pass_do_no_harm(api: RuntimeApi, start: Start) -> None:
    api.script("next", Answer(403), Answer(403))
    start("main:wsgi")

    assert body(api.invoke(get("/")))["count"] == 1


def test_an_event_without_an_id_is_passed_over(api: RuntimeApi, start: Start) -> None:
    api.script("next", Answer(200, json.dumps(get("/")).encode(), {"Lambda-Runtime-Deadline-Ms": "99999999999999"}))
    log = start("main:wsgi")

    assert body(api.invoke(get("/")))["count"] == 1
    log.wait_for("ERROR.*Lambda-Runtime-Aws-Request-Id")


@pytest.mark.parametrize("deadline", ["", "soon", "-1", "1.5", "²"])
def test_a_deadline_that_is_no_number_counts_as_none(deadline: str, served: RuntimeApi) -> None:
    outcome = served.invoke(get("/"), headers={"Lambda-Runtime-Deadline-Ms": deadline})

    assert body(outcome)["path"] == "/"


def test_a_runtime_api_that_is_gone_ends_the_bootstrap(api: RuntimeApi, start: Start) -> None:
    with RuntimeApi() as gone:
        log = start("main:app", AWS_LAMBDA_RUNTIME_API=gone.address)
        gone.wait_for_call("next")

    assert log.wait() != 0
    log.wait_for("ERROR.*Runtime API cannot be reached")


def test_a_runtime_api_that_takes_no_answer_ends_the_bootstrap(api: RuntimeApi, start: Start) -> None:
    api.script("response", *[RESET] * 20)
    log = start("main:app")
    api.invoke(get("/"))

    assert log.wait() != 0
    assert 1 < len(api.calls_of("response")) < 20
    assert api.calls_of("test/shutdown")
    log.wait_for("ERROR.*Runtime API cannot be reached")


def test_a_failed_start_that_cannot_be_reported_is_in_the_log(api: RuntimeApi, start: Start) -> None:
    with RuntimeApi() as gone:
        address = gone.address
    log = start("missing:app", AWS_LAMBDA_RUNTIME_API=address)

    assert log.wait() != 0
    log.wait_for("ERROR.*no module 'missing'")
    log.wait_for("ERROR.*Runtime API cannot be reached")


def test_the_report_of_a_failed_start_may_be_refused(api: RuntimeApi, start: Start) -> None:
    api.script("init/error", Answer(403))
    log = start("missing:app")

    assert log.wait() != 0
    log.wait_for("ERROR.*/init/error with 403")
    assert api.call_names == ["init/error"]
