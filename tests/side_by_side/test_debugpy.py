"""Breakpoints of an editor in views under the local run, by the configurations in docs/debugging.md."""

from __future__ import annotations

import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.debug_adapter import SECONDS, Editor
from support.processes import PROJECT, Running, free_port, plain_environment

pytest.importorskip("debugpy")

PAGE = PROJECT / "docs/debugging.md"
# A breakpoint in a view of each example: the line's beginning, the view, its path, a variable and its value.
VIEWS = [
    pytest.param(
        "flask_app", 'return render_template("index.html"', "index", "/?q=soup", ("query", "'soup'"), id="flask"
    ),
    pytest.param(
        "fastapi_app", "return store.search(", "list_varieties", "/varieties?limit=7", ("limit", "7"), id="fastapi"
    ),
]


def configurations() -> dict[str, dict[str, Any]]:
    """The configurations in the page's launch.json, by their requests."""
    text = re.search(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert text
    return {each["request"]: each for each in json.loads(text[1])["configurations"]}


def line_of(file: Path, start: str) -> int:
    return next(
        number for number, line in enumerate(file.read_text().splitlines(), 1) if line.strip().startswith(start)
    )


def stop_and_go_on(editor: Editor, url: str, view: str, variable: tuple[str, str]) -> None:
    """Request a page, look at a variable for longer than the timeout, and get the page."""
    with ThreadPoolExecutor() as pool:
        response = pool.submit(httpx.get, url, timeout=SECONDS)
        stop = editor.wait_for_stop()
        stopped_at = time.monotonic()
        assert stop.frame["name"] == view
        while time.monotonic() < stopped_at + 3.5:
            assert stop.evaluate(variable[0]) == variable[1]
        stop.go_on()
        assert response.result().status_code == 200


@pytest.mark.parametrize(("app", "line", "view", "path", "variable"), VIEWS)
def test_launched_by_an_editor_a_breakpoint_in_a_view_is_hit(
    app: str, line: str, view: str, path: str, variable: tuple[str, str]
) -> None:
    folder = PROJECT / "examples" / app
    configuration = configurations()["launch"]
    arguments = ["--port", "0", "--timeout", "3", *configuration["args"]]
    changed = {"args": arguments, "cwd": str(folder), "python": [sys.executable], "console": "internalConsole"}
    with Editor(folder / "main.py", line_of(folder / "main.py", line)) as editor:
        editor.launch({**configuration, **changed})
        port = editor.wait_for_output(r"http://127\.0\.0\.1:(\d+)")[1]

        stop_and_go_on(editor, f"http://127.0.0.1:{port}{path}", view, variable)

        assert "no timeout applies to this environment any more" in editor.output


@pytest.mark.parametrize(("app", "line", "view", "path", "variable"), VIEWS)
def test_attached_to_a_local_run_a_breakpoint_in_a_view_is_hit(
    app: str, line: str, view: str, path: str, variable: tuple[str, str]
) -> None:
    folder = PROJECT / "examples" / app
    port = free_port()
    command = [sys.executable, "-m", "debugpy", "--listen", f"127.0.0.1:{port}", "--wait-for-client"]
    command += ["-m", "lambda_web_adapter", "--port", "0", "--timeout", "3", "main:app"]
    configuration = {**configurations()["attach"], "connect": {"host": "127.0.0.1", "port": int(port)}}
    with (
        Running(command, cwd=folder, env=plain_environment()) as run,
        Editor(folder / "main.py", line_of(folder / "main.py", line)) as editor,
    ):
        editor.attach("127.0.0.1", int(port), configuration)
        served = run.wait_for(r"http://127\.0\.0\.1:(\d+)")[1]

        stop_and_go_on(editor, f"http://127.0.0.1:{served}{path}", view, variable)
