"""What bytecode costs, as people read it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lambda_web_adapter.adapter.process.cpu_share import ONE_VCPU
from lambda_web_adapter.artifacts import quotas
from lambda_web_adapter.artifacts.opening import open_artifact
from lambda_web_adapter.doctor import import_cost
from lambda_web_adapter.doctor.import_cost import ImportCost, time_text
from lambda_web_adapter.doctor.subject import Subject


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-0.01, "0 ms"), (0.4264, "426 ms"), (0.9996, "1.00 s"), (1.2367, "1.24 s"), (61, "61.0 s")],
)
def test_a_time_has_three_digits_at_most(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


@pytest.mark.parametrize(
    ("now", "architecture", "price"),
    [(0.768, "x86_64", "$12.3"), (0.768, "arm64", "$9.81"), (0.35, "x86_64", "$0.23"), (50, "x86_64", "$1,430")],
)
def test_a_cost_names_what_it_is_based_on(now: float, architecture: str, price: str) -> None:
    text = ImportCost(module="main", now=now, compiled=0.342, architecture=architecture).text

    assert f"of CPU in each cold start ({price} per million cold starts with 1,769 MB of memory)" in text
    assert text.endswith(
        "measured: the import of main takes " + f"{time_text(now)} as it is, 342 ms with valid bytecode"
    )


@pytest.mark.parametrize(("long", "count"), [(60, 3), (0, 1)])
def test_an_import_that_takes_long_is_not_repeated(
    long: float, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").write_text("with open('log', 'a') as file: file.write('x')\n")
    monkeypatch.setattr(import_cost, "_LONG", long)

    assert import_cost._import_seconds(sys.executable, "main", tmp_path, {}) is not None

    assert (tmp_path / "log").read_text() == "x" * count


def test_what_nobody_would_notice_has_no_price() -> None:
    text = ImportCost(module="main", now=0.3, compiled=0.31).text

    assert text.startswith("less than 1 ms of CPU in each cold start; measured: ")


def test_an_import_has_no_packages_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import pytest\n")

    assert import_cost._import_seconds(sys.executable, "main", tmp_path, {}) is None


def test_an_app_that_serves_at_its_import_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "with open('log', 'a') as file: file.write('x')\nimport threading\nthreading.Event().wait()\napp = 1\n"
    for name in ("main.py", "server.py"):
        (tmp_path / name).write_text(source)
    monkeypatch.setattr(import_cost, "_TIMEOUT", 1)

    with open_artifact(tmp_path) as artifact:
        assert import_cost.measure(Subject(artifact)) is None

    assert (tmp_path / "log").read_text() == "x"


def test_a_vcpu_has_the_same_memory_everywhere() -> None:
    assert quotas.ONE_VCPU == ONE_VCPU
