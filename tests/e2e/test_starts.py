"""Ways to say what is to run, and starts that fail, under the Runtime Interface Emulator and in the local run."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from e2e.events import Request, function_url
from e2e.replies import read_reply
from support.processes import PROJECT, free_port

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.conftest import AnyEmulator, Emulate, EmulateRie

pytestmark = pytest.mark.e2e

# An app that says who it is.
WSGI = """
def {name}(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"{text}"]
"""
# Listens on the port that it is told, and on no other.
SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"command, {self.headers['x-forwarded-proto']}, {self.path}".encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def text_of(emulator: AnyEmulator, path: str = "/") -> str:
    reply = read_reply("function-url", emulator.invoke(function_url(Request(path=path))))
    assert reply.status == 200
    return reply.text


def failure(emulator: AnyEmulator) -> dict[str, Any]:
    """Invokes a function whose start fails: a quick and readable answer, and an end with an exit code."""
    began = time.monotonic()
    document = emulator.fail(function_url(Request()))

    assert time.monotonic() - began < 10
    emulator.wait_for_end(1)
    assert sorted(document) == ["errorMessage", "errorType", "stackTrace"]
    return document


def write(folder: Path, name: str, text: str, mode: int = 0o644) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A function's folder with an app, another app, a server, and a script that starts it."""
    write(tmp_path, "main.py", WSGI.format(name="app", text="main:app"))
    write(tmp_path, "other.py", WSGI.format(name="application", text="other:application"))
    write(tmp_path, "server.py", SERVER)
    write(tmp_path, "run.sh", f"#!/bin/sh\nexec {sys.executable} server.py\n", 0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "variables", "text"),
    [
        pytest.param([], {}, "main:app", id="nothing"),
        pytest.param(["other:application"], {"_HANDLER": "main:app"}, "other:application", id="word"),
        pytest.param([], {"_HANDLER": "other:application"}, "other:application", id="handler"),
        pytest.param([], {"_HANDLER": "other.application"}, "other:application", id="handler with a dot"),
        pytest.param([], {"_HANDLER": "run.sh"}, "command, https, /", id="handler that is a script"),
        pytest.param([], {"_HANDLER": "bootstrap"}, "main:app", id="handler that is no name"),
        pytest.param(["run.sh"], {"PORT": "free"}, "command, https, /", id="word that is a script"),
        pytest.param([], {"AWS_LWA_APP": "other:application"}, "other:application", id="setting"),
        pytest.param(
            [], {"AWS_LWA_APP": "other:application", "_HANDLER": "main:app"}, "other:application", id="setting wins"
        ),
        pytest.param(
            ["main:app"],
            {"AWS_LWA_APP": "other:application", "_HANDLER": "other:application"},
            "main:app",
            id="word wins",
        ),
        pytest.param(["--", sys.executable, "server.py"], {"AWS_LWA_PORT": "free"}, "command, https, /", id="command"),
        pytest.param(
            ["--", "./run.sh"], {"AWS_LWA_APP": "main:app", "PORT": "free"}, "command, https, /", id="command wins"
        ),
    ],
)
def test_what_runs_is_what_was_named(
    words: list[str], variables: dict[str, Any], text: str, folder: Path, emulate: Emulate
) -> None:
    port = free_port()  # for commands, as 8080 may be another test run's
    variables = {name: port if value == "free" else value for name, value in variables.items()}

    assert text_of(emulate(*words, cwd=folder, **variables)) == text


@pytest.mark.parametrize(
    ("module", "name"),
    [("app", "application"), ("wsgi", "create_app")],
)
def test_an_app_that_nobody_names_is_discovered(module: str, name: str, tmp_path: Path, emulate: Emulate) -> None:
    text = WSGI.format(name="made" if name == "create_app" else name, text="found")
    write(tmp_path, f"{module}.py", text + ("\ndef create_app():\n    return made\n" if name == "create_app" else ""))

    assert text_of(emulate(cwd=tmp_path)) == "found"


def test_the_wrapper_of_a_managed_runtime_drops_its_command_line(folder: Path, emulate_rie: EmulateRie) -> None:
    """With AWS_LAMBDA_EXEC_WRAPPER the runtime executes `wrapper PYTHON /var/runtime/bootstrap.py`.

    The wrapper is the file `bootstrap`, which a local run does not execute.
    """
    emulator = emulate_rie(sys.executable, "/var/runtime/bootstrap.py", cwd=folder, _HANDLER="other:application")

    assert text_of(emulator) == "other:application"


def test_an_app_that_raises_on_import_is_told_with_its_exception(tmp_path: Path, emulate: Emulate) -> None:
    write(tmp_path, "main.py", "import json\n\ndatabase = {}['DATABASE_URL']\n")
    emulator = emulate("main:app", cwd=tmp_path)

    document = failure(emulator)

    assert document["errorType"] == "KeyError"
    assert document["errorMessage"] == "'DATABASE_URL'"
    assert any(f'{tmp_path}/main.py", line 3' in line for line in document["stackTrace"])
    emulator.process.wait_for("KeyError: 'DATABASE_URL'")


def test_a_start_that_failed_once_may_succeed_the_next_time(tmp_path: Path, emulate: Emulate) -> None:
    emulator = emulate("main:app", cwd=tmp_path)
    assert failure(emulator)["errorType"] == "Runtime.AppNotFound"
    write(tmp_path, "main.py", WSGI.format(name="app", text="now"))

    assert text_of(emulator) == "now"


def test_a_module_that_is_missing_is_named(tmp_path: Path, emulate: Emulate) -> None:
    write(tmp_path, "wsgi_app.py", "")

    document = failure(emulate("main:app", cwd=tmp_path))

    assert document["errorType"] == "Runtime.AppNotFound"
    assert "'main'" in document["errorMessage"]
    assert "wsgi_app" in document["errorMessage"]


LIFESPAN = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    raise ConnectionError("no database at db:5432")
    yield

app = FastAPI(lifespan=lifespan)
"""


def test_a_lifespan_startup_that_fails_is_told_with_its_exception(tmp_path: Path, emulate: Emulate) -> None:
    write(tmp_path, "main.py", LIFESPAN)

    document = failure(emulate("main:app", cwd=tmp_path))

    assert document["errorType"] == "ConnectionError"
    assert document["errorMessage"] == "no database at db:5432"


@pytest.mark.parametrize(
    ("command", "kind", "said"),
    [
        pytest.param(["no-such-server"], "Runtime.AppStartFailed", "no-such-server", id="not found"),
        pytest.param(["sh", "-c", "exit 3"], "Runtime.AppStartFailed", "exit code 3", id="ends at once"),
    ],
)
def test_a_command_that_does_not_start_is_told(
    command: list[str], kind: str, said: str, tmp_path: Path, emulate: Emulate
) -> None:
    document = failure(emulate("--", *command, cwd=tmp_path))

    assert document["errorType"] == kind
    assert said in document["errorMessage"]


def test_a_setting_that_is_wrong_is_named(folder: Path, emulate_rie: EmulateRie) -> None:
    """A local run checks the settings itself, and does not start."""
    document = failure(emulate_rie("main:app", cwd=folder, AWS_LWA_PORT="http"))

    assert document["errorType"] == "Runtime.InvalidSettings"
    assert "AWS_LWA_PORT" in document["errorMessage"]


def test_nothing_to_run_is_explained(tmp_path: Path, emulate: Emulate) -> None:
    document = failure(emulate(cwd=tmp_path))

    assert document["errorType"] == "Runtime.AppNotFound"
    assert "AWS_LWA_APP" in document["errorMessage"]


def test_an_example_is_found_without_being_named(emulate: Emulate) -> None:
    assert "Seed library" in text_of(emulate(cwd=PROJECT / "examples" / "fastapi_app"))
