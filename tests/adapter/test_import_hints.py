"""Why an import has failed, as far as the error and the files show."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lambda_web_adapter.adapter.diagnostics.import_hints import hint_at_cause

PYTHON = f"Python {sys.version_info[0]}.{sys.version_info[1]}"


def test_a_native_module_of_another_python_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = tmp_path / "fastjson" / "_core.cpython-299-sparc-linux-gnu.so"
    built.parent.mkdir()
    built.touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    hint = hint_at_cause("ModuleNotFoundError", "No module named 'fastjson._core'", str(tmp_path))

    assert hint.startswith(f"{built} is for another Python or processor than this {PYTHON}")
    assert f"--python-version {sys.version_info[0]}.{sys.version_info[1]}" in hint


@pytest.mark.parametrize(
    "message",
    [
        "/var/task/x.so: invalid ELF header",
        "/var/task/x.so: wrong ELF class: ELFCLASS32",
        "/lib64/libc.so.6: version `GLIBC_2.34' not found (required by /var/task/x.so)",
    ],
)
def test_a_file_of_another_system_is_recognised(message: str, tmp_path: Path) -> None:
    hint = hint_at_cause("ImportError", message, str(tmp_path))

    assert hint.startswith("That file was built for another system. ")
    assert "--platform manylinux" in hint


def test_a_library_that_the_system_lacks_is_named(tmp_path: Path) -> None:
    message = "libpq.so.5: cannot open shared object file: No such file or directory"

    assert "no library libpq.so.5" in hint_at_cause("ImportError", message, str(tmp_path))


def test_a_name_that_a_module_of_the_apps_own_lacks_gets_no_hint(tmp_path: Path) -> None:
    message = f"cannot import name 'Flask' from 'our_models' ({tmp_path / 'our_models.py'})"

    assert hint_at_cause("ImportError", message, str(tmp_path)) == ""


@pytest.mark.parametrize(("required", "hints"), [(">=3.99", True), (">=3.8,<4", False)])
def test_syntax_of_a_later_python_is_recognised_by_pyproject(required: str, hints: bool, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "a"\nrequires-python = "{required}"\n')

    hint = hint_at_cause("SyntaxError", "invalid syntax (main.py, line 1)", str(tmp_path))

    assert hint.startswith("pyproject.toml requires Python 3.99 or later, but this is ") if hints else hint == ""


def test_other_errors_get_no_hint(tmp_path: Path) -> None:
    assert hint_at_cause("ValueError", "No module named 'x'", str(tmp_path)) == ""
    assert hint_at_cause("SyntaxError", "invalid syntax", str(tmp_path)) == ""
