"""What serves an app on this machine: the local run with some options, and uvicorn."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from contenders import APPS
from http_load import Client
from installation import PROJECT, function_environ
from measure import free_port
from processes import Placement, Process

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 60
ASSETS = 20
ASSET_BYTES = 8000, 40_000
WSGI = ("page_app:app",)
EXAMPLE = PROJECT / "examples" / "fastapi_app"


@dataclass(frozen=True)
class Server:
    """A command, with `{port}` and `{app}` in it; `module` is what `python -m` runs."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    wsgi_arguments: tuple[str, ...] = ()  # for a WSGI app

    def command(self, python: Path, app: str, port: int) -> list[str]:
        """Return the command that serves an app."""
        arguments = (*self.arguments, *(self.wsgi_arguments if app in WSGI else ()))
        return [str(python), "-m", self.module, *(argument.format(app=app, port=port) for argument in arguments)]


UVICORN = Server("uvicorn", "uvicorn", ("{app}", "--port", "{port}"), ("--interface", "wsgi"))
UVICORN_RELOAD = Server("uvicorn --reload", "uvicorn", ("{app}", "--port", "{port}", "--reload"))


@dataclass
class Local:
    """The local run as it is installed: the options that it has, and the environment that it runs in."""

    python: Path
    environ: dict[str, str]
    help: str = field(init=False)

    def __post_init__(self) -> None:
        """Read its help."""
        command = [str(self.python), "-m", "lambda_web_adapter", "run", "--help"]
        self.help = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=True).stdout

    def server(self, *options: str) -> Server:
        """Return the local run with some options, of which those are left out that this version does not have."""
        known = tuple(option for option in options if option.partition("=")[0] in self.help)
        name = " ".join(("local run", *(option.replace("=", " ") for option in known)))
        quiet = ("--no-reload",) if "--no-reload" in self.help and "--reload" not in known else ()
        return Server(name, "lambda_web_adapter", ("{app}", "--port", "{port}", *known, *quiet))


@dataclass
class Running:
    """A server that has started."""

    name: str
    port: int
    process: Process
    started_at: float

    def wait_for_port(self) -> None:
        """Wait until it accepts connections."""
        deadline = time.perf_counter() + START_SECONDS
        while time.perf_counter() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.002)
            else:
                return
        raise SystemExit(f"{self.name} did not start:\n{self.process.output()}")

    def first_answer(self, path: str) -> float:
        """Return the seconds from its start to its first response."""
        self.wait_for_port()
        client = Client(self.port)
        client.get(path)
        seconds = time.perf_counter() - self.started_at
        client.close()
        if client.status != 200:
            raise SystemExit(f"{self.name} responded with {client.status}: {client.body!r}\n{self.process.output()}")
        return seconds


@contextmanager
def running(server: Server, local: Local, app: str, folder: Path = APPS) -> Iterator[Running]:
    """Start a server, and stop it at the end."""
    port = free_port()
    environ = {**local.environ, "LAMBDA_TASK_ROOT": str(folder)}
    started_at = time.perf_counter()
    process = Process(server.command(local.python, app, port), environ, folder, Placement())
    try:
        yield Running(server.name, port, process, started_at)
    finally:
        process.stop()


def local_environ(source: Path | None) -> dict[str, str]:
    """Return the environment variables of all servers: the apps are in the path, and this project's source if given."""
    environ = function_environ(str(APPS))
    del environ["LAMBDA_TASK_ROOT"]
    return environ | ({"PYTHONPATH": f"{source.absolute()}:{APPS}"} if source else {})


def write_page_app(folder: Path) -> list[str]:
    """Write the app with a page into a folder, and its assets; return their paths."""
    (folder / "page_app.py").write_text((APPS / "page_app.py").read_text())
    static = folder / "static"
    static.mkdir()
    sizes = random.Random(ASSETS)  # noqa: S311  # the same in each run
    for number in range(ASSETS):
        (static / f"asset_{number:02}.css").write_bytes(b"a" * sizes.randint(*ASSET_BYTES))
    return [f"/static/{file.name}" for file in sorted(static.iterdir())]


def end_servers_on_signals() -> None:
    """Let Ctrl-C and SIGTERM end the program like an exit, so that the servers are stopped."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit("Ended by a signal."))
