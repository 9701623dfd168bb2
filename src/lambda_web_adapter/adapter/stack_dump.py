"""What an app that does not answer was doing, for the log: asked of the app, or by signals if it cannot say."""

from __future__ import annotations

import contextlib
import os
import time

from lambda_web_adapter.adapter.log import log
from lambda_web_adapter.parent import SHOW_STACKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.adapter.app_process import AppProcess
    from lambda_web_adapter.adapter.mode import Mode

# Both together are less than the margin before the function's time-out, after which Lambda ends the environment.
_ASKED_SECONDS = 0.15
_SIGNALLED_SECONDS = 0.1
_LOOK_SECONDS = 0.001
# As /proc/PID/status names signals that wait: for the thread, and for any thread; and those that are kept off, as
# one is while it is handled.
_UNHANDLED = ("SigPnd:", "ShdPnd:", "SigBlk:")


async def log_stacks(app: AppProcess, mode: Mode, request_id: str, *, ends: bool) -> bool:
    """Log the stacks of the built-in server's threads and tasks.

    Args:
        app: the app.
        mode: how to wait.
        request_id: the invocation that was not answered.
        ends: whether the app is about to be ended; one that lives on is not signalled.

    Returns:
        Whether the app has written them as it was asked to.
    """
    if not app.speaks or not app.pid:
        return True
    app.control.ask("stacks")
    written = True
    try:
        await mode.hear(app, (b"shown",), time.monotonic() + _ASKED_SECONDS)
    except TimeoutError:
        written = False
        if ends:
            await mode.call(_signal_threads, app.pid)
    if stacks := app.shown_stacks():
        log("ERROR", f"The app's stacks:\n{stacks}", request_id)
    return written


def _signal_threads(pid: int) -> None:
    """Have each thread write its own stack, one after the other, so that their lines do not mix, and each once only."""
    until = time.monotonic() + _SIGNALLED_SECONDS
    with contextlib.suppress(OSError):  # it has ended, or this system has no such files
        for thread in sorted(map(int, os.listdir(f"/proc/{pid}/task")), key=lambda thread: (thread != pid, thread)):
            if time.monotonic() < until:
                os.kill(thread, SHOW_STACKS)  # the kernel tries the thread that is named before the others
                _wait_until_handled(thread, until)


def _wait_until_handled(thread: int, until: float) -> None:
    bit = 1 << (SHOW_STACKS - 1)
    while time.monotonic() < until:
        with open(f"/proc/{thread}/status") as status:
            masks = [int(line.split()[1], 16) for line in status if line.startswith(_UNHANDLED)]
        if not any(mask & bit for mask in masks):
            return
        time.sleep(_LOOK_SECONDS)
