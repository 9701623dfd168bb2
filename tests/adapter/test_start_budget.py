"""What a start imports, reads and asks of the kernel until the first reply: a module more is a red test.

`start_budget.json` has the modules of each process. To write it anew, after looking at what has come in:
LWA_WRITE_START_BUDGET=1 pytest tests/adapter/test_start_budget.py
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import APPS, on_lambda
from adapter.test_loop import get
from support.processes import BOOTSTRAP, Running, wait_until

if TYPE_CHECKING:
    from lambda_web_adapter.testing.runtime_api import RuntimeApi

BUDGET = Path(__file__).parent / "start_budget.json"
MEMORY = {"one-core": "1024", "two-cores": "3008"}
# Each app imports nothing, and replies with its modules and counters at its first request.
APP = """
import sys

def state():
    with open("/proc/self/io") as file:
        return ("\\n".join(sorted(sys.modules)) + "\\n\\n" + file.read()).encode()

def wsgi(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [state()]

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": state()})
"""
# Runs the bootstrap in this very process, which writes its modules and counters to a file on a signal.
WATCH = """
import os, signal, sys
target, path, *sys.argv = sys.argv[1:]

def write(number, frame):
    with open("/proc/self/io") as file:
        state = "\\n".join(sorted(sys.modules)) + "\\n\\n" + file.read()
    with open(f"{target}.part", "w") as file:
        file.write(state)
    os.rename(f"{target}.part", target)

signal.signal(signal.SIGRTMIN, write)
with open(path) as file:
    code = file.read()
__file__ = path
exec(compile(code, path, "exec"))
"""
# How much more may be read than when the budget was written, since files differ a little between systems.
HEADROOM = 1.15


class State:
    """The modules of a process at the first reply, and what it had read until then."""

    def __init__(self, text: str) -> None:
        modules, _, counters = text.partition("\n\n")
        self.modules = {name for name in modules.split() if not name.startswith(("__", "main"))}
        io = dict(line.split(": ") for line in counters.splitlines())
        self.bytes_read, self.reads = int(io["rchar"]), int(io["syscr"])


def variables(api: RuntimeApi, folder: Path, memory: str) -> dict[str, str]:
    """Return a start's environment variables; without those of coverage, whose modules would count as well."""
    env = on_lambda(api, folder, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory})
    return {name: value for name, value in env.items() if not name.startswith("COVERAGE")}


def states(api: RuntimeApi, folder: Path, kind: str, memory: str) -> dict[str, State]:
    """Serves one event, and returns the state of adapter and app."""
    (folder / "main.py").write_text(APP)
    (folder / "watch.py").write_text(WATCH)
    target = folder / "state"
    env = variables(api, folder, memory)
    command: list[str | Path] = [sys.executable, folder / "watch.py", target, BOOTSTRAP, BOOTSTRAP, f"main:{kind}"]
    with Running(command, env=env, cwd=folder, at_end=api.set_runtime_ended) as process:
        app = api.invoke(get("/")).json["body"]
        api.wait_for_call("next", 2)
        os.kill(process.pid, signal.SIGRTMIN)
        wait_until(target.exists, "the adapter has written its state")
    return {"adapter": State(target.read_text()), "app": State(app)}


def write_budget(key: str, value: dict[str, Any]) -> None:
    """Write a part of the budget anew, if the variable asks for it."""
    if os.environ.get("LWA_WRITE_START_BUDGET"):
        budget = json.loads(BUDGET.read_text()) if BUDGET.exists() else {}
        BUDGET.write_text(json.dumps(dict(sorted({**budget, key: value}.items())), indent=1) + "\n")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a process reads")
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the standard library's own imports differ by version")
@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_a_start_imports_and_reads_no_more_than_its_budget(
    tmp_path: Path, api: RuntimeApi, kind: str, memory: str
) -> None:
    found = states(api, tmp_path, kind, MEMORY[memory])
    write_budget(
        f"{kind}, {memory}",
        {
            name: {
                "bytes_read": state.bytes_read,
                "reads": state.reads,
                "modules": wrap(" ".join(sorted(state.modules)), 110),
            }
            for name, state in found.items()
        },
    )
    budget = json.loads(BUDGET.read_text())
    for name, state in found.items():
        allowed = budget[f"{kind}, {memory}"][name]
        assert sorted(state.modules - set(" ".join(allowed["modules"]).split())) == [], (
            f"new modules in the {name} process"
        )
        assert state.bytes_read <= HEADROOM * allowed["bytes_read"]
        assert state.reads <= HEADROOM * allowed["reads"]


def traces() -> bool:
    """Return whether strace is there, and may trace."""
    return (
        bool(shutil.which("strace"))
        and not subprocess.run(["strace", "-o", os.devnull, "true"], check=False).returncode
    )


# Calls that look for files, read them, or ask for memory: each module costs some. Those that wait differ by chance.
COUNTED = "%file,%memory,read,lseek,close,ioctl,fstat,getdents64"


@pytest.mark.skipif(not traces(), reason="counts system calls with strace (apt install strace)")
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the standard library's own calls differ by version")
@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("kind", ["wsgi", "app"])
def test_a_start_makes_no_more_system_calls_than_its_budget(
    tmp_path: Path, api: RuntimeApi, kind: str, memory: str
) -> None:
    trace = tmp_path / "trace"
    env = variables(api, APPS, MEMORY[memory])
    command: list[str | Path] = [
        "strace",
        "-D",  # as the bootstrap's grandchild, so that the bootstrap gets SIGTERM
        "-f",
        "-qq",
        "-o",
        trace,
        "-e",
        f"trace={COUNTED}",
        sys.executable,
        BOOTSTRAP,
    ]
    with Running([*command, f"main:{kind}"], env=env, cwd=APPS, at_end=api.set_runtime_ended):
        api.invoke(get("/"))
        calls = Counter(re.findall(r"(?m)^\d+ +(\w+)\(", trace.read_text()))
    write_budget(f"{kind}, {memory}, system calls", dict(sorted(calls.items())))

    allowed = json.loads(BUDGET.read_text())[f"{kind}, {memory}, system calls"]
    assert calls.total() > len(allowed)
    assert calls.total() <= HEADROOM * sum(allowed.values()), {
        name: (number, allowed.get(name, 0)) for name, number in calls.items() if number > allowed.get(name, 0)
    }
