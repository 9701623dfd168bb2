"""`lambda-web-adapter logs` beside a local run: what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from support.processes import Running, free_port, plain_environment, wait_until

from lambda_web_adapter.local.commands.logs import format_record
from lambda_web_adapter.local.records.conversion import to_detail, to_summary
from lambda_web_adapter.local.records.records import FAILED, REJECTED, SUCCEEDED, Records

PROGRAM = [sys.executable, "-m", "lambda_web_adapter"]
APP = """
import os, signal


def app(environ, start_response):
    print("the app saw", environ["PATH_INFO"], flush=True)
    if environ["PATH_INFO"] == "/exit":
        os.kill(os.getppid(), signal.SIGKILL)
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"ok"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(APP)
    return tmp_path


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    return plain_environment({"XDG_RUNTIME_DIR": str(folder / "runtime")})


@pytest.fixture
def run(folder: Path, environment: dict[str, str]) -> Iterator[Running]:
    with Running([*PROGRAM, "--port", "0", "main:app"], cwd=folder, env=environment) as running:
        yield running


@pytest.fixture
def client(run: Running) -> Iterator[httpx.Client]:
    url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as found:
        yield found


def logs(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, "logs", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def records(environment: dict[str, str], *arguments: str) -> list[dict[str, Any]]:
    lines = logs(environment, "--json", *arguments).stdout.splitlines()
    return [json.loads(line) for line in lines]


def wait_for_end(environment: dict[str, str], count: int) -> None:
    """Wait until so many invocations have ended: their responses come before."""
    wait_until(
        lambda: [each["is_complete"] for each in records(environment)] == [True] * count, "the invocations have ended"
    )


def test_it_prints_a_line_for_each_invocation(client: httpx.Client, environment: dict[str, str]) -> None:
    client.get("/first")
    client.get("/second?x=1")
    wait_for_end(environment, 2)

    result = logs(environment)

    assert result.returncode == 0
    first, second = result.stdout.splitlines()
    assert (first.split()[0], second.split()[0]) == ("#1", "#2")
    assert " GET /first 200 " in first
    assert first.endswith((", environment 1", " ms"))
    assert " GET /second?x=1 200 " in second
    assert logs(environment, "--last", "1").stdout.splitlines() == [second]


def test_json_says_all_that_is_known(client: httpx.Client, environment: dict[str, str]) -> None:
    client.get("/json")
    wait_for_end(environment, 1)

    (record,) = records(environment)

    assert (record["title"], record["status"], record["state"]) == ("GET /json", 200, "succeeded")
    assert (record["source"], record["environment"], record["log"]) == ("function-url", 1, ["the app saw /json"])
    assert record["duration_ms"] > 0
    assert 0 < record["response_ms"] < 60_000
    assert record["event_bytes"] > 100


def test_verbose_adds_the_log_lines(client: httpx.Client, environment: dict[str, str]) -> None:
    client.get("/v")
    wait_for_end(environment, 1)

    lines = logs(environment, "--verbose").stdout.splitlines()

    assert " GET /v 200 " in lines[0]
    assert "function-url, waited" in lines[1]
    assert lines[2:] == ["  the app saw /v"]


def test_a_failure_shows_its_reason(client: httpx.Client, environment: dict[str, str]) -> None:
    client.get("/exit")
    wait_for_end(environment, 1)

    (record,) = records(environment)

    assert (record["state"], record["status"]) == ("failed", 502)
    assert record["error"]["type"] == "Runtime.ExitError"
    assert "Runtime.ExitError: The bootstrap ended with signal SIGKILL" in logs(environment).stdout


def test_an_event_has_a_record_too(client: httpx.Client, folder: Path, environment: dict[str, str]) -> None:
    (folder / "event.json").write_text(json.dumps({"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/e"}))
    command = [*PROGRAM, "invoke", "--url", str(client.base_url), "event.json"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=30)
    wait_for_end(environment, 1)

    (record,) = records(environment)

    assert (record["source"], record["log"]) == ("event", ["the app saw /e"])


def test_follow_prints_what_comes_until_the_run_ends(
    run: Running, client: httpx.Client, environment: dict[str, str]
) -> None:
    client.get("/before")
    wait_for_end(environment, 1)
    with Running([*PROGRAM, "logs", "--follow"], env=environment) as follow:
        follow.wait_for("GET /before 200")
        client.get("/after")
        follow.wait_for("GET /after 200")
        run.terminate()

        assert follow.wait() == 0
        assert "The local run has ended." in follow.text


def test_follow_passes_on_characters_that_end_lines_elsewhere(folder: Path, environment: dict[str, str]) -> None:
    (folder / "main.py").write_text("raise RuntimeError('a\u2028b\x85c')")
    with Running([*PROGRAM, "--port", "0", "main:app"], cwd=folder, env=environment) as run:
        httpx.get(run.wait_for(r"http://127\.0\.0\.1:\d+")[0], trust_env=False, timeout=30)
        with Running([*PROGRAM, "logs", "--follow"], env=environment) as follow:
            follow.wait_for("GET / 502 .*a\u2028b\x85c")


def test_ctrl_c_is_how_following_ends(client: httpx.Client, environment: dict[str, str]) -> None:
    client.get("/seen")
    with Running([*PROGRAM, "logs", "--follow"], env=environment) as follow:
        follow.wait_for("GET /seen 200")
        os.kill(follow.pid, signal.SIGINT)

        assert follow.wait() == 0
        assert "Traceback" not in follow.text


def test_without_a_run_it_says_how_to_start_one(environment: dict[str, str]) -> None:
    result = logs(environment)

    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == (
        "lambda-web-adapter logs: There is no local run of yours. Start one: lambda-web-adapter main:app\n"
    )


def test_a_run_that_was_killed_is_none(run: Running, client: httpx.Client, environment: dict[str, str]) -> None:
    client.get("/")
    run.kill()

    result = logs(environment)

    assert result.returncode == 3
    assert "There is no local run of yours." in result.stderr


def test_a_port_without_a_run_names_those_that_there_are(client: httpx.Client, environment: dict[str, str]) -> None:
    other = free_port()

    result = logs(environment, "--port", other)

    assert result.returncode == 3
    assert f"no local run of yours on port {other}, but on {client.base_url.port} (main:app)" in result.stderr


def test_a_port_of_a_variable_means_no_other_run_only_if_there_are_several(
    client: httpx.Client, folder: Path, environment: dict[str, str]
) -> None:
    client.get("/one")
    variables = {**environment, "PORT": free_port()}
    assert "GET /one" in logs(variables).stdout

    with Running([*PROGRAM, "--port", "0", "main:app"], cwd=folder, env=environment) as second:
        port = second.wait_for(r"http://127\.0\.0\.1:(\d+)")[1]

        assert logs(environment).returncode == 3
        assert "There are 2 local runs. Choose one with --port: " in logs(environment).stderr
        assert logs(variables).returncode == 3
        assert "GET /one" in logs(environment, "--port", str(client.base_url.port)).stdout
        assert logs(environment, "--port", port).stdout == ""
        assert "GET /one" in logs({**environment, "PORT": str(client.base_url.port)}).stdout


def test_a_reader_that_stops_reading_gets_no_traceback(client: httpx.Client, environment: dict[str, str]) -> None:
    for _ in range(3):
        client.get("/")
    wait_for_end(environment, 3)
    command = ["sh", "-c", '"$@" | head -n 1', "sh", *PROGRAM, "logs", "--json"]

    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)

    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == ""


def test_a_file_has_the_records_of_a_run(folder: Path, environment: dict[str, str]) -> None:
    file = folder / "records.jsonl"
    options = ["--record", str(file), "--keep", "1", "--no-inspector", "--port", "0"]
    with Running([*PROGRAM, *options, "main:app"], cwd=folder, env=environment) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        for path in ("/1", "/2"):
            httpx.get(f"{url}{path}", headers={"authorization": "hush"}, trust_env=False, timeout=30)
        run.terminate()

    lines = logs(environment, str(file)).stdout.splitlines()
    (last,) = records(environment, "--last", "1", str(file))

    assert [line.split()[2:5] for line in lines] == [["GET", "/1", "200"], ["GET", "/2", "200"]]
    assert (last["title"], last["log"]) == ("GET /2", ["the app saw /2"])
    assert "event" not in last
    assert "hush" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_bad_line_of_a_file_is_named_and_the_others_are_shown(folder: Path, environment: dict[str, str]) -> None:
    record = Records().add(0.0, "GET /good")
    file = folder / "records.jsonl"
    file.write_text("no\n" + to_detail(record, None).model_dump_json())

    result = logs(environment, str(file))

    assert result.returncode == 1
    assert "GET /good" in result.stdout
    assert f"lambda-web-adapter logs: Line 1 of {file} is no record: Invalid JSON" in result.stderr


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        pytest.param("", 0, "{file} has no records.", id="empty"),
        pytest.param('{"number": 1', 1, "Line 1 of {file} is incomplete.", id="incomplete"),
        pytest.param(None, 3, "{file} cannot be read: No such file or directory.", id="missing"),
    ],
)
def test_a_file_without_records_is_named(
    content: str | None, code: int, message: str, folder: Path, environment: dict[str, str]
) -> None:
    file = folder / "records.jsonl"
    if content is not None:
        file.write_text(content)

    result = logs(environment, str(file))

    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr == f"lambda-web-adapter logs: {message.format(file=file)}\n"


def test_the_url_has_the_token(client: httpx.Client, environment: dict[str, str]) -> None:
    url, _, token = logs(environment, "--url").stdout.strip().partition("/#token=")

    response = httpx.get(f"{url}/api/run", headers={"authorization": f"Bearer {token}"}, trust_env=False, timeout=30)

    assert response.json()["ports"] == [client.base_url.port]


@pytest.mark.parametrize("option", [["--follow"], ["--url"], ["--port", "8000"]], ids=["follow", "url", "port"])
def test_a_file_is_no_run(option: list[str], folder: Path, environment: dict[str, str]) -> None:
    file = folder / "records.jsonl"
    file.touch()

    result = logs(environment, str(file), *option)

    assert result.returncode == 2
    assert f"and {option[0]} is for a running local run" in result.stderr


def test_a_record_file_that_cannot_be_written_is_an_error(folder: Path, environment: dict[str, str]) -> None:
    command = [*PROGRAM, "--record", str(folder / "no" / "records.jsonl"), "main:app"]

    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    assert result.returncode == 2
    assert "records.jsonl cannot be written: No such file or directory. Name a file in a folder" in result.stderr


def test_a_run_keeps_as_many_records_as_it_is_to_keep(folder: Path, environment: dict[str, str]) -> None:
    with Running([*PROGRAM, "--keep", "2", "--port", "0", "main:app"], cwd=folder, env=environment) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        for path in ("/1", "/2", "/3"):
            httpx.get(f"{url}{path}", trust_env=False, timeout=30)

        assert [each["title"] for each in records(environment)] == ["GET /2", "GET /3"]


def test_without_the_inspector_there_is_the_api_alone(folder: Path, environment: dict[str, str]) -> None:
    with Running([*PROGRAM, "--no-inspector", "--port", "0", "main:app"], cwd=folder, env=environment) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        httpx.get(f"{url}/1", trust_env=False, timeout=30)
        wait_for_end(environment, 1)
        (file,) = (folder / "runtime").glob("**/*.json")
        found = json.loads(file.read_text())
        headers = {"authorization": f"Bearer {found['token']}"}
        detail = httpx.get(f"{found['url']}/api/invocations/1", headers=headers, trust_env=False, timeout=30).json()

        assert detail["request"] is None
        assert httpx.get(f"{found['url']}/", trust_env=False, timeout=30).status_code == 404
        assert "Inspector" not in run.text


def line(**values: Any) -> str:
    record = Records().add(0.0, "GET /")
    for name, value in values.items():
        setattr(record, name, value)
    return click.unstyle(format_record(to_summary(record).model_dump())).split(" ", 2)[2]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        pytest.param({}, "GET / …", id="running"),
        pytest.param(
            {"state": SUCCEEDED, "status": 200, "response_ms": 12.4, "environment": 2},
            "GET / 200 12 ms, environment 2",
            id="done",
        ),
        pytest.param(
            {
                "state": SUCCEEDED,
                "status": 200,
                "response_ms": 400,
                "environment": 1,
                "is_cold": True,
                "init_ms": 310.2,
            },
            "GET / 200 400 ms, environment 1, cold start 310 ms",
            id="cold",
        ),
        pytest.param(
            {"state": REJECTED, "status": 413, "response_ms": 1, "problem": "too large"},
            "GET / 413 1 ms: too large",
            id="rejected",
        ),
        pytest.param(
            {"state": REJECTED, "response_ms": 1, "problem": "the client left"},
            "GET / - 1 ms: the client left",
            id="left",
        ),
        pytest.param(
            {"state": FAILED, "error_type": "E", "error_message": "no", "environment": 1},
            "GET / error, environment 1: E: no",
            id="failed",
        ),
    ],
)
def test_a_line_says_what_has_happened(values: dict[str, Any], text: str) -> None:
    assert line(**values) == text
