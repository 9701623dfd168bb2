"""The app's process, seen from the adapter: what another thread, or a signal, may do at any moment."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from threading import Thread
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from adapter.conftest import on_lambda
from adapter.test_app_failures import problem
from adapter.test_loop import body, error_type, get
from support.processes import Running, free_port, runs, wait_until

from lambda_web_adapter.adapter.process.app_process import AppProcess
from lambda_web_adapter.adapter.process.control_channel import ControlChannel
from lambda_web_adapter.ipc.control_protocol import STOPPING, encode
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from lambda_web_adapter.testing.runtime_api import RuntimeApi


def signalled(step: int) -> tuple[list[int], bool]:
    """Stops an app whose end another thread notices before this line is run.

    Returns:
        The processes that are signalled, and whether there is such a line.
    """
    process = subprocess.Popen(["sleep", "100"])
    app = AppProcess(Settings(), ["sleep"], mock.Mock())
    app.pid = process.pid
    pids: list[int] = []
    lines = 0

    def notice_end(frame: FrameType, event: str, _: object) -> Any:
        nonlocal lines
        lines += event == "line"
        if lines == step and not app._lock.locked():
            process.kill()
            wait_until(lambda: not runs(process.pid), "the end of the process")
            other = Thread(target=app.has_ended)
            other.start()
            other.join()
        return notice_end

    def kill(pid: int, number: int, kill: Callable[[int, int], None] = os.kill) -> None:
        if number == signal.SIGTERM:
            pids.append(pid)
        else:
            kill(pid, number)

    before = sys.gettrace()
    with mock.patch.object(os, "kill", kill):
        sys.settrace(notice_end)
        app.terminate()
        sys.settrace(before)
    process.kill()
    process.wait()
    return pids, lines >= step


def test_an_app_that_ends_while_it_is_to_be_stopped_is_not_signalled_as_a_group() -> None:
    """Process 0 would be the adapter's group; while the app starts, another thread waits for it."""
    step = 1
    pids, goes_on = signalled(step)
    while goes_on:
        step += 1
        pids, goes_on = signalled(step)
        assert 0 not in pids
    assert step > 3
    assert len(pids) == 1


# The bootstrap; a file in its folder makes the start of another process go as its name says.
STARTS = """
import json, os, resource, signal, sys, time  # json for the error, since no file can be opened
from lambda_web_adapter import cli

started = 0

def fork(fork=os.fork):
    global started
    started = fork()
    if started == 0 and os.path.exists("fails"):
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    stop("right after the fork")
    return started

def close(descriptor, close=os.close):
    stop("later")
    close(descriptor)

def stop(when):
    if started and os.path.exists(when):
        while not os.path.exists(f"started-{started}"):
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGTERM)

stop.__globals__["__name__"] = "lambda_web_adapter.starts"  # in other code, the signal would be handled later
os.fork, os.close = fork, close
cli.main(sys.argv[1:])
"""
COMMAND = """
import http.server, os, pathlib, signal

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            os._exit(1)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

def stop(*_):
    pathlib.Path(f"stopped-{os.getpid()}").touch()
    os._exit(0)

signal.signal(signal.SIGTERM, stop)
pathlib.Path(f"started-{os.getpid()}").touch()
while os.path.exists("right after the fork"):  # its port is not free yet
    signal.pause()
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
APP = """
import os
import re

def app(environ, start_response):
    if environ["PATH_INFO"] == "/die":
        os._exit(1)
    start_response("200 OK", [("content-length", "2")])
    return [b"{}"]
"""
KINDS = {"command": ["--", sys.executable, "command.py"], "app": ["app:app"]}


def starting(api: RuntimeApi, folder: Path, kind: str) -> Running:
    """Starts the bootstrap above."""
    (folder / "command.py").write_text(COMMAND)
    (folder / "app.py").write_text(APP)
    return Running(
        [sys.executable, "-c", STARTS, *KINDS[kind]],
        env=on_lambda(api, folder, {"AWS_LWA_PORT": free_port()}),
        cwd=folder,
        at_end=api.set_runtime_ended,
    )


@pytest.mark.parametrize("when", ["right after the fork", "later"])
def test_sigterm_while_an_app_is_started_again_reaches_it(when: str, api: RuntimeApi, tmp_path: Path) -> None:
    with starting(api, tmp_path, "command") as process:
        problem(api.invoke(get("/die")), 502)
        (tmp_path / when).touch()
        api.queue_event(get("/"))

        assert process.wait() == 0

    assert len(list(tmp_path.glob("started-*"))) == 2
    assert len(list(tmp_path.glob("stopped-*"))) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_fork_that_cannot_become_the_app_is_no_second_adapter(kind: str, api: RuntimeApi, tmp_path: Path) -> None:
    with starting(api, tmp_path, kind):
        problem(api.invoke(get("/die")), 502)
        (tmp_path / "fails").touch()
        failed = api.invoke(get("/"))
        (tmp_path / "fails").unlink()

        assert error_type(failed) == "Runtime.AppStartFailed"
        assert re.search("cannot be (executed|started): Too many open files", failed.json["errorMessage"])
        assert body(api.invoke(get("/"))) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_fork_that_cannot_become_the_app_is_an_error_of_the_start(
    kind: str, api: RuntimeApi, tmp_path: Path
) -> None:
    (tmp_path / "fails").touch()
    with starting(api, tmp_path, kind) as process:
        failed = api.wait_for_call("init/error")

        assert failed.json["errorType"] == "Runtime.AppStartFailed"
        assert re.search("cannot be (executed|started): Too many open files", failed.json["errorMessage"])
        assert process.wait() == 1


class StoppingMeanwhile(ControlChannel):
    """A channel whose other end sends STOPPING, and closes, after the first look at it."""

    other: socket.socket | None

    def is_stopping(self) -> bool:
        return self._seen(super().is_stopping())

    def has_closed(self) -> bool:
        return self._seen(super().has_closed())

    def _seen(self, answer: bool) -> bool:
        if self.other:
            self.other.sendall(encode(STOPPING))
            self.other.close()
            self.other = None
        return answer


def test_a_server_that_stops_between_two_looks_has_not_failed() -> None:
    own, other = socket.socketpair()
    app = AppProcess(Settings(), [], mock.Mock())
    app.control = channel = StoppingMeanwhile(own, lambda: False)
    channel.other = other

    app._check_server()

    assert app.unreachable_since
    assert not app._has_broken_off
    channel.close()
