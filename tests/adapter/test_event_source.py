"""What lets an app's routes take events and refuse clients: on Lambda, elsewhere, and in an app's own tests."""

from __future__ import annotations

import json
import sys
import warnings
from typing import TYPE_CHECKING, Annotated, Any, assert_type

import pytest
from adapter.conftest import bootstrap
from adapter.test_app_start import app_in
from adapter.test_loop import QUEUE, get
from fastapi import APIRouter, Depends, FastAPI
from flask import Flask
from flask.views import MethodView

from lambda_web_adapter import current_event_source
from lambda_web_adapter.fastapi import require_event_source
from lambda_web_adapter.flask import require_event_source as flask_require_event_source
from lambda_web_adapter.testing import invocation
from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.testclient import TestClient

IN_FASTAPI = """
from fastapi import Depends, FastAPI
from lambda_web_adapter.fastapi import require_event_source

app = FastAPI()

@app.post("/events", dependencies=[Depends(require_event_source("sqs"))])
def records(event: dict) -> int:
    return len(event["Records"])

if __name__ == "__main__":
    import os, uvicorn
    uvicorn.run(app, port=int(os.environ["PORT"]))
"""
IN_FLASK = """
from flask import Flask, request
from lambda_web_adapter.flask import require_event_source

app = Flask(__name__)

@app.post("/events")
@require_event_source("sqs")
def records():
    return str(len(request.json["Records"]))

if __name__ == "__main__":
    import os
    app.run(port=int(os.environ["PORT"]))
"""
IN_DJANGO = """
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from lambda_web_adapter import current_event_source

def records(request):
    if current_event_source(request.headers) != "sqs":
        raise PermissionDenied
    return HttpResponse("1")

urlpatterns = [path("events", records)]
settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__)
app = get_wsgi_application()
"""
COMMAND = ["--", sys.executable, "main.py"]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((IN_FASTAPI, ["main:app"]), id="FastAPI"),
        pytest.param((IN_FLASK, ["main:app"]), id="Flask"),
        pytest.param((IN_DJANGO, ["main:app"]), id="Django"),
        pytest.param((IN_FASTAPI, COMMAND), id="FastAPI in a command"),
        pytest.param((IN_FLASK, COMMAND), id="Flask in a command"),
    ],
)
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeApi]:
    """One environment for all tests that only ask it."""
    app, words = request.param
    with RuntimeApi() as api, bootstrap(api, *words, cwd=app_in(tmp_path_factory.mktemp("app"), app)):
        api.queue_event(QUEUE, timeout=60)
        api.wait_for_call("response", timeout=60)
        yield api


def test_an_event_gets_in(environment: RuntimeApi) -> None:
    assert environment.invoke(QUEUE).json == len(QUEUE["Records"])


def test_an_event_of_another_source_fails(environment: RuntimeApi) -> None:
    outcome = environment.invoke({"Records": [{"eventSource": "aws:s3"}]})

    assert outcome.name == "error"
    assert "status 403" in outcome.json["errorMessage"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"x-amzn-event-source": "sqs"}, id="the mark"),
        pytest.param({"X-Amzn-Event-Source": "sqs", "X_AMZN_EVENT_SOURCE": "sqs"}, id="the mark in other spellings"),
        pytest.param(
            {"x-amzn-event-source": "sqs", "connection": "x-amzn-event-source"}, id="the mark, named as hop-by-hop"
        ),
    ],
)
def test_a_client_does_not(headers: dict[str, str], environment: RuntimeApi) -> None:
    event = get("/events")
    event["requestContext"]["http"]["method"] = "POST"
    event["headers"] |= {"content-type": "application/json", **headers}

    assert environment.invoke({**event, "body": json.dumps(QUEUE)}).json["statusCode"] == 403


# In an app's own tests, and under a server that is not behind the adapter

MARK = {"x-amzn-event-source": "sqs"}
api = FastAPI()
site = Flask(__name__)
queues = APIRouter(prefix="/queues", dependencies=[Depends(require_event_source("sqs", "mq"))])


@api.post("/any")
def any_event(source: Annotated[str, Depends(require_event_source())]) -> str:
    return source


@queues.post("/orders")
def orders() -> str:
    return "done"


api.include_router(queues)


@site.post("/any")
@flask_require_event_source()
async def any_view() -> str:
    return "done"


class Orders(MethodView):
    decorators = [flask_require_event_source("sqs", "mq")]  # noqa: RUF012  # as Flask has it

    def post(self) -> str:
        return "done"


site.add_url_rule("/queues/orders", view_func=Orders.as_view("orders"))


@pytest.fixture
def client() -> TestClient:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it would rather have another client
        from fastapi.testclient import TestClient
    return TestClient(api)


@pytest.mark.parametrize("path", ["/any", "/queues/orders"])
def test_a_test_has_an_event_by_an_invocation_and_its_mark(path: str, client: TestClient) -> None:
    with invocation():
        assert client.post(path, headers=MARK).json() in ("sqs", "done")
        assert site.test_client().post(path, headers=MARK).text == "done"


@pytest.mark.parametrize("path", ["/any", "/queues/orders"])
def test_without_the_mark_it_is_a_clients_request(path: str, client: TestClient) -> None:
    with invocation():
        assert client.post(path).status_code == 403
        assert site.test_client().post(path).status_code == 403


@pytest.mark.parametrize("path", ["/any", "/queues/orders"])
def test_under_another_server_nobody_gets_in_since_anybody_can_send_the_mark(path: str, client: TestClient) -> None:
    assert client.post(path, headers=MARK).status_code == 403
    assert site.test_client().post(path, headers=MARK).status_code == 403


def test_the_refusal_says_what_is_taken_and_what_came(client: TestClient) -> None:
    with invocation():
        assert client.post("/queues/orders").json() == {
            "detail": "Only events of sqs, mq are accepted here, not requests."
        }
        assert client.post("/queues/orders", headers={**MARK, "x-amzn-event-source": "s3"}).json() == {
            "detail": "Only events of sqs, mq are accepted here, not those of s3."
        }
        assert client.post("/any").json() == {"detail": "Only events are accepted here, not requests."}


def test_it_is_no_part_of_the_apps_own_description(client: TestClient) -> None:
    described: Any = client.get("/openapi.json").json()["paths"]["/any"]["post"]

    assert "parameters" not in described


def test_any_app_can_ask() -> None:
    with invocation():
        assert assert_type(current_event_source(MARK), str) == "sqs"
        assert current_event_source({}) == ""
    assert current_event_source(MARK) == ""
