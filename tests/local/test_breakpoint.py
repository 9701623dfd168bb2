"""`breakpoint()` in an app under the local run: pdb in its terminal, and no timeout while it waits."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from support.processes import SECONDS, Running, plain_environment

APP = """
import threading

def app(environ, start_response):
    value = 41
    if environ["PATH_INFO"] == "/stop":
        breakpoint()
        value += 1
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"%d" % value]

async def asgi(scope, receive, send):
    assert scope["type"] == "http"
    value = 41
    if scope["path"] == "/stop":
        breakpoint()
        value += 1
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % value})
"""
COMMAND = [sys.executable, "-m", "lambda_web_adapter", "--port", "0"]


class Terminal:
    """A local run in a terminal, in which the test types."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._end, other = pty.openpty()
        self._process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=folder,
            env=plain_environment(),
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)
        self._text = self._all = ""

    def wait_for_line(self, text: str) -> None:
        """Wait until this is printed anywhere, as by another process than the one that the test talks with."""
        deadline = time.monotonic() + SECONDS
        while text not in self._all:
            assert time.monotonic() < deadline, f"{text!r} was not printed; this was:\n{self._all}"
            self._read()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until this was printed after what the test has waited for before."""
        deadline = time.monotonic() + SECONDS
        while not (match := re.search(pattern, self._text)):
            assert time.monotonic() < deadline, f"{pattern!r} was not printed; this was:\n{self._text}"
            self._read()
        self._text = self._text[match.end() :]
        return match

    def _read(self) -> None:
        if select.select([self._end], [], [], 0.1)[0]:
            with suppress(OSError):  # the process has ended
                text = os.read(self._end, 65536).decode()
                self._text += text
                self._all += text

    def type(self, line: str) -> None:
        os.write(self._end, f"{line}\n".encode())

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(SECONDS)
        finally:
            os.close(self._end)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def request(pool: ThreadPoolExecutor, port: str) -> Future[httpx.Response]:
    return pool.submit(httpx.get, f"http://127.0.0.1:{port}/stop", timeout=SECONDS)


@pytest.mark.parametrize("app", ["main:app", "main:asgi"])
@pytest.mark.parametrize("concurrency", [[], ["--concurrency", "2"]], ids=["one at a time", "two at a time"])
def test_pdb_reads_the_terminal_and_outlasts_the_timeout(
    app: str, concurrency: list[str], tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    (tmp_path / "main.py").write_text(APP)
    terminal = Terminal(tmp_path, "--timeout", "1", *concurrency, app)
    try:
        port = terminal.wait_for(r"http://127\.0\.0\.1:(\d+)")[1]
        response = request(pool, port)
        terminal.wait_for(r"\(Pdb\) ")
        stopped_at = time.monotonic()
        while time.monotonic() < stopped_at + 1.5:  # beyond the timeout, both the adapter's and the local run's
            terminal.type("p value")
            terminal.wait_for(r"(?s)41\b.*?\(Pdb\) ")
        terminal.wait_for_line("no timeout applies to this environment any more")
        terminal.type("value = 98")
        terminal.wait_for(r"\(Pdb\) ")
        terminal.type("c")

        assert response.result().text == "99"
    finally:
        terminal.close()


def test_two_environments_use_the_terminal_one_after_the_other(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    (tmp_path / "main.py").write_text(APP)
    terminal = Terminal(tmp_path, "--strict", "main:app")
    try:
        port = terminal.wait_for(r"http://127\.0\.0\.1:(\d+)")[1]
        responses = [request(pool, port), request(pool, port)]
        for _ in responses:
            terminal.wait_for(r"main\.py\(\d+\)app\(\)[^(]*\(Pdb\) ")
            terminal.type("c")

        assert [response.result().text for response in responses] == ["42", "42"]
    finally:
        terminal.close()


def test_without_a_terminal_it_is_skipped_and_named(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    (tmp_path / "main.py").write_text(APP)
    with Running([*COMMAND, "main:app"], cwd=tmp_path) as run:
        port = run.wait_for(r"http://127\.0\.0\.1:(\d+)")[1]

        assert request(pool, port).result().text == "42"
        run.wait_for(r"breakpoint\(\) at main.py:7 was skipped: the local run has no terminal\. ")


def test_a_hook_of_the_users_own_is_called(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    (tmp_path / "main.py").write_text(APP)
    (tmp_path / "ours.py").write_text("def stop():\n    print('our own hook was called')\n")
    variables = plain_environment({"PYTHONBREAKPOINT": "ours.stop"})
    with Running([*COMMAND, "main:app"], cwd=tmp_path, env=variables) as run:
        port = run.wait_for(r"http://127\.0\.0\.1:(\d+)")[1]

        assert request(pool, port).result().text == "42"
        run.wait_for("our own hook was called")


def test_pdb_in_an_import_is_no_start_that_hangs(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(f"value = 1\nbreakpoint()\nvalue += 1\n{APP}")
    terminal = Terminal(tmp_path, "main:app")
    try:
        terminal.wait_for(r"\(Pdb\) ")
        stopped_at = time.monotonic()
        while time.monotonic() < stopped_at + 6:  # after 5 s, the log shows a start that hangs
            terminal.type("p value")
            shown = terminal.wait_for(r"(?s).*?\b1\b.*?\(Pdb\) ")[0]
            assert "has been importing" not in shown
            assert "Waiting for the app" not in shown
    finally:
        terminal.close()
