"""Which Python a package is for, unless the command line says it."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from lambda_web_adapter.packaging.default_python import RUNTIMES, check_python, choose_python
from lambda_web_adapter.packaging.packaging_error import PackagingError

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param("3.13\n", "3.13", id="version"),
        pytest.param("3.13.1\n3.12.4\n", "3.13", id="several-of-pyenv"),
        pytest.param("# ours\ncpython-3.14.0\n", "3.14", id="implementation"),
        pytest.param("pypy3.11-7.3\n", THIS, id="another-implementation"),
    ],
)
def test_the_version_file_of_the_project_counts(text: str, version: str, tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text(text)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\nrequires-python = ">=3.11"\n')

    assert choose_python(tmp_path) == version


def test_the_version_file_of_the_repository_counts_but_none_above_it(tmp_path: Path) -> None:
    app = tmp_path / "repository" / "app"
    (app.parent / ".git").mkdir(parents=True)
    app.mkdir()
    (tmp_path / ".python-version").write_text("3.13")

    assert choose_python(app) == THIS
    (app.parent / ".python-version").write_text("3.12")
    assert choose_python(app) == "3.12"


@pytest.mark.parametrize(
    ("requires", "version"),
    [
        pytest.param(">=3.11", THIS, id="this-one"),
        pytest.param(f"!={THIS}.*", next(each for each in RUNTIMES if each != THIS), id="not-this-one"),
        pytest.param(f">={THIS}.2", THIS, id="with-a-patch-number"),
        pytest.param(f"=={THIS}.2", THIS, id="one-release"),
        pytest.param("<=3.12,>=3.12", "3.12", id="at-most"),
    ],
)
def test_requires_python_counts(requires: str, version: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "shop"\nrequires-python = "{requires}"\n')

    assert choose_python(tmp_path) == version


@pytest.mark.parametrize(
    ("constraint", "version", "is_allowed"),
    [
        pytest.param("^3.13", "3.12", False, id="caret-older"),
        pytest.param("^3.13.2", "3.14", True, id="caret-newer"),
        pytest.param("~3.13", "3.14", False, id="tilde"),
        pytest.param(">=3.13,<3.15", "3.12", False, id="specifier"),
        pytest.param("^3.11 || ^4.0", "3.12", True, id="only-for-poetry"),
        pytest.param("*", "3.12", True, id="any"),
    ],
)
def test_poetry_s_own_table_counts(constraint: str, version: str, is_allowed: bool, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[tool.poetry.dependencies]\npython = "{constraint}"\n')

    with nullcontext() if is_allowed else pytest.raises(PackagingError, match=f"package is for Python {version}"):
        check_python(tmp_path, version)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        pytest.param(".python-version", "3.10.2", "has 3.10.2, but .* 3.11 or later", id="old"),
        pytest.param("pyproject.toml", '[project]\nrequires-python = "<3.11"', "Lambda's runtimes have", id="none"),
        pytest.param("pyproject.toml", '[project]\nrequires-python = "new"', "it takes .>=3.13. or so", id="invalid"),
    ],
)
def test_a_version_that_no_runtime_has_is_an_error(name: str, text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)

    with pytest.raises(PackagingError, match=problem):
        choose_python(tmp_path)


@pytest.mark.parametrize(("version", "is_allowed"), [("3.12", False), ("3.13", True), ("3.14", True)])
def test_a_version_that_the_project_excludes_is_an_error(version: str, is_allowed: bool, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\nrequires-python = ">=3.13.2"\n')

    if is_allowed:
        check_python(tmp_path, version)
    else:
        with pytest.raises(PackagingError, match=r"is '>=3\.13\.2', but the package is for Python 3\.12"):
            check_python(tmp_path, version)
