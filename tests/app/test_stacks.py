"""What an app process says of its stacks: it lives on, whatever its threads do meanwhile."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from app.serving import Served, serving
from processes import wait_until

from lambda_web_adapter.parent import SHOW_STACKS

if TYPE_CHECKING:
    from collections.abc import Iterator

# Threads that call, return, begin and end, as fast as they can.
BUSY = """
import threading

def fall(depth):
    return depth and fall(depth - 1) + sum(number for number in range(3))

def for_ever(what):
    while True:
        what()

def begin_another():
    thread = threading.Thread(target=fall, args=(50,))
    thread.start()
    thread.join()

def be_busy():
    for what in [lambda: fall(60)] * 3 + [begin_another]:
        threading.Thread(target=for_ever, args=(what,), name="busy", daemon=True).start()

async def app(scope, receive, send):
    assert scope["type"] == "http"
    be_busy()
    await receive()
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})

def wsgi(environ, start_response):
    be_busy()
    start_response("204 No Content", [])
    return []
"""
# Of looks at threads that run, one in a hundred ended the process.
SIGNALS = 600
# Each waits for its turn among the busy threads.
TIMES = 10


def is_handling(pid: int) -> bool:
    """Whether a thread has the signal still before it, or the main thread is in its handler."""
    bit = 1 << (SHOW_STACKS - 1)
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    masks = dict(line.split(":\t") for line in lines if line.startswith(("SigPnd", "ShdPnd", "SigBlk")))
    return any(int(mask, 16) & bit for mask in masks.values())


def is_asleep(pid: int) -> bool:
    """Whether the main thread has handled the signal, and sleeps in a system call again.

    Only then is it interrupted as the adapter does it, which signals a thread once. What handles the signal in CPython
    does not keep `errno`. To a thread that sleeps this is nothing, since the C library sets `errno` after that. But a
    next signal just then, before the call's `errno` is looked at, has libuv abort: one signal in 30,000 did.
    """
    return not is_handling(pid) and "\nState:\tS" in Path(f"/proc/{pid}/status").read_text()


@pytest.fixture(params=["busy:app", "busy:wsgi"], ids=["asgi", "wsgi"])
def busy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "busy.py").write_text(BUSY)
    with serving(request.param, folder=tmp_path) as served, served.connect() as client:
        assert client.ask("GET", "/").status == 204
        assert served.line() == f"done {client.name}"
        yield served


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells when a signal was handled")
def test_it_outlives_each_signal_for_them(busy: Served) -> None:
    for number in range(SIGNALS):
        os.kill(busy.process.pid, SHOW_STACKS)
        wait_until(lambda: busy.process.poll() is not None or is_asleep(busy.process.pid), "the signal's handler")
        assert busy.process.poll() is None, f"the app ended with {busy.process.returncode} by signal {number}"

    assert busy.output().count("Stack (most recent call first):") > SIGNALS / 2


def test_it_says_what_threads_do_that_run(busy: Served) -> None:
    for _ in range(TIMES):
        busy.ask("stacks")
        assert busy.line() == "shown"

    assert busy.output().count(" in fall\n") > TIMES
    assert " busy (most recent call first):\n" in busy.output()


MANY_TASKS = """
import asyncio

async def wait(depth):
    await (wait(depth - 1) if depth else asyncio.Event().wait())

async def app(scope, receive, send):
    assert scope["type"] == "http"
    app.tasks = [asyncio.create_task(wait(15)) for _ in range(300)]
    await asyncio.sleep(0)  # they begin
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})
"""


def test_of_very_many_tasks_some_are_shown_and_the_others_counted(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(MANY_TASKS)
    with serving("main:app", folder=tmp_path) as served, served.connect() as client:
        assert client.ask("GET", "/").status == 204
        served.ask("stacks")
        wait_until(lambda: "more tasks" in served.output(), "the stacks")

        assert served.output().count("Task ") == 100
        assert served.output().count("in wait\n") >= 90 * 16


AMONG_MANY_TASKS = """
import asyncio

async def wait_for_nothing():
    await asyncio.Event().wait()

async def app(scope, receive, send):
    assert scope["type"] == "http"
    app.tasks = [asyncio.create_task(wait_for_nothing()) for _ in range(5000)]
    await asyncio.sleep(0)  # they begin
    print("they have begun", flush=True)
    await wait_for_nothing()
"""


def test_of_very_many_tasks_the_request_s_is_shown(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(AMONG_MANY_TASKS)
    with serving("main:app", folder=tmp_path) as served, served.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        wait_until(lambda: "they have begun" in served.output(), "the tasks")
        served.ask("stacks")
        wait_until(lambda: "more tasks" in served.output(), "the stacks")

        assert "in app\n" in served.output()
