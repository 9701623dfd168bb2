"""The command `doctor`: output, exit codes, JSON, SARIF."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from doctor.sample_artifacts import APP, PYTHON, compile_all, make_function, make_image, make_zip, write

from lambda_web_adapter.doctor.rules import RULES


def doctor(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lambda_web_adapter", "doctor", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_function(tmp_path / "function")


@pytest.fixture
def stale_zip(folder: Path) -> Path:
    compile_all(folder, "TIMESTAMP")
    return make_zip(folder)


def test_an_artifact_in_order_exits_with_0(folder: Path) -> None:
    result = doctor(make_zip(folder))

    assert (result.returncode, result.stderr) == (0, "")
    assert "zip, 11 files" in result.stdout
    assert f"Python {PYTHON} (the names of extension modules)" in result.stdout
    assert result.stdout.endswith("In order: nothing was found.\n")


def test_an_error_exits_with_1_and_says_what_it_costs(stale_zip: Path) -> None:
    result = doctor(stale_zip)

    assert result.returncode == 1
    assert "  error  stale-bytecode  main.py\n" in result.stdout
    assert "measured: the import of main takes" in " ".join(result.stdout.split())
    assert "1 error. --fix repairs it." in result.stdout


def test_without_an_import_the_cost_is_estimated(stale_zip: Path) -> None:
    assert "estimated: 0.1 kB of source" in " ".join(doctor(stale_zip, "--no-import").stdout.split())


def test_an_import_of_a_folder_writes_nothing(folder: Path) -> None:
    compile_all(folder, "CHECKED_HASH")
    write(folder / "main.py", "import pkg\napp = print\n")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    assert doctor(folder).returncode == 1

    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_warning_exits_with_0(folder: Path) -> None:
    write(folder / "tests" / "test_main.py", "")

    assert doctor(folder).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.zip"], "There is no file or folder missing.zip"),
        (["notes.txt"], "neither a folder nor a zip nor an image"),
        (["--python", "3"], "no version such as 3.13"),
        ([".", "--sarif", "missing/x.sarif"], "--sarif missing/x.sarif cannot be written: there is no folder missing"),
        ([".", "--flame", "missing/x.svg"], "--flame missing/x.svg cannot be written: there is no folder missing"),
        ([".", "--output", "x.zip"], "--output names the new file of --fix"),
        ([".", "--template", "broken.yaml"], "broken.yaml cannot be read"),
        ([".", "--template", "notes.txt"], "notes.txt has no function, but no resources at all. Name the file"),
    ],
    ids=[
        "no file",
        "no artifact",
        "no version",
        "no folder of SARIF",
        "no folder",
        "no --fix",
        "no template",
        "no function",
    ],
)
def test_what_cannot_be_examined_exits_with_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    write(tmp_path / "notes.txt", "x")
    write(tmp_path / "broken.yaml", "a: [")

    result = doctor(*arguments, cwd=tmp_path)

    assert result.returncode == 2
    assert message in result.stderr


def test_json_has_the_fields_of_the_page(stale_zip: Path) -> None:
    document = json.loads(doctor(stale_zip, "--json", "--no-import").stdout)

    (finding,) = document["findings"]
    assert document == {
        "examined": str(stale_zip),
        "kind": "zip",
        "python": PYTHON,
        "architecture": "x86_64",
        "bytes": document["bytes"],
        "functions": [],
        "notes": [],
        "findings": [finding],
    }
    assert {**finding, "message": "", "advice": "", "cost": ""} == {
        "rule": "stale-bytecode",
        "severity": "error",
        "message": "",
        "advice": "",
        "path": "main.py",
        "line": 0,
        "cost": "",
        "detail": "",
        "fixable": True,
    }
    page = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()
    assert [name for name in [*document, *finding] if f"| `{name}` |" not in page] == []


def test_sarif_has_the_findings_and_all_rules(folder: Path, tmp_path: Path) -> None:
    write(folder / "jobs.py", "open('app.log', 'a')\n")
    write(folder / "main.py", f"import jobs\n{APP}")
    compile_all(folder)

    doctor(folder, "--sarif", tmp_path / "doctor.sarif")

    document: dict[str, Any] = json.loads((tmp_path / "doctor.sarif").read_text())
    (run,) = document["runs"]
    (result,) = run["results"]
    rules = run["tool"]["driver"]["rules"]
    assert document["version"] == "2.1.0"
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "write-outside-tmp"
    assert result["level"] == "error"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "jobs.py"},
        "region": {"startLine": 1},
    }


def test_rules_are_listed() -> None:
    lines = doctor("--rules").stdout.splitlines()

    assert [line.split()[:2] for line in lines] == [[rule.id, rule.severity] for rule in RULES]


def test_fix_repairs_and_examines_what_it_has_written(stale_zip: Path, tmp_path: Path) -> None:
    result = doctor("--fix", stale_zip, "--output", tmp_path / "fixed.zip")

    assert result.returncode == 0
    assert "Compiled 3 modules" in result.stderr
    assert result.stderr.endswith("Repaired it: nothing remains.\n")
    assert f"{tmp_path / 'fixed.zip'}: zip" in result.stdout


def test_fix_says_what_remains(folder: Path) -> None:
    write(folder / ".env", "PASSWORD=x\n")
    compile_all(folder, "TIMESTAMP")

    first = doctor("--fix", "--no-import", folder)
    second = doctor("--fix", "--no-import", folder)

    assert (first.returncode, second.returncode) == (1, 1)
    assert "Repaired 1 of 2 findings: 1 error remains, which has to be changed in the build.\n" in first.stderr
    assert second.stderr == "Nothing could be repaired: 1 error remains, which has to be changed in the build.\n"


def test_fix_of_what_is_in_order_exits_with_0(folder: Path) -> None:
    result = doctor("--fix", make_zip(folder))

    assert (result.returncode, result.stderr) == (0, "Nothing had to be repaired.\n")


def test_a_template_that_leaves_the_runtime_open_is_named(folder: Path, tmp_path: Path) -> None:
    function = "{Type: AWS::Serverless::Function, Properties: {CodeUri: function, Runtime: !Ref Version}}"
    write(tmp_path / "other.yaml", f"Resources:\n  Web: {function}\n  Jobs: {function.replace('function,', 'x,')}\n")

    lines = doctor("--no-import", "--template", tmp_path / "other.yaml", folder).stdout.splitlines()

    assert lines[1:3] == [
        "other.yaml leaves the runtime of Web to the deployment (Version): say which it is by --python 3.13.",
        "other.yaml names no handler for Web: add it there, such as main:app; it is looked for in the sources.",
    ]


def test_what_fix_cannot_repair_is_not_offered(tmp_path: Path) -> None:
    folder = make_function(tmp_path / "function")
    (folder / "bootstrap").chmod(0o644)

    result = doctor(make_image(folder, {"Entrypoint": ["/var/task/bootstrap"], "Cmd": ["main:app"]}))

    assert "not-executable" in result.stdout
    assert result.stdout.endswith("\n1 error.\n")


@pytest.mark.parametrize("others", [[], [".git/HEAD", "bootstrap"]], ids=["a folder", "a repository with a bootstrap"])
def test_a_project_is_examined_by_its_sources(others: list[str], tmp_path: Path) -> None:
    for name in ["pyproject.toml", *others]:
        write(tmp_path / name, "")
    write(tmp_path / ".env", "PASSWORD=x\n")
    write(tmp_path / "main.py", "import os\ndef f():\n    return os.fork()\n")
    write(tmp_path / ".venv" / "pyvenv.cfg", "")
    write(tmp_path / ".venv" / "lib" / "other.py", "open('x', 'w')\n")

    result = doctor(cwd=tmp_path)

    assert result.returncode == 0
    assert "fork-server  main.py:3" in result.stdout
    assert "1 warning." in result.stdout


def test_names_that_no_terminal_shows_are_escaped(folder: Path, tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\n"
    (folder / "new\nline.pem").write_text(key)
    (folder / os.fsdecode(b"caf\xe9.pem")).write_text(key)

    result = doctor(folder, "--no-import", "--sarif", tmp_path / "out.sarif")

    assert (result.returncode, result.stderr) == (1, "")
    assert r"secret-file  new\nline.pem" in result.stdout
    assert r"secret-file  caf\udce9.pem" in result.stdout
    assert "caf%E9.pem" in (tmp_path / "out.sarif").read_text()
