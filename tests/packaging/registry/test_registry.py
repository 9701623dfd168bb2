"""Real projects with packages from the package index, started as Lambda does from what `package` makes of them."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.packages import ARCHITECTURE, report_of
from support.registry_projects import PROJECTS
from support.rie import Emulator, emulator_program

from lambda_web_adapter.packaging.handler import FOUND_AT_START

_UID, _GID = "993", "990"  # of Lambda's user, which the functions of this project's images were seen to have
COMPILED = "Modules compiled by the app's import"
ASGI = {"fastapi", "data"}
_EVENT = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/",
    "rawQueryString": "",
    "headers": {"host": "example.lambda-url.us-east-1.on.aws"},
    "requestContext": {
        "http": {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": ""},
        "domainName": "example.lambda-url.us-east-1.on.aws",
        "requestId": "1",
        "timeEpoch": 1,
    },
    "isBase64Encoded": False,
}


def package(folder: Path, output: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lambda_web_adapter", "package", str(folder), "-o", str(output), "--json"]
    command += ["--python", PYTHON, "--arch", ARCHITECTURE, "--glibc", "2.36", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def system_python() -> str:
    """Return a Python that every user may execute."""
    return next((path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if os.path.exists(path)), "")


def _version(python: str) -> str:
    command = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


PYTHON = _version(system_python()) if system_python() else ""


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that other users may read, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="lwa-package-"))
    folder.chmod(0o755)
    yield folder
    subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
    shutil.rmtree(folder)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", PROJECTS)
def test_a_package_is_reproducible_and_starts_read_only_as_lambda_s_user(name: str, root: Path) -> None:
    make, expected = PROJECTS[name]
    project = make(root / "project")
    report = report_of(package(project, root / "first.zip"))
    again = report_of(package(project, root / "second.zip"))
    task = unpack(root / "first.zip", root / "task")

    reply, log = invoke(task, report["handler"])

    assert again["sha256"] == report["sha256"]
    assert expected in body_of(reply)
    assert COMPILED not in log
    assert not [note for note in report["notes"] if "has to compile" in note]
    assert ("uvloop" in {each["name"] for each in report["packages"]}) == (name in ASGI)
    row = [f"{report[key] / 1024**2:.1f} MB" for key in ("zip_size", "size")]
    print(f"{name}: {' zipped, '.join(row)}, init {report['init_ms']} ms, {report['seconds']} s")  # noqa: T201


@pytest.mark.timeout(600)
def test_the_log_says_that_a_package_without_bytecode_is_compiled(root: Path) -> None:
    """So the log of the test above would have had it as well."""
    report = report_of(package(PROJECTS["flask"][0](root / "project"), root / "first.zip"))
    task = unpack(root / "first.zip", root / "task", but="__pycache__")

    _, log = invoke(task, report["handler"])

    assert COMPILED in log


def unpack(file: Path, task: Path, but: str = " ") -> Path:
    """Return a folder with what is in a zip, but for paths with a text, which nobody may write to."""
    with zipfile.ZipFile(file) as archive:
        archive.extractall(task, [name for name in archive.namelist() if but not in name])
    (task / "bootstrap").chmod(0o755)
    subprocess.run(["chmod", "-R", "a-w,a+rX", str(task)], check=True)
    return task


def invoke(task: Path, handler: str) -> tuple[dict[str, Any], str]:
    """Return the reply to a request under AWS's emulator, and the log."""
    command: list[str | Path] = [
        system_python(),
        "-S",
        "-s",
        task / "bootstrap",
        *([] if handler == FOUND_AT_START else [handler]),
    ]
    user = ["setpriv", f"--reuid={_UID}", f"--regid={_GID}", "--clear-groups"] if os.geteuid() == 0 else []
    environ = {
        "LAMBDA_TASK_ROOT": str(task),
        "HOME": "/tmp",  # noqa: S108
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/package",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",  # from which on the log has `COMPILED`
    }
    with Emulator(emulator_program(), [*user, *command], env=environ, cwd=task, timeout=60) as emulator:
        reply: dict[str, Any] = json.loads(emulator.invoke(_EVENT).content)
        log = emulator.process.text
    return reply, log


def body_of(reply: dict[str, Any]) -> str:
    assert reply.get("statusCode") == 200, reply
    body = reply["body"]
    return base64.b64decode(body).decode() if reply.get("isBase64Encoded") else body


def test_all_packages_without_a_wheel_are_named(root: Path) -> None:
    (root / "main.py").write_text("def app(environ, start_response): ...\n")
    (root / "requirements.txt").write_text("docopt==0.6.2\nuwsgi==2.0.28\nflask\n")

    done = package(root, root / "out.zip")

    assert done.returncode == 1
    assert re.search(r"No wheel for Python .*: docopt, uwsgi\.", done.stderr), done.stderr


def test_uv_and_pip_make_the_same_package(root: Path) -> None:
    project = PROJECTS["flask"][0](root / "project")

    hashes = {
        report_of(package(project, root / f"{name}.zip", "--installer", name))["sha256"] for name in ("uv", "pip")
    }

    assert len(hashes) == 1


@pytest.mark.parametrize("python", ["3.12", "3.13", "3.14"])
@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_other_machines_get_their_own_wheels(python: str, architecture: str, root: Path) -> None:
    """Each shared object is checked by the command itself."""
    project = PROJECTS["fastapi"][0](root / "project")
    command = [
        sys.executable,
        "-m",
        "lambda_web_adapter",
        "package",
        str(project),
        "-o",
        str(root / "out.zip"),
        "--json",
    ]

    done = subprocess.run(
        [*command, "--python", python, "--arch", architecture], capture_output=True, text=True, check=False
    )

    report = report_of(done)
    machine = "aarch64" if architecture == "arm64" else "x86_64"
    with zipfile.ZipFile(root / "out.zip") as archive:
        extensions = [name for name in archive.namelist() if name.endswith(".so")]
    assert extensions
    assert all(machine in name for name in extensions if "-linux-gnu" in name)
    assert report["size"] > 0
