"""Background tasks as frameworks have them: the caller does not wait for one, the next event does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from adapter.test_app_start import app_in
from adapter.test_loop import get

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

TELL = """
import http.client, os

def work():
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    for name in ("work", "work-ended"):
        connection.request("GET", f"/test/{name}")
        connection.getresponse().read()
    connection.close()
"""
FASTAPI = """
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()

@app.get("/")
def accept(tasks: BackgroundTasks):
    tasks.add_task(work)
    return "accepted"
"""
FASTAPI_ASYNC = """
import asyncio
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()

async def work_in_a_task():
    await asyncio.to_thread(work)

@app.get("/")
async def accept(tasks: BackgroundTasks):
    tasks.add_task(work_in_a_task)
    return "accepted"
"""
FLASK = """
from flask import Flask, jsonify

app = Flask(__name__)

@app.get("/")
def accept():
    response = jsonify("accepted")
    response.call_on_close(work)
    return response
"""


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(FASTAPI, id="FastAPI"),
        pytest.param(FASTAPI_ASYNC, id="FastAPI, asynchronous"),
        pytest.param(FLASK, id="Flask"),
    ],
)
def test_the_caller_has_the_reply_before_the_task_ends_and_the_next_event_is_asked_for_after_it(
    app: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    api.hold("work")
    start("main:app", cwd=app_in(tmp_path, TELL + app))

    reply = api.invoke(get("/"))
    api.wait_for_call("test/work")
    early = api.has_call_within("next", 2, timeout=0.2)
    api.release("work")
    api.wait_for_call("next", 2)

    assert reply.json["body"].strip() == '"accepted"'
    assert not early
    steps = [call.name for call in api.calls if call.name in ("next", "response", "test/work-ended")]
    assert steps == ["next", "response", "test/work-ended", "next"]
