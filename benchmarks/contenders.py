"""What is compared: this project, the AWS Lambda Web Adapter, an in-process adapter, and the app alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"
OURS = "this project"
ALONE = "the app alone"
TITLES = {"fastapi": "FastAPI", "flask": "Flask"}  # of the apps


@dataclass(frozen=True)
class Contender:
    """A way to serve an app on Lambda. `{port}` and `{slots}` in the command are replaced."""

    name: str
    kind: str  # ours, rust, in-process or alone
    command: tuple[str, ...]
    slots_command: tuple[str, ...] = ()  # with concurrent invocations, where it is another one
    extension: Path | None = None


def contenders(app: str, python: Path, rust_adapter: Path | None) -> Iterator[Contender]:
    """Return all contenders for an app that this machine has."""
    bin_folder = python.parent
    run = str(python)
    yield Contender(OURS, "ours", (run, "-m", "lambda_web_adapter", f"{app}_app:app"))
    if app == "fastapi":
        name, server = "Rust adapter, uvicorn", _uvicorn(bin_folder)
        in_process, handler = "Mangum", "mangum_handler.handler"
        threads: tuple[str, ...] = ()
    else:
        name, server = "Rust adapter, gunicorn", _gunicorn(bin_folder)
        in_process, handler = "apig-wsgi", "apig_wsgi_handler.handler"
        threads = ("--threads", "{slots}")
    if rust_adapter and (bin_folder / server[0]).exists():
        yield Contender(name, "rust", server, (*server, *threads), rust_adapter)
    if (bin_folder / "gunicorn").exists():  # all peers are installed together
        yield Contender(in_process, "in-process", (run, "-m", "awslambdaric", handler))
    yield Contender(ALONE, "alone", (run, "app_alone.py", f"{app}_app"))


def _uvicorn(folder: Path) -> tuple[str, ...]:
    uvicorn = str(folder / "uvicorn")
    return (uvicorn, "fastapi_app:app", "--port", "{port}", "--log-level", "error", "--no-access-log")


def _gunicorn(folder: Path) -> tuple[str, ...]:
    return (str(folder / "gunicorn"), "-b", "127.0.0.1:{port}", "--log-level", "error", "flask_app:app")
