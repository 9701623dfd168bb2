"""A start, tried: real environments that report of themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from doctor.starts import ASGI, WSGI, make_target, write_app

from lambda_web_adapter.doctor.start.observation import Observation, parse_reports
from lambda_web_adapter.doctor.start.trial import run_trial
from lambda_web_adapter.local.environments.isolation import isolate

# Prints what is different in a file system as Lambda's.
PROBE = """
import os, sys
from lambda_web_adapter.local.environments.isolation import isolate

reason = isolate([*sys.path, sys.prefix, sys.base_prefix])
if reason:
    print("no:", reason)
    sys.exit()
def attempt(action, *arguments):
    try:
        return action(*arguments)
    except OSError as error:
        return type(error).__name__, error.errno
print(os.getuid(), os.getcwd() == sys.argv[1])
print(attempt(open, "here", "w"))
print(attempt(open, "/etc/here", "w"))
print(attempt(os.listdir, "/dev/shm"))
print(attempt(os.mkdir, "/dev/shm"))
print(open("/tmp/new", "w").write("text"))
print(open("kept").read(), os.path.exists("/tmp/from outside"))
print(open("/dev/null", "w").write("text"), len(open("/dev/urandom", "rb").read(3)))
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")])
import threading
"""


def allows_namespaces() -> bool:
    program = "from lambda_web_adapter.local.environments.isolation import isolate; print(isolate([]))"
    return not subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()


needs_namespaces = pytest.mark.skipif(not allows_namespaces(), reason="this system allows no namespaces")


@needs_namespaces
def test_a_file_system_as_lambdas(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    outside = Path("/tmp/from outside")  # noqa: S108  # the folder that is replaced
    outside.write_text("")
    try:
        command = [sys.executable, "-c", PROBE, str(tmp_path)]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    finally:
        outside.unlink()

    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        "993 True",
        "('OSError', 30)",
        "('OSError', 30)",
        "('FileNotFoundError', 2)",
        "('OSError', 30)",
        "4",
        "kept False",
        "4 3",
        "['0000000000000000']",
    ]
    assert not Path("/tmp/new").exists()  # noqa: S108  # as above


def test_a_system_without_namespaces_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    assert isolate([]) == "only Linux has namespaces"


@pytest.mark.parametrize(
    ("source", "interface", "lifespan"),
    [
        (WSGI, "wsgi", []),
        (ASGI, "asgi", [("lifespan.startup.complete",)]),
        (ASGI.replace('== "lifespan"', '== "none"'), "asgi", []),
    ],
    ids=["WSGI", "ASGI with lifespan", "ASGI without"],
)
def test_what_a_start_reports(tmp_path: Path, source: str, interface: str, lifespan: list[tuple[str]]) -> None:
    write_app(tmp_path, f"import helper\n{source}", helper="")

    trial = run_trial(make_target(tmp_path, "/one", "/two"))

    assert (trial.has_served, trial.end) == (True, "")
    assert trial.first("interface") == (interface,)
    assert trial.all("lifespan")[:1] == lifespan
    assert sorted(name for (name,) in trial.all("own")) == ["helper", "main"]
    assert [(answer.title, answer.status) for answer in trial.answers] == [("GET /one", 200), ("GET /two", 200)] * 2
    assert all(answer.seconds > 0 for answer in trial.answers)
    assert trial.init_seconds > trial.first("imported")[0] > 0
    assert trial.cpu_seconds > trial.import_cpu_seconds > 0
    assert trial.memory > 0
    assert "lambda-web-adapter-" not in trial.output


def test_a_start_leaves_nothing_behind(tmp_path: Path) -> None:
    write_app(tmp_path, WSGI)

    run_trial(make_target(tmp_path), watches=True)

    assert [path.name for path in tmp_path.iterdir()] == ["main.py"]


def test_what_the_app_writes_is_kept_apart_from_reports(tmp_path: Path) -> None:
    write_app(tmp_path, f"import os\nos.write(2, b'no end of line')\n{WSGI}")

    trial = run_trial(make_target(tmp_path))

    assert "no end of line" in trial.output
    assert trial.first("interface") == ("wsgi",)


def test_which_modules_run(tmp_path: Path) -> None:
    """Those that run only in the import are not among them."""
    app = WSGI.replace("    start_response(", "    late.function()\n    start_response(")
    source = f"import early, late, never\nearly.function()\n{app}"
    function = "def function(): pass\n"
    write_app(tmp_path, source, early=function, late=function, never=function)

    ran = {name for (name,) in run_trial(make_target(tmp_path), watches=True).all("ran")}

    assert ran >= {"main", "late"}
    assert not ran & {"early", "never"}


@needs_namespaces
def test_an_isolated_start(tmp_path: Path) -> None:
    write_app(tmp_path, f"import os\nprint('user', os.getuid(), os.path.exists('/dev/shm'), flush=True)\n{WSGI}")

    trial = run_trial(make_target(tmp_path), is_isolated=True)

    assert trial.has_served
    assert trial.first("isolated") == ("",)
    assert "user 993 False" in trial.output


def test_an_observation_as_an_argument() -> None:
    observation = Observation(marker="m", root="/r", folder="/f ö", watches=True, left_out=("a.b", "c"))

    assert vars(Observation.of_argument(observation.to_argument())) == vars(observation)


def test_reports_between_lines_of_output() -> None:
    output = b"one\n\nM('kind', 'a\\u00e9', 1)\ntwo\n\nM('other',)\n"

    assert parse_reports(output, "M") == ([("kind", "aé", 1), ("other",)], "one\ntwo\n")


def test_the_environment_starts_in_the_root(tmp_path: Path) -> None:
    write_app(tmp_path, f"import os\nprint('in', os.path.basename(os.getcwd()), flush=True)\n{WSGI}")

    assert f"in {tmp_path.name}" in run_trial(make_target(tmp_path)).output
    assert Path(os.getcwd()) != tmp_path
