"""Both examples, packaged as docs/zips.md has it from what is installed here, are in order."""

from __future__ import annotations

import re
import shutil
from importlib import metadata
from pathlib import Path

import pytest
from doctor.sample_artifacts import compile_all, make_zip, write

import lambda_web_adapter
from lambda_web_adapter.doctor.examination import Options, examine

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]
# What the adapter imports in a function.
ADAPTER_NEEDS = ["httptools", "orjson", "pybase64", "uvloop"]


def install(name: str, folder: Path, installed: set[str]) -> None:
    """Copy a distribution of this environment, and all that it requires."""
    distribution = metadata.distribution(name)
    if distribution.name in installed:
        return
    installed.add(distribution.name)
    for file in distribution.files or []:
        if ".." not in file.parts and file.suffix != ".pyc":
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), target)
    for requirement in distribution.requires or []:
        match = re.match(r"[\w.-]+", requirement)
        if match and ";" not in requirement:
            install(match[0], folder, installed)


@pytest.fixture(params=["fastapi_app", "flask_app"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "function"
    shutil.copytree(PROJECT / "examples" / request.param, path, ignore=shutil.ignore_patterns("__pycache__"))
    installed = set[str]()
    for name in [request.param.partition("_")[0], "python-multipart", *ADAPTER_NEEDS]:
        install(name, path, installed)
    source = Path(lambda_web_adapter.__file__).parent
    shutil.copytree(source, path / "lambda_web_adapter", ignore=shutil.ignore_patterns("__pycache__"))
    write(path / "bootstrap", (PROJECT / "bootstrap").read_bytes(), mode=0o755)
    return path


@pytest.mark.timeout(180)
def test_an_example_is_in_order(folder: Path) -> None:
    compile_all(folder)

    assert examine(make_zip(folder), Options()).findings == []


@pytest.mark.parametrize("folder", ["flask_app"], indirect=True)
@pytest.mark.timeout(180)  # it compiles what the example needs, and imports it seven times
def test_stale_bytecode_of_an_example_costs_time(folder: Path) -> None:
    compile_all(folder, "TIMESTAMP")

    (finding,) = examine(make_zip(folder), Options()).findings

    figures = re.search(r"import of main takes (\d+) ms as it is, (\d+) ms with valid bytecode", finding.cost)
    assert (finding.rule, finding.severity) == ("stale-bytecode", "error")
    assert figures is not None
    assert int(figures[1]) > int(figures[2])
