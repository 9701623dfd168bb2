"""Whom SIGTERM goes to when an app consists of several processes: its own, and the others only if they outlive it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from adapter.conftest import on_lambda
from adapter.test_loop import get
from support.processes import Running, free_port, runs, wait_until

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The bootstrap with more time than the 300 ms that Lambda leaves it, so that a busy machine can do what it has to.
PATIENT = """
import sys
from lambda_web_adapter import cli
from lambda_web_adapter.adapter.process import stop
stop._STOP_SECONDS, stop._WORKERS_SECONDS = 14.0, float(sys.argv[1])
cli.main(sys.argv[2:])
"""
# A server that writes down how it ends.
SERVER = """
import http.server, os, pathlib, signal, sys, threading

def note(what):
    with open("notes", "a") as file:
        file.write(what + chr(10))

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass

def serve():
    server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
    pathlib.Path("server").write_text(str(os.getpid()))
    server.serve_forever()
"""
# As servers with workers do it (Hypercorn): the parent has the worker end in order, and a worker that gets the signal
# itself just dies.
LEADER = """
from server import *

reader, writer = os.pipe()
if os.fork() == 0:
    os.close(writer)
    threading.Thread(target=serve, daemon=True).start()
    os.read(reader, 1)
    note("lifespan shutdown")
    os._exit(0)
os.close(reader)

def stop(number, frame):
    os.close(writer)

signal.signal(signal.SIGTERM, stop)
os.wait()
note("leader ends")
"""
# A server of its own, which ends in order when it gets the signal.
ALONE = """
from server import *

def stop(number, frame):
    note("server ends")
    os._exit(0)

signal.signal(signal.SIGTERM, stop)
serve()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"server.py": SERVER, "leader.py": LEADER, "alone.py": ALONE}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    with RuntimeApi() as api:
        yield api


def notes_of_a_stop(api: RuntimeApi, folder: Path, command: list[str], for_others: float) -> list[str]:
    """Starts a command, has it serve a request, stops it; returns what it has noted."""
    program = [sys.executable, "-c", PATIENT, str(for_others), "--", *command]
    variables = on_lambda(api, folder, {"AWS_LWA_PORT": free_port()})
    with Running(program, env=variables, cwd=folder, at_end=api.set_runtime_ended) as process:
        assert api.invoke(get("/")).json["statusCode"] == 200
        server = int((folder / "server").read_text())
        assert process.terminate() == 0
        wait_until(lambda: not runs(server), "the end of the server")
        assert "it is killed" not in process.text
    return (folder / "notes").read_text().splitlines()


@pytest.mark.parametrize("shell", [False, True], ids=["itself", "behind a shell"])
def test_the_workers_of_a_server_get_no_signal(shell: bool, api: RuntimeApi, folder: Path) -> None:
    command = ["sh", "-c", f"{sys.executable} leader.py; exit $?"] if shell else [sys.executable, "leader.py"]

    notes = notes_of_a_stop(api, folder, command, for_others=0.1)

    assert notes == ["lifespan shutdown", "leader ends"]


def test_a_server_that_outlives_its_shell_gets_the_signal(api: RuntimeApi, folder: Path) -> None:
    command = ["sh", "-c", f"{sys.executable} alone.py; exit $?"]

    assert notes_of_a_stop(api, folder, command, for_others=0.1) == ["server ends"]


def test_a_server_whose_shell_does_not_hand_on_the_signal_gets_it_in_time(api: RuntimeApi, folder: Path) -> None:
    """A shell with a trap waits for its command before it runs it."""
    command = ["sh", "-c", f"trap 'echo trapped >> notes' TERM; {sys.executable} alone.py; exit 0"]

    assert notes_of_a_stop(api, folder, command, for_others=13.9) == ["server ends", "trapped"]
