"""A start that hangs, in the log: where the app is, and where a command listens instead."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from adapter.conftest import on_lambda
from adapter.test_loop import get
from support.processes import Running, free_port

from lambda_web_adapter.testing.runtime_api import RuntimeApi

# The bootstrap, which looks after 0.5 s instead of 5, asks for the first event after 1.5 s instead of 9.8, and waits
# for a stack as long as a loaded machine takes.
IMPATIENT = """
import sys
from lambda_web_adapter import cli
from lambda_web_adapter.adapter.diagnostics import slow_start
from lambda_web_adapter.adapter.process import readiness
slow_start._SIGNAL_SECONDS = 10
cli._INIT_SECONDS = 1.5
readiness._SLOW_SECONDS = readiness._PROGRESS_SECONDS = 0.5
cli.main(sys.argv[1:])
"""


class Begin(Protocol):
    """Starts that bootstrap with an app's source, and with words."""

    def __call__(self, source: str, *words: str, **variables: str) -> Running: ...


@pytest.fixture
def begin(api: RuntimeApi, tmp_path: Path) -> Iterator[Begin]:
    with ExitStack() as stack:

        def started(source: str, *words: str, **variables: str) -> Running:
            (tmp_path / "main.py").write_text(source)
            command = [sys.executable, "-c", IMPATIENT, *(words or ("main:app",))]
            env = on_lambda(api, tmp_path, variables)
            return stack.enter_context(Running(command, env=env, cwd=tmp_path, at_end=api.set_runtime_ended))

        yield started


LOCK = "import threading\n\ndef read():\n    threading.Lock().acquire() and threading.Event().wait()\n\nread()\n"
SLEEP = "import time\ntime.sleep(1000)\n"
SOCKET = "import socket\nserver = socket.create_server(('127.0.0.1', 0))\nserver.accept()\n"
NATIVE = "import ctypes, os\nends = os.pipe()\nctypes.CDLL(None).read(ends[0], ctypes.create_string_buffer(1), 1)\n"
NATIVE_WITH_THE_LOCK = 'import re\nre.match("(a|a)*b", "a" * 64)\n'


@pytest.mark.parametrize(
    ("source", "place"),
    [
        pytest.param(LOCK, r"`threading.Lock\(\).*` at main.py:4", id="lock"),
        pytest.param(SLEEP, r"`time.sleep\(1000\)` at main.py:2", id="sleep"),
        pytest.param(SOCKET, r"`server.accept\(\)` at main.py:3", id="socket"),
        pytest.param(NATIVE, r"`ctypes.CDLL\(None\).read\(.*` at main.py:3", id="native code"),
        pytest.param(NATIVE_WITH_THE_LOCK, r"`re.match\(.*` at main.py:2", id="native code that keeps the lock"),
    ],
)
def test_an_import_that_hangs_is_shown_once_and_again_when_it_is_given_up(
    source: str, place: str, begin: Begin, api: RuntimeApi
) -> None:
    process = begin(source)
    process.wait_for(f"The app has been importing for \\d+ s; it is at: {place}")
    process.wait_for("The adapter requests the first event meanwhile")

    assert len(re.findall(place, process.text)) == 2
    assert 'main.py", line' in process.text
    assert "frozen importlib" not in process.text


def test_a_server_in_the_import_is_told_to_wait_for_the_main_program(begin: Begin) -> None:
    source = "from wsgiref.simple_server import make_server\n\nmake_server('127.0.0.1', 0, None).serve_forever()\n"
    process = begin(source)

    process.wait_for(r"main.py:3 starts a server of its own while it is imported \(`make_server\(\)`\)")
    assert 'put it under `if __name__ == "__main__":`' in process.text


def test_a_lifespan_startup_that_waits_is_shown_by_its_task(begin: Begin) -> None:
    source = """
import asyncio

async def connect():
    await asyncio.Event().wait()

async def app(scope, receive, send):
    await connect()
"""
    process = begin(source)

    process.wait_for(
        r"The app is imported, but its lifespan startup is not complete \d+ s after its start; "
        r"it is at: `await asyncio.Event\(\).wait\(\)` at main.py:5"
    )


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_lifespan_startup_that_blocks_is_shown_by_its_thread(loop: str, begin: Begin) -> None:
    source = "import time\n\nasync def app(scope, receive, send):\n    time.sleep(1000)\n"
    process = begin(source, AWS_LWA_LOOP=loop)

    process.wait_for(r"its lifespan startup is not complete .*`time.sleep\(1000\)` at main.py:4")


def test_a_slow_start_is_served_after_it_was_looked_at(begin: Begin, api: RuntimeApi) -> None:
    source = """
import time
time.sleep(1)

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        import asyncio
        await asyncio.sleep(1)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})
"""
    begin(source)

    assert api.invoke(get("/")).json["statusCode"] == 204


def test_a_command_on_another_port_is_told_so(begin: Begin) -> None:
    port, other = free_port(), free_port()
    process = begin("", "--", sys.executable, "-m", "http.server", "-b", "127.0.0.1", other, PORT=port)

    process.wait_for(f"it listens on port {other} instead of {port}; pass `\\$PORT`")
    process.wait_for(f"The app is not ready .* it listens on port {other} instead of {port}")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_a_child_of_a_command_on_another_address_is_told_so(begin: Begin) -> None:
    port = free_port()
    command = f"{sys.executable} -m http.server -b 127.0.0.2 $PORT; true"
    process = begin("", "--", "sh", "-c", command, PORT=port)

    process.wait_for(f"it listens on 127.0.0.2:{port} only; pass `--bind 127.0.0.1`")
