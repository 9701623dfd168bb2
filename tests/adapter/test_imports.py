"""The adapter process imports what is cheap, and nothing else: each millisecond of it is cold start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from adapter.conftest import APPS, on_lambda
from adapter.test_loop import QUEUE, body, get
from support.processes import BOOTSTRAP, Running

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

OURS = "lambda_web_adapter"
NOT_IN_THE_ADAPTER = (f"{OURS}.app.", f"{OURS}.local", f"{OURS}.models", f"{OURS}.testing")
# What httptools brings along without importing a file for it.
CYTHON = "_cython", "cython_runtime"
# From Python 3.15 on, `traceback` imports it; each build writes its own, and no list of the standard library has it.
WRITTEN_BY_BUILDS = {"_missing_stdlib_info"}
# Of the standard library, but dear.
DEAR = {"asyncio", "concurrent", "email", "http.client", "logging", "multiprocessing", "ssl", "subprocess", "urllib"}
# Runs the bootstrap in this very process, and writes down at its end what it has imported; the app, which is a fork of
# it, writes nothing.
WATCH = """
import atexit, os, sys
watched, (target, path, *sys.argv) = os.getpid(), sys.argv[1:]
before = set(sys.modules)

def write():
    if os.getpid() == watched:
        with open(target, "w") as file:
            file.write(chr(10).join(sorted(set(sys.modules) - before)))

atexit.register(write)
with open(path) as file:
    code = file.read()
__file__ = path
exec(compile(code, path, "exec"))
"""


def modules_of_an_adapter(api: RuntimeApi, folder: Path, app: str) -> set[str]:
    """Serves events, ends the bootstrap, and reads what it had imported, beyond what every Python has."""
    target = folder / "modules"
    (folder / "watch.py").write_text(WATCH)
    env = on_lambda(api, APPS, {})
    env = {name: value for name, value in env.items() if not name.startswith("COVERAGE")}  # which would be imported too
    command: list[str | Path] = [sys.executable, folder / "watch.py", target, BOOTSTRAP, BOOTSTRAP, app]
    with Running(command, env=env, cwd=APPS, at_end=api.set_runtime_ended) as process:
        assert body(api.invoke(get("/")))["count"] == 1
        assert api.invoke(QUEUE).name == "response"
        assert api.invoke(b"no JSON").name == "error"
        api.wait_for_call("next", 4)
        process.terminate()
    return set(target.read_text().split())


def test_the_adapter_imports_the_standard_library_and_three_packages(
    tmp_path: Path, api: RuntimeApi, either_app: str
) -> None:
    modules = modules_of_an_adapter(api, tmp_path, either_app)

    others = {name for name in modules if name.partition(".")[0] not in sys.stdlib_module_names} - WRITTEN_BY_BUILDS
    others = {name for name in others if not name.startswith(CYTHON)}
    assert {name.partition(".")[0] for name in others} == {"httptools", "orjson", OURS}
    assert {name for name in others if name.startswith(NOT_IN_THE_ADAPTER)} == set()


def test_the_adapter_imports_no_dear_part_of_the_standard_library(tmp_path: Path, api: RuntimeApi) -> None:
    assert modules_of_an_adapter(api, tmp_path, "main:app") & DEAR == set()


def test_nothing_imports_typing_before_the_fork() -> None:
    code = f"import sys, {OURS}.cli, {OURS}.adapter.process.app_process; print(*sys.modules)"
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout

    assert "typing" not in printed.split()


PURE = ["errors", "settings", "http.messages", "http.headers", "events"]


@pytest.mark.parametrize("module", PURE)
def test_the_pure_modules_import_neither_sockets_nor_clocks(module: str) -> None:
    code = f"import sys; before = set(sys.modules); import {OURS}.{module}; print(*sorted(set(sys.modules) - before))"
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout

    assert set(printed.split()) & {"socket", "logging", "signal", "subprocess", "threading", "asyncio"} == set()
    assert json.dumps(printed.split()).count(f"{OURS}.adapter") == 0
