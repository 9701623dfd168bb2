"""Times starts that fail: `PYTHONPATH=tests python benchmarks/failed_starts.py`.

Prints, in milliseconds and as median and worst of a few rounds: how long after the app's last line its process has
ended, how long after that end /init/error is posted, and how long after it the bootstrap has ended.
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
from threading import Thread

from support.fake_runtime_api import FakeRuntimeApi
from support.processes import BOOTSTRAP, Running, free_port, plain_environment, wait_until

ROUNDS = 5
# The app stands still until the benchmark watches its process.
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
# Of each kind: whether a command can end so too.
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
    """Waits until a process has ended; returns when."""
    watched = os.pidfd_open(pid)
    select.select([watched], [], [])
    os.close(watched)
    return time.time()


def failed(words: list[str], folder: Path, variables: dict[str, str]) -> tuple[float, float, float, float]:
    """Has a start fail; returns when the app's last line ran, when it ended, when that was told, and when all ended."""
    app_ended = 0.0

    def watch() -> None:
        nonlocal app_ended
        pid = int((folder / "pid").read_text())
        Thread(target=lambda: (time.sleep(0.02), (folder / "go").touch())).start()
        app_ended = end_of(pid)

    with FakeRuntimeApi() as api, redirect_stdout(io.StringIO()):
        env = plain_environment({"AWS_LAMBDA_RUNTIME_API": api.address, **variables})
        with Running([sys.executable, BOOTSTRAP, *words], env=env, cwd=folder, at_end=api.client_has_ended) as process:
            wait_until((folder / "pid").exists, "the app begins")
            watcher = Thread(target=watch)
            watcher.start()
            ended = end_of(process.pid)
            watcher.join()
        return float((folder / "last").read_text()), app_ended, api.wait_for_call("init/error").at, ended


def taken_port() -> tuple[float, float]:
    """Has a start fail before there is an app; returns how long it took to tell, and to end."""
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(io.StringIO()))
        taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        api = stack.enter_context(FakeRuntimeApi())
        port = str(taken.getsockname()[1])
        env = plain_environment({"AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LWA_PORT": port})
        began = time.time()
        process = stack.enter_context(Running([sys.executable, BOOTSTRAP, "main:app"], env=env))
        ended = end_of(process.pid)
        return api.wait_for_call("init/error").at - began, ended - began


def milliseconds(values: list[float]) -> str:
    """Writes the median and the worst."""
    return f"{statistics.median(values) * 1000:8.1f}{max(values) * 1000:8.1f}"


def main() -> None:
    """Goes through the ways to fail."""
    print(f"{'':42}{'app ends':>16}{'told':>18}{'over':>18}")
    for name, (text, for_commands) in ENDS.items():
        for kind in ("app", "command") if for_commands else ("app",):
            words = ["main:app"] if kind == "app" else ["--", sys.executable, "main.py"]
            dying, telling, ending = [], [], []
            for _ in range(ROUNDS):
                with tempfile.TemporaryDirectory() as folder:
                    Path(folder, "main.py").write_text(f"{BEGIN}{text}")
                    last, app, told, ended = failed(words, Path(folder), {"AWS_LWA_PORT": free_port()})
                dying.append(app - last)
                telling.append(told - app)
                ending.append(ended - app)
            columns = "  ".join(map(milliseconds, (dying, telling, ending)))
            print(f"{f'{kind}: {name}':42}{columns}")
    told_after, over_after = zip(*[taken_port() for _ in range(ROUNDS)], strict=True)
    print(f"{'port taken, from the very start':60}{milliseconds(list(told_after))}  {milliseconds(list(over_after))}")


if __name__ == "__main__":
    main()
