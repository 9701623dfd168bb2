"""Imports that an artifact cannot satisfy differ from those that never run, or need nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from doctor.sample_artifacts import install, make_image, make_zip, write

from lambda_web_adapter.artifacts.opening import open_artifact
from lambda_web_adapter.doctor.findings import Finding
from lambda_web_adapter.doctor.missing_packages import check
from lambda_web_adapter.doctor.module_names import is_standard
from lambda_web_adapter.doctor.subject import Subject
from lambda_web_adapter.doctor.templates import FunctionTemplate

APP = "\ndef app(environ, start_response): ...\n"
ADAPTER = {"lambda_web_adapter/__init__.py": "", "lambda_web_adapter/flask.py": ""}


def make_folder(folder: Path, source: str, **files: str) -> Path:
    """Write the folder of a function with the adapter, a package, and an app."""
    install(folder, "lambda_web_adapter", ADAPTER)
    install(folder, "pkg", {"pkg/__init__.py": "", "namespace/part/__init__.py": ""})
    for name, text in {"main": f"{source}{APP}", **files}.items():
        write(folder / f"{name.replace('__', '/')}.py", text)
    return folder


def findings_of(path: Path, *functions: FunctionTemplate) -> list[Finding]:
    with open_artifact(path) as artifact:
        return list(check(Subject(artifact, functions)))


def function(**values: object) -> FunctionTemplate:
    return FunctionTemplate(name="f", file=Path("template.yaml"), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "source",
    [
        "import os, json.decoder, pkg.any, namespace.part",
        "import boto3, botocore.config\nfrom urllib3.util import Retry",
        "import own, folder.inner\nfrom folder import inner, name\nfrom vendored import things",
        "try:\n    import orjson\nexcept ImportError:\n    orjson = None",
        "try:\n    import uvloop\nexcept Exception:\n    import winloop",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mypy_boto3_s3",
        "import os\nif os.environ.get('DEBUG'):\n    import debugpy",
        "if __name__ == '__main__':\n    import uvicorn",
        "def report():\n    import pandas",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import dotenv",
        "from lambda_web_adapter.flask import require_event_source",
        "from . import own",
    ],
)
def test_what_an_app_may_import(tmp_path: Path, source: str) -> None:
    files = {
        "own": "import json\n",
        "folder__inner": "from .. import own\n",
        "libs__vendored": "",
        "not_imported": "import fire",
    }

    assert findings_of(make_folder(tmp_path, source, **files)) == []


@pytest.mark.parametrize(
    ("source", "places"),
    [
        ("import flask\n", "flask (main.py:1)"),
        ("import pkg\nfrom flask.views import View\nimport flask, redis\n", "flask (main.py:2), redis (main.py:3)"),
        ("class Config:\n    import flask\n", "flask (main.py:2)"),
        ("import own\n", "redis (own.py:1)"),
        ("from folder import inner\n", "yaml (folder/inner.py:2)"),
    ],
)
def test_what_is_missing(tmp_path: Path, source: str, places: str) -> None:
    files = {"own": "import redis\n", "folder____init__": "", "folder__inner": "from . import data\nimport yaml\n"}

    (finding,) = findings_of(make_folder(tmp_path, source, **files))

    assert finding.severity == "error"
    assert finding.message == f"The app imports what is neither in the artifact nor in the runtime: {places}."
    assert finding.place in places


@pytest.mark.parametrize(
    ("values", "severity"),
    [
        ({}, "error"),
        ({"layers": ("arn:aws:lambda:eu-west-1:1:layer:libs:1",)}, "warning"),
        ({"handler": "other.app"}, ""),
        ({"handler": "main:app", "runtime": "provided.al2023"}, "error"),
    ],
)
def test_what_a_template_says(tmp_path: Path, values: dict[str, object], severity: str) -> None:
    folder = make_folder(tmp_path, "import flask\n", other=APP)

    found = findings_of(folder, function(**values))

    assert [finding.severity for finding in found] == ([severity] if severity else [])
    assert severity != "warning" or "unless a layer has it" in found[0].message


def test_a_zip_of_sources_may_have_a_layer(tmp_path: Path) -> None:
    write(tmp_path / "function" / "main.py", f"import flask\n{APP}")

    assert [finding.severity for finding in findings_of(make_zip(tmp_path / "function"))] == ["warning"]


def test_of_several_apps_nobody_knows_which_one_starts(tmp_path: Path) -> None:
    assert findings_of(make_folder(tmp_path, "import pkg\n", server=f"import flask\n{APP}")) == []


def test_packages_that_are_unpacked_at_the_start(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "import flask\n")
    write(folder / ".requirements.zip", b"")

    assert findings_of(folder) == []


def test_packages_of_an_image(tmp_path: Path) -> None:
    write(tmp_path / "function" / "main.py", f"import flask, boto3, tool, redis\n{APP}")
    libraries = {"usr/local/lib/python3.13/site-packages/flask/__init__.py": b"", "opt/tools/tool.py": b""}
    config: dict[str, object] = {"Cmd": ["main:app"], "Env": ["PYTHONPATH=/opt/tools"]}

    (finding,) = findings_of(make_image(tmp_path / "function", config, libraries))

    assert finding.message.endswith("runtime: boto3 (var/task/main.py:1), redis (var/task/main.py:1).")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("project.pth", "/src\n", 0),
        ("__editable__.flask.pth", "import __editable___flask_finder\n", 0),
        ("distutils-precedence.pth", "import os; enabled = True\n", 1),
    ],
)
def test_packages_that_are_installed_from_their_sources(tmp_path: Path, name: str, text: str, expected: int) -> None:
    write(tmp_path / "function" / "main.py", f"import flask\n{APP}")
    libraries = {f"usr/lib/python3.13/site-packages/{name}": text.encode(), "src/flask/__init__.py": b""}
    image = make_image(tmp_path / "function", {"Cmd": ["main:app"]}, libraries)

    assert len(findings_of(image)) == expected


def test_a_project_has_no_packages_of_its_own(tmp_path: Path) -> None:
    write(tmp_path / "main.py", f"import flask\n{APP}")
    write(tmp_path / "requirements.txt", "flask\n")

    assert findings_of(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "python", "expected"),
    [
        ("cgi", (3, 12), True),
        ("cgi", (3, 13), False),
        ("distutils", (3, 11), True),
        ("distutils", (3, 12), False),
        ("json", (3, 9), True),
        ("annotationlib", (3, 14), True),
        ("annotationlib", (3, 13), False),
        ("flask", sys.version_info[:2], False),
    ],
)
def test_the_standard_library(name: str, python: tuple[int, int], *, expected: bool) -> None:
    assert is_standard(name, python) is expected
