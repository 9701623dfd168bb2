"""`on_shutdown`: called once in the app's process at its end, after lifespan shutdown and before `atexit`."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from adapter.conftest import TELL
from adapter.test_app_start import app_in
from adapter.test_loop import get
from adapter.test_stop import told

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

APP = """
import asyncio, atexit, os, sys
from lambda_web_adapter import on_shutdown

TELL
@on_shutdown
def first():
    tell("sync")

HOOKS

atexit.register(tell, "exit")

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        tell("lifespan")
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["path"] == "/hangs":
        await asyncio.to_thread(tell, "hangs")
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

def wsgi(environ, start_response):
    if environ["PATH_INFO"] == "/hangs":
        tell("hangs")
    start_response("200 OK", [])
    return [b""]
""".replace("TELL", TELL)
ASYNC = """
@on_shutdown
async def second():
    await asyncio.sleep(0)
    await asyncio.to_thread(tell, "async")
"""
RAISES = """
@on_shutdown
def broken():
    raise LookupError("no collector")
"""
EXITS = """
@on_shutdown
def broken():
    sys.exit("no collector")
"""
CANCELLED = """
@on_shutdown
async def broken():
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await task
"""
LATE = """
@on_shutdown
def late():
    tell("late")
"""

EITHER = pytest.mark.parametrize("app", ["main:app", "main:wsgi"], ids=["asgi", "wsgi"])


@pytest.mark.parametrize(
    ("app", "server", "expected"),
    [
        pytest.param("main:app", "auto", ["lifespan", "async", "sync", "exit"], id="asgi"),
        pytest.param("main:wsgi", "auto", ["async", "sync", "exit"], id="wsgi"),
        pytest.param("main:wsgi", "uvicorn", ["async", "sync", "exit"], id="wsgi on uvicorn"),
    ],
)
def test_the_last_function_is_called_first_between_lifespan_and_atexit(
    app: str, server: str, expected: list[str], tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    process = start(app, cwd=app_in(tmp_path, APP.replace("HOOKS", ASYNC)), AWS_LWA_SERVER=server)
    api.invoke(get("/"))
    api.wait_for_call("next", 2)
    early = told(api)

    assert process.terminate() == 0

    assert early == []
    assert told(api) == expected
    assert "ERROR" not in process.text
    assert "Traceback" not in process.text


@EITHER
def test_two_signals_call_them_once(app: str, tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    api.hold("sync")
    process = start(app, cwd=app_in(tmp_path, APP.replace("HOOKS", "")))
    api.invoke(get("/"))
    api.wait_for_call("next", 2)

    os.killpg(process.pid, signal.SIGTERM)
    api.wait_for_call("test/sync")
    api.release("sync")

    assert process.wait() == 0
    assert told(api).count("sync") == 1
    assert told(api)[-1] == "exit"


@EITHER
@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        pytest.param(RAISES, "LookupError: no collector", id="raises"),
        pytest.param(EXITS, "SystemExit: no collector", id="exits"),
        pytest.param(CANCELLED, "CancelledError", id="is cancelled"),
    ],
)
def test_one_that_fails_is_logged_and_the_others_are_called(
    hook: str, reason: str, app: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    process = start(app, cwd=app_in(tmp_path, APP.replace("HOOKS", hook)))
    api.invoke(get("/"))
    api.wait_for_call("next", 2)

    assert process.terminate() == 0

    assert told(api)[-2:] == ["sync", "exit"]
    process.wait_for("on_shutdown function broken failed")
    process.wait_for(reason)


@EITHER
def test_one_that_takes_too_long_is_killed_with_the_app(
    app: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    api.hold("late")
    process = start(app, cwd=app_in(tmp_path, APP.replace("HOOKS", LATE)))
    api.invoke(get("/"))
    api.wait_for_call("next", 2)

    assert process.terminate() == 0

    assert told(api)[-1] == "late"
    process.wait_for("did not end within")


@EITHER
def test_they_are_not_called_when_a_hanging_app_is_ended(
    app: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    api.hold("hangs")
    process = start(app, cwd=app_in(tmp_path, APP.replace("HOOKS", "")))
    api.invoke(get("/"))
    hanging = api.queue_event(get("/hangs"), timeout=2)
    api.wait_for_call("test/hangs")
    assert api.wait_for_reply(hanging).json["statusCode"] == 504
    api.invoke(get("/"))  # starts it again
    api.wait_for_call("next", 4)

    assert told(api) == ["hangs"]
    assert process.terminate() == 0
    assert told(api).count("sync") == 1


def test_each_process_of_the_app_calls_its_own(tmp_path: Path, start: Start) -> None:
    many = {"AWS_LAMBDA_MAX_CONCURRENCY": "2", "AWS_LWA_WORKERS": "2"}
    with RuntimeApi(concurrent=True) as api:
        process = start(
            "main:app", cwd=app_in(tmp_path, APP.replace("HOOKS", "")), AWS_LAMBDA_RUNTIME_API=api.address, **many
        )
        api.wait_for_call("next", 2)

        assert process.terminate() == 0

        assert len({call.headers["x-pid"] for call in api.calls_of("test/sync")}) == 2
        assert len(api.calls_of("test/sync")) == 2
