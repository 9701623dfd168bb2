"""`lambda_web_adapter.fastapi`: the event and the context as dependencies, on Lambda and in an app's own tests."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Annotated, Any, assert_type

import pytest
from adapter.test_app_start import app_in
from adapter.test_loop import body, get
from fastapi import Depends, FastAPI

from lambda_web_adapter import LambdaContext
from lambda_web_adapter.errors import NoInvocation
from lambda_web_adapter.fastapi import Context, Event, event_as, get_context, get_event
from lambda_web_adapter.models import PayloadV2Event
from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from adapter.conftest import Start
    from fastapi.testclient import TestClient

APP = """
from typing import Annotated, Any
from fastapi import Depends, FastAPI
from lambda_web_adapter.fastapi import Context, Event, event_as
from lambda_web_adapter.models import AlbEvent, PayloadV2Event

app = FastAPI()

@app.get("/sync")
def sync(context: Context, event: Event) -> dict[str, Any]:
    return {"id": context.aws_request_id, "path": event["rawPath"]}

@app.get("/async")
async def asynchronous(context: Context, event: Event) -> dict[str, Any]:
    return {"id": context.aws_request_id, "path": event["rawPath"]}

@app.get("/typed")
def typed(event: Annotated[PayloadV2Event, Depends(event_as(PayloadV2Event))]) -> dict[str, Any]:
    return {"path": event.raw_path, "caller": event.request_context.http.source_ip}

@app.get("/other")
def other(event: Annotated[AlbEvent, Depends(event_as(AlbEvent))]) -> None:
    raise AssertionError(event)

@app.post("/events")
def records(context: Context, event: Event) -> dict[str, Any]:
    return {"id": context.aws_request_id, "records": len(event["Records"])}
"""


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_endpoint_has_what_it_asks_for(kind: str, tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start("main:app", cwd=app_in(tmp_path, APP))

    for request in ("first", "second"):
        outcome = api.invoke(get(f"/{kind}"), request_id=request)

        assert body(outcome) == {"id": request, "path": f"/{kind}"}


def test_among_many_invocations_each_has_its_own(tmp_path: Path, start: Start) -> None:
    with RuntimeApi(concurrent=True) as api:
        start(
            "main:app",
            cwd=app_in(tmp_path, APP),
            AWS_LAMBDA_RUNTIME_API=api.address,
            AWS_LAMBDA_MAX_CONCURRENCY="4",
        )
        requests = [api.queue_event(get("/sync")) for _ in range(16)]

        assert [body(api.wait_for_reply(request))["id"] for request in requests] == requests


def test_an_event_has_types(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start("main:app", cwd=app_in(tmp_path, APP))

    assert body(api.invoke(get("/typed"))) == {"path": "/typed", "caller": "203.0.113.7"}


def test_an_event_that_is_another_is_an_error_of_the_app(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    log = start("main:app", cwd=app_in(tmp_path, APP))

    assert api.invoke(get("/other")).json["statusCode"] == 500
    log.wait_for("ValidationError.*AlbEvent")


def test_an_event_that_is_no_request_is_there_too(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start("main:app", cwd=app_in(tmp_path, APP))
    outcome = api.invoke({"Records": [{"eventSource": "aws:sqs", "body": "a"}]}, request_id="queued")

    assert outcome.json == {"id": "queued", "records": 1}


# In an app's own tests

app = FastAPI()
TypedEvent = Annotated[PayloadV2Event, Depends(event_as(PayloadV2Event))]


@app.get("/context")
def context_endpoint(context: Context) -> str:
    assert_type(context, LambdaContext)
    return assert_type(context.aws_request_id, str)


@app.get("/event")
def event_endpoint(event: Event) -> Any:
    return assert_type(event, dict[str, Any])["rawPath"]


@app.get("/typed")
def typed_endpoint(event: TypedEvent) -> str:
    return assert_type(event, PayloadV2Event).raw_path


@pytest.fixture
def client() -> TestClient:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would rather have another HTTP client
        from fastapi.testclient import TestClient
    return TestClient(app)


@pytest.fixture
def override() -> Iterator[dict[Callable[..., Any], Any]]:
    yield app.dependency_overrides
    app.dependency_overrides.clear()


@pytest.mark.parametrize("path", ["/context", "/event", "/typed"])
def test_outside_of_lambda_it_is_said_that_there_is_no_invocation(path: str, client: TestClient) -> None:
    with pytest.raises(NoInvocation, match="No invocation is in progress here"):
        client.get(path)


def test_a_test_may_give_another_context(override: dict[Callable[..., Any], Any], client: TestClient) -> None:
    override[get_context] = lambda: LambdaContext(aws_request_id="test")

    assert client.get("/context").json() == "test"


@pytest.mark.parametrize("path", ["/event", "/typed"])
def test_a_test_may_give_another_event_for_both_kinds(
    override: dict[Callable[..., Any], Any], path: str, client: TestClient
) -> None:
    override[get_event] = lambda: get("/of-the-test")

    assert client.get(path).json() == "/of-the-test"


def test_they_are_no_part_of_the_app_s_interface() -> None:
    described = app.openapi()["paths"]

    assert [description["get"].get("parameters") for description in described.values()] == [None] * 3
    assert "Lambda" not in json.dumps(described)
