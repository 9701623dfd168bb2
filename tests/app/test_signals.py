"""A handler that the app has installed for SIGTERM or SIGINT is called before the server stops, in both servers."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from app.serving import serving

if TYPE_CHECKING:
    from pathlib import Path

HANDLER = """
import atexit, signal, sys

atexit.register(print, "at exit", flush=True)

def handler(number, frame):
    print(f"handler of {signal.Signals(number).name}", flush=True)
    THEN
"""
INSTALL = "signal.signal(signal.SIGNAL, handler)"
WSGI = f"""
{HANDLER}
{INSTALL}

def app(environ, start_response): ...
"""
ASGI = f"""
{HANDLER}
{INSTALL}

async def app(scope, receive, send):
    LIFESPAN
    await receive()
    await send({{"type": "lifespan.startup.complete"}})
    await receive()
    print("lifespan shutdown", flush=True)
    await send({{"type": "lifespan.shutdown.complete"}})
"""
IN_THE_STARTUP = ASGI.replace(INSTALL, "").replace("LIFESPAN", INSTALL)
OF_THE_LOOP = ASGI.replace(INSTALL, "import asyncio").replace(
    "LIFESPAN",
    "asyncio.get_running_loop().add_signal_handler(signal.SIGNAL, handler, signal.SIGNAL, None)",
)
APPS = {
    "WSGI": (WSGI, {}, ["at exit"]),
    "WSGI on uvicorn": (WSGI, {"AWS_LWA_SERVER": "uvicorn"}, ["at exit"]),
    "ASGI": (ASGI.replace("LIFESPAN", ""), {}, ["lifespan shutdown", "at exit"]),
    "ASGI, in the startup": (IN_THE_STARTUP, {}, ["lifespan shutdown", "at exit"]),
    "ASGI, of the loop": (OF_THE_LOOP, {}, ["lifespan shutdown", "at exit"]),
    "ASGI on asyncio": (
        OF_THE_LOOP,
        {"AWS_LWA_LOOP": "asyncio"},
        ["lifespan shutdown", "at exit"],
    ),
}


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize(("source", "settings", "after"), APPS.values(), ids=APPS.keys())
def test_the_apps_own_handler_is_called_and_the_end_goes_on(
    tmp_path: Path, source: str, settings: dict[str, str], after: list[str], name: str
) -> None:
    (tmp_path / "main.py").write_text(source.replace("SIGNAL", name).replace("THEN", "pass"))

    with serving("main:app", settings, folder=tmp_path) as served:
        served.process.send_signal(getattr(signal, name))

        assert served.end() == 0
        assert sorted(served.output().splitlines()) == sorted([f"handler of {name}", *after])
        assert served.output().endswith("at exit\n")


@pytest.mark.parametrize("then", ["sys.exit(3)", "raise KeyboardInterrupt"])
@pytest.mark.parametrize("app", ["WSGI", "ASGI"])
def test_a_handler_that_wants_to_exit_does_not_cut_the_end_short(tmp_path: Path, app: str, then: str) -> None:
    source, settings, after = APPS[app]
    (tmp_path / "main.py").write_text(source.replace("SIGNAL", "SIGTERM").replace("THEN", then))

    with serving("main:app", settings, folder=tmp_path) as served:
        assert served.stop() == 0
        assert served.output().splitlines() == ["handler of SIGTERM", *after]


@pytest.mark.parametrize("app", ["WSGI", "ASGI"])
def test_a_handler_that_fails_is_in_the_log_and_the_end_goes_on(tmp_path: Path, app: str) -> None:
    source, settings, after = APPS[app]
    (tmp_path / "main.py").write_text(source.replace("SIGNAL", "SIGTERM").replace("THEN", "raise LookupError('gone')"))

    with serving("main:app", settings, folder=tmp_path) as served:
        assert served.stop() == 0
        assert "The app's handler of SIGTERM failed" in served.output()
        assert "LookupError: gone" in served.output()
        assert served.output().endswith("".join(f"{line}\n" for line in after))


@pytest.mark.parametrize("app", ["WSGI", "ASGI"])
def test_a_signal_that_the_app_ignores_ends_it_anyway(tmp_path: Path, app: str) -> None:
    source, settings, after = APPS[app]
    (tmp_path / "main.py").write_text(
        source.replace("SIGNAL", "SIGTERM").replace(", handler)", ", signal.SIG_IGN)").replace("THEN", "pass")
    )

    with serving("main:app", settings, folder=tmp_path) as served:
        assert served.stop() == 0
        assert served.output().splitlines() == after
