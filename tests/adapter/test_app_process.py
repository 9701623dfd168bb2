"""The app's process, seen from the adapter: what another thread, or a signal, may do at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from threading import Thread
from typing import TYPE_CHECKING, Any
from unittest import mock

from support.processes import runs, wait_until

from lambda_web_adapter.adapter.process.app_process import AppProcess
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def signalled(step: int) -> tuple[list[int], bool]:
    """Stops an app whose end another thread notices before this line is run.

    Returns:
        The processes that are signalled, and whether there is such a line.
    """
    process = subprocess.Popen(["sleep", "100"])
    app = AppProcess(Settings(), ["sleep"], mock.Mock())
    app.pid = process.pid
    pids: list[int] = []
    lines = 0

    def notice_end(frame: FrameType, event: str, _: object) -> Any:
        nonlocal lines
        lines += event == "line"
        if lines == step and not app._lock.locked():
            process.kill()
            wait_until(lambda: not runs(process.pid), "the end of the process")
            other = Thread(target=app.has_ended)
            other.start()
            other.join()
        return notice_end

    def kill(pid: int, number: int, kill: Callable[[int, int], None] = os.kill) -> None:
        if number == signal.SIGTERM:
            pids.append(pid)
        else:
            kill(pid, number)

    before = sys.gettrace()
    with mock.patch.object(os, "kill", kill):
        sys.settrace(notice_end)
        app.terminate()
        sys.settrace(before)
    process.kill()
    process.wait()
    return pids, lines >= step


def test_an_app_that_ends_while_it_is_to_be_stopped_is_not_signalled_as_a_group() -> None:
    """Process 0 would be the adapter's group; while the app starts, another thread waits for it."""
    step, goes_on = 0, True
    while goes_on:
        step += 1
        pids, goes_on = signalled(step)
        assert 0 not in pids
    assert step > 5
    assert len(pids) == 1
