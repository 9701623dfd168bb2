"""Where the packages may lie: beside `bootstrap`, in a layer, or installed, as a function's files can be laid out.

A Python without its site-packages (`-S`) stands for Lambda's, which has none of ours. The packages are linked, not
installed anew, since that would take longer than all these tests. A local run executes the installed package, and no
file `bootstrap`: these are tests with AWS's emulator only.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from e2e.events import Request, function_url
from e2e.replies import read_reply
from support.processes import BOOTSTRAP, plain_environment

import lambda_web_adapter

if TYPE_CHECKING:
    from e2e.conftest import EmulateRie

PACKAGES = ["lambda_web_adapter", "httptools", "orjson", "uvicorn", "click", "h11", "uvloop"]
WITHOUT_PACKAGES = (sys.executable, "-S")
# What is imported, and from where; both kinds, since they need different packages.
WSGI = """
import json, sys, lambda_web_adapter, shadowed

def app(environ, start_response):
    start_response("200 OK", [("content-type", "application/json")])
    found = [lambda_web_adapter.__file__, shadowed.__file__, any("site-packages" in path for path in sys.path)]
    return [json.dumps(found).encode()]
"""
ASGI = """
import main

async def app(scope, receive, send):
    if scope["type"] == "http":
        body = main.app({}, lambda status, headers: None)[0]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})
"""


def lay_out(code: Path, packages: Path) -> Path:
    """Puts an app into one folder, and `bootstrap` with the packages into another, or the same."""
    for folder in (code, packages):
        folder.mkdir(exist_ok=True)
    (code / "main.py").write_text(WSGI)
    (code / "asynchronous.py").write_text(ASGI)
    (packages / "shadowed.py").write_text("")
    (code / "shadowed.py").write_text("")
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (packages / name).symlink_to(Path(spec.origin).parent)
    return Path(shutil.copy(BOOTSTRAP, packages))


@pytest.mark.e2e
@pytest.mark.parametrize("app", ["main:app", "asynchronous:app"])
def test_packages_may_lie_beside_the_bootstrap(app: str, tmp_path: Path, emulate_rie: EmulateRie) -> None:
    bootstrap = lay_out(tmp_path, tmp_path)
    emulator = emulate_rie(app, cwd=tmp_path, command=(*WITHOUT_PACKAGES, bootstrap))

    reply = read_reply("function-url", emulator.invoke(function_url(Request())))

    assert json.loads(reply.text) == [
        str(tmp_path / "lambda_web_adapter" / "__init__.py"),
        str(tmp_path / "shadowed.py"),
        False,
    ]


@pytest.mark.e2e
@pytest.mark.parametrize("app", ["main:app", "asynchronous:app"])
def test_packages_may_lie_apart_from_the_app_whose_own_modules_come_first(
    app: str, tmp_path: Path, emulate_rie: EmulateRie
) -> None:
    task, layer = tmp_path / "task", tmp_path / "layer"
    bootstrap = lay_out(task, layer)
    emulator = emulate_rie(app, cwd=task, command=(*WITHOUT_PACKAGES, bootstrap), LAMBDA_TASK_ROOT=str(task))

    reply = read_reply("function-url", emulator.invoke(function_url(Request())))

    assert json.loads(reply.text) == [
        str(layer / "lambda_web_adapter" / "__init__.py"),
        str(task / "shadowed.py"),
        False,
    ]


NAMESAKES = """
import flask, lambda_web_adapter

def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [f"{flask.Flask.__module__} of {lambda_web_adapter.__file__}".encode()]
"""


@pytest.mark.e2e
def test_the_package_s_own_copy_of_the_bootstrap_hides_no_package_of_the_same_name(
    tmp_path: Path, emulate_rie: EmulateRie
) -> None:
    package = tmp_path / "site" / "lambda_web_adapter"
    package.mkdir(parents=True)
    for item in Path(lambda_web_adapter.__file__).parent.iterdir():
        (package / item.name).symlink_to(item)
    (tmp_path / "main.py").write_text(NAMESAKES)
    emulator = emulate_rie("main:app", cwd=tmp_path, command=(sys.executable, shutil.copy(BOOTSTRAP, package)))

    reply = read_reply("function-url", emulator.invoke(function_url(Request())))

    assert reply.text == f"flask.app of {package / '__init__.py'}"


# Stands for a system that has the folders of layers, which only an administrator could make.
LOOK = """
import os, sys, types
sys.argv = sys.argv[1:]
isdir = os.path.isdir
os.path.isdir = lambda path: str(path).startswith("/opt/python") or isdir(path)
cli = types.ModuleType("lambda_web_adapter.cli")
cli.main = lambda: print(*sys.path[:4], repr(sys.argv[1:]), sep="\\n")
ipc = types.ModuleType("lambda_web_adapter.ipc")
ipc.start_file = types.SimpleNamespace(install=lambda environ: None)
package = types.ModuleType("lambda_web_adapter")
sys.modules |= {package.__name__: package, cli.__name__: cli, ipc.__name__: ipc}
sys.path[0] = os.path.dirname(sys.argv[0])  # as it is for a program of its own
__file__ = sys.argv[0]
with open(__file__) as file:
    code = file.read()
exec(compile(code, __file__, "exec"))
"""


def look(folder: Path, *words: str) -> list[str]:
    command = [sys.executable, "-c", LOOK, str(folder / "bootstrap"), *words]
    return subprocess.run(
        command, env=plain_environment(), cwd=folder, capture_output=True, text=True, check=True
    ).stdout.splitlines()


def test_the_app_comes_before_what_is_beside_the_bootstrap_and_both_before_layers(tmp_path: Path) -> None:
    shutil.copy(BOOTSTRAP, tmp_path)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"

    *path, words = look(tmp_path, "main:app", "--port", "1")

    assert list(dict.fromkeys(path)) == [str(tmp_path), "/opt/python", f"/opt/python/lib/{version}/site-packages"]
    assert words == "['main:app', '--port', '1']"


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        pytest.param(["/var/lang/bin/python3.13", "/var/runtime/bootstrap.py"], "[]", id="managed runtime"),
        pytest.param(["/var/lang/bin/python3.13", "/var/task/bootstrap.py"], None, id="something else"),
        pytest.param(["--", "/var/runtime/server"], None, id="a command from there"),
        pytest.param([], "[]", id="nothing"),
    ],
)
def test_only_the_managed_runtime_s_command_line_is_dropped(words: list[str], kept: str | None, tmp_path: Path) -> None:
    shutil.copy(BOOTSTRAP, tmp_path)

    assert look(tmp_path, *words)[-1] == (repr(words) if kept is None else kept)
