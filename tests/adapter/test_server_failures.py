"""A built-in server that fails, since the app has changed what it rests on: the start has failed, and not for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from adapter.test_loop import get

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start
    from fake_runtime_api import FakeRuntimeApi

NO_SELECT = """
import selectors

class Selector(selectors.SelectSelector):
    def select(self, timeout=None):
        raise RuntimeError("somebody has taken select away")

selectors.DefaultSelector = Selector

def app(environ, start_response): ...
"""
STOPPED_LOOP = """
import asyncio

async def app(scope, receive, send):
    asyncio.get_running_loop().stop()
    await asyncio.Event().wait()
"""
IN_A_REQUEST = STOPPED_LOOP.replace(
    "    asyncio.get_running_loop",
    "    if scope['type'] != 'http':\n        raise NotImplementedError\n    asyncio.get_running_loop",
)
NO_SELECTOR = """
import selectors

def no_selector():
    raise RuntimeError("somebody has taken select away")

selectors.DefaultSelector = no_selector

def app(environ, start_response): ...
"""


@pytest.mark.parametrize("source", [pytest.param(NO_SELECT, id="WSGI"), pytest.param(IN_A_REQUEST, id="ASGI")])
def test_an_environment_whose_server_fails_after_each_start_ends(
    source: str, tmp_path: Path, api: FakeRuntimeApi, start: Start
) -> None:
    (tmp_path / "main.py").write_text(source)
    process = start("main:app", cwd=tmp_path)

    for _ in range(12):  # up to three meet an app that is about to end
        api.add(get("/"))

    assert process.wait(50) == 1
    assert "3 times in a row" in process.text
    assert "The server has failed" in process.text


@pytest.mark.parametrize("source", [pytest.param(NO_SELECTOR, id="WSGI"), pytest.param(STOPPED_LOOP, id="ASGI")])
def test_a_server_that_fails_before_the_app_is_ready_is_an_error_of_the_start(
    source: str, tmp_path: Path, api: FakeRuntimeApi, start: Start
) -> None:
    (tmp_path / "main.py").write_text(source)
    process = start("main:app", cwd=tmp_path)

    call = api.wait_for_call("init/error")

    assert call.json["errorType"] == "RuntimeError"
    assert process.wait() == 1
