"""The command `event`, as a process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.processes import PROJECT, plain_environment

from lambda_web_adapter.local.sample_events import SAMPLES, SHORT_NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_web_adapter.local.sample_events import SampleEvent

# Runs the program, and writes to stderr what it has imported.
MODULES = """
import atexit, sys
from lambda_web_adapter.cli import main
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
main()
"""
PROGRAM = [sys.executable, "-m", "lambda_web_adapter", "event"]


def run(*argv: str, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, *argv], input=stdin, capture_output=True, env=plain_environment(), cwd=cwd)


def event(*argv: str, **kwargs: Any) -> Any:
    result = run(*argv, **kwargs)
    assert (result.returncode, result.stderr) == (0, b"")
    return json.loads(result.stdout)


def test_an_event_is_printed_with_its_fields_set() -> None:
    found = event("sqs", "--count", "2", "--set", "Records.0.body=hello", "--set-text", 'Records.1.body={"a": 1}')

    assert [record["body"] for record in found["Records"]] == ["hello", '{"a": 1}']


def test_each_event_has_ids_and_a_time_of_its_own() -> None:
    first, second = event("eventbridge"), event("eventbridge")

    assert first["id"] != second["id"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["time"])
    assert first["time"] <= second["time"]


def test_an_http_event_is_about_the_request_on_the_command_line() -> None:
    found = event(
        *("http-api", "--path", "/a b?x=1", "--query", "y=ü", "-X", "put"),
        *("-H", "X-Tag: one", "-H", "Accept: text/html", "-d", "hello"),
    )

    assert (found["rawPath"], found["rawQueryString"]) == ("/a b", "x=1&y=%C3%BC")
    assert (found["requestContext"]["http"]["method"], found["body"]) == ("PUT", "hello")
    assert found["headers"].items() >= {"x-tag": "one", "accept": "text/html", "content-type": "text/plain"}.items()


def test_a_body_comes_from_a_file_or_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"\x89PNG")

    assert event("alb", "--body", "@image", cwd=tmp_path)["body"] == "iVBORw=="
    found = event("alb", "--body", "@-", stdin=b'{"a":1}')
    assert (found["httpMethod"], found["headers"]["content-type"]) == ("POST", "application/json")


def test_text_outside_ascii_is_readable() -> None:
    assert '"body": "grün"'.encode() in run("sqs", "--set", "Records.0.body=grün").stdout


def test_the_list_has_a_line_for_each_event() -> None:
    lines = run("--list").stdout.decode().splitlines()

    assert [line.split()[0] for line in lines] == list(SAMPLES)
    assert {name for line in lines for name in re.findall(r"\(also (.*)\)", line)} == SHORT_NAMES.keys()
    assert [line.split()[0] for line in run("--list", "s3").stdout.decode().splitlines()] == [
        name for name in SAMPLES if "s3" in name
    ]


def test_the_page_lists_the_same_events() -> None:
    page = (PROJECT / "docs" / "events-and-invoke.md").read_text()

    rows = [line for line in page.splitlines() if re.match(r"\| `[a-z0-9-]+`.*\| `[a-z0-9-]+` \|", line)]
    assert rows == [_row(sample) for sample in SAMPLES.values()]


def _row(sample: SampleEvent) -> str:
    """A line of the page's table."""
    names = [sample.name, *(short for short, name in SHORT_NAMES.items() if name == sample.name)]
    options = [f"--{part}" for part in ("method", "path", "query", "header", "body") if part in sample.parts]
    options += ["--count"] if sample.repeats else []
    shown = ", ".join(f"`{option}`" for option in options)
    return f"| {', '.join(f'`{name}`' for name in names)} | {sample.title} | {shown} | `{sample.source}` |"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        pytest.param([], "Name a source, such as sqs; --list shows all.", id="no name"),
        pytest.param(["sqz"], "There is no sample event 'sqz'. Did you mean sqs?", id="a misspelled name"),
        pytest.param(["fifo"], "Did you mean sqs-fifo?", id="a part of a name"),
        pytest.param(["sns", "--count", "2"], "sns has one record only: leave --count out.", id="a second record"),
        pytest.param(["sqs", "--path", "/"], "sqs is not about an HTTP request: leave --path out.", id="a path"),
        pytest.param(
            ["websocket", "--path", "/", "-d", "x"], "takes --body: leave --path out.", id="a path of a WebSocket API"
        ),
        pytest.param(["sqs", "--set", "Records"], "'Records' is not a field and a value", id="a field without a value"),
        pytest.param(
            ["sqs", "--set", "Records.x=1"],
            "--set Records.x: Records is a list, whose items are 0 to 1 (a new one), but not 'x'.",
            id="a name in a list",
        ),
        pytest.param(["alb", "-H", "x"], "--header 'x' is not a name and a value", id="half a header"),
        pytest.param(["alb", "-d", "@nothing"], "nothing cannot be read: No such file or directory.", id="no file"),
    ],
)
def test_wrong_arguments_are_explained(argv: list[str], message: str, tmp_path: Path) -> None:
    result = run(*argv, cwd=tmp_path)

    assert (result.returncode, result.stdout) == (2, b"")
    assert message in result.stderr.decode()


@pytest.mark.parametrize("argv", [["--help"], ["--list"], ["sqs"]])
def test_pydantic_and_httpx_are_not_imported(argv: list[str]) -> None:
    """They would take longer than all else."""
    result = subprocess.run(
        [sys.executable, "-c", MODULES, "event", *argv], capture_output=True, text=True, env=plain_environment()
    )

    assert "lambda_web_adapter.local.commands.event" in result.stderr.split()
    assert {"httpx", "pydantic", "uvicorn"}.isdisjoint(result.stderr.split())
