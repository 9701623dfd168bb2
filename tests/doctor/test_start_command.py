"""`doctor` starts apps: what it prints, and when."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from doctor.starts import WSGI, write_app
from doctor.test_doctor_command import doctor

HEAVY = "for number in range(400_000): number * number\n"


def write_project(folder: Path, source: str = WSGI, table: str = "", **modules: str) -> Path:
    write_app(folder, source, **modules)
    (folder / "pyproject.toml").write_text(f"[tool.lambda-web-adapter]\n{table}")
    return folder


def test_an_app_by_its_name(tmp_path: Path) -> None:
    flame = tmp_path / "flame.svg"
    folder = write_project(tmp_path / "project", f"import heavy\n{WSGI}", 'warm = ["GET /a?b=c"]', heavy=HEAVY)

    result = doctor("main:app", "--flame", flame, cwd=folder)

    assert (result.returncode, result.stderr) == (0, "")
    assert "Start of main:app: WSGI\n" in result.stdout
    assert "  first GET /a?b=c " in result.stdout
    assert "needless-import  main.py:1\n" in result.stdout
    assert "main.py imports heavy, of which nothing runs in the warm requests." in " ".join(result.stdout.split())
    assert "heavy" in flame.read_text()


def test_a_project_is_started_as_json(tmp_path: Path) -> None:
    result = doctor(write_project(tmp_path), "--json")

    document = json.loads(result.stdout)
    assert document["start"]["interface"] == "wsgi"
    assert [each["status"] for each in document["start"]["requests"]] == [200, 200]
    assert document["start"]["ready_ms"] > 0


def test_a_project_without_an_app_is_in_order(tmp_path: Path) -> None:
    result = doctor(write_project(tmp_path, "x = 1\n"))

    assert result.returncode == 0
    assert "\nNot started: " in result.stdout


def test_the_app_of_the_project(tmp_path: Path) -> None:
    folder = write_project(tmp_path, "", 'app = "second:app"', first=WSGI, second="import missing\n")

    result = doctor(cwd=folder)

    assert result.returncode == 1
    assert "import-fails  second.py:1\n" in result.stdout


def test_a_start_as_on_lambda(tmp_path: Path) -> None:
    write_app(tmp_path, WSGI)
    with zipfile.ZipFile(tmp_path / "function.zip", "w") as file:
        file.write(tmp_path / "main.py", "main.py")

    flame = ["--flame", "flame.svg"]
    result = doctor("function.zip", "--app", "main:app", "--start", "--memory", "512", *flame, cwd=tmp_path)

    assert (result.returncode, result.stderr) == (0, "")
    assert "Start of main:app: WSGI\n" in result.stdout
    assert " MB of 512 MB\n" in result.stdout
    assert "second GET /" in result.stdout
    assert "\n  main:app  " in result.stdout  # the tree of its imports
    assert "main:app" in (tmp_path / "flame.svg").read_text()


@pytest.mark.parametrize("table", ["", 'app = "main:missing"'], ids=["option", "pyproject.toml"])
def test_a_wrong_name_of_an_app_is_an_error(table: str, tmp_path: Path) -> None:
    result = doctor(write_project(tmp_path, table=table), *([] if table else ["--app", "main:missing"]))

    assert result.returncode == 1
    assert "error  app-not-found" in result.stdout


def test_a_start_that_fails_has_no_flame_graph(tmp_path: Path) -> None:
    result = doctor(write_project(tmp_path, "import missing\n"), "--flame", "flame.svg", cwd=tmp_path)

    assert result.returncode == 1
    assert "  flame.svg was not written, since " in result.stdout


def test_what_was_asked_for_and_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    result = doctor(write_project(tmp_path), "--python", "3.10", "--start")

    assert result.returncode == 2
    assert "cannot be started here: the function has Python 3.10, and this is 3." in result.stderr


def test_another_python_is_not_started(tmp_path: Path) -> None:
    result = doctor(write_project(tmp_path), "--python", "3.10")

    assert "Not started: the function has Python 3.10, and this is 3." in result.stdout


def test_no_import_starts_nothing(tmp_path: Path) -> None:
    assert "Start of" not in doctor(write_project(tmp_path), "--no-import").stdout


def test_wrong_requests_are_named(tmp_path: Path) -> None:
    result = doctor(write_project(tmp_path, table='warm = ["/"]'))

    assert result.returncode == 2
    assert "it takes a list such as" in result.stderr
