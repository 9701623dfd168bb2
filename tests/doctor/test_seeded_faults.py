"""Each fault is built into an artifact in which nothing else is wrong, and is all that is found."""

from __future__ import annotations

import re
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from doctor.elf_files import ARM64, make_shared_object
from doctor.sample_artifacts import (
    APP,
    PYTHON,
    TAG,
    add_to_record,
    add_to_zip,
    compile_all,
    install,
    make_function,
    make_image,
    make_layer,
    make_zip,
    write,
)

from lambda_web_adapter.doctor.examination import Options, examine
from lambda_web_adapter.doctor.findings import Group
from lambda_web_adapter.doctor.rules import RULES

OTHER = sys.version_info[1] + 1
OPTIONS = Options(python=(sys.version_info[0], sys.version_info[1]), architecture="x86_64", imports_app=False)
IMAGE: dict[str, object] = {"Entrypoint": ["/var/task/bootstrap"], "Cmd": ["main:app"]}
TEMPLATE = """\
Resources:
  App:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: function.zip
      Runtime: python{python}
      Handler: main:app
{rest}
      Environment:
        Variables:
          AWS_LAMBDA_EXEC_WRAPPER: /var/task/bootstrap
{variables}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault, and what shows it.

    Attributes:
        rule: the rule that is found broken.
        seed: builds the fault into the folder of a function.
        kind: what is made of the folder.
        keeps_times: whether its zip has the files' own times.
        config: the image's configuration.
        libraries: other files of the image.
        entries: what is added to a hostile zip.
        template: what the template beside it has, if there is one.
        variables: the function's variables there.
        shown: what the message has to say.
    """

    rule: str
    seed: Callable[[Path], None]
    kind: str = "zip"
    keeps_times: bool = False
    config: dict[str, object] | None = None
    libraries: dict[str, bytes] | None = None
    entries: dict[str, bytes] | None = None
    template: str | None = None
    variables: str = ""
    shown: str = ""
    severity: str = ""


FAULTS: dict[str, Fault] = {}


def fault(name: str, rule: str, **details: object) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Add what a function seeds to the faults."""

    def add(seed: Callable[[Path], None]) -> Callable[[Path], None]:
        FAULTS[name] = Fault(rule=rule, seed=seed, **details)  # type: ignore[arg-type]
        return seed

    return add


def source(name: str, rule: str, text: str, **details: object) -> None:
    """Add an app that imports a module with these lines to the faults."""

    def seed(folder: Path) -> None:
        write(folder / "jobs.py", text)
        write(folder / "main.py", f"import jobs\n{APP}")
        for package in set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE)) - sys.stdlib_module_names:
            install(folder, package, {f"{package}/__init__.py": ""})

    fault(name, rule, **details)(seed)


def nothing(folder: Path) -> None:
    """Change nothing: what is wrong is in the configuration."""


def native(name: str, content: bytes, tags: tuple[str, ...] = ("py3-none-any",)) -> Callable[[Path], None]:
    """Return what installs a package with a file of native code."""

    def seed(folder: Path) -> None:
        install(folder, "fast", {"fast/__init__.py": ""}, tags)
        write(folder / "fast" / name, content)
        add_to_record(folder, "fast", f"fast/{name}")

    return seed


# What the app imports
@fault("a package that is not there", "missing-package", template="", shown="forgotten (main.py:1)", severity="error")
def _(folder: Path) -> None:
    write(folder / "main.py", f"import forgotten\n{APP}")
    compile_all(folder)


# Native code
fault("a shared object of arm64", "wrong-machine", shown="arm64")(native("core.abi3.so", make_shared_object(ARM64)))
fault(
    "an image of arm64", "wrong-machine", kind="image", config={**IMAGE, "architecture": "arm64"}, shown="image is for"
)(nothing)
fault("a library of macOS", "wrong-machine", shown="macOS")(native("core.so", b"\xcf\xfa\xed\xfe" + bytes(60)))
fault("a library of Windows", "wrong-machine", shown="Windows")(native("core.pyd", b"MZ\x90\x00" + bytes(60)))
fault("an extension of another Python", "wrong-python", shown=f"3.{OTHER}")(
    native(f"core.cpython-3{OTHER}-x86_64-linux-gnu.so", make_shared_object())
)
fault("a wheel of another Python", "wrong-python", shown=f"cp3{OTHER}")(
    native("core.so", make_shared_object(), (f"cp3{OTHER}-cp3{OTHER}-manylinux2014_x86_64",))
)
fault("a wheel of macOS", "wrong-machine", shown="macosx")(
    native("data.txt", b"x", (f"cp3{sys.version_info[1]}-none-macosx_11_0_arm64",))
)
fault("glibc 2.38", "glibc-too-new", shown="2.38")(native("core.so", make_shared_object(glibc=("2.17", "2.38"))))
fault("musl", "musl-library", shown="libc.musl-x86_64.so.1")(
    native("core.so", make_shared_object(glibc=(), libraries=("libc.musl-x86_64.so.1",)))
)
fault("a library that is not there", "missing-library", shown="libpq.so.5")(
    native("core.so", make_shared_object(libraries=("libc.so.6", "libpq.so.5")))
)


# Bytecode
@fault("bytecode with times, in a zip without", "stale-bytecode", shown="3 of 3 modules")
def _(folder: Path) -> None:
    compile_all(folder, "TIMESTAMP")


@fault("bytecode of a source that has changed", "stale-bytecode", shown="1 of 3 modules")
def _(folder: Path) -> None:
    compile_all(folder, "CHECKED_HASH")
    compile_all(folder / "pkg")
    write(folder / "main.py", "import pkg\napp = print\n")


@fault("bytecode with times, in a layer", "stale-bytecode", kind="layer", shown="2 of 2 modules")
def _(folder: Path) -> None:
    compile_all(folder, "TIMESTAMP")


@fault("no bytecode", "missing-bytecode", shown="3 of 3 modules")
def _(folder: Path) -> None:
    for path in folder.rglob("*.pyc"):
        path.unlink()


@fault("extensions of another Python in two packages", "wrong-python", shown="2 more files, of fast, other.")
def _(folder: Path) -> None:
    for name in ("fast", "other"):
        files = [f"{name}/{module}.cpython-3{OTHER}-x86_64-linux-gnu.so" for module in ("one", "two")]
        install(folder, name, {f"{name}/__init__.py": ""})
        for file in files[: 2 if name == "fast" else 1]:
            write(folder / file, make_shared_object())
            add_to_record(folder, name, file)


@fault("wheels of another Python", "wrong-python", shown="The same is wrong with other 1.0.")
def _(folder: Path) -> None:
    for name in ("fast", "other"):
        install(folder, name, {f"{name}/__init__.py": ""}, (f"cp3{OTHER}-cp3{OTHER}-manylinux2014_x86_64",))


@fault("bytecode of another Python", "missing-bytecode", shown=f"files of Python 3.{OTHER}")
def _(folder: Path) -> None:
    for path in folder.rglob("*.pyc"):
        path.rename(path.with_name(path.name.replace(TAG, f"cpython-3{OTHER}")))


fault(
    "an image whose Python is not compiled",
    "missing-bytecode",
    kind="image",
    libraries={"usr/local/lib/python3.11/os.py": b"x", "usr/local/lib/python3.11/json/decoder.py": b"x"},
    shown="2 of 5 modules",
)(nothing)


@fault("bytecode that compares times, in a folder", "timed-bytecode", kind="folder")
def _(folder: Path) -> None:
    compile_all(folder, "TIMESTAMP")


@fault("bytecode that compares hashes", "checked-bytecode")
def _(folder: Path) -> None:
    compile_all(folder, "CHECKED_HASH")


# Programs and rights
@fault("a bootstrap without run bit", "not-executable", shown="mode 644")
def _(folder: Path) -> None:
    (folder / "bootstrap").chmod(0o644)


@fault("an entry point without run bit", "not-executable", kind="image")
def _(folder: Path) -> None:
    (folder / "bootstrap").chmod(0o644)


@fault("a file that only its owner can read", "unreadable", shown="main.py")
def _(folder: Path) -> None:
    (folder / "main.py").chmod(0o600)


@fault("a folder that only its owner can enter", "unreadable", shown="pkg/")
def _(folder: Path) -> None:
    (folder / "pkg").chmod(0o700)


@fault("a bootstrap of Windows", "crlf-script", severity="error")
def _(folder: Path) -> None:
    write(folder / "bootstrap", "#!/usr/bin/env python3\r\nimport sys\r\n", mode=0o755)


@fault("a script of Windows", "crlf-script", severity="warning")
def _(folder: Path) -> None:
    write(folder / "start.sh", "#!/bin/sh\r\necho\r\n", mode=0o755)


@fault("a script of a virtual environment", "foreign-shebang", shown="/home/me/.venv/bin/python", severity="note")
def _(folder: Path) -> None:
    write(folder / "bin" / "flask", "#!/home/me/.venv/bin/python\nimport sys\n", mode=0o755)


@fault("a bootstrap of a virtual environment", "foreign-shebang", severity="error")
def _(folder: Path) -> None:
    write(folder / "bootstrap", "#!/home/me/.venv/bin/python\n", mode=0o755)


@fault("a file that everybody can write to", "writable", shown="main.py", severity="note")
def _(folder: Path) -> None:
    (folder / "main.py").chmod(0o646)


@fault("a folder that everybody can write to", "writable", shown="pkg/", severity="note")
def _(folder: Path) -> None:
    (folder / "pkg").chmod(0o777)


# Entries
@fault("an empty folder", "empty-artifact", kind="folder", shown="no files")
def _(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


@fault("an empty zip", "empty-artifact", shown="no files")
def _(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


@fault(
    "an image without an app", "empty-artifact", kind="image", config={"WorkingDir": "/code"}, shown="in /code, /opt,"
)
def _(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


fault("folders of Windows", "backslashes", kind="hostile zip", entries={"web\\page.html": b"x"})(nothing)
fault("a file twice", "doubled-entry", kind="hostile zip", entries={"./main.py": b"import pkg\napp = print\n"})(nothing)


# Contents
@fault("252 MB", "too-large", kind="folder", shown="the largest parts: weights")
def _(folder: Path) -> None:
    with (folder / "weights").open("wb") as file:
        file.truncate(252 * 1024 * 1024)


@fault("51 MB to upload", "large-upload", severity="note")
def _(folder: Path) -> None:
    with (folder / "weights").open("wb") as file:
        file.truncate(51 * 1024 * 1024)


@fault("the folder instead of its content", "nested-package", shown="/var/task/function/")
def _(folder: Path) -> None:
    inner = folder / "function"
    inner.mkdir()
    for path in list(folder.iterdir()):
        if path != inner:
            path.rename(inner / path.name)


@fault("a package of two versions", "duplicate-package", shown="more than one pkg (")
def _(folder: Path) -> None:
    install(folder, "pkg", {}, version="0.9")


@fault("boto3", "runtime-package", shown="boto3 1.0", severity="note")
def _(folder: Path) -> None:
    install(folder, "boto3", {"boto3/__init__.py": ""})


@fault("pip", "build-package", shown="pip 1.0", severity="note")
def _(folder: Path) -> None:
    install(folder, "pip", {"pip/__init__.py": ""})


@fault("git's folder", "needless-files", shown=".git")
def _(folder: Path) -> None:
    write(folder / ".git" / "HEAD", "ref: refs/heads/main\n")


@fault("tests", "needless-files", shown="tests")
def _(folder: Path) -> None:
    write(folder / "tests" / "test_main.py", "")


def _install_with_tests(folder: Path, source: str) -> None:
    install(folder, "big", {"big/__init__.py": source})
    (folder / "big" / "tests").mkdir()
    with (folder / "big" / "tests" / "data.csv").open("wb") as file:
        file.truncate(6 * 1024 * 1024)
    add_to_record(folder, "big", "big/tests/data.csv")
    compile_all(folder)


@fault("tests of a package", "needless-files", shown="big (6 MB)", severity="note")
def _(folder: Path) -> None:
    _install_with_tests(folder, "x = 1\n")


@fault("a module named as one of Python's", "shadowed-module", shown="import queue")
def _(folder: Path) -> None:
    write(folder / "queue.py", "x = 1\n")
    compile_all(folder)


@fault("a link to the machine", "outside-link", shown="/home/me/data", severity="error")
def _(folder: Path) -> None:
    (folder / "data").symlink_to("/home/me/data")


@fault("a link out of the package", "outside-link", shown="out of the artifact", severity="error")
def _(folder: Path) -> None:
    (folder / "pkg" / "data").symlink_to("../../../etc-of-me/data")


@fault("a link to a file that is left out", "outside-link", shown="not there", severity="warning")
def _(folder: Path) -> None:
    (folder / "pkg" / "data").symlink_to("more.json")


fault(
    "an absolute path, and one that leads out",
    "outside-path",
    kind="hostile zip",
    entries={"/root/.profile": b"x", "pkg/../../up.txt": b"x"},
    shown="2 paths lead out",
)(nothing)


@fault("a path that leads out of an image", "outside-path", kind="image", libraries={"var/task/../../../up": b"x"})
def _(folder: Path) -> None:
    pass


# Secrets
@fault("variables of the laptop", "secret-file")
def _(folder: Path) -> None:
    write(folder / ".env", "PASSWORD=x\n")


@fault("a private key", "secret-file")
def _(folder: Path) -> None:
    write(folder / "server.pem", "-----BEGIN RSA PRIVATE KEY-----\n")


@fault("credentials of AWS", "secret-file")
def _(folder: Path) -> None:
    write(folder / ".aws" / "credentials", "[default]\n")


@fault("an access key in a file", "secret-in-file")
def _(folder: Path) -> None:
    write(folder / "config.json", '{"key": "' + "AKIA" + 'Q3EGRIUTHZ2K7XYA"}\n')


fault(
    "an access key in an image",
    "secret-in-variable",
    kind="image",
    config={**IMAGE, "Env": ["AWS_SECRET_ACCESS_KEY=x"]},
)(nothing)

fault(
    "an access key in any variable",
    "secret-in-variable",
    template="",
    variables="          STORAGE_KEY: AKIA" + "Q3EGRIUTHZ2K7XYA",
    shown="STORAGE_KEY",
)(nothing)

# Sources
source("a log file at import", "write-outside-tmp", "open('app.log', 'a')\n", severity="error")
source(
    "a file beside the source",
    "write-outside-tmp",
    "from pathlib import Path\nBASE = Path(__file__).parent\ndef save(x):\n    (BASE / 'data' / 'x').write_text(x)\n",
    severity="warning",
)
source(
    "a handler of logging",
    "write-outside-tmp",
    "import logging.handlers\nlogging.handlers.RotatingFileHandler('/var/log/app.log')\n",
    severity="error",
)
source("a folder", "write-outside-tmp", "import os\ndef f():\n    os.makedirs(os.path.join('cache', 'x'))\n")
source("a pool of processes", "shared-memory", "import multiprocessing as mp\ndef f():\n    return mp.Pool(4)\n")
source(
    "an executor of processes",
    "shared-memory",
    "from concurrent.futures import ProcessPoolExecutor\npool = ProcessPoolExecutor()\n",
    severity="error",
)
source(
    "a lock of a context",
    "shared-memory",
    "import multiprocessing\ndef f():\n    return multiprocessing.get_context('fork').Lock()\n",
)
source("a fork", "fork-server", "import os\ndef f():\n    return os.fork()\n")
source("four workers", "fork-server", "import uvicorn\ndef serve():\n    uvicorn.run('main:app', workers=4)\n")
source(
    "a server at import",
    "server-at-import",
    "from flask import Flask\napp = Flask(__name__)\napp.run(port=5000)\n",
    shown="on port 5000",
)
source(
    "APScheduler",
    "background-work",
    "from apscheduler.schedulers.background import BackgroundScheduler\ndef f():\n    BackgroundScheduler().start()\n",
)
source("a timer", "background-work", "import threading\ndef f():\n    threading.Timer(60, print).start()\n")
source("a thread at import", "background-work", "import threading\nthreading.Thread(target=print).start()\n")
source("the package schedule", "background-work", "import schedule\nschedule.every(10).minutes.do(print)\n")
source("a task at import", "task-at-import", "import asyncio\nasyncio.create_task(print())\n")
source("a database beside the app", "sqlite-write", "import sqlite3\ndef f():\n    sqlite3.connect('app.db')\n")
source(
    "a database of SQLAlchemy",
    "sqlite-write",
    "from sqlalchemy import create_engine\nengine = create_engine('sqlite:///app.db')\n",
)
source(
    "Django's database",
    "sqlite-write",
    "from pathlib import Path\nBASE = Path(__file__).resolve().parent.parent\n"
    "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE / 'db.sqlite3'}}\n",
)
source(
    "a client that waits a minute", "long-client-timeout", "import httpx\ndef f():\n    httpx.get('/', timeout=60)\n"
)


@fault("a syntax error", "syntax-error", severity="error", shown="invalid syntax")
def _(folder: Path) -> None:
    write(folder / "main.py", f"import broken\n{APP}")
    compile_all(folder)
    write(folder / "broken.py", "def f(:\n")


@fault("a database", "sqlite-file", severity="warning")
def _(folder: Path) -> None:
    _make_database(folder / "app.db", "DELETE")


@fault("a database in WAL mode", "sqlite-file", severity="error", shown="WAL")
def _(folder: Path) -> None:
    _make_database(folder / "app.db", "WAL")


def _make_database(path: Path, mode: str) -> None:
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA journal_mode={mode}")
    database.execute("CREATE TABLE t (x)")
    database.close()


# Configuration
fault(
    "a timeout beyond the gateway's",
    "gateway-timeout",
    shown="60 s",
    template="      Timeout: 60\n      Events: {Web: {Type: HttpApi}}",
)(nothing)
fault(
    "a setting with a wrong value",
    "invalid-setting",
    shown="AWS_LWA_PORT",
    template="",
    variables="          AWS_LWA_PORT: none",
)(nothing)
fault(
    "a misspelled setting",
    "unknown-setting",
    shown="AWS_LWA_INVOKE_MODE",
    template="",
    variables="          AWS_LWA_INVOKE_MOD: response_stream",
)(nothing)
fault(
    "settings that contradict each other",
    "contradicting-settings",
    template="",
    variables="          AWS_LWA_WORKERS: 2\n          AWS_LWA_PORT: 9000",
)(nothing)
fault(
    "streaming in one place only",
    "contradicting-settings",
    shown="BUFFERED",
    template="      FunctionUrlConfig: {AuthType: NONE}",
    variables="          AWS_LWA_INVOKE_MODE: response_stream",
)(nothing)
fault(
    "a layer with a wrapper",
    "exec-wrapper",
    shown="/opt/otel-instrument",
    template=("      Layers: ['arn:aws:lambda:us-east-1:615299751070:layer:AWSOpenTelemetryDistroPython:13']"),
)(nothing)
fault(
    "another adapter's layer",
    "other-adapter",
    shown="LambdaAdapterLayerX86",
    template=("      Layers: [!Sub 'arn:aws:lambda:${AWS::Region}:753240598075:layer:LambdaAdapterLayerX86:25']"),
)(nothing)
fault(
    "a port in the command",
    "fixed-port",
    kind="image",
    shown="5000",
    config={
        "Entrypoint": ["/var/task/bootstrap"],
        "Cmd": ["--", "gunicorn", "-b", "0.0.0.0:5000", "main:app"],
        "Env": ["PYTHONUNBUFFERED=1"],
    },
)(nothing)
fault(
    "workers in the command",
    "workers-in-command",
    kind="image",
    shown="4 workers",
    config={
        "Entrypoint": ["/var/task/bootstrap"],
        "Cmd": ["--", "gunicorn", "--workers", "4", "main:app"],
        "Env": ["PYTHONUNBUFFERED=1"],
    },
)(nothing)
fault(
    "a command that buffers what it prints",
    "buffered-output",
    kind="image",
    shown="python3 is started",
    config={"Entrypoint": ["/var/task/bootstrap"], "Cmd": ["--", "/usr/bin/python3", "server.py"]},
)(nothing)
fault(
    "PYTHONDONTWRITEBYTECODE",
    "no-bytecode-variable",
    kind="image",
    config={**IMAGE, "Env": ["PYTHONDONTWRITEBYTECODE=1"]},
)(nothing)


@fault("a wrapper that is not there", "exec-wrapper", template="", shown="no such file")
def _(folder: Path) -> None:
    (folder / "bootstrap").unlink()


@fault(
    "an adapter that nothing starts",
    "exec-wrapper",
    template="",
    variables="          AWS_LAMBDA_EXEC_WRAPPER: ''",
    shown="nothing starts it",
)
def _(folder: Path) -> None:
    install(folder, "lambda_web_adapter", {"lambda_web_adapter/__init__.py": "x = 1\n"})
    compile_all(folder)
    (folder / "bootstrap").unlink()


@fault(
    "a bootstrap that nothing starts",
    "exec-wrapper",
    template="",
    variables="          AWS_LAMBDA_EXEC_WRAPPER: ''",
    shown="starts its own bootstrap",
)
def _(folder: Path) -> None:
    pass


def make(seeded: Fault, folder: Path) -> Path:
    """Build the artifact with a fault."""
    make_function(folder)
    seeded.seed(folder)
    if any(path.name == "jobs.py" for path in folder.iterdir()):
        compile_all(folder)
    if seeded.template is not None:
        text = TEMPLATE.format(python=PYTHON, rest=seeded.template, variables=seeded.variables)
        (folder.parent / "template.yaml").write_text(text)
    if seeded.kind == "hostile zip":
        return add_to_zip(make_zip(folder), seeded.entries or {})
    if seeded.kind == "layer":
        return make_zip(make_layer(folder))
    if seeded.kind == "image":
        return make_image(folder, seeded.config or IMAGE, seeded.libraries)
    return folder if seeded.kind == "folder" else make_zip(folder, keeps_times=seeded.keeps_times)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "function"


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_found_and_nothing_else(name: str, folder: Path) -> None:
    seeded = FAULTS[name]

    findings = examine(make(seeded, folder), OPTIONS).findings

    assert {finding.rule for finding in findings} == {seeded.rule}, findings
    assert any(seeded.shown.lower() in finding.message.lower() for finding in findings), findings
    assert not seeded.severity or {finding.severity for finding in findings} == {seeded.severity}


@pytest.mark.parametrize("kind", ["folder", "zip", "layer", "image"])
def test_an_artifact_without_faults_has_none(kind: str, folder: Path) -> None:
    seeded = Fault(
        rule="", seed=nothing, kind=kind, template="      Timeout: 20" if kind in ("folder", "zip") else None
    )

    assert examine(make(seeded, folder), OPTIONS).findings == []


@pytest.mark.parametrize(
    ("config", "paths"),
    [
        pytest.param({"Entrypoint": ["python", "/app/main.py"]}, ["app/main.py"], id="a script"),
        pytest.param({"Cmd": ["sh", "-c", "cd /srv/web && exec gunicorn main:app"]}, ["srv/web/main.py"], id="a shell"),
        pytest.param({"Cmd": ["--", "gunicorn", "--chdir=/code", "main:app"]}, ["code/main.py"], id="an option"),
        pytest.param({"Cmd": ["web.main:app"]}, ["web/main.py"], id="a package at the root"),
        pytest.param({"Cmd": ["main:app"]}, ["main.py"], id="a module at the root"),
        pytest.param({"Env": ["PYTHONPATH=/missing:/usr/src/app"]}, ["usr/src/app/main.py"], id="PYTHONPATH"),
        pytest.param({"Env": ["AWS_LWA_APP_DIR=/home/app"]}, ["home/app/main.py"], id="AWS_LWA_APP_DIR"),
        pytest.param({"WorkingDir": "/a", "Env": ["PYTHONPATH=/b"]}, ["a/main.py", "b/jobs.py"], id="two folders"),
    ],
)
def test_the_app_of_an_image_is_found(config: dict[str, object], paths: list[str], folder: Path) -> None:
    folder.mkdir()
    written = dict.fromkeys(paths, b"open('x', 'w')\n")
    image = make_image(folder, {"WorkingDir": "", **config}, written | {"usr/lib/python3/a.py": b"open('x', 'w')\n"})

    findings = examine(image, OPTIONS).findings

    assert sorted(finding.path for finding in findings if finding.rule == "write-outside-tmp") == paths


def test_an_image_of_packages_only_has_a_note(folder: Path) -> None:
    folder.mkdir()
    image = make_image(
        folder, {"WorkingDir": "/app"}, {"usr/lib/python3/site-packages/flask-3.1.dist-info/METADATA": b"Name: flask"}
    )

    notes = examine(image, OPTIONS).notes

    assert len(notes) == 1
    assert notes[0].startswith("No source of an app was found in /app, /opt, /var/task, so that only packages")


@pytest.mark.parametrize("name", ["extensions of another Python in two packages", "wheels of another Python"])
def test_one_cause_is_one_finding(name: str, folder: Path) -> None:
    assert len(examine(make(FAULTS[name], folder), OPTIONS).findings) == 1


def test_tests_that_a_package_imports_are_in_order(folder: Path) -> None:
    make_function(folder)
    _install_with_tests(folder, "from big.tests import data\n")

    assert examine(folder, OPTIONS).findings == []


@pytest.mark.parametrize("environment", ["opt/venv", "var/task/.venv"])
def test_the_virtual_environment_that_an_image_runs_is_needed(environment: str, folder: Path) -> None:
    config = {**IMAGE, "Env": [f"PATH=/{environment}/bin:/usr/bin"]}
    files = {f"{environment}/pyvenv.cfg": b"home = /usr/bin\n", f"{environment}/bin/activate": b"# not for Lambda\n"}
    make_function(folder)

    findings = examine(make_image(folder, config, files), OPTIONS).findings

    assert "needless-files" not in {finding.rule for finding in findings}


def test_each_rule_has_a_seeded_fault() -> None:
    examined = {rule.id for rule in RULES if rule.group is not Group.START}  # those are of apps that are started

    assert examined - {seeded.rule for seeded in FAULTS.values()} == set()
