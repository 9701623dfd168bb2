"""A built-in server that fails, since the app has changed what it rests on: the start has failed, and not for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from adapter.test_loop import get

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

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
    source: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    (tmp_path / "main.py").write_text(source)
    process = start("main:app", cwd=tmp_path)

    for _ in range(12):  # up to three meet an app that is about to end
        api.queue_event(get("/"))

    assert process.wait(50) == 1
    assert "3 times in a row" in process.text
    assert "The server has failed" in process.text


@pytest.mark.parametrize("source", [pytest.param(NO_SELECTOR, id="WSGI"), pytest.param(STOPPED_LOOP, id="ASGI")])
def test_a_server_that_fails_before_the_app_is_ready_is_an_error_of_the_start(
    source: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    (tmp_path / "main.py").write_text(source)
    process = start("main:app", cwd=tmp_path)

    call = api.wait_for_call("init/error")

    assert call.json["errorType"] == "RuntimeError"
    assert process.wait() == 1


KILLED = """
import os, signal

MEMORY = bytearray(64 * 1024 * 1024)  # which takes the kernel a while to take back

def app(environ, start_response):
    os.kill(os.getpid(), signal.SIGKILL)
"""
SOME_STARTS_FAIL = """
import os, pathlib

count = pathlib.Path("count")
number = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(number))
if number in (2, 3, 5):
    raise RuntimeError(f"start {number} fails")

def app(environ, start_response):
    if environ["PATH_INFO"] == "/dies":
        os._exit(1)
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"start %d" % number]
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_app_that_is_killed_in_each_request_costs_no_more_than_those(
    workers: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    (tmp_path / "main.py").write_text(KILLED)
    start("main:app", cwd=tmp_path, AWS_LAMBDA_MAX_CONCURRENCY=workers)

    replies = [api.invoke(get("/")).json["statusCode"] for _ in range(8)]

    assert replies == [502] * 8


def test_starts_that_fail_count_in_a_row_only(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    (tmp_path / "main.py").write_text(SOME_STARTS_FAIL)
    start("main:app", cwd=tmp_path)

    calls = [api.invoke(get(path)) for path in ("/dies", "/", "/", "/dies", "/", "/")]

    assert [call.name for call in calls] == ["response", "error", "error", "response", "error", "response"]
    assert calls[-1].json["body"] == "start 6"
