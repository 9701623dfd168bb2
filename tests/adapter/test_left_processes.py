"""What an app leaves when it dies, or goes on without its server: nothing waits for it, and nothing of it stays."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import bootstrap, on_lambda
from adapter.test_app_failures import problem
from adapter.test_loop import body, get
from support.processes import BOOTSTRAP, Running, accepts, free_port, runs, wait_until

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

APP = """
import asyncio, json, os, signal, threading

def forked(daemon=False, session=False):
    reader, writer = os.pipe()
    if os.fork() == 0:
        if session:
            os.setsid()
        if not daemon or os.fork() == 0:
            os.write(writer, str(os.getpid()).encode())
            os.close(1), os.close(2)  # so that the end of the log does not wait for it
            while True:
                signal.pause()
        os._exit(0)
    return int(os.read(reader, 20))

def parent_of_orphans():
    reader, writer = os.pipe()
    if os.fork() == 0:
        child = os.getpid()
        if os.fork() == 0:
            while os.getppid() == child:
                os.sched_yield()
            os.write(writer, str(os.getppid()).encode())
        os._exit(0)
    os.wait()
    return int(os.read(reader, 20))

def answer(path):
    found = {"pid": os.getpid()}
    if "fork" in path:
        found["child"] = forked(daemon="daemon" in path, session="session" in path)
        with open("child", "w") as file:
            file.write(str(found["child"]))
    if "die" in path.split("/"):
        os.kill(os.getpid(), signal.SIGKILL)
    if "linger" in path:
        threading.Thread(target=threading.Event().wait).start()
    return json.dumps(found).encode()

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    data = answer(scope["path"])
    if "stop" in scope["path"]:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(1000)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(data))]})
    await send({"type": "http.response.body", "body": data})
    if "die-after" in scope["path"]:
        os.kill(os.getpid(), signal.SIGKILL)

class Result(list):
    def close(self):
        os.kill(os.getpid(), signal.SIGKILL)

def wsgi(environ, start_response):
    data = answer(environ["PATH_INFO"])
    start_response("200 OK", [("content-length", str(len(data)))])
    return Result([data]) if "die-after" in environ["PATH_INFO"] else [data]

if os.path.exists("fork-at-import"):
    while parent_of_orphans() != os.getppid():
        pass  # as an import that takes longer than that of the adapter
    forked()
    os.kill(os.getpid(), signal.SIGKILL)
"""
LONG = 100  # seconds of an invocation, far more than a test waits
WORKERS = {"single": "1", "concurrent": "2"}


class Environment:
    """A bootstrap with an app in a folder of its own."""

    def __init__(self, stack: ExitStack, folder: Path, workers: str) -> None:
        (folder / "leaving.py").write_text(APP)
        self._stack = stack
        self.folder = folder
        self.workers = workers
        self.api = stack.enter_context(RuntimeApi(concurrent=workers != "1"))
        self.process: Running

    def start(self, *words: str, **variables: str) -> None:
        variables["AWS_LAMBDA_MAX_CONCURRENCY"] = self.workers
        self.process = self._stack.enter_context(bootstrap(self.api, *words, cwd=self.folder, **variables))

    def pid(self, path: str = "/") -> int:
        found: int = body(self.api.invoke(get(path)))["pid"]
        return found

    @property
    def child(self) -> int:
        return int((self.folder / "child").read_text())


@pytest.fixture(params=WORKERS)
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Environment]:
    with ExitStack() as stack:
        yield Environment(stack, tmp_path, WORKERS[request.param])


@pytest.fixture(params=["leaving:app", "leaving:wsgi"], ids=["asgi", "wsgi"])
def app(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def ended(process: RuntimeApi | int) -> None:
    assert isinstance(process, int)
    wait_until(lambda: not runs(process), f"the end of {process}")


# The server is gone, but the process lives.


def test_an_app_whose_server_was_stopped_alone_is_started_again(environment: Environment, app: str) -> None:
    port = free_port()
    environment.start(app, AWS_LWA_PORT=port)
    before = environment.pid("/linger")

    os.kill(before, signal.SIGTERM)
    wait_until(lambda: not accepts(f"127.0.0.1:{port}"), "the end of the server")
    after = {environment.pid() for _ in range(3)}

    assert len(after) == 1
    assert before not in after
    ended(before)


def test_an_app_whose_event_loop_was_stopped_is_started_again(environment: Environment) -> None:
    environment.start("leaving:app")
    before = environment.pid("/linger")

    problem(environment.api.invoke(get("/stop"), timeout=LONG), 502)
    after = {environment.pid() for _ in range(3)}

    assert before not in after
    ended(before)


DEAF = """
import http.server, json, os, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        data = json.dumps({"pid": os.getpid()}).encode()
        if self.path == "/deaf":
            self.server.socket.close()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        if self.path == "/deaf":
            self.wfile.flush()
            self.connection.close()
            threading.Event().wait()

    def log_message(self, *args):
        pass

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.mark.parametrize("shell", [False, True], ids=["itself", "behind a shell"])
def test_a_command_that_listens_no_more_is_started_again(shell: bool, environment: Environment) -> None:
    (environment.folder / "deaf.py").write_text(DEAF)
    command = ["sh", "-c", f"{sys.executable} deaf.py; exit $?"] if shell else [sys.executable, "deaf.py"]
    environment.start("--", *command)
    before = environment.pid("/deaf")

    found = problem(environment.api.invoke(get("/")), 502)
    after = {environment.pid() for _ in range(2)}

    assert found["errorType"] == "Function.AppUnreachable"
    assert before not in after
    ended(before)


# The process is gone, but one that it has started holds what it had.


@pytest.mark.parametrize("how", ["fork", "fork-session", "fork-daemon", "fork-daemon-session"])
def test_an_app_that_dies_beside_its_child_is_a_502_at_once(how: str, environment: Environment, app: str) -> None:
    environment.start(app)
    before = environment.pid()

    found = problem(environment.api.invoke(get(f"/{how}/die"), timeout=LONG), 502)

    assert found["errorType"] == "Runtime.AppExited"
    assert "signal SIGKILL" in found["message"]
    ended(environment.child)
    assert environment.pid() != before


def test_an_app_that_dies_after_its_response_does_not_hold_up_the_next_event(
    environment: Environment, app: str
) -> None:
    environment.start(app)
    asked = int(environment.workers)
    environment.api.wait_for_call("next", asked)

    before = json.loads(environment.api.invoke(get("/fork/die-after"), timeout=LONG).json["body"])["pid"]

    environment.api.wait_for_call("next", asked + 1)
    ended(environment.child)
    assert environment.pid() != before


def test_an_app_that_dies_in_its_import_is_told_at_once(environment: Environment, app: str) -> None:
    (environment.folder / "fork-at-import").touch()
    environment.start(app)

    told = environment.api.wait_for_call("init/error")

    assert told.json["errorType"] == "Runtime.AppStartFailed"
    assert "signal SIGKILL" in told.json["errorMessage"]
    assert environment.process.wait() == 1


def test_an_app_that_dies_between_two_events_gets_its_port_again(environment: Environment, app: str) -> None:
    environment.start(app, AWS_LWA_PORT=free_port())
    before = environment.pid("/fork")
    child = environment.child

    os.kill(before, signal.SIGKILL)
    ended(before)

    assert environment.pid() != before
    ended(child)


def test_an_app_whose_port_somebody_else_has_taken_is_given_up(environment: Environment, app: str) -> None:
    port = free_port()
    environment.start(app, AWS_LWA_PORT=port)
    before = environment.pid()
    os.kill(before, signal.SIGKILL)
    ended(before)

    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", int(port)))
        taken.listen()
        outcomes = [environment.api.invoke(get("/")) for _ in range(3)]

        assert {outcome.name for outcome in outcomes} == {"error"}
        assert "Address already in use" in outcomes[0].json["errorMessage"]
        assert environment.process.wait() == 1


def test_the_children_of_an_app_that_hangs_are_ended_with_it(environment: Environment) -> None:
    (environment.folder / "hanging.py").write_text(
        "import threading, leaving\n"
        "async def app(scope, receive, send):\n"
        "    if scope.get('path') == '/hang':\n"
        "        threading.Event().wait()\n"
        "    await leaving.app(scope, receive, send)\n"
    )
    environment.start("hanging:app")
    environment.pid("/fork-session")

    problem(environment.api.invoke(get("/hang"), timeout=1.5), 504)
    environment.process.wait_for("the next event restarts it")

    environment.pid()
    ended(environment.child)


def test_what_is_not_the_app_s_is_left_alone(tmp_path: Path) -> None:
    """A wrapper script's background process is the bootstrap's child too, since the script becomes the bootstrap."""
    (tmp_path / "leaving.py").write_text(APP)
    script = (
        f'sh -c "while :; do sleep 1; done" >/dev/null 2>&1 & echo $! > agent; exec {sys.executable} {BOOTSTRAP} "$@"'
    )
    with RuntimeApi() as api:
        command: list[str | Path] = ["sh", "-c", script, "wrapper", "leaving:wsgi"]
        with Running(command, env=on_lambda(api, tmp_path, {}), cwd=tmp_path, at_end=api.set_runtime_ended) as process:
            before: Any = json.loads(api.invoke(get("/fork")).json["body"])
            agent = int((tmp_path / "agent").read_text())
            try:
                problem(api.invoke(get("/die"), timeout=LONG), 502)
                body(api.invoke(get("/")))
                assert not runs(before["child"])
                assert process.terminate() == 0
                assert runs(agent)
            finally:
                os.kill(agent, signal.SIGKILL)
