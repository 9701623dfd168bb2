"""`make benchmark` in its smallest form: one round of a few events, without peers and without network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RUN = Path(__file__).parent.parent / "benchmarks" / "run.py"
SMALLEST = ["--installed", "--only", "ours", "--only", "alone", "--rounds", "1", "--events", "4"]
FIGURES = {
    "warm": {"p50", "p99", "cpu"},
    "cold": {"first_reply", "init", "cpu"},
    "streams": {"p50", "p99"},
    "sizes": {"p50", "p99"},
    "slots": {"each", "cpu", "memory"},
    "memory": {"memory"},
}


def run(*arguments: str | Path) -> str:
    return subprocess.run([sys.executable, RUN, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def measure(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    run(*arguments, *SMALLEST, "--save", folder / "results.json")
    document = json.loads((folder / "results.json").read_text())
    measurements: list[dict[str, Any]] = document["measurements"]
    return measurements


@pytest.mark.parametrize("app", ["fastapi", "flask"])
@pytest.mark.parametrize("mode", [mode for mode in FIGURES if mode not in ("cold", "sizes")])
def test_a_mode_has_all_figures_of_each_contender(mode: str, app: str, tmp_path: Path) -> None:
    measurements = measure(tmp_path, mode, "--app", app)

    names = {"this project", "the app alone"} if mode in ("warm", "memory") else {"this project"}
    assert measurements
    for measurement in measurements:
        assert (measurement["mode"], measurement["app"]) == (mode, app)
        assert measurement["rows"].keys() == names
        for figures in measurement["rows"].values():
            assert figures.keys() == FIGURES[mode]
            assert all(len(values) == 1 and values[0] > 0 for values in figures.values())


def test_a_large_body_comes_back(tmp_path: Path) -> None:
    (measurement,) = measure(tmp_path, "sizes", "--app", "flask", "--case", "4 MB")

    assert measurement["rows"]["this project"].keys() == FIGURES["sizes"]


def test_pages_get_their_tables_and_keep_the_rest(tmp_path: Path) -> None:
    measurements = measure(tmp_path, "warm", "cold", "--app", "flask")
    page, overview = tmp_path / "page.md", tmp_path / "overview.md"
    for file in (page, overview):
        file.write_text("before\n<!-- benchmark:begin -->\nfrom the last run\n<!-- benchmark:end -->\nafter\n")

    printed = run("--load", tmp_path / "results.json", "--page", page, "--overview", overview, "--charts", tmp_path)

    cold = [each["rows"] for each in measurements if each["mode"] == "cold"]
    assert cold
    assert all(figures.keys() == FIGURES["cold"] for rows in cold for figures in rows.values())
    assert "this project" in printed
    for file in (page, overview):
        text = file.read_text()
        assert text.startswith("before\n<!-- benchmark:begin -->\n")
        assert text.endswith("<!-- benchmark:end -->\nafter\n")
        assert "from the last run" not in text
        assert "<picture>" in text
    assert "| ratio to the app alone |" in page.read_text()
