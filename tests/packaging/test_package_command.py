"""`lambda-web-adapter package`, from a folder to what Lambda takes."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from doctor.elf_files import ARM64, X86_64, make_shared_object
from doctor.test_start_trial import allows_namespaces
from support.packages import ARCHITECTURE, MakeProject, Package, report_of

from lambda_web_adapter.artifacts.bytecode import Use, use_of
from lambda_web_adapter.artifacts.opening import open_artifact

TAG = sys.implementation.cache_tag or ""


# Root may write to folders without that right.
_WRITES_AND_IMPORTS = """
import sys
try:
    open(__file__ + ".new", "w")
except OSError as error:
    print(error)
import httpx

def app(environ, start_response): ...
"""


def names_in(file: Path) -> set[str]:
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def test_a_zip_has_app_packages_adapter_and_bootstrap(make_project: MakeProject, package: Package) -> None:
    project = make_project(**{".env": "SHELF=herbs\n"})
    (project / "main.py").write_text(f"import os\nos.environ['SHELF']\n{(project / 'main.py').read_text()}")
    output = project.parent / "function.zip"

    report = report_of(package(project, "-o", str(output), "--installer", "pip", "--json"))

    with open_artifact(output) as artifact:
        entries = artifact.entries
        assert {"main.py", "data.txt", "greeting/__init__.py", "lambda_web_adapter/cli.py", "orjson/__init__.py"} <= {
            *entries
        }
        assert entries["bootstrap"].mode == stat.S_IFREG | 0o755
        assert entries["main.py"].mode == stat.S_IFREG | 0o644
        sources = [path for path in entries if path.endswith(".py")]
        assert {path for path in sources if use_of(artifact, path, TAG) is not Use.UNCHECKED} == set()
        assert not any(path.startswith("uvloop") for path in entries)
    assert report["asgi_only"] == ["uvloop"]
    assert report["handler"] == "main:app"
    assert report["init_ms"] > 0
    assert report["compiled"] == len(sources)
    assert not any("has to compile" in note for note in report["notes"])


def test_what_no_function_needs_is_left_out(make_project: MakeProject, package: Package) -> None:
    project = make_project("greeting", "lambda-web-adapter")
    (project / "tests").mkdir()
    (project / "tests" / "test_it.py").write_text("")
    (project / ".env").write_text("SECRET=1")

    report_of(package(project, "-o", "out.zip", "--no-start", "--json"))

    names = names_in(project.parent / "out.zip")
    tops = {name.partition("/")[0] for name in names}
    assert {"greeting-1.0.dist-info/entry_points.txt", "share/greeting/words.txt"} <= names
    assert "lambda_web_adapter/local/option_names.py" in names
    assert not {name for name in names if name.startswith(("lambda_web_adapter/local/commands", "greeting/tests"))}
    assert not {"click", "bin", "tests", ".env", "requirements.txt"} & tops
    assert not {name for name in names if name.endswith((".pyi", ".c", "/INSTALLER", "/LICENSE"))}


def test_each_kind_can_be_kept(make_project: MakeProject, package: Package) -> None:
    project = make_project()
    kinds = ("tests", "stubs", "headers", "licenses", "scripts", "laptop")

    keep = [word for kind in kinds for word in ("--keep", kind)]
    report_of(package(project, "-o", "out.zip", "--no-start", "--json", *keep))

    assert {
        "greeting/tests/test_text.py",
        "greeting/__init__.pyi",
        "greeting/speed.c",
        "greeting-1.0.dist-info/licenses/LICENSE",
        "bin/greet",
        "lambda_web_adapter/local/commands/package.py",
    } <= names_in(project.parent / "out.zip")


def test_a_package_s_own_tests_stay_if_it_imports_them(make_project: MakeProject, package: Package) -> None:
    project = make_project("greeting", "uses_tests")

    report_of(package(project, "-o", "out.zip", "--no-start", "--json"))

    assert "uses_tests/tests/data.py" in names_in(project.parent / "out.zip")


def test_the_same_project_gives_the_same_bytes(make_project: MakeProject, package: Package, tmp_path: Path) -> None:
    """At another time, from a copy in another folder, with other permissions and another order of the files."""
    project = make_project()
    variables = {"SOURCE_DATE_EPOCH": "1700000000"}
    first = report_of(package(project, "-o", "first.zip", "--no-start", "--json", **variables))
    copy = tmp_path / "elsewhere" / "copy"
    copy.mkdir(parents=True)
    for name in ("requirements.txt", "data.txt", "main.py"):
        (copy / name).write_bytes((project / name).read_bytes())
        (copy / name).chmod(0o600)
        os.utime(copy / name, (1_600_000_000, 1_600_000_000))

    variables |= {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    second = report_of(package(copy, "-o", "second.zip", "--no-start", "--json", **variables))

    assert second["sha256"] == first["sha256"]
    with zipfile.ZipFile(project.parent / "first.zip") as archive:
        assert {info.date_time for info in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}


def test_a_layer_has_packages_but_no_app(make_project: MakeProject, package: Package) -> None:
    project = make_project()

    report = report_of(package(project, "--layer", "-o", "layer.zip", "--json"))

    with open_artifact(project.parent / "layer.zip") as artifact:
        assert artifact.kind == "layer"
        assert "python/greeting/__init__.py" in artifact.entries
        assert "python/main.py" not in artifact.entries
    assert "publish-layer-version" in report["deploy"][0]


def test_a_folder_starts_by_itself(make_project: MakeProject, package: Package) -> None:
    """Nothing of this machine's packages is needed: `-S` hides them."""
    project = make_project()

    report_of(package(project, "-o", "image/", "--json"))

    folder = project.parent / "image"
    assert os.access(folder / "bootstrap", os.X_OK)
    command = [sys.executable, "-S", "-c", "import greeting, lambda_web_adapter.cli; print(greeting.__file__)"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(folder / "greeting" / "__init__.py")


def test_without_sources_the_app_runs_from_bytecode(make_project: MakeProject, package: Package) -> None:
    project = make_project()

    report = report_of(package(project, "-o", "out.zip", "--no-sources", "--json"))

    names = names_in(project.parent / "out.zip")
    assert "main.pyc" in names
    assert not {name for name in names if name.endswith(".py") or "__pycache__" in name}
    assert report["init_ms"] > 0


def test_an_app_that_does_not_start_makes_no_package(make_project: MakeProject, package: Package) -> None:
    project = make_project()
    (project / "main.py").write_text("import boto3\n\ndef app(environ, start_response): ...\n")

    done = package(project, "-o", "out.zip")

    assert done.returncode == 1
    assert "No module named 'boto3'" in done.stderr
    assert "Add boto3 to requirements.txt" in done.stderr
    assert not (project.parent / "out.zip").exists()


def test_the_start_sees_neither_packages_nor_a_file_system_of_this_machine(
    make_project: MakeProject, package: Package
) -> None:
    """What is installed beside this program, such as httpx, is not in the function's package."""
    project = make_project()
    (project / "main.py").write_text(_WRITES_AND_IMPORTS)

    done = package(project, "-o", "out.zip")

    assert "No module named 'httpx'" in done.stderr
    assert "Add httpx to requirements.txt, and package it again." in done.stderr
    assert 'File "/var/task/main.py"' in done.stderr
    assert "Read-only file system" in done.stderr or not allows_namespaces()


@pytest.mark.parametrize(
    ("requirement", "name"),
    [pytest.param("foreign", "foreign", id="other-system"), pytest.param("greeting==9", "greeting", id="no-version")],
)
def test_a_package_without_a_wheel_is_named(
    requirement: str, name: str, make_project: MakeProject, package: Package
) -> None:
    done = package(make_project(requirement), "-o", "out.zip", "--installer", "pip")

    assert done.returncode == 1
    assert f"No wheel for Python {sys.version_info.major}.{sys.version_info.minor}" in done.stderr
    assert f": {name}." in done.stderr


def test_a_shared_object_of_another_machine_is_an_error(make_project: MakeProject, package: Package) -> None:
    project = make_project("wrong_machine")
    machine = "arm64" if ARCHITECTURE == "x86_64" else "x86_64"
    (project / "native.so").write_bytes(make_shared_object(ARM64 if machine == "arm64" else X86_64))

    done = package(project, "-o", "out.zip")

    assert done.returncode == 1
    assert f"native.so is for {machine}" in done.stderr
    assert f"wrong_machine.abi3.so is for {machine}" in done.stderr
    assert "name it in .lambdaignore" in done.stderr
    assert "--leave-out wrong-machine" in done.stderr


def test_what_is_too_large_for_lambda_is_an_error_with_a_table(make_project: MakeProject, package: Package) -> None:
    project = make_project()
    with (project / "model.bin").open("wb") as file:
        file.truncate(262_144_001)

    done = package(project, "-o", "out.zip")

    assert done.returncode == 1
    assert "Lambda takes 250 MB" in done.stderr
    assert "the app" in done.stderr


def test_the_text_names_sizes_notes_and_the_command_to_deploy(make_project: MakeProject, package: Package) -> None:
    project = make_project()

    done = package(project, "-o", "out.zip")

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress without a terminal
    assert "greeting 1.0" in done.stdout
    assert "requirements.txt does not fix all versions" in done.stdout
    assert "--zip-file fileb://out.zip" in done.stdout
    assert "--handler main:app" in done.stdout
    assert "only ASGI apps need it: uvloop" in done.stdout


def test_the_packaged_program_says_that_it_is_for_lambda_only(make_project: MakeProject, package: Package) -> None:
    project = make_project()
    report_of(package(project, "-o", "image/", "--no-start", "--json"))

    command = [sys.executable, "-S", "bootstrap", "main:app"]
    done = subprocess.run(command, cwd=project.parent / "image", capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "only what Lambda needs" in done.stderr


def test_options_may_be_in_pyproject_toml(make_project: MakeProject, package: Package) -> None:
    project = make_project()
    table = '[tool.lambda-web-adapter.package]\nformat = "layer"\nkeep = ["stubs"]\nno-start = true\n'
    (project / "pyproject.toml").write_text(table)

    report = report_of(package(project, "-o", "layer.zip", "--json"))

    assert report["kind"] == "layer"
    assert "python/greeting/__init__.pyi" in names_in(project.parent / "layer.zip")


def test_an_unknown_option_in_pyproject_toml_is_an_error(make_project: MakeProject, package: Package) -> None:
    project = make_project()
    (project / "pyproject.toml").write_text('[tool.lambda-web-adapter.package]\nkep = ["stubs"]\n')

    done = package(project)

    assert done.returncode == 2
    assert "[tool.lambda-web-adapter.package]" in done.stderr
    assert "Did you mean keep?" in done.stderr


# Gives a command an empty /var/task of its own.
_WITH_TASK_FOLDER = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /var && exec "$@"', "sh")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="a mount takes root, and unshare")
def test_a_start_file_is_one_that_a_start_uses(make_project: MakeProject) -> None:
    project = make_project()
    command = [sys.executable, "-m", "lambda_web_adapter"]
    package = [*command, "package", ".", "-o", "out.zip", "--start-file", "--installer", "uv", "--glibc", "2.36"]
    check = [*command, "compile", "--check", "--app-dir", "/var/task", "--output", "/var/task/lambda-web-adapter.start"]
    script = f"{shlex.join([*package, '--arch', ARCHITECTURE])} && unzip -q out.zip -d /var/task && {shlex.join(check)}"

    done = subprocess.run(
        [*_WITH_TASK_FOLDER, "sh", "-c", script], cwd=project, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "/var/task/lambda-web-adapter.start is up to date." in done.stdout


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="a mount takes root, and unshare")
def test_a_start_file_needs_an_empty_task_folder(make_project: MakeProject) -> None:
    project = make_project()
    package = [sys.executable, "-m", "lambda_web_adapter", "package", ".", "--start-file", "--installer", "uv"]
    script = f"mkdir /var/task && touch /var/task/file && {shlex.join([*package, '--arch', ARCHITECTURE])} --glibc 2.36"

    done = subprocess.run(
        [*_WITH_TASK_FOLDER, "sh", "-c", script], cwd=project, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "A start file is written in /var/task, which has files" in done.stderr


def test_a_folder_with_the_name_of_the_bootstrap_is_an_error(make_project: MakeProject, package: Package) -> None:
    project = make_project()
    (project / "bootstrap").mkdir()
    (project / "bootstrap" / "style.css").touch()

    done = package(project, "-o", "out.zip")

    assert done.returncode == 1
    assert "bootstrap is a file of lambda-web-adapter, and also a folder of the project" in done.stderr


def test_a_bootstrap_of_the_project_is_replaced_with_a_note(make_project: MakeProject, package: Package) -> None:
    project = make_project(bootstrap="#!/bin/sh\n")

    report = report_of(package(project, "-o", "out.zip", "--no-start", "--json"))

    with zipfile.ZipFile(project.parent / "out.zip") as archive:
        assert b"lambda_web_adapter" in archive.read("bootstrap")
    assert any("own bootstrap is not in the package" in note for note in report["notes"])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(["-o", "project"], "--output is project, which is a folder, but it takes the zip", id="folder"),
        pytest.param(["-o", "project", "--format", "folder"], "--output is project, which has files", id="full"),
        pytest.param(["-o", "new/", "--layer"], "--format layer takes the zip to write, such as new/layer.zip", id="/"),
        pytest.param(
            ["--requirements", "none.txt"], "--requirements is none.txt, but there is no such file", id="file"
        ),
        pytest.param(["--python", "4"], "--python is 4, but it takes a version such as 3.13", id="python"),
    ],
)
def test_a_wrong_path_is_an_error_before_anything_is_read(
    arguments: list[str], problem: str, make_project: MakeProject, package: Package
) -> None:
    project = make_project("no requirement")

    done = package(project, *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr


def test_a_project_without_requirements_is_packaged_with_a_note(tmp_path: Path, package: Package, wheels: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "main.py").write_text("def app(environ, start_response): ...\n")
    (project / "Pipfile.lock").write_text("{}")

    options = ("-o", "out.zip", "--no-start", "--json", "--find-links", str(wheels))
    report = report_of(package(project, *options, PIP_NO_INDEX="1"))

    assert report["requirements"] == ""
    assert report["notes"][0].startswith("No requirements: only the project's files and the adapter are packaged.")
    assert "pipenv requirements > requirements.txt" in report["notes"][0]


def test_the_file_with_requirements_may_be_named(make_project: MakeProject, package: Package, wheels: Path) -> None:
    project = make_project("foreign")
    (project / "small.txt").write_text(f"--no-index\n-f {wheels}\ngreeting\n")
    (project / "pyproject.toml").write_text('[tool.lambda-web-adapter.package]\nrequirements = "small.txt"\n')

    report = report_of(package(project, "-o", "out.zip", "--no-start", "--json"))

    assert report["requirements"] == "small.txt"
    assert "greeting/__init__.py" in names_in(project.parent / "out.zip")
