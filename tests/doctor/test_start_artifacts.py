"""Artifacts are started with what they have, and with nothing that is installed here."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from doctor.sample_artifacts import install, make_zip, write
from doctor.starts import WSGI, make_target, write_app
from support.processes import plain_environment

import lambda_web_adapter
from lambda_web_adapter.doctor.findings import Finding
from lambda_web_adapter.doctor.report import text_lines
from lambda_web_adapter.doctor.rules import RULES
from lambda_web_adapter.doctor.start.artifact_program import ModuleSource
from lambda_web_adapter.doctor.start.artifact_python import artifact_python
from lambda_web_adapter.doctor.start.failure_text import last_error, last_lines, last_traceback
from lambda_web_adapter.doctor.start.failures import failures
from lambda_web_adapter.doctor.start.preparation import start_target
from lambda_web_adapter.doctor.start.trial import Trial, run_trial
from lambda_web_adapter.local.environments.function_options import FunctionOptions
from lambda_web_adapter.local.environments.guard import Guard
from lambda_web_adapter.packaging.adapter_files import add_adapter
from lambda_web_adapter.packaging.contents import Contents

# Reports what it and a process that it starts can import.
PROBE = """
import subprocess, sys
import pkg
from importlib.util import find_spec
other = subprocess.run([sys.executable, "-c", "import flask"], stderr=subprocess.DEVNULL).returncode
print("probe", find_spec("flask"), find_spec("pytest"), other, flush=True)
"""
LOG = """\
ERROR in app: Exception on / [GET]
Traceback (most recent call last):
  File "/task/main.py", line 3, in index
    return {}["x"]
KeyError: 'x'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/usr/lib/flask/app.py", line 9, in wsgi_app
    raise Wrong from error
errors.WrongError: it is wrong
END RequestId: 1
"""


def start(path: Path, *, is_isolated: bool = False) -> tuple[Trial, list[Finding]]:
    """Start the app of an artifact once."""
    environ = {**plain_environment(), "PYTHONPATH": str(Path(lambda_web_adapter.__file__).parents[1])}
    with start_target(path, "main:app", "", FunctionOptions(), environ, has_packages=True) as target:
        trial = run_trial(target, is_isolated=is_isolated)
        return trial, list(failures(target, trial))


def test_an_artifact_has_no_other_packages(tmp_path: Path) -> None:
    folder = write_app(tmp_path / "function", f"{PROBE}{WSGI}")
    install(folder, "pkg", {"pkg/__init__.py": ""})

    trial, found = start(make_zip(folder), is_isolated=True)

    assert found == []
    assert "probe None None 1\n" in trial.output


def test_an_artifact_is_started_with_its_own_adapter(tmp_path: Path) -> None:
    where = "import lambda_web_adapter\nraise ValueError(lambda_web_adapter.__file__)\n"
    folder = write_app(tmp_path / "function", f"{where}{WSGI}")
    package = Contents()
    add_adapter(package, "", keep=())
    for path, item in package.items.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(item.read())
    for name in ("httptools", "orjson"):
        shutil.copytree(Path(str(import_module(name).__file__)).parent, folder / name)

    (finding,) = start(folder, is_isolated=True)[1]

    assert finding.message == f"ValueError: {folder}/lambda_web_adapter/__init__.py"
    assert finding.detail.splitlines()[:2] == [
        "Traceback (most recent call last):",
        '  File "main.py", line 2, in <module>',
    ]


def test_a_package_that_an_artifact_lacks(tmp_path: Path) -> None:
    folder = write_app(tmp_path / "function", f"import helper\n{WSGI}", helper="\nimport flask\n")

    (finding,) = start(make_zip(folder))[1]

    assert (finding.rule, finding.place) == ("import-fails", "helper.py:2")
    assert finding.advice.startswith("function.zip has no module flask: add the package that has it")
    assert finding.detail.splitlines() == [
        "Traceback (most recent call last):",
        '  File "main.py", line 1, in <module>',
        "    import helper",
        '  File "helper.py", line 2, in <module>',
        "    import flask",
        "ModuleNotFoundError: No module named 'flask'",
    ]


@pytest.mark.parametrize(
    ("version", "note"),
    [
        ("", "The artifact has no lambda_web_adapter, as if a layer had it, and was started"),
        ("0.0.1", "The artifact has the adapter 0.0.1, but was started"),
        (lambda_web_adapter.__version__, ""),
    ],
    ids=["none", "another one", "this one"],
)
def test_whose_adapter_it_is(tmp_path: Path, version: str, note: str) -> None:
    if version:
        write(tmp_path / "python/lambda_web_adapter/__init__.py", f'__version__ = "{version}"\n')

    with artifact_python(tmp_path, {"PYTHONPATH": "/somewhere", "PATH": "/usr/bin"}) as python:
        assert python.note.startswith(note)
        assert bool(python.note) == bool(note)
        assert "PYTHONPATH" not in python.environ
        folder = Path(python.interpreter.python).parents[1]
        assert folder.is_dir()
        assert python.environ["PATH"] == f"{folder}/bin:/usr/bin"

    assert not folder.exists()


def test_modules_from_folders_that_are_not_in_the_path(tmp_path: Path) -> None:
    write(tmp_path / "one.py", "")
    write(tmp_path / "two.py", "")
    source = ModuleSource({"one": str(tmp_path), "package.two": str(tmp_path)})

    specs = [source.find_spec(name) for name in ("one", "two", "package.two")]

    assert [spec.origin if spec else None for spec in specs] == [
        str(tmp_path / "one.py"),
        None,
        str(tmp_path / "two.py"),
    ]


def test_the_guard_is_not_that_of_an_artifact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "lambda_web_adapter/__init__.py", "")
    monkeypatch.chdir(tmp_path)

    Guard.start_program().close()

    assert capfd.readouterr().err == ""


def test_boto3_is_the_runtimes(tmp_path: Path) -> None:
    failed = ("failed", "ModuleNotFoundError", "No module named 'boto3'", "", 0)
    target = replace(make_target(tmp_path), kind="zip", artifact="function.zip")

    (finding,) = failures(target, Trial(reports=[failed]))

    assert finding.severity == "note"
    assert "install boto3 here" in finding.advice


def test_the_last_traceback_of_a_log() -> None:
    lines = LOG.splitlines()

    assert last_traceback(lines) == lines[8:12]
    assert last_error(lines) == "errors.WrongError: it is wrong"
    assert last_traceback(["no traceback"]) == []


def test_the_last_lines_have_the_artifacts_paths(tmp_path: Path) -> None:
    target = make_target(tmp_path)

    text = last_lines(target, [*map(str, range(40)), f'  File "{tmp_path}/main.py"'])

    assert text.splitlines()[0] == "… 11 more lines before"
    assert text.splitlines()[-1] == '  File "main.py"'


def test_lines_of_a_traceback_are_not_wrapped(tmp_path: Path) -> None:
    long = "x = " + " + ".join("abc" for _ in range(40))
    reports = [("failed", "ValueError", "no", "", 0), ("traceback", "Traceback"), ("traceback", f"    {long}")]

    lines = text_lines("title", list(failures(make_target(tmp_path), Trial(reports=reports))), RULES, None, 60)

    assert f"          {long}" in lines
    assert lines.index("      Traceback") == lines.index("    ValueError: no") + 1
