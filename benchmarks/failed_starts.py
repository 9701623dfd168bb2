"""Time starts that fail: `PYTHONPATH=tests python benchmarks/failed_starts.py`.

Prints median and worst of a few rounds, in milliseconds: from the app's last line to the end of its process, from that
to /init/error, and from it to the end of the bootstrap.
"""

from __future__ import annotations

import io
import os
import select
import socket
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from threading import Thread, Timer

from support.processes import BOOTSTRAP, Running, free_port, plain_environment, wait_until

from lambda_web_adapter.testing.runtime_api import RuntimeApi

ROUNDS = 5
# The app waits until the benchmark watches its process.
BEGIN = """
import os, sys, time
with open("new", "w") as file:
    file.write(str(os.getpid()))
os.rename("new", "pid")
while not os.path.exists("go"):
    time.sleep(0.001)

def last():
    print("a reason", file=sys.stderr, flush=True)
    with open("last", "w") as file:
        file.write(str(time.time()))
"""
LIFESPAN = """
async def app(scope, receive, send):
    await receive()
    last()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
"""
CHILD = "import subprocess\nsubprocess.Popen(['sleep', '3'], stdin=-3, stdout=-3)\nlast()\nos._exit(3)"
THREAD = """
import threading
threading.Thread(target=threading.Event().wait, args=(1,)).start()
last()
raise LookupError("no licence")
"""
# For each way to end: whether it also applies to an external command.
ENDS = {
    "import error": ("last()\nimport no_such_module", True),
    "exception": ("last()\nraise LookupError('no licence')", True),
    "exception, after FastAPI": ("import fastapi\nlast()\nraise LookupError('no licence')", True),
    "sys.exit": ("last()\nsys.exit(3)", True),
    "os._exit": ("last()\nos._exit(3)", True),
    "SIGKILL": ("last()\nos.kill(os.getpid(), 9)", True),
    "a child still holds stderr": (CHILD, True),
    "a thread goes on for a second": (THREAD, True),
    "lifespan startup fails": (LIFESPAN, False),
    "lifespan startup raises": (LIFESPAN + "    raise OSError('no database')", False),
}


def end_of(pid: int) -> float:
    """Wait until a process has ended; return the time."""
    watched = os.pidfd_open(pid)
    select.select([watched], [], [])
    os.close(watched)
    return time.time()


def failed(arguments: list[str], folder: Path, variables: dict[str, str]) -> tuple[float, float, float, float]:
    """Return when a failing app ran its last line, when it ended, when that was reported, and when all had ended."""
    app_ended = 0.0

    def watch() -> None:
        nonlocal app_ended
        pid = int((folder / "pid").read_text())
        Timer(0.02, (folder / "go").touch).start()
        app_ended = end_of(pid)

    with RuntimeApi() as api, redirect_stdout(io.StringIO()):
        env = plain_environment({"AWS_LAMBDA_RUNTIME_API": api.address, **variables})
        command: list[str | Path] = [sys.executable, BOOTSTRAP, *arguments]
        with Running(command, env=env, cwd=folder, at_end=api.set_runtime_ended) as process:
            wait_until((folder / "pid").exists, "the app begins")
            watcher = Thread(target=watch)
            watcher.start()
            ended = end_of(process.pid)
            watcher.join()
        return float((folder / "last").read_text()), app_ended, api.wait_for_call("init/error").at, ended


def taken_port() -> tuple[float, float]:
    """Return how long a start that fails before there is an app takes to be reported, and to end."""
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(io.StringIO()))
        taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        api = stack.enter_context(RuntimeApi())
        port = str(taken.getsockname()[1])
        env = plain_environment({"AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LWA_PORT": port})
        started_at = time.time()
        process = stack.enter_context(Running([sys.executable, BOOTSTRAP, "main:app"], env=env))
        ended = end_of(process.pid)
        return api.wait_for_call("init/error").at - started_at, ended - started_at


def milliseconds(values: list[float]) -> str:
    """Return the median and the worst, formatted."""
    return f"{statistics.median(values) * 1000:8.1f}{max(values) * 1000:8.1f}"


def main() -> None:
    """Print a line for each way to fail."""
    print(f"{'':42}{'app ends':>16}{'reported':>18}{'all ended':>18}")
    for name, (text, for_commands) in ENDS.items():
        for kind in ("app", "command") if for_commands else ("app",):
            arguments = ["main:app"] if kind == "app" else ["--", sys.executable, "main.py"]
            exit_times, report_times, end_times = [], [], []
            for _ in range(ROUNDS):
                with tempfile.TemporaryDirectory() as folder:
                    Path(folder, "main.py").write_text(f"{BEGIN}{text}")
                    last, app, reported, ended = failed(arguments, Path(folder), {"AWS_LWA_PORT": free_port()})
                exit_times.append(app - last)
                report_times.append(reported - app)
                end_times.append(ended - app)
            columns = "  ".join(map(milliseconds, (exit_times, report_times, end_times)))
            print(f"{f'{kind}: {name}':42}{columns}")
    report_times, end_times = map(list, zip(*[taken_port() for _ in range(ROUNDS)], strict=True))
    print(f"{'port taken, from the very start':60}{milliseconds(report_times)}  {milliseconds(end_times)}")


if __name__ == "__main__":
    main()
