"""What doctor says of starts that fail, write, compile, or do needless work."""

from __future__ import annotations

import os
import py_compile
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from doctor.starts import ASGI, WSGI, make_target, write_app
from doctor.test_start_trial import needs_namespaces

from lambda_web_adapter.doctor.findings import Finding
from lambda_web_adapter.doctor.start.cpu_group import cpu_group
from lambda_web_adapter.doctor.start.failures import attempted_writes, compiled_modules, failures
from lambda_web_adapter.doctor.start.observation import Reporter
from lambda_web_adapter.doctor.start.observed_app import report_waiting
from lambda_web_adapter.doctor.start.own_files import OwnFiles
from lambda_web_adapter.doctor.start.start_examination import describe, examine_app, examine_isolated_start
from lambda_web_adapter.doctor.start.trial import StartTarget, Trial, run_trial

FLASK = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    with open("state.json", "w") as file:
        file.write("x")
    return ""
"""
SLOW = "for number in range(400_000): number * number\n"


def failures_of(target: StartTarget) -> list[Finding]:
    return list(failures(target, run_trial(target)))


@pytest.mark.parametrize(
    ("source", "rule", "message", "place"),
    [
        ("app = 1\n", "app-not-found", "1 is neither a WSGI nor an ASGI app", ""),
        ("import helper\n", "import-fails", "ValueError: wrong", "helper.py:2"),
        (
            "import no_such_module\n",
            "import-fails",
            "ModuleNotFoundError: No module named 'no_such_module'",
            "main.py:1",
        ),
        ("import os\nos._exit(3)\n", "start-fails", "exit", ""),
        (ASGI.replace("startup.complete", "startup.failed"), "start-fails", "lifespan", ""),
        (WSGI.replace("start_response(", "{}['x']; start_response("), "request-fails", "KeyError: 'x'", "main.py:3"),
    ],
    ids=["no app", "exception", "missing module", "exit", "lifespan", "request"],
)
def test_failures(tmp_path: Path, source: str, rule: str, message: str, place: str) -> None:
    write_app(tmp_path, source, helper="\nraise ValueError('wrong')\n")

    findings = failures_of(make_target(tmp_path))

    assert [finding.rule for finding in findings] == [rule]
    assert message in findings[0].message
    assert findings[0].place == place


def test_an_app_that_is_not_there(tmp_path: Path) -> None:
    write_app(tmp_path, WSGI)

    findings = failures_of(make_target(tmp_path, app="other:app"))

    assert [finding.rule for finding in findings] == ["app-not-found"]
    assert "There is no module 'other'" in findings[0].message


def test_too_little_memory(tmp_path: Path) -> None:
    write_app(tmp_path, f"ballast = bytearray(150_000_000)\n{WSGI}")

    assert [finding.rule for finding in failures_of(make_target(tmp_path, memory=128))] == ["too-little-memory"]


def test_an_init_that_lambda_breaks_off(tmp_path: Path) -> None:
    target = make_target(tmp_path)
    late = Trial(is_ready=True, init_seconds=9.81)
    broken_off = Trial(end="Sandbox.Timedout: The init took longer than 10 s.", output="loading the model\n")

    for trial in (late, broken_off):
        assert [finding.rule for finding in failures(target, trial)] == ["slow-start"]
    assert next(failures(target, broken_off)).detail == "loading the model"


def test_a_slow_start_says_where_it_is(tmp_path: Path) -> None:
    """The stack of this thread stands for that of an app which waits."""
    lines: list[tuple[object, ...]] = []
    is_reported = Event()

    class Recorder(Reporter):
        def report(self, kind: str, *values: object) -> None:
            lines.append((kind, *values))

        def report_each(self, kind: str, values: list[str]) -> None:
            super().report_each(kind, values)
            is_reported.set()

    report_waiting(0, OwnFiles(str(Path(__file__).parent)), Recorder(""))
    assert is_reported.wait(10)
    target = replace(make_target(tmp_path), folder=Path(__file__).parent, root=Path(__file__).parent)
    trial = Trial(end="Sandbox.Timedout: The init took longer than 10 s.", reports=lines)

    (finding,) = failures(target, trial)

    assert finding.path == Path(__file__).name
    assert f"After 0 s, it was in line {finding.line} of {finding.path}." in finding.message
    assert f'File "{finding.path}", line {finding.line}, in test_a_slow_start_says_where_it_is' in finding.detail


def test_an_app_in_order(tmp_path: Path) -> None:
    write_app(tmp_path, WSGI)

    steps: list[str] = []

    examination = examine_app(make_target(tmp_path), tell=steps.append)

    assert examination.findings == []
    assert steps[:2] == ["Starting main:app", "Starting main:app 3 times, to time it"]
    assert examination.facts()["interface"] == "wsgi"
    assert describe(examination)[0] == "Start of main:app: WSGI"


@needs_namespaces
def test_a_write_in_a_read_only_file_system(tmp_path: Path) -> None:
    write_app(tmp_path, FLASK)

    examination = examine_isolated_start(make_target(tmp_path))

    by_rule = {finding.rule: finding for finding in examination.findings}
    assert by_rule.keys() >= {"request-fails", "attempted-write"}
    assert "Read-only file system: 'state.json'" in by_rule["request-fails"].message
    assert by_rule["request-fails"].place == by_rule["attempted-write"].place == "main.py:9"
    assert not (tmp_path / "state.json").exists()
    assert not any(note.startswith("The file system") for note in examination.notes)


def test_writes_that_succeed_here_are_reported(tmp_path: Path) -> None:
    temporary = "import tempfile\ntempfile.TemporaryFile().close()\nopen('/tmp/kept', 'a').close()\n"
    write_app(tmp_path, f"import os\nos.makedirs('cache', exist_ok=True)\n{temporary}{WSGI}")
    target = make_target(tmp_path)

    findings = list(attempted_writes(target, run_trial(target, watches=True)))

    assert [finding.place for finding in findings] == ["main.py:2"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [("missing", "missing"), ("stale", "stale"), ("foreign", "of another Python"), ("valid", "")],
)
def test_compiled_modules(tmp_path: Path, state: str, expected: str) -> None:
    write_app(tmp_path, WSGI + "\n\n".join(f"def f{number}(a, b=1, *c): return a + b" for number in range(3000)))
    compiled = py_compile.compile(str(tmp_path / "main.py"), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    if state == "stale":
        os.utime(tmp_path / "main.py", (0, 0))
    elif state != "valid":
        path = Path(str(compiled))
        path.rename(path.with_name("main.cpython-38.pyc" if state == "foreign" else "other.pyc"))
    target = make_target(tmp_path)

    findings = list(compiled_modules(target, run_trial(target)))

    assert [finding.place for finding in findings] == (["main.py"] if expected else [])
    assert not expected or findings[0].message == f"The start compiles 1 module. Their bytecode is {expected}: main.py."


def test_a_control_group_of_version_2(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    folder = tmp_path / f"lambda-web-adapter-{os.getpid()}"

    with cpu_group(128, tmp_path) as group:
        assert group == (str(folder / "cgroup.procs"), "")
        assert (folder / "cpu.max").read_text() == "1447 20000"
        assert (folder / "memory.max").read_text() == str(128 * 1024 * 1024)
        for file in folder.iterdir():  # they vanish with the folder of a real group
            file.unlink()

    assert not folder.exists()


def test_no_control_group(tmp_path: Path) -> None:
    with cpu_group(128, tmp_path) as group:
        assert group.members == ""
        assert "this system allows no control group" in group.reason


def test_more_time_than_there_is(tmp_path: Path) -> None:
    with cpu_group(10_240_000, tmp_path) as group:
        assert "and this machine has" in group.reason


def test_a_real_control_group_limits_the_time(tmp_path: Path) -> None:
    with cpu_group(256) as group:
        if not group.members:
            pytest.skip(group.reason)
        write_app(tmp_path, f"{SLOW * 10}\n{WSGI}")
        trial = run_trial(make_target(tmp_path, memory=256), group=group.members)

    assert trial.has_served
    imported = trial.first("imported")
    assert imported[0] > 2 * imported[1]  # a seventh of a core: it waits for most of the time
