"""The interpreter of a function's version is found where this machine has it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lambda_web_adapter.artifacts.interpreters import find_python


def write_python(path: Path, output: str) -> Path:
    """Write a program that prints what an interpreter says of itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{output}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a path without interpreters."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("PYENV_ROOT", "UV_PYTHON_INSTALL_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_this_one_is_taken() -> None:
    assert find_python(sys.version_info[:2]) == sys.executable


@pytest.mark.parametrize(
    "folder", ["bin", ".pyenv/versions/3.99.1/bin", ".local/share/uv/python/cpython-3.99.1-linux-x86_64-gnu/bin"]
)
def test_another_one_is_found(folder: str, home: Path) -> None:
    program = write_python(home / folder / "python3.99", "echo 3.99 cpython")

    assert find_python((3, 99)) == str(program)


def test_a_shim_without_an_interpreter_is_passed_over(home: Path) -> None:
    write_python(home / "bin" / "python3.99", "exit 127")
    program = write_python(home / ".pyenv/versions/3.99.1/bin/python3.99", "echo 3.99 cpython")

    assert find_python((3, 99)) == str(program)


@pytest.mark.parametrize("output", ["exit 127", "echo 3.99 pypy", "echo 3.98 cpython"])
def test_what_is_no_cpython_of_the_version_is_not_used(output: str, home: Path) -> None:
    write_python(home / "bin" / "python3.99", output)

    assert find_python((3, 99)) is None
