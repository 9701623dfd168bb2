"""What only modules do that no start imports is no finding; what each start does is an error."""

# ruff: noqa: E501  # sources in one line, with paths as Lambda has them

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from doctor.sample_artifacts import make_image, write

from lambda_web_adapter.artifacts.opening import open_artifact
from lambda_web_adapter.doctor import compiled_files, source_checks, source_trees
from lambda_web_adapter.doctor.subject import Subject
from lambda_web_adapter.doctor.templates import FunctionTemplate

WRITE = "open('x', 'w')\n"
APP = "def app(environ, start_response): ...\n"
DJANGO = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n"


def severities(folder: Path, handler: str = "", python: tuple[int, int] | None = None) -> dict[str, str]:
    """Return how bad what the modules do is, by their paths."""
    functions = [FunctionTemplate(name="f", file=folder / "template.yaml", handler=handler)] if handler else []
    with open_artifact(folder) as artifact:
        return {
            finding.path: finding.severity
            for finding in source_checks.check(Subject(artifact, functions, python=python))
        }


@pytest.mark.parametrize(
    ("files", "handler", "expected"),
    [
        ({"main.py": APP + WRITE}, "", {"main.py": "error"}),
        ({"main.py": APP, "scripts/gen.py": WRITE, "gunicorn.conf.py": WRITE, "setup.py": WRITE}, "", {}),
        ({"main.py": APP, "jobs.py": WRITE}, "jobs.handler", {"jobs.py": "error"}),
        ({"main.py": APP, "src/jobs.py": WRITE}, "src/jobs.handler", {"src/jobs.py": "error"}),
        ({"main.py": "import a\n" + APP, "a.py": "from b import c\n", "b/__init__.py": WRITE}, "", {"b/__init__.py": "error"}),
        ({"main.py": "from a import b\n" + APP, "a/__init__.py": "", "a/b.py": WRITE}, "", {"a/b.py": "error"}),
        ({"a/main.py": "from . import b\n" + APP, "a/__init__.py": "", "a/b.py": WRITE}, "a.main:app", {"a/b.py": "error"}),
        ({"src/main.py": "import b\n" + APP, "src/b.py": WRITE}, "src/main.app", {"src/b.py": "error"}),
        ({"main.py": APP + "if x:\n    import a\n", "a.py": WRITE}, "", {"a.py": "warning"}),
        ({"main.py": APP + "def f():\n    import a\n", "a.py": WRITE}, "", {"a.py": "warning"}),
        ({"main.py": APP + "load('plugins.a')\n", "plugins/a.py": WRITE}, "", {"plugins/a.py": "warning"}),
        ({"main.py": APP + "import importlib\nimportlib.import_module(x)\n", "a.py": WRITE}, "", {"a.py": "warning"}),
        ({"main.py": APP + WRITE, "app.py": APP}, "", {"main.py": "warning"}),
        ({"tool.py": WRITE}, "", {"tool.py": "warning"}),
        ({"main.py": APP, "run.py": WRITE}, "run.sh", {"run.py": "warning"}),
        (
            {"manage.py": DJANGO, "site1/__init__.py": "", "site1/settings.py": "APPS = ['polls']\n" + WRITE}
            | {"polls/__init__.py": "", "polls/models.py": WRITE, "polls/management/commands/seed.py": WRITE},
            "",
            {"site1/settings.py": "warning", "polls/models.py": "warning"},
        ),
        ({"main.py": APP, "tests/test_a.py": WRITE, "conftest.py": WRITE, "tests.py": WRITE}, "", {}),
    ],
)  # fmt: skip
def test_only_what_is_imported_counts(tmp_path: Path, files: dict[str, str], handler: str, expected: object) -> None:
    for name, text in {"bootstrap": "", **files}.items():
        write(tmp_path / name, text)

    assert severities(tmp_path, handler) == expected


def test_the_command_of_an_image_names_the_app(tmp_path: Path) -> None:
    write(tmp_path / "function" / "jobs.py", WRITE)
    write(tmp_path / "function" / "main.py", APP)
    image = make_image(tmp_path / "function", {"Cmd": ["gunicorn", "jobs:app"]})

    with open_artifact(image) as artifact:
        assert {finding.path: str(finding.severity) for finding in source_checks.check(Subject(artifact))} == {
            "var/task/jobs.py": "error"
        }


def test_a_folder_of_the_artifact_needs_not_be_made(tmp_path: Path) -> None:
    text = f"{APP}import os\nfor name in ('static', 'other'):\n    os.makedirs(name, exist_ok=True)\n"
    write(tmp_path / "main.py", text.replace(", 'other'", ","))
    write(tmp_path / "bootstrap", "")
    assert severities(tmp_path) == {"main.py": "error"}

    write(tmp_path / "static" / "a.css", "")
    assert severities(tmp_path) == {}


def test_relative_paths_lead_elsewhere_if_a_module_changes_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "bootstrap", "")
    write(tmp_path / "main.py", f"import a\n{APP}{WRITE}")
    write(tmp_path / "a.py", "import os\nos.chdir(os.path.dirname(__file__))\n")
    assert severities(tmp_path) == {"main.py": "error"}

    write(tmp_path / "a.py", "import os\nos.chdir('/tmp')\n")
    assert severities(tmp_path) == {}


def test_a_syntax_error_counts_if_it_is_imported(tmp_path: Path) -> None:
    write(tmp_path / "bootstrap", "")
    write(tmp_path / "main.py", f"import a\n{APP}")
    write(tmp_path / "a.py", "def f(:\n")
    write(tmp_path / "templates" / "b.py", "{{ name }} = 1 +\n")
    assert severities(tmp_path, python=sys.version_info[:2]) == {"a.py": "error"}
    assert severities(tmp_path) == {"a.py": "warning"}  # the function may have a newer Python

    write(tmp_path / "main.py", f"try:\n    import a\nexcept SyntaxError:\n    pass\n{APP}")
    assert severities(tmp_path, python=sys.version_info[:2]) == {"a.py": "warning"}


def test_a_syntax_error_of_this_python_is_none_of_a_newer_one(tmp_path: Path) -> None:
    write(tmp_path / "bootstrap", "")
    write(tmp_path / "main.py", "def f(:\n")

    with open_artifact(tmp_path) as artifact:
        assert list(source_checks.check(Subject(artifact, python=(3, 99)))) == []


def test_what_cannot_be_compiled_lacks_no_bytecode(tmp_path: Path) -> None:
    write(tmp_path / "bootstrap", "")
    write(tmp_path / "a.py", "def f(:\n")

    with open_artifact(tmp_path) as artifact:
        assert list(compiled_files.check(Subject(artifact))) == []


def test_a_module_that_is_nested_too_deeply_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "bootstrap", "")
    write(tmp_path / "main.py", f"import a\n{APP}x = {' + '.join(['y'] * 2000)}\n")
    write(tmp_path / "a.py", WRITE)

    assert severities(tmp_path) == {"a.py": "error"}


def test_a_source_that_the_parser_gives_up_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "bootstrap", "")
    write(tmp_path / "main.py", f"import a\n{APP}")
    write(tmp_path / "a.py", f"x = {'-' * 200_000}1\n")

    assert severities(tmp_path) == {}


def test_a_large_app_is_read_from_its_start_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages without metadata count as the app's own: reading all of them took minutes."""
    monkeypatch.setattr(source_trees, "MOST_PARSED", 200)
    write(tmp_path / "bootstrap", "")
    write(tmp_path / "main.py", f"import used\n{APP}")
    for name in ("aaa", "used", "zzz"):
        write(tmp_path / f"{name}.py", f"{WRITE}__import__(name)\n{'#' * 80}\n")

    with open_artifact(tmp_path) as artifact:
        subject = Subject(artifact)
        assert [finding.path for finding in source_checks.check(subject)] == ["used.py"]
        assert subject.trees.left_out == {"aaa.py", "zzz.py"}
