"""SnapStart: hooks in the app around the snapshot, the restore through the Runtime API, and what fails on the way."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from adapter.conftest import TELL
from adapter.test_app_start import app_in
from adapter.test_loop import get

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

SNAP_START = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
APP = """
import asyncio, os
from lambda_web_adapter import after_restore, before_snapshot
from snapshot_restore_py import register_after_restore, register_before_snapshot
TELL
HOOKS

async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(os.getpid()).encode()})

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]
""".replace("TELL", TELL)
HOOKS = """
@before_snapshot
def first():
    tell("before-1")

@before_snapshot
async def second():
    await asyncio.to_thread(tell, "before-2")

@after_restore
def third():
    tell("after-1")

@after_restore
async def fourth():
    await asyncio.to_thread(tell, "after-2")

register_before_snapshot(tell, "before-of-aws")
register_after_restore(tell, name="after-of-aws")
"""
EITHER = pytest.mark.parametrize("app", ["main:app", "main:wsgi"], ids=["asgi", "wsgi"])


def raising(hook: str) -> str:
    return APP.replace("HOOKS", f'@{hook}\ndef broken():\n    raise LookupError("no secret")\n')


@EITHER
def test_the_hooks_are_called_around_the_snapshot(app: str, tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start(app, cwd=app_in(tmp_path, APP.replace("HOOKS", HOOKS)), **SNAP_START)
    api.wait_for_call("next")

    assert [call.name.removeprefix("test/") for call in api.calls if "extension" not in call.name] == [
        "before-2",
        "before-1",
        "before-of-aws",
        "restore/next",
        "after-of-aws",
        "after-1",
        "after-2",
        "next",
    ]


@EITHER
def test_connections_are_opened_anew_after_the_restore(app: str, tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start(app, cwd=app_in(tmp_path, APP.replace("HOOKS", "")), **SNAP_START)
    replies = [api.invoke(get("/")).json for _ in range(2)]
    (restore,) = api.calls_of("restore/next")

    assert replies[0] == replies[1]
    assert restore.connection not in {call.connection for call in api.runtime_calls if call is not restore}


def test_the_first_event_is_asked_for_after_the_restore(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    api.hold("restore")
    start("main:app", cwd=app_in(tmp_path, APP.replace("HOOKS", HOOKS)), **SNAP_START)
    api.wait_for_call("restore/next")
    early = api.has_call_within("next", 1, timeout=0.2) or api.calls_of("test/after-1")
    api.release("restore")
    api.wait_for_call("next")

    assert not early


@EITHER
def test_a_hook_that_fails_before_the_snapshot_fails_the_start(
    app: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    process = start(app, cwd=app_in(tmp_path, raising("before_snapshot")), **SNAP_START)

    assert process.wait() != 0
    (error,) = api.calls_of("init/error")
    assert error.headers["lambda-runtime-function-error-type"] == "Runtime.BeforeSnapshotError"
    assert (error.json["errorType"], error.json["errorMessage"]) == ("LookupError", "no secret")
    assert any("in broken" in line for line in error.json["stackTrace"])
    assert api.call_names == ["init/error"]


@EITHER
def test_a_hook_that_fails_after_the_restore_is_told_and_ends_the_environment(
    app: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    process = start(app, cwd=app_in(tmp_path, raising("after_restore")), **SNAP_START)

    assert process.wait() != 0
    (error,) = api.calls_of("restore/error")
    assert error.headers["lambda-runtime-function-error-type"] == "Runtime.AfterRestoreError"
    assert (error.json["errorType"], error.json["errorMessage"]) == ("LookupError", "no secret")
    assert api.call_names == ["restore/next", "restore/error"]


def test_an_app_that_ends_in_a_hook_fails_the_start(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    hooks = "@before_snapshot\ndef dies():\n    os._exit(3)\n"
    process = start("main:wsgi", cwd=app_in(tmp_path, APP.replace("HOOKS", hooks)), **SNAP_START)

    assert process.wait() != 0
    assert api.call_names == ["init/error"]


def test_hooks_that_take_too_long_fail_the_start(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    api.hold("slow")
    hooks = '@before_snapshot\ndef slow():\n    tell("slow")\n'
    process = start(
        "main:wsgi",
        cwd=app_in(tmp_path, APP.replace("HOOKS", hooks)),
        AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS="1",
        **SNAP_START,
    )

    assert process.wait() != 0
    assert "hooks took longer than 1 seconds" in api.calls_of("init/error")[0].json["errorMessage"]


PATHS = {
    "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH": "/snap/before",
    "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/snap/after",
}
# A server of the standard library: it tells of each request, and answers the hooks as STATUS says.
SERVER = """
import http.client, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
TELL
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.path.strip("/").replace("/", "-")
        status = int(os.environ.get("STATUS_OF_" + name.upper().replace("-", "_"), "200"))
        length = self.headers.get("content-length", "none")
        tell(f"{self.command}-{name}-{length}")
        if status == 0:
            os._exit(3)
        self.send_response(status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET

    def log_message(self, *about):
        pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
""".replace("TELL", TELL)


def told(api: RuntimeApi) -> list[str]:
    return [call.name.removeprefix("test/") for call in api.calls if "extension" not in call.name]


def command(tmp_path: Path) -> tuple[str, str, str]:
    (tmp_path / "server.py").write_text(SERVER)
    return ("--", sys.executable, str(tmp_path / "server.py"))


def test_a_command_gets_a_post_before_the_snapshot_and_after_the_restore(
    tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    start(*command(tmp_path), AWS_LWA_READINESS_CHECK_PATH="/up", **PATHS, **SNAP_START)
    api.wait_for_call("next")

    assert told(api) == [
        "GET-up-none",
        "POST-snap-before-0",
        "restore/next",
        "POST-snap-after-0",
        "GET-up-none",
        "next",
    ]


@pytest.mark.parametrize("status", ["500", "404", "302", "0"])
def test_a_commands_hook_that_is_not_answered_with_a_2xx_fails_the_start(
    status: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    process = start(*command(tmp_path), STATUS_OF_SNAP_BEFORE=status, **PATHS, **SNAP_START)

    assert process.wait() != 0
    (error,) = api.calls_of("init/error")
    assert error.headers["lambda-runtime-function-error-type"] == "Runtime.BeforeSnapshotError"
    assert "The app's SnapStart hook, POST /snap/before, " in error.json["errorMessage"]
    assert api.call_names == ["init/error"]


@pytest.mark.parametrize("status", ["500", "404", "302", "0"])
def test_a_commands_hook_that_fails_after_the_restore_ends_the_environment(
    status: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    process = start(*command(tmp_path), STATUS_OF_SNAP_AFTER=status, **PATHS, **SNAP_START)

    assert process.wait() != 0
    (error,) = api.calls_of("restore/error")
    assert error.headers["lambda-runtime-function-error-type"] == "Runtime.AfterRestoreError"
    assert api.call_names == ["restore/next", "restore/error"]


def test_only_the_path_that_is_set_is_called(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start(*command(tmp_path), AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH="/snap/after", **SNAP_START)
    api.wait_for_call("next")

    assert told(api) == ["restore/next", "POST-snap-after-0", "next"]


WITH_PATHS = (
    APP.replace("HOOKS", HOOKS)
    .replace('if scope["type"] == "http":', 'if scope["type"] == "http":\n        seen(scope["method"], scope["path"])')
    .replace("def wsgi(environ, start_response):", "def wsgi(environ, start_response):\n    seen_by_wsgi(environ)")
    + """
def seen(method, path):
    if method == "POST":
        tell(method + path.replace("/", "-"))

def seen_by_wsgi(environ):
    seen(environ["REQUEST_METHOD"], environ["PATH_INFO"])
"""
)


@EITHER
def test_a_python_app_gets_its_paths_called_around_its_functions(
    app: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    start(app, cwd=app_in(tmp_path, WITH_PATHS), **PATHS, **SNAP_START)
    reply = api.invoke(get("/"))

    assert reply.json["statusCode"] == 200
    assert told(api)[:9] == [
        "POST-snap-before",
        "before-2",
        "before-1",
        "before-of-aws",
        "restore/next",
        "after-of-aws",
        "after-1",
        "after-2",
        "POST-snap-after",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/snap/before",
        "/snap/after",
        "/snap/after/",
        "//snap//after",
        "/SNAP/After",
        "/snap/./after",
        "/snap/%61fter",
        "/x/../snap/after",
        "/snap/after;x=1",
        "/snap%2Fafter",
        "/snap%252Fafter",
        "/snap/after.json",
        "/snap/after/.",
    ],
)
@pytest.mark.parametrize("kind", ["snap-start", "on-demand"])
def test_no_client_asks_for_such_a_path(kind: str, path: str, tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start(*command(tmp_path), AWS_LAMBDA_INITIALIZATION_TYPE=kind, **PATHS)
    api.wait_for_call("next")
    before = told(api)
    reply = api.invoke(get(path))

    assert reply.json["statusCode"] == 403
    assert [name for name in told(api)[len(before) :] if "snap" in name] == []


def test_a_path_that_only_begins_like_it_is_the_apps(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start(*command(tmp_path), **PATHS)

    assert [api.invoke(get(path)).json["statusCode"] for path in ("/snap/after/x", "/snap", "/snap/afterx")] == [
        200
    ] * 3


def test_a_command_without_paths_has_no_hooks_but_a_restore(api: RuntimeApi, start: Start) -> None:
    start("--", sys.executable, "command.py", **SNAP_START)
    api.wait_for_call("next")

    assert api.call_names == ["restore/next", "next"]


@pytest.mark.parametrize("kind", ["on-demand", "provisioned-concurrency"])
def test_without_snapstart_no_hook_is_called(kind: str, tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start("main:app", cwd=app_in(tmp_path, APP.replace("HOOKS", HOOKS)), AWS_LAMBDA_INITIALIZATION_TYPE=kind)
    api.invoke(get("/"))

    assert [call.name for call in api.calls if "extension" not in call.name][:2] == ["next", "response"]


ANSWERS_AT_LENGTH = """
def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"x" * 65536] * 400
"""


def test_a_response_of_any_length_does_for_such_a_call(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    start("main:app", cwd=app_in(tmp_path, ANSWERS_AT_LENGTH), **PATHS, **SNAP_START)

    api.wait_for_call("next")


DIES_BESIDE_ITS_CHILD = """
import os, signal

def app(environ, start_response):
    if os.fork() == 0:
        signal.pause()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_app_that_dies_in_such_a_call_beside_its_child_fails_the_start(
    tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    process = start("main:app", cwd=app_in(tmp_path, DIES_BESIDE_ITS_CHILD), **PATHS, **SNAP_START)

    assert api.wait_for_call("init/error").json["errorType"] == "Runtime.BeforeSnapshotError"
    assert process.wait() == 1
