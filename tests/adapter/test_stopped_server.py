"""A server that stops while its process goes on: no event is sent to it, and the app is restarted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from adapter.conftest import TELL
from adapter.test_app_failures import problem
from adapter.test_app_start import app_in
from adapter.test_loop import body, get

from lambda_web_adapter.adapter.process.supervisor import MAX_FAILED_STARTS

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

APP = """
import asyncio, json, os, signal, sys, threading
from lambda_web_adapter import on_shutdown

TELL
@on_shutdown
def linger():
    tell("stopping")
    threading.Event().wait()

def stop():
    os.kill(os.getpid(), signal.SIGTERM)

def fail():
    threading.Thread(target=threading.Event().wait).start()
    asyncio.get_running_loop().stop()

def leave():
    threading.Thread(target=threading.Event().wait).start()
    asyncio.get_running_loop().call_soon(sys.exit)

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    path = scope["path"]
    if action := {"/stop": stop, "/fail": fail, "/leave": leave}.get(path):
        action()
        await asyncio.Event().wait()
    data = json.dumps({"pid": os.getpid()}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(data))]})
    await send({"type": "http.response.body", "body": data})
    if path == "/overrun":
        await asyncio.to_thread(tell, "overrun")
        asyncio.get_running_loop().call_later(0, stop)

class Result(list):
    def close(self):
        tell("overrun")
        threading.Timer(0, stop).start()

def wsgi(environ, start_response):
    if environ["PATH_INFO"] == "/stop":
        stop()
        threading.Event().wait()
    data = json.dumps({"pid": os.getpid()}).encode()
    start_response("200 OK", [("content-length", str(len(data)))])
    return Result([data]) if environ["PATH_INFO"] == "/overrun" else [data]
""".replace("TELL", TELL)
EITHER = pytest.mark.parametrize("app", ["main:app", "main:wsgi"], ids=["asgi", "wsgi"])


@EITHER
def test_no_event_goes_to_a_server_that_has_stopped_after_work_that_overran(
    app: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    """The message that the work is done comes when nobody waits for it any more, and before the one of the stop."""
    api.hold("overrun")
    process = start(app, cwd=app_in(tmp_path, APP))

    before = body(api.invoke(get("/overrun"), timeout=2))["pid"]
    process.wait_for("still working after its response")
    api.wait_for_call("next", 2)
    api.release("overrun")
    api.wait_for_call("test/stopping")

    assert body(api.invoke(get("/")))["pid"] != before


@pytest.mark.parametrize(
    ("app", "path"),
    [
        pytest.param("main:app", "/stop", id="asgi by a signal"),
        pytest.param("main:wsgi", "/stop", id="wsgi by a signal"),
        pytest.param("main:app", "/leave", id="asgi by SystemExit"),
    ],
)
def test_a_server_that_the_app_itself_stops_has_not_failed(
    app: str, path: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    start(app, cwd=app_in(tmp_path, APP))

    for _ in range(MAX_FAILED_STARTS + 1):
        problem(api.invoke(get(path)), 502)

    body(api.invoke(get("/")))


def test_an_environment_ends_whose_server_fails_after_each_start_in_a_process_that_goes_on(
    tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    process = start("main:app", cwd=app_in(tmp_path, APP))

    for _ in range(MAX_FAILED_STARTS):
        problem(api.invoke(get("/fail")), 502)
    last = api.invoke(get("/"))

    assert last.json["errorType"] == "Runtime.AppStartFailed"
    assert process.wait() == 1
    assert "The server has failed" in process.text
