"""A log that cannot be written: it costs lines, which are counted, and neither a reply nor the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from adapter.test_app_failures import problem
from adapter.test_loop import get
from support.processes import BOOTSTRAP, SECONDS, free_port, plain_environment, wait_until

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    Where = Callable[[], AbstractContextManager[int | None]]

APP = """
import logging, time

def do(path):
    if path == "/log":
        logging.getLogger("tea").error("out of tea")
    if path == "/raise":
        raise LookupError("out of tea")
    if path == "/hang":
        time.sleep(1000)

async def app(scope, receive, send):
    assert scope["type"] == "http"
    do(scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served"})

def wsgi(environ, start_response):
    do(environ["PATH_INFO"])
    start_response("200 OK", [])
    return [b"served"]
"""

# As node does with a pipe, which is also the adapter's own stderr.
COMMAND = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/unblock":
            os.set_blocking(1, False)
        if self.path == "/much":
            os.write(2, b"much\\n" * 60_000)
        os.write(2, b"got " + self.path.encode() + b"\\n")
        self.send_response(200)
        self.send_header("content-length", "6")
        self.end_headers()
        self.wfile.write(b"served")
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def full_pipe() -> tuple[int, int]:
    """A pipe that nobody reads, and that takes no further byte."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 65536)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b".")
    os.set_blocking(writer, True)
    return reader, writer


@contextmanager
def closed() -> Iterator[None]:
    yield None


@contextmanager
def broken() -> Iterator[int]:
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@contextmanager
def without_space() -> Iterator[int]:
    with open("/dev/full", "wb") as full:
        yield full.fileno()


@contextmanager
def unread() -> Iterator[int]:
    reader, writer = full_pipe()
    yield writer
    os.close(reader)
    os.close(writer)


class Environment:
    """A bootstrap with a stderr of the test's."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        (folder / "tea.py").write_text(APP)
        (folder / "command.py").write_text(COMMAND)
        self._folder = folder
        self.api = stack.enter_context(RuntimeApi())
        self._stack = stack
        self.process: subprocess.Popen[bytes]

    def start(self, *words: str, stderr: int | None, stdout: int = subprocess.DEVNULL, **variables: str) -> None:
        """Starts it; without stderr, it is closed."""
        env = plain_environment(self.api.environ(**variables))
        program: list[str] = [sys.executable, str(BOOTSTRAP), *words]
        if stderr is None:
            program = ["sh", "-c", 'exec "$@" 2>&-', "sh", *program]
        self.process = self._stack.enter_context(
            subprocess.Popen(program, env=env, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        )
        self._stack.callback(self.process.kill)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(SECONDS)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    with ExitStack() as stack:
        yield Environment(stack, tmp_path)


EACH = pytest.mark.parametrize("where", [closed, broken, without_space, unread])


@EACH
@pytest.mark.parametrize("app", ["tea:app", "tea:wsgi"], ids=["asgi", "wsgi"])
def test_no_reply_depends_on_it(app: str, where: Where, environment: Environment) -> None:
    api = environment.api
    with where() as stderr:
        environment.start(app, stderr=stderr)
        replies = [api.invoke(get(path)).json["statusCode"] for path in ("/", "/log", "/log", "/raise", "/")]
        problem(api.invoke(get("/hang"), timeout=1.5), 504)
        after = api.invoke(get("/")).json["statusCode"]
        code = environment.stop()

    assert (replies, after) == ([200, 200, 200, 500, 200], 200)
    assert code == 0


@EACH
def test_no_reply_of_a_command_depends_on_it(where: Where, environment: Environment) -> None:
    with where() as stderr:
        environment.start("--", sys.executable, "command.py", stderr=stderr, AWS_LWA_PORT=free_port())
        replies = [environment.api.invoke(get(path)).json["body"] for path in ("/", "/much", "/")]
        code = environment.stop()

    assert replies == ["served"] * 3
    assert code == 0


class Reader:
    """Reads a pipe to its end, in a thread."""

    def __init__(self, descriptor: int) -> None:
        self.text = b""
        self._descriptor = descriptor
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while data := os.read(self._descriptor, 65536):
            self.text += data

    def wait_for(self, text: bytes) -> None:
        wait_until(lambda: text in self.text, f"{text!r} in the log")


@pytest.mark.parametrize("app", ["tea:app", "tea:wsgi"], ids=["asgi", "wsgi"])
def test_lines_that_were_dropped_are_counted(app: str, environment: Environment) -> None:
    reader, writer = full_pipe()
    environment.start(app, stderr=writer)
    for _ in range(3):
        environment.api.invoke(get("/log"))
    log = Reader(reader)
    wait_until(lambda: len(log.text) >= 65536, "room in the pipe")
    environment.api.invoke(get("/log"))

    log.wait_for(b"3 lines of the app's log before this one could not be written.\n")
    log.wait_for(b"out of tea\n")
    environment.stop()
    os.close(writer)
    assert log.text.count(b"out of tea") == 1


def test_a_stderr_that_the_app_made_non_blocking_goes_on(environment: Environment) -> None:
    reader, writer = os.pipe()
    environment.start("--", sys.executable, "command.py", stdout=writer, stderr=writer, AWS_LWA_PORT=free_port())
    for path in ("/unblock", "/much"):
        assert environment.api.invoke(get(path)).json["body"] == "served"
    log = Reader(reader)
    log.wait_for(b"much\n")
    assert environment.api.invoke(get("/later")).json["body"] == "served"

    log.wait_for(b"got /later\n")
    environment.stop()
    os.close(writer)
