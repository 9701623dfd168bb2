"""SIGTERM: the app is shut down in order if it can be in the time there is, and the bootstrap ends with 0."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest
from adapter.test_loop import body, get
from support.processes import children, runs, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

# Lambda leaves 300 ms to the app; what the rest takes is not Lambda's affair alone on a busy machine.
SOON = 2.0


def told(api: RuntimeApi) -> list[str]:
    """What the app has told, in order."""
    return [call.name.removeprefix("test/") for call in api.calls if call.name.startswith("test/")]


@pytest.mark.parametrize(
    ("app", "steps"),
    [
        pytest.param("main:app", ["import", "startup", "shutdown", "exit"], id="asgi"),
        pytest.param("main:wsgi", ["import", "exit"], id="wsgi"),
    ],
)
def test_an_idle_environment_ends_in_order(app: str, steps: list[str], api: RuntimeApi, start: Start) -> None:
    process = start(app)
    pid = body(api.invoke(get("/")))["pid"]
    api.wait_for_call("next", 2)

    began = time.monotonic()
    assert process.terminate() == 0

    assert time.monotonic() - began < SOON
    assert told(api) == steps
    assert not runs(pid)
    assert "Traceback" not in process.text


def test_a_signal_to_the_whole_group_is_as_good(api: RuntimeApi, start: Start, either_app: str) -> None:
    """The Runtime Interface Emulator signals the group, so that the app hears it twice."""
    process = start(either_app)
    api.invoke(get("/"))
    api.wait_for_call("next", 2)

    os.killpg(process.pid, signal.SIGTERM)

    assert process.wait() == 0
    assert told(api)[-1] == "exit"
    assert "Traceback" not in process.text


def test_an_environment_in_the_middle_of_an_invocation_ends_too(api: RuntimeApi, start: Start, either_app: str) -> None:
    api.hold("hangs")
    process = start(either_app)
    api.queue_event(get("/tell/hangs"))
    api.wait_for_call("test/hangs")
    (app,) = children(process.pid)

    began = time.monotonic()
    assert process.terminate() == 0

    assert time.monotonic() - began < SOON
    assert not runs(app)
    assert api.call_names == ["next"]


@pytest.mark.parametrize("stage", ["import", "startup"])
def test_an_environment_that_has_not_started_yet_ends_too(stage: str, api: RuntimeApi, start: Start) -> None:
    api.hold(stage)
    process = start("main:app")
    api.wait_for_call(f"test/{stage}")
    (app,) = children(process.pid)

    began = time.monotonic()
    process.terminate()

    assert time.monotonic() - began < SOON
    assert not runs(app)
    assert api.call_names == []


def test_an_app_that_ignores_the_signal_is_killed(api: RuntimeApi, start: Start) -> None:
    process = start("main:wsgi", APP_IGNORES="SIGTERM")
    pid = body(api.invoke(get("/")))["pid"]
    api.wait_for_call("next", 2)

    began = time.monotonic()
    assert process.terminate() == 0

    assert 0.3 <= time.monotonic() - began < SOON
    assert not runs(pid)


def test_a_command_gets_the_signal(api: RuntimeApi, start: Start) -> None:
    process = start("--", sys.executable, "command.py")
    api.wait_for_call("next")
    (app,) = children(process.pid)

    assert process.terminate() == 0

    assert not runs(app)


def test_a_command_behind_a_shell_gets_the_signal(api: RuntimeApi, start: Start) -> None:
    process = start("--", "sh", "-c", f"{sys.executable} command.py; exit $?")
    api.wait_for_call("next")
    (shell,) = children(process.pid)
    (app,) = children(shell)

    assert process.terminate() == 0

    wait_until(lambda: not runs(app), "the command behind the shell ends", seconds=2)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel is told which thread is to take the signal")
def test_a_signal_that_another_thread_takes_ends_the_environment_too(api: RuntimeApi, start: Start) -> None:
    """Python's handlers run in the main thread, whose system call such a signal does not interrupt.

    It stands as well for a signal that comes just before that call, which no test can time.
    """
    process = start("--", sys.executable, "command.py")
    api.invoke(get("/"))
    api.wait_for_call("next", 2)
    (app,) = children(process.pid)
    os.kill(app, signal.SIGKILL)
    wait_until(lambda: not runs(app), "the app has ended")
    api.invoke(get("/"))  # starts it again, and with it a thread that does not block the signal, as the first one does
    api.wait_for_call("next", 3)
    (other,) = [int(task) for task in os.listdir(f"/proc/{process.pid}/task") if int(task) != process.pid]

    tgkill = {"x86_64": 234, "aarch64": 131}[platform.machine()]
    assert ctypes.CDLL(None).syscall(tgkill, process.pid, other, int(signal.SIGTERM)) == 0

    assert process.wait() == 0


# No app is left over.


def test_an_app_is_not_left_over_by_a_bootstrap_that_is_told_to_stop_before_it_can_be(
    api: RuntimeApi, start: Start
) -> None:
    process = start("stopping:app")

    assert process.wait() == 0
    assert children(process.pid) == []
    assert api.call_names == []


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("main:app",), id="asgi"),
        pytest.param(("main:wsgi",), id="wsgi"),
        pytest.param(("--", sys.executable, "command.py"), id="command"),
    ],
)
def test_an_app_is_not_left_over_by_a_bootstrap_that_is_killed(
    words: tuple[str, ...], api: RuntimeApi, start: Start
) -> None:
    process = start(*words)
    api.invoke(get("/"))
    (app,) = children(process.pid)

    os.kill(process.pid, signal.SIGKILL)

    wait_until(lambda: not runs(app), "the end of the app")


PROFILER = """
import atexit, os, sys, threading, time

lock = threading.Lock()
pid = os.getpid()

def profile(frame, event, argument):
    lock.acquire()
    if os.path.exists("stop"):
        os.rename("stop", "stopping")
        os.kill(pid, 15)
        time.sleep(0)  # the handler runs here at the latest
    lock.release()

def at_end():
    sys.setprofile(None)
    if os.getpid() == pid:
        print("the lock is free" if lock.acquire(timeout=1) else "the lock is held")

atexit.register(at_end)
sys.setprofile(profile)
"""


def test_a_signal_in_other_people_s_code_leaves_none_of_its_locks_held(
    api: RuntimeApi, start: Start, tmp_path: Path
) -> None:
    """As a profiler or a tracer in the adapter's process has them."""
    (tmp_path / "sitecustomize.py").write_text(PROFILER)
    (tmp_path / "app.py").write_text("def app(environ, start):\n    start('200 OK', [])\n    return [b'ok']\n")
    process = start("app:app", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    api.invoke(get("/"))

    (tmp_path / "stop").touch()

    assert process.wait() == 0
    assert "the lock is free" in process.text
