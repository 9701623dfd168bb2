"""No garbage is collected until the app is ready; afterwards as usual, or as the app has it."""

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

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

APP = """
import gc, json, os

at_import = gc.isenabled()
SETTING

def state():
    return json.dumps([at_import, gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()])

def wsgi(environ, start_response):
    start_response("200 OK", [("content-type", "application/json")])
    return [state().encode()]

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": state().encode()})
"""
ON_ONE_CORE_AND_ON_TWO = pytest.mark.parametrize("memory", ["1024", "3008"])


@pytest.fixture(params=["main:wsgi", "main:asgi"])
def app(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def write_app(folder: Path, setting: str = "", more: str = "") -> None:
    (folder / "main.py").write_text(APP.replace("SETTING", setting) + more)


def seen(api: RuntimeApi) -> Any:
    return json.loads(api.invoke(get("/")).json["body"])


@ON_ONE_CORE_AND_ON_TWO
def test_afterwards_all_is_as_usual(tmp_path: Path, api: RuntimeApi, start: Start, app: str, memory: str) -> None:
    write_app(tmp_path)
    start(app, cwd=tmp_path, AWS_LAMBDA_FUNCTION_MEMORY_SIZE=memory)

    assert seen(api) == [True, True, list(gc.get_threshold()), 0]


@ON_ONE_CORE_AND_ON_TWO
def test_nothing_is_collected_before(tmp_path: Path, api: RuntimeApi, start: Start, app: str, memory: str) -> None:
    garbage = """
before = gc.get_stats()[0]["collections"]
for _ in range(5000):
    cycle = []
    cycle.append(cycle)
collections = gc.get_stats()[0]["collections"] - before

def state():
    return json.dumps(collections)
"""
    write_app(tmp_path, more=garbage)
    start(app, cwd=tmp_path, AWS_LAMBDA_FUNCTION_MEMORY_SIZE=memory)

    assert seen(api) == 0


def test_garbage_of_the_start_is_freed_later(tmp_path: Path, api: RuntimeApi, start: Start, app: str) -> None:
    garbage = """
import weakref

class Cycle:
    pass

cycle = Cycle()
cycle.itself = cycle
reference = weakref.ref(cycle)
del cycle

def state():
    found = [reference() is not None]
    gc.collect()
    return json.dumps([*found, reference() is not None])
"""
    write_app(tmp_path, more=garbage)
    start(app, cwd=tmp_path)

    assert seen(api) == [True, False]


@pytest.mark.parametrize(
    ("setting", "is_enabled", "threshold"),
    [
        pytest.param("gc.disable()", False, None, id="off"),
        pytest.param("gc.disable(); gc.enable()", True, None, id="off and on"),
        pytest.param("on = gc.isenabled(); gc.disable(); on and gc.enable()", True, None, id="off for a moment"),
        pytest.param("from gc import disable; disable()", False, None, id="by its name"),
        pytest.param("gc.set_threshold(gc.get_threshold()[0] * 10, 20, 30)", True, (10, 20, 30), id="threshold"),
    ],
)
def test_what_the_app_sets_holds(
    tmp_path: Path,
    api: RuntimeApi,
    start: Start,
    app: str,
    setting: str,
    is_enabled: bool,
    threshold: tuple[int, int, int] | None,
) -> None:
    write_app(tmp_path, setting)
    start(app, cwd=tmp_path)
    usual = gc.get_threshold()
    expected = [usual[0] * threshold[0], *threshold[1:]] if threshold else list(usual)

    assert seen(api)[1:3] == [is_enabled, expected]


def test_functions_that_the_app_has_kept_work(tmp_path: Path, api: RuntimeApi, start: Start, app: str) -> None:
    switching = """
def state():
    found = [isenabled()]
    disable()
    found += [isenabled(), gc.isenabled()]
    enable()
    return json.dumps([*found, isenabled(), gc.isenabled()])
"""
    write_app(tmp_path, "from gc import disable, enable, isenabled", switching)
    start(app, cwd=tmp_path)

    assert seen(api) == [True, False, False, True, True]


def test_a_process_that_the_app_forks_in_its_import_collects(
    tmp_path: Path, api: RuntimeApi, start: Start, app: str
) -> None:
    forks = """
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, json.dumps([gc.isenabled(), gc.get_freeze_count()]).encode())
    os._exit(0)
child = os.read(reader, 100).decode()

def state():
    return child
"""
    write_app(tmp_path, more=forks)
    start(app, cwd=tmp_path)

    assert seen(api) == [True, 0]


def test_an_app_that_is_started_again_starts_so_too(tmp_path: Path, api: RuntimeApi, start: Start, app: str) -> None:
    write_app(tmp_path)
    process = start(app, cwd=tmp_path)
    first = seen(api)
    (pid,) = children(process.pid)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not runs(pid), "the app has ended")

    assert seen(api) == first
