"""What is compared: this project, the AWS Lambda Web Adapter, an in-process adapter, and the app alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from installation import Installation

APPS = Path(__file__).parent / "apps"
OURS = "this project"
START_FILE = "this project, start file"
ALONE = "the app alone"
TITLES = {"fastapi": "FastAPI", "flask": "Flask"}  # of the apps
KINDS = ("ours", "start-file", "rust", "in-process", "alone")
START_FILE_VARIABLE = "AWS_LWA_START_FILE"


@dataclass(frozen=True)
class Contender:
    """A way to serve an app on Lambda. `{port}` and `{workers}` in the command are replaced."""

    name: str
    kind: str  # one of KINDS
    command: tuple[str, ...]
    workers_command: tuple[str, ...] = ()  # with concurrent invocations, where it is another one
    extension: Path | None = None
    environ: dict[str, str] = field(default_factory=dict)  # in addition to what all get
    unwanted: str = ""  # what its output must not contain


def contenders(app: str, found: Installation) -> Iterator[Contender]:
    """Return all contenders for an app that this machine has."""
    bin_folder = found.python.parent
    run = str(found.python)
    ours = (run, "-m", "lambda_web_adapter", f"{app}_app:app")
    yield Contender(OURS, "ours", ours, environ={START_FILE_VARIABLE: "off"})
    if file := found.start_files.get(app):
        environ = {START_FILE_VARIABLE: str(file)}
        # The adapter goes on without a start file that does not fit, and logs why.
        yield Contender(START_FILE, "start-file", ours, environ=environ, unwanted="The start file ")
    if app == "fastapi":
        name, server = "Rust adapter, uvicorn", _uvicorn(bin_folder)
        in_process, handler = "Mangum", "mangum_handler.handler"
        threads: tuple[str, ...] = ()
    else:
        name, server = "Rust adapter, gunicorn", _gunicorn(bin_folder)
        in_process, handler = "apig-wsgi", "apig_wsgi_handler.handler"
        threads = ("--threads", "{workers}")
    if found.rust_adapter and Path(server[0]).exists():
        yield Contender(name, "rust", server, (*server, *threads), found.rust_adapter)
    if (bin_folder / "gunicorn").exists():  # all peers are installed together
        yield Contender(in_process, "in-process", (run, "-m", "awslambdaric", handler))
    # As a module, since Python keeps no bytecode of a script.
    yield Contender(ALONE, "alone", (run, "-c", "from app_alone import main; main()", f"{app}_app"))


def _uvicorn(folder: Path) -> tuple[str, ...]:
    uvicorn = str(folder / "uvicorn")
    return (uvicorn, "fastapi_app:app", "--port", "{port}", "--log-level", "error", "--no-access-log")


def _gunicorn(folder: Path) -> tuple[str, ...]:
    return (str(folder / "gunicorn"), "-b", "127.0.0.1:{port}", "--log-level", "error", "flask_app:app")
