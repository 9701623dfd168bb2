"""`before_freeze`: called when a request is done with, before the next event is asked for, and never in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from adapter.conftest import TELL
from adapter.test_app_start import app_in
from adapter.test_loop import get

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

APP = """
import asyncio, os
from lambda_web_adapter import before_freeze

TELL
HOOKS

async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"asgi"})

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [b"wsgi"]
""".replace("TELL", TELL)

SYNC = """
@before_freeze
def flush():
    tell("flush")
"""
ASYNC = """
@before_freeze
async def flush():
    await asyncio.to_thread(tell, "flush")
"""
FAILS = """
@before_freeze
def broken():
    raise LookupError("no collector")
"""
EITHER = pytest.mark.parametrize("app", ["main:app", "main:wsgi"], ids=["asgi", "wsgi"])
KIND = pytest.mark.parametrize("hook", [SYNC, ASYNC], ids=["sync", "async"])


@EITHER
@KIND
def test_the_next_event_waits_for_it_and_the_caller_does_not(
    hook: str, app: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    api.hold("flush")
    start(app, cwd=app_in(tmp_path, APP.replace("HOOKS", hook)), AWS_LWA_BEFORE_FREEZE_SECONDS="30")
    reply = api.invoke(get("/"))
    api.wait_for_call("test/flush")
    early = api.has_call_within("next", 2, timeout=0.2)
    api.release("flush")
    api.wait_for_call("next", 2)

    assert reply.json["body"] == app.replace("main:app", "asgi").replace("main:", "")
    assert not early


@EITHER
@KIND
def test_it_is_called_after_each_request(hook: str, app: str, tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start(app, cwd=app_in(tmp_path, APP.replace("HOOKS", hook)))
    api.invoke(get("/"))
    api.invoke(get("/"))
    api.wait_for_call("next", 3)

    names = [call.name for call in api.calls if call.name in ("next", "response", "test/flush")]
    # The app need not wait until the adapter has posted its response.
    assert [sorted(names[at : at + 2]) for at in (1, 4)] == [["response", "test/flush"]] * 2
    assert names[0::3] == ["next"] * 3


@EITHER
@KIND
def test_one_that_takes_too_long_is_logged_and_left(
    hook: str, app: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    api.hold("flush")
    process = start(app, cwd=app_in(tmp_path, APP.replace("HOOKS", hook)), AWS_LWA_BEFORE_FREEZE_SECONDS="0.2")
    api.invoke(get("/"))
    api.wait_for_call("next", 2)
    api.release("flush")

    process.wait_for(r"before_freeze function flush did not end within 0\.2 s")
    assert api.invoke(get("/")).json["statusCode"] == 200


@EITHER
def test_one_that_fails_is_logged_and_the_others_are_called(
    app: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    process = start(app, cwd=app_in(tmp_path, APP.replace("HOOKS", FAILS + SYNC)))
    api.invoke(get("/"))
    api.wait_for_call("next", 2)

    assert len(api.calls_of("test/flush")) == 1
    process.wait_for("before_freeze function broken failed")
    process.wait_for("LookupError: no collector")
