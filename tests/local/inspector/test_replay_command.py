"""`lambda-web-adapter replay` beside a local run: what is sent, what differs, and its exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.processes import Running, plain_environment, wait_until

PROGRAM = [sys.executable, "-m", "lambda_web_adapter"]
APP = """
import json
from pathlib import Path

calls = 0


def app(environ, start_response):
    global calls
    calls += 1
    path, body = environ["PATH_INFO"], environ["wsgi.input"].read().decode()
    document = {"path": path, "query": environ["QUERY_STRING"], "body": body}
    document["authorization"] = environ.get("HTTP_AUTHORIZATION", "")
    document["version"] = Path("version").read_text() if path == "/version" else ""
    if path == "/count":
        document["calls"] = calls
    start_response("200 OK", [("content-type", "application/json"), ("set-cookie", f"a={calls}"), ("x-path", path)])
    return [json.dumps(document).encode()]
"""


class Run:
    """A local run, a client of it, and the commands beside it."""

    def __init__(self, folder: Path, process: Running) -> None:
        self.folder = folder
        self.environ = plain_environment({"XDG_RUNTIME_DIR": str(folder / "runtime")})
        self.url = process.wait_for(r"Serving .* on (http://127\.0\.0\.1:\d+)")[1]
        self.client = httpx.Client(base_url=self.url, trust_env=False, timeout=30)
        self.inspector, self.token = process.wait_for(r"Inspector: (http://127\.0\.0\.1:\d+)/#token=(\S+)").groups()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*PROGRAM, *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=60, check=False
        )

    def replay(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.command("replay", *arguments)

    def records(self) -> list[dict[str, Any]]:
        """Return the records, complete ones and others."""
        headers = {"Authorization": f"Bearer {self.token}"}
        listed = self.client.get(f"{self.inspector}/api/invocations?log=1", headers=headers).raise_for_status()
        return sorted(listed.json()["invocations"], key=lambda record: record["number"])

    def record(self, path: str, **arguments: Any) -> dict[str, Any]:
        """Send a request, wait until its invocation has ended, and return its record."""
        self.client.request(arguments.pop("method", "GET"), path, **arguments)
        count = len(self.records())
        wait_until(lambda: all(each["is_complete"] for each in self.records()), "the invocations have ended")
        return self.records()[count - 1]


@contextmanager
def running(folder: Path) -> Iterator[Run]:
    (folder / "main.py").write_text(APP)
    (folder / "version").write_text("1")
    environ = plain_environment({"XDG_RUNTIME_DIR": str(folder / "runtime")})
    options = ["--port", "0", "--inspector-port", "0", "--no-reload", "--record", "records.jsonl"]
    with Running([*PROGRAM, *options, "main:app"], cwd=folder, env=environ) as process:
        started = Run(folder, process)
        with started.client:
            yield started


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with running(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def idle_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run that nothing is sent to."""
    with running(tmp_path_factory.mktemp("idle")) as started:
        yield started


def wait_for_file(run: Run, count: int) -> Path:
    """Return the file of records when it has so many."""
    path = run.folder / "records.jsonl"
    wait_until(lambda: path.exists() and len(path.read_text().splitlines()) == count, "the records are written")
    return path


def test_an_invocation_of_the_run_is_sent_again(run: Run) -> None:
    original = run.record("/a%20b?c=d", method="POST", content=b"hello")

    result = run.replay(str(original["number"]))

    assert result.returncode == 0, result.stderr
    assert re.fullmatch(r"#2 [\d:]{8} POST /a%20b\?c=d 200 \d+ ms, environment 1\n", result.stdout)
    record = run.records()[-1]
    assert (record["replay_of"], record["source"]) == (original["number"], "function-url")


def test_it_is_found_by_its_request_id(run: Run) -> None:
    original = run.record("/a")

    assert run.replay(original["request_id"]).returncode == 0
    assert run.records()[-1]["replay_of"] == original["number"]


def test_as_another_source_several_times_after_a_cold_start(run: Run) -> None:
    original = run.record("/count")

    result = run.replay(str(original["number"]), "--event-source", "alb", "--times", "2", "--cold", "--json")

    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(each["source"], each["is_cold"]) for each in records] == [("alb", True)] * 2
    assert {each["environment"] for each in records}.isdisjoint({0, original["environment"]})
    assert len({each["environment"] for each in records}) == 2
    bodies = [json.loads(each["client_response"]["body"]["data"]) for each in records]
    assert [body["calls"] for body in bodies] == [1, 1]


def test_equal_outcomes_have_no_diff(run: Run) -> None:
    original = run.record("/a")

    result = run.replay(str(original["number"]), "--diff")

    assert result.returncode == 0
    assert re.search(r"\n  the same, duration [\d.]+ ms, recorded [\d.]+ ms\n$", result.stdout)


def test_a_diff_shows_what_differs(run: Run) -> None:
    original = run.record("/count")

    result = run.replay(str(original["number"]), "--diff")

    assert result.returncode == 1
    assert '  -  "calls": 1,' in result.stdout
    assert '  +  "calls": 2,' in result.stdout
    assert "set-cookie" not in "".join(re.findall(r"^  [+-].*$", result.stdout, re.MULTILINE))


def test_a_file_of_records_is_sent_to_another_version(run: Run) -> None:
    run.record("/a")
    run.record("/version", headers={"authorization": "Bearer secret"})
    path = wait_for_file(run, 2)
    (run.folder / "earlier.jsonl").write_text(path.read_text())
    (run.folder / "version").write_text("2")

    result = run.replay("earlier.jsonl", "--diff")

    assert result.returncode == 1
    assert (
        "lambda-web-adapter replay: Record 2: authorization is masked in the record, and is left out.\n"
        in result.stderr
    )
    assert '  -  "version": "1"' in result.stdout
    assert '  +  "version": "2"' in result.stdout
    assert result.stdout.count(" 200 ") == 2

    selected = run.replay("earlier.jsonl", "--diff", "--select", "1")

    assert selected.returncode == 0
    assert " GET /a 200 " in selected.stdout
    assert "/version" not in selected.stdout


@pytest.mark.parametrize(
    ("arguments", "path"),
    [pytest.param([], "/events", id="as it is"), pytest.param(["--event-source", "alb"], "/x", id="as a request")],
)
def test_an_event_of_a_file_is_sent(run: Run, arguments: list[str], path: str) -> None:
    event: dict[str, Any] = {"Records": [{"eventSource": "aws:sqs", "body": "hello"}]}
    if arguments:
        context = {"http": {"method": "GET", "path": path}, "domainName": "a.lambda-url.eu-central-1.on.aws"}
        event = {"version": "2.0", "rawPath": path, "headers": {}, "requestContext": context}
    (run.folder / "event.json").write_text(json.dumps(event))

    result = run.replay("event.json", "--json", *arguments)

    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["request"]["target"] == path


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["99"], 1, "There is no invocation 99", id="no such number"),
        pytest.param(["00000000-0000-4000-8000-000000000000"], 1, "no invocation with the request id", id="no such id"),
        pytest.param(["missing.json"], 3, "missing.json cannot be read: No such file", id="no such file"),
        pytest.param(["missing.jsonl"], 3, "missing.jsonl cannot be read: No such file", id="no such records"),
        pytest.param(["main.py"], 1, "main.py has neither records nor the JSON of an event", id="no JSON"),
        pytest.param(["main.py", "--diff"], 2, "--diff is for records, but main.py has none", id="diff of an event"),
        pytest.param(["99", "98"], 1, "There is no invocation 98", id="each of several"),
        pytest.param(["version.jsonl"], 1, "version.jsonl has no records", id="no records"),
        pytest.param(["1", "--ignore", "id"], 2, "--ignore is for --diff", id="ignore without diff"),
        pytest.param(["1", "--diff", "--ignore", "a["], 2, "'a[' is no path of a field", id="no path"),
        pytest.param(["1", "--select", "2"], 2, "--select is for a file of records", id="select of a number"),
        pytest.param(["bad.jsonl", "--select", "7"], 1, "Line 1 of bad.jsonl is no record", id="no record"),
        pytest.param(["bad.jsonl", "--select", "7"], 1, "bad.jsonl has no record 7", id="not selected"),
        pytest.param(["1", "--port", "1"], 3, "no local run of yours on port 1", id="no such run"),
    ],
)
def test_what_cannot_be_sent_is_an_error(idle_run: Run, arguments: list[str], code: int, message: str) -> None:
    (idle_run.folder / "bad.jsonl").write_text("{}\n")
    (idle_run.folder / "version.jsonl").touch()

    result = idle_run.replay(*arguments)

    assert result.returncode == code
    assert message in result.stderr
    assert ("Usage:" in result.stderr) == (code == 2)
    assert code == 2 or result.stderr.startswith(("lambda-web-adapter replay: ", "Sending to "))


def test_a_file_may_be_that_of_the_run(run: Run) -> None:
    run.record("/a")
    run.record("/b")
    wait_for_file(run, 2)

    result = run.replay("records.jsonl", "--diff")

    assert result.returncode == 0, result.stderr
    assert re.findall(r"^#(\d+) ", result.stdout, re.MULTILINE) == ["3", "4"]
    assert result.stderr.startswith(f"Sending to main:app on {run.url}\n")
    wait_for_file(run, 4)


def test_records_have_any_file_name_and_numbers_may_be_several(run: Run) -> None:
    run.record("/a")
    run.record("/b")
    wait_for_file(run, 2).rename(run.folder / "earlier")

    result = run.replay("earlier", "2", "1")

    assert result.returncode == 0, result.stderr
    assert re.findall(r"GET (\S+)", result.stdout) == ["/a", "/b", "/b", "/a"]


def test_a_field_that_is_another_each_time_is_ignored(run: Run) -> None:
    number = str(run.record("/count")["number"])

    assert run.replay(number, "--diff", "--ignore", "calls").returncode == 0
    assert run.replay(number, "--diff", "--ignore", "query").returncode == 1


def test_without_a_run_the_exit_code_is_3(tmp_path: Path) -> None:
    environ = plain_environment({"XDG_RUNTIME_DIR": str(tmp_path)})

    result = subprocess.run(
        [*PROGRAM, "replay", "1"], env=environ, capture_output=True, text=True, timeout=30, check=False
    )

    assert result.returncode == 3
    assert "There is no local run of yours." in result.stderr


def test_the_port_may_come_from_pyproject_but_not_the_event_source(run: Run) -> None:
    original = run.record("/a")
    port = run.url.rpartition(":")[2]
    (run.folder / "pyproject.toml").write_text(f'[tool.lambda-web-adapter]\nport = {port}\nevent-source = "alb"\n')

    result = run.replay(str(original["number"]), "--json")

    assert json.loads(result.stdout)["source"] == "function-url"
