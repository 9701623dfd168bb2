"""What is installed: one version, said once; and examples that work from a checkout."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from lambda_web_adapter import __version__

PROJECT = Path(__file__).parent.parent
EXAMPLES = sorted(path.parent for path in PROJECT.glob("examples/*/README.md"))


def test_a_package_has_the_version_that_the_program_tells() -> None:
    command = [sys.executable, "-m", "hatchling", "version"]

    built = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()

    assert built == __version__


def test_the_version_is_said_in_one_place() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    files = [*PROJECT.glob("src/**/*.py"), PROJECT / "pyproject.toml", PROJECT / "bootstrap"]
    said = [file.name for file in files if re.search(rf"(?<![\d.]){re.escape(__version__)}(?![\d.])", file.read_text())]

    assert (project.get("version"), project["dynamic"]) == (None, ["version"])
    assert said == ["__init__.py"]


def test_wheel_and_sdist_have_the_files_of_the_inspector_s_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path)]
    subprocess.run(command, cwd=PROJECT, capture_output=True, check=True)
    static = PROJECT / "src/lambda_web_adapter/local/inspector/static"
    files = {f"/{path.relative_to(PROJECT / 'src')}" for path in static.rglob("*") if path.is_file()}

    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel, tarfile.open(next(tmp_path.glob("*.tar.gz"))) as sdist:
        in_wheel = {f"/{name}" for name in wheel.namelist()}
        in_sdist = {f"/{name.partition('/src/')[2]}" for name in sdist.getnames()}

    assert len(files) > 40
    assert (files - in_wheel, files - in_sdist) == (set(), set())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_installs_the_adapter_of_its_checkout_and_says_how_once_released(example: Path) -> None:
    (command,) = re.findall(r"^    pip install (.*)$", (example / "README.md").read_text(), re.MULTILINE)
    words, _, comment = command.partition("#")

    assert words.split() == ["-r", "requirements.txt", "../.."]
    assert (example / "../.." / "pyproject.toml").resolve() == PROJECT / "pyproject.toml"
    assert "once it is released, without ../.." in comment
