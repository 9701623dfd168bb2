"""`lambda_web_adapter.flask`: the event and the context as proxies, on Lambda and in an app's own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_type

import pytest
from adapter.test_app_start import app_in
from adapter.test_loop import body, get
from flask import Flask

from lambda_web_adapter import LambdaContext
from lambda_web_adapter.errors import NoInvocation
from lambda_web_adapter.flask import lambda_context, lambda_event
from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

APP = """
from flask import Flask
from lambda_web_adapter.flask import lambda_context, lambda_event

app = Flask(__name__)

@app.get("/who")
def who():
    return {
        "id": lambda_context.aws_request_id,
        "path": lambda_event["rawPath"],
        "left": 0 < lambda_context.get_remaining_time_in_millis() < 30_000,
    }

@app.post("/events")
def records():
    return {"id": lambda_context.aws_request_id, "records": len(lambda_event["Records"])}
"""


@pytest.mark.parametrize("server", ["auto", "uvicorn"])
def test_a_view_has_what_it_asks_for(server: str, tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start("main:app", cwd=app_in(tmp_path, APP), AWS_LWA_SERVER=server)

    for request in ("first", "second"):
        assert body(api.invoke(get("/who"), request_id=request)) == {"id": request, "path": "/who", "left": True}


def test_among_many_invocations_each_has_its_own(tmp_path: Path, start: Start) -> None:
    with RuntimeApi(concurrent=True) as api:
        start(
            "main:app",
            cwd=app_in(tmp_path, APP),
            AWS_LAMBDA_RUNTIME_API=api.address,
            AWS_LAMBDA_MAX_CONCURRENCY="4",
        )
        requests = [api.queue_event(get("/who")) for _ in range(16)]

        assert [body(api.wait_for_reply(request))["id"] for request in requests] == requests


def test_an_event_that_is_no_request_is_there_too(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start("main:app", cwd=app_in(tmp_path, APP))
    outcome = api.invoke({"Records": [{"eventSource": "aws:sqs", "body": "a"}]}, request_id="queued")

    assert outcome.json == {"id": "queued", "records": 1}


# In an app's own tests

app = Flask(__name__)
app.testing = True


@app.get("/context")
def context_view() -> str:
    assert_type(lambda_context, LambdaContext)
    return assert_type(lambda_context.aws_request_id, str)


@app.get("/event")
def event_view() -> Any:
    return assert_type(lambda_event, dict[str, Any])["rawPath"]


@app.get("/perhaps")
def perhaps_view() -> str:
    return "on Lambda" if lambda_event else "elsewhere"


@pytest.mark.parametrize("path", ["/context", "/event"])
def test_outside_of_lambda_it_is_said_that_there_is_no_invocation(path: str) -> None:
    with pytest.raises(NoInvocation, match="No invocation is in progress here"):
        app.test_client().get(path)


def test_a_view_may_ask_whether_there_is_an_invocation() -> None:
    assert app.test_client().get("/perhaps").text == "elsewhere"


def test_debuggers_may_look_at_them_anywhere() -> None:
    assert repr(lambda_context) == repr(lambda_event) == "<LocalProxy unbound>"


def test_a_test_may_put_something_else_in_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.lambda_event", get("/of-the-test"))
    monkeypatch.setattr(f"{__name__}.lambda_context", LambdaContext(aws_request_id="test"))

    assert app.test_client().get("/event").text == "/of-the-test"
    assert app.test_client().get("/context").text == "test"
