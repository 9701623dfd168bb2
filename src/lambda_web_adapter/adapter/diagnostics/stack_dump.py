"""Get a stack dump of an app that hangs, for the log: by the control channel, or by signals if it does not react."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.ipc.control_protocol import DUMP_STACKS, STACKS_DUMPED, encode
from lambda_web_adapter.ipc.parent_process import STACK_DUMP_SIGNAL

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.io.backend import Backend
    from lambda_web_adapter.adapter.process.app_process import AppProcess

# Together they are less than the margin before the function's timeout, at which Lambda ends the environment.
_MESSAGE_SECONDS = 0.15
_SIGNAL_SECONDS = 0.1
_POLL_SECONDS = 0.001
# Lines of /proc/PID/status: signals pending for the thread, for any thread, and blocked, as a signal is in its handler.
_UNHANDLED = ("SigPnd:", "ShdPnd:", "SigBlk:")


async def log_stack_dump(app: AppProcess, backend: Backend, request_id: str, *, ends: bool) -> bool:
    """Log the stacks of the built-in server's threads and tasks.

    Args:
        app: the app.
        backend: how to wait.
        request_id: the invocation that has timed out.
        ends: whether the app is about to be killed; an app that goes on is not signalled.

    Returns:
        Whether the app has reported that it has written its stacks.
    """
    if not app.is_managed or not app.pid:
        return True
    app.control.send(encode(DUMP_STACKS))
    written = True
    try:
        await backend.wait_for_message(app, (STACKS_DUMPED,), time.monotonic() + _MESSAGE_SECONDS)
    except TimeoutError:
        written = False
        if ends:
            await backend.call_blocking(_signal_threads, app.pid)
    if stacks := app.read_stack_dump():
        log("ERROR", f"The app's stacks:\n{stacks}", request_id)
    return written


def _signal_threads(pid: int) -> None:
    """Signal each thread once to write its own stack, one after the other, so that their lines do not mix."""
    deadline = time.monotonic() + _SIGNAL_SECONDS
    try:
        threads = sorted(map(int, os.listdir(f"/proc/{pid}/task")), key=lambda thread: (thread != pid, thread))
    except OSError:  # the app has ended, or this system has no /proc
        return
    for thread in threads:
        if time.monotonic() < deadline:
            with contextlib.suppress(OSError):  # this thread has ended
                os.kill(thread, STACK_DUMP_SIGNAL)  # the process gets it, and the kernel prefers the named thread
                _wait_until_handled(thread, deadline)


def _wait_until_handled(thread: int, deadline: float) -> None:
    bit = 1 << (STACK_DUMP_SIGNAL - 1)
    while time.monotonic() < deadline:
        with open(f"/proc/{thread}/status") as status:
            masks = [int(line.split()[1], 16) for line in status if line.startswith(_UNHANDLED)]
        if not any(mask & bit for mask in masks):
            return
        time.sleep(_POLL_SECONDS)
