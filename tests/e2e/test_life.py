"""The life of an environment from its start to its end, under the Runtime Interface Emulator and in the local run."""

from __future__ import annotations

import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from e2e.events import HTTP_SOURCES, Request, function_url, sqs
from e2e.replies import read_reply
from support.freezing import family, frozen
from support.processes import BOOTSTRAP, free_port, runs, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.conftest import AnyEmulator, Emulate, EmulateRie

pytestmark = pytest.mark.e2e

# Kept in the app: what happened, in order. Files are how it is told what to wait for.
APP = """
import asyncio, os, sys, time
from contextlib import asynccontextmanager
from fastapi import BackgroundTasks, FastAPI, Request

happened = []

def wait_for(name):
    while not os.path.exists(name):
        time.sleep(0.01)

@asynccontextmanager
async def lifespan(app):
    print("opening", file=sys.stderr, flush=True)
    if "SLOW" in os.environ:
        await asyncio.to_thread(wait_for, "go")
    yield
    print("closed", file=sys.stderr, flush=True)

app = FastAPI(lifespan=lifespan)

def work():
    time.sleep(0.3)
    happened.append("task")

@app.get("/")
def front(request: Request):
    happened.append("request")
    return {"pid": os.getpid(), "happened": happened, "tenant": request.headers.getlist("x-amz-tenant-id")}

@app.get("/later")
def later(tasks: BackgroundTasks):
    tasks.add_task(work)
    return noted()

def noted():
    happened.append("request")
    return {"happened": happened}

@app.get("/wait")
def wait():
    open("waiting", "w").close()
    wait_for("go")
    return noted()

@app.get("/hang")
async def hang():
    await for_ever()

async def for_ever():
    await asyncio.Event().wait()

@app.get("/die")
def die():
    print("out of ink", file=sys.stderr, flush=True)
    os._exit(7)

@app.post("/events")
def event(request: Request):
    return request.headers.getlist("x-amz-tenant-id")
"""
# A command with the same end.
SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/die":
            print("out of ink", file=sys.stderr, flush=True)
            os._exit(7)
        body = b"served"
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
# Python imports it before anything else: an init may take less than the 9.8 s of Lambda.
IMPATIENT = "from lambda_web_adapter import cli; cli._INIT_SECONDS = 0.2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(APP)
    (tmp_path / "server.py").write_text(SERVER)
    return tmp_path


def send(emulator: AnyEmulator, path: str = "/", **headers: str) -> Any:
    reply = read_reply("function-url", emulator.invoke(function_url(Request(path=path)), **headers))
    assert reply.status == 200, reply
    return json.loads(reply.text) if reply.text.startswith("{") else reply.text


def status(emulator: AnyEmulator, path: str) -> int:
    return read_reply("function-url", emulator.invoke(function_url(Request(path=path)))).status


# Start


@pytest.mark.parametrize(
    ("end", "said"),
    [
        pytest.param("os._exit(7)", "(exit code 7). It wrote to stderr:\nno licence found", id="exit"),
        pytest.param("sys.exit(7)", "7\nIt wrote to stderr:\nno licence found", id="sys.exit"),
    ],
)
def test_a_start_that_fails_is_told_with_what_was_written_last(
    end: str, said: str, tmp_path: Path, emulate: Emulate
) -> None:
    (tmp_path / "main.py").write_text(f"import os, sys\nprint('no licence found', file=sys.stderr)\n{end}\n")
    emulator = emulate("main:app", cwd=tmp_path)

    assert emulator.fail(function_url(Request()))["errorMessage"].endswith(said)
    emulator.wait_for_end(1)


def test_a_start_that_is_slow_goes_on_within_the_first_invocation(folder: Path, emulate: Emulate) -> None:
    early = folder / "early"
    early.mkdir()
    (early / "sitecustomize.py").write_text(IMPATIENT)
    emulator = emulate(
        "main:app", cwd=folder, AWS_LAMBDA_INITIALIZATION_TYPE="on-demand", PYTHONPATH=str(early), SLOW=""
    )

    with ThreadPoolExecutor() as threads:
        caller = threads.submit(send, emulator)
        emulator.process.wait_for("requests the first event meanwhile")
        (folder / "go").touch()
        reply = caller.result()

    assert reply["happened"] == ["request"]
    emulator.process.wait_for("opening")  # the log may come after the reply
    assert emulator.process.text.count("opening") == 1


# After the reply


def test_the_next_event_meets_a_background_task_that_is_done(folder: Path, emulate: Emulate) -> None:
    emulator = emulate("main:app", cwd=folder)

    assert send(emulator, "/later")["happened"] == ["request"]
    assert send(emulator)["happened"] == ["request", "task", "request"]


# Freeze and thaw


def test_an_environment_goes_on_after_a_freeze(folder: Path, emulate: Emulate) -> None:
    emulator = emulate("main:app", cwd=folder)
    before = send(emulator)
    (bootstrap,) = emulator.runtimes()

    with ThreadPoolExecutor() as threads:
        with emulator.frozen():
            caller = threads.submit(send, emulator)
        between = caller.result()
        caller = threads.submit(send, emulator, "/wait")
        wait_until((folder / "waiting").exists, "the app handles the request")
        with frozen(*family(bootstrap)):
            (folder / "go").touch()
        within = caller.result()

    assert between["pid"] == before["pid"]
    assert within["happened"] == ["request"] * 3
    assert emulator.runtimes() == [bootstrap]


# Deadline


def test_what_hangs_at_the_deadline_is_shown_in_the_log_and_the_next_event_meets_a_clean_app(
    folder: Path, emulate: Emulate
) -> None:
    emulator = emulate("main:app", cwd=folder, timeout=6)
    before = send(emulator)

    assert status(emulator, "/hang") == 504
    after = send(emulator)

    assert after["pid"] != before["pid"]
    assert after["happened"] == ["request"]
    assert not runs(before["pid"])
    emulator.process.wait_for(r'main\.py", line \d+, in for_ever')
    assert "timed out" not in emulator.process.text


# Crash


@pytest.mark.parametrize("kind", ["app", "command"])
def test_a_crash_is_in_the_log_and_the_next_event_is_served(kind: str, folder: Path, emulate: Emulate) -> None:
    words = ["main:app"] if kind == "app" else ["--", sys.executable, "server.py"]
    emulator = emulate(*words, cwd=folder, AWS_LWA_PORT=free_port())
    send(emulator)
    (bootstrap,) = emulator.runtimes()

    assert status(emulator, "/die") == 502
    assert send(emulator)

    assert emulator.runtimes() == [bootstrap]
    emulator.process.wait_for(r"ERROR.*AppExited: The app ended \(exit code 7\) before it responded")
    assert "out of ink" in emulator.process.text
    if kind == "command":  # the app's own stderr is the log itself; a local run keeps the lines apart
        emulator.process.wait_for(r"It wrote to stderr:(.|\n)*out of ink")


def test_a_crash_loop_ends_the_environment(folder: Path, emulate: Emulate) -> None:
    emulator = emulate("main:app", cwd=folder)
    send(emulator)
    (bootstrap,) = emulator.runtimes()
    (folder / "main.py").write_text("raise LookupError('no licence')\n")
    assert status(emulator, "/die") == 502

    errors = [emulator.fail(function_url(Request())) for _ in range(3)]

    assert [error["errorType"] for error in errors[:2]] == ["LookupError"] * 2
    emulator.wait_for_end(1)
    wait_until(lambda: not runs(bootstrap), "the bootstrap ends")
    emulator.process.wait_for("3 times in a row")


# Stop


@pytest.mark.parametrize("kind", ["app", "command"])
def test_no_app_is_left_over_when_the_bootstrap_is_killed(kind: str, folder: Path, emulate: Emulate) -> None:
    words = ["main:app"] if kind == "app" else ["--", sys.executable, "server.py"]
    emulator = emulate(*words, cwd=folder, AWS_LWA_PORT=free_port())
    send(emulator)
    (bootstrap,) = emulator.runtimes()
    processes = family(bootstrap)

    os.kill(bootstrap, signal.SIGKILL)

    assert len(processes) == 2
    wait_until(lambda: not any(map(runs, processes)), "all end")


# SnapStart, which the local run does not emulate. AWS's emulator takes no snapshot, but answers /restore/next when it
# is told to cache inits: with the first event, which is lost. So no event can be served after a restore here.

HOOKS = """
import sys
from lambda_web_adapter import after_restore, before_snapshot

def say(what):
    print(what, file=sys.stderr, flush=True)

@before_snapshot
def before():
    say("before the snapshot")
    WHAT

@after_restore
async def after():
    say("after the restore")

def app(environ, start_response):
    start_response("200 OK", [])
    return []
"""
SNAP_START = "snap-start"


def test_the_hooks_are_called_around_the_restore(tmp_path: Path, emulate_rie: EmulateRie) -> None:
    (tmp_path / "main.py").write_text(HOOKS.replace("WHAT", ""))
    emulator = emulate_rie(
        "main:app",
        cwd=tmp_path,
        command=("--enable-init-caching", BOOTSTRAP),
        timeout=2,
        AWS_LAMBDA_INITIALIZATION_TYPE=SNAP_START,
    )

    with ThreadPoolExecutor() as threads:
        lost = threads.submit(emulator.invoke, function_url(Request()))
        emulator.process.wait_for("(?s)before the snapshot.*after the restore")
        lost.result()


def test_a_hook_that_fails_before_the_snapshot_fails_the_start(tmp_path: Path, emulate_rie: EmulateRie) -> None:
    (tmp_path / "main.py").write_text(HOOKS.replace("WHAT", "raise LookupError('no secret')"))
    emulator = emulate_rie(
        "main:app",
        cwd=tmp_path,
        command=("--enable-init-caching", BOOTSTRAP),
        AWS_LAMBDA_INITIALIZATION_TYPE=SNAP_START,
    )

    error = emulator.invoke(function_url(Request()))

    assert error.status_code == 502
    assert (error.json()["errorType"], error.json()["errorMessage"]) == ("LookupError", "no secret")
    assert emulator.exit_status() == "exit status 1"


def test_without_a_restore_the_environment_ends_and_says_why(tmp_path: Path, emulate_rie: EmulateRie) -> None:
    (tmp_path / "main.py").write_text(HOOKS.replace("WHAT", ""))
    emulator = emulate_rie("main:app", cwd=tmp_path, AWS_LAMBDA_INITIALIZATION_TYPE=SNAP_START)

    assert emulator.invoke(function_url(Request())).status_code == 502
    assert emulator.exit_status() == "exit status 2"
    emulator.process.wait_for("ERROR.*/restore/next with 404")


# Tenant

TENANT = "Acme Ltd./eu_1=x+y-z@a:b"


def test_the_tenant_of_the_invocation_reaches_the_app_and_no_forged_one(folder: Path, emulate: Emulate) -> None:
    emulator = emulate("main:app", cwd=folder)
    for source, event_of in HTTP_SOURCES.items():
        forged = event_of(Request(headers={"x-amz-tenant-id": "forged", "X-Amz-Tenant-Id": "forged too"}))

        named = read_reply(source, emulator.invoke(forged, **{"X-Amz-Tenant-Id": TENANT}))
        nameless = read_reply(source, emulator.invoke(forged))
        another = read_reply(source, emulator.invoke(forged, **{"X-Amz-Tenant-Id": "another"}))

        tenants = [json.loads(reply.text)["tenant"] for reply in (named, nameless, another)]
        assert tenants == [[TENANT], [], ["another"]], source


def test_the_tenant_goes_along_with_an_event_that_is_no_request_too(folder: Path, emulate: Emulate) -> None:
    emulator = emulate("main:app", cwd=folder)

    assert emulator.invoke(sqs("a"), **{"X-Amz-Tenant-Id": TENANT}).json() == [TENANT]
    assert emulator.invoke(sqs("a")).json() == []
