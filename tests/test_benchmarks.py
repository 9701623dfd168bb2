"""`make benchmark` in its smallest form: one round of a few events, without peers and without network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.processes import Running, children, plain_environment, runs, wait_until

pytestmark = pytest.mark.slow

RUN = Path(__file__).parent.parent / "benchmarks" / "run.py"
FEW = ["--rounds", "1", "--events", "4"]
SMALLEST = ["--installed", "--contender", "ours", "--contender", "start-file", "--contender", "alone", *FEW]
OURS, START_FILE, ALONE = "this project", "this project, start file", "the app alone"
FIGURES = {
    "warm": {"p50", "p99", "next", "cpu"},
    "cold": {"first_reply", "init", "cpu"},
    "streams": {"p50", "p99"},
    "sizes": {"p50", "p99"},
    "workers": {"each", "cpu", "memory"},
    "memory": {"memory"},
}
MARKERS = "before\n<!-- benchmark:begin -->\nfrom the last run\n<!-- benchmark:end -->\nafter\n"
BROKEN_START_FILE = b"lambda-web-adapter start file of another version\n"


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test import the benchmark's modules."""
    monkeypatch.syspath_prepend(str(RUN.parent))


def run(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, RUN, *arguments]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)


def measure(folder: Path, *arguments: str, **variables: str) -> dict[str, Any]:
    result = run(*arguments, "--save", folder / "results.json", **variables)
    assert result.returncode == 0, result.stderr
    document: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return document


def measurement_of(mode: str, label: str, **values: list[float]) -> dict[str, Any]:
    """Return a measurement in which a contender has these values in all figures, by its kind."""
    names = {"ours": OURS, "start_file": START_FILE, "in_process": "Mangum"}
    rows = {names[kind]: dict.fromkeys(FIGURES[mode], each) for kind, each in values.items()}
    kinds = {names[kind]: kind.replace("_", "-") for kind in values}
    return {"mode": mode, "app": "fastapi", "label": label, "rows": rows, "kinds": kinds}


def save(file: Path, *measurements: dict[str, Any]) -> Path:
    """Write what `--save` writes after these measurements."""
    document = {"date": "2026-11-29", "machine": "", "load": [0, 0], "rounds": 1, "events": 1, "notes": []}
    file.write_text(json.dumps({**document, "versions": {"Python": "3.11"}, "measurements": measurements}))
    return file


@pytest.mark.parametrize("app", ["fastapi", "flask"])
@pytest.mark.parametrize("mode", [mode for mode in FIGURES if mode not in ("cold", "sizes")])
def test_a_mode_has_all_figures_of_each_contender(mode: str, app: str, tmp_path: Path) -> None:
    measurements = measure(tmp_path, "--only", mode, "--app", app, *SMALLEST)["measurements"]

    names = {OURS, ALONE} if mode in ("warm", "memory") else {OURS}
    assert measurements
    for measurement in measurements:
        assert (measurement["mode"], measurement["app"]) == (mode, app)
        assert measurement["rows"].keys() == names
        for figures in measurement["rows"].values():
            assert figures.keys() == FIGURES[mode]
            assert all(len(values) == 1 and values[0] > 0 for values in figures.values())


def test_a_cold_start_is_measured_with_and_without_a_start_file(tmp_path: Path) -> None:
    arguments = ("--only", "cold", "--app", "flask", "--case", "one core", *SMALLEST)
    (measurement,) = measure(tmp_path, *arguments)["measurements"]

    assert list(measurement["rows"]) == [OURS, START_FILE, ALONE]
    for figures in measurement["rows"].values():
        assert figures.keys() == FIGURES["cold"]
        assert all(len(values) == 1 and values[0] > 0 for values in figures.values())


@pytest.mark.usefixtures("benchmarks")
def test_a_start_file_that_the_adapter_rejects_is_not_measured_as_one(tmp_path: Path) -> None:
    from contenders import contenders
    from installation import Installation
    from measure import Setting, measure_cold
    from runtime_api import Failed

    file = tmp_path / "file"
    file.write_bytes(BROKEN_START_FILE)
    found = Installation(Path(sys.executable), start_files={"flask": file})
    (contender,) = (each for each in contenders("flask", found) if each.kind == "start-file")

    with pytest.raises(Failed, match="is not used: it is not a start file of this version"):
        measure_cold(contender, Setting())
    assert measure_cold(replace(contender, unwanted=""), Setting()).keys() == FIGURES["cold"]


def test_a_large_body_comes_back(tmp_path: Path) -> None:
    arguments = ("--only", "sizes", "--app", "flask", "--case", "4 MB", *SMALLEST)
    (measurement,) = measure(tmp_path, *arguments)["measurements"]

    assert measurement["rows"][OURS].keys() == FIGURES["sizes"]


def test_a_peer_that_fails_is_left_out_and_noted(tmp_path: Path) -> None:
    arguments = ("--only", "memory", "--app", "fastapi", "--contender", "ours", "--contender", "rust")
    document = measure(tmp_path, "--installed", *arguments, *FEW, LWA_RUST_ADAPTER="/bin/false")

    assert list(document["measurements"][0]["rows"]) == [OURS]
    assert document["notes"] == ["Rust adapter, uvicorn failed: memory, FastAPI."]


@pytest.mark.usefixtures("benchmarks")
def test_a_case_that_needs_more_cores_is_unavailable() -> None:
    from cpu_share import Unavailable
    from modes import MODES, placement_for

    with (
        pytest.raises(Unavailable, match="this machine has fewer than 10000 cores"),
        placement_for(replace(MODES["cold"].cases[0], cores=10_000)),
    ):
        pass


@pytest.mark.usefixtures("benchmarks")
def test_a_reply_that_is_wrong_fails_wherever_it_comes() -> None:
    from measure import check
    from runtime_api import Exchange, Failed

    right, wrong = (Exchange(0, 0, 0, body) for body in (b'{"statusCode":200,"body":"x"}', b'{"statusCode":502}'))

    check([right, right], b"x")
    with pytest.raises(Failed, match="502"):
        check([right, wrong, right], b"x")


def test_a_ratio_is_the_median_of_the_rounds_ratios(tmp_path: Path) -> None:
    measurement = measurement_of("warm", "", ours=[10, 20, 90], in_process=[20, 10, 100])

    result = run("--load", save(tmp_path / "results.json", measurement))

    assert result.returncode == 0, result.stderr
    (line,) = (line for line in result.stdout.splitlines() if "ratio to Mangum" in line)
    assert line.split()[:7] == ["ratio", "to", "Mangum", "0.90", "(0.70", "to", "1.45)"]


def test_pages_get_their_tables_and_keep_the_rest(tmp_path: Path) -> None:
    measurements = (
        measurement_of("warm", "", ours=[10], in_process=[20]),
        measurement_of("cold", "One core, as with 1,769 MB", ours=[30], start_file=[27], in_process=[36]),
    )
    results = save(tmp_path / "results.json", *measurements)
    page, overview = tmp_path / "page.md", tmp_path / "overview.md"
    for file in (page, overview):
        file.write_text(MARKERS)

    result = run("--load", results, "--page", page, "--overview", overview, "--charts", tmp_path)

    assert result.returncode == 0, result.stderr
    for file in (page, overview):
        text = file.read_text()
        assert text.startswith("before\n<!-- benchmark:begin -->\n")
        assert text.endswith("<!-- benchmark:end -->\nafter\n")
        assert "from the last run" not in text
        assert "<picture>" in text
    assert "| ratio to Mangum | 0.83 | 0.83 | 0.83 |" in page.read_text()
    assert "| start file, ratio to Mangum | 0.75 | 0.75 | 0.75 |" in page.read_text()
    assert "| FastAPI | Mangum | 0.50 | 0.83 | 0.75 |" in overview.read_text()


def test_a_run_of_a_part_leaves_pages_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(MARKERS)

    result = run("--only", "memory", "--app", "flask", *SMALLEST, "--page", page)

    assert result.returncode == 0
    assert "Pages and charts stay as they are" in result.stderr
    assert page.read_text() == MARKERS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_leaves_no_process_behind(number: signal.Signals) -> None:
    arguments = ["--installed", "--only", "warm", "--contender", "ours", "--events", "1000000"]
    with Running([sys.executable, RUN, *arguments], env=plain_environment()) as benchmark:
        wait_until(lambda: [each for child in children(benchmark.pid) for each in children(child)], "adapter and app")
        started = [each for child in children(benchmark.pid) for each in (child, *children(child))]

        os.kill(benchmark.pid, number)

        assert benchmark.wait() == 1
        assert "Ended by a signal" in benchmark.text
        assert "Traceback" not in benchmark.text
        assert not [each for each in started if runs(each)]


def test_the_start_budget_has_every_phase_and_module(tmp_path: Path) -> None:
    page = tmp_path / "page.md"

    subprocess.run(
        [sys.executable, RUN.parent / "start_budget.py", "--installed", "--starts", "1", "--page", page], check=True
    )

    text = page.read_text()
    for row in ("`exec` to interpreter ready", "until the fork", "event to reply", "**exec to first reply**"):
        (line,) = (line for line in text.splitlines() if line.startswith(f"| {row} |"))
        assert len(line.split("|")) == 9
    assert text.count("<details>") == 4
    assert text.count(" lambda_web_adapter.adapter.lifecycle\n") == 4
    assert text.count(" lambda_web_adapter.app.wsgi.server\n") == 2
    assert " flask.app\n" not in text
