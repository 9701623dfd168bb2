"""No garbage is collected during a start; afterwards as usual, or as the app has it."""

from __future__ import annotations

import gc
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from adapter.test_loop import get
from support.processes import children, runs, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start
    from support.fake_runtime_api import FakeRuntimeApi

APP = """
import gc, json

at_import = gc.get_threshold()[0]
{setting}

def state():
    return json.dumps([at_import, gc.get_threshold(), gc.isenabled(), gc.get_freeze_count() > 0]).encode()

def wsgi(environ, start_response):
    start_response("200 OK", [("content-type", "application/json")])
    return [state()]

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"content-type", b"application/json")]
        await send({{"type": "http.response.start", "status": 200, "headers": headers}})
        await send({{"type": "http.response.body", "body": state()}})
"""


@pytest.fixture(params=["main:wsgi", "main:asgi"])
def app(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def seen(api: FakeRuntimeApi) -> Any:
    return json.loads(api.invoke(get("/")).json["body"])


@pytest.mark.parametrize("memory", ["1024", "3008"])
def test_it_is_paused_until_the_app_is_ready(
    tmp_path: Path, api: FakeRuntimeApi, start: Start, app: str, memory: str
) -> None:
    (tmp_path / "main.py").write_text(APP.format(setting=""))
    start(app, cwd=tmp_path, AWS_LAMBDA_FUNCTION_MEMORY_SIZE=memory)

    at_import, threshold, is_enabled, is_frozen = seen(api)

    assert at_import > 10**6
    assert threshold == list(gc.get_threshold())
    assert is_enabled
    assert is_frozen


@pytest.mark.parametrize(
    ("setting", "threshold", "is_enabled", "is_frozen"),
    [
        pytest.param("gc.set_threshold(50_000, 20, 30)", [50_000, 20, 30], True, False, id="threshold"),
        pytest.param("gc.disable()", list(gc.get_threshold()), False, True, id="off"),
    ],
)
def test_what_the_app_sets_stays(
    tmp_path: Path,
    api: FakeRuntimeApi,
    start: Start,
    app: str,
    setting: str,
    threshold: list[int],
    is_enabled: bool,
    is_frozen: bool,
) -> None:
    (tmp_path / "main.py").write_text(APP.format(setting=setting))
    start(app, cwd=tmp_path)

    assert seen(api)[1:] == [threshold, is_enabled, is_frozen]


def test_an_app_that_is_started_again_starts_so_too(
    tmp_path: Path, api: FakeRuntimeApi, start: Start, app: str
) -> None:
    (tmp_path / "main.py").write_text(APP.format(setting=""))
    process = start(app, cwd=tmp_path)
    first = seen(api)
    (pid,) = children(process.pid)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not runs(pid), "the app has ended")

    assert seen(api) == first
