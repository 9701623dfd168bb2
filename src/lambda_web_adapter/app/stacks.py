"""What the app is doing, for the log: the stacks of its threads and of asyncio's tasks, when the adapter asks.

Who holds the interpreter's lock can look at every thread, since none of them runs Python code meanwhile. So a thread
that the app's code never runs in answers the adapter, whatever the app hangs in. If it cannot, native code keeps the
lock. Then the adapter signals each thread, and C code writes the stack of the thread that it interrupts. No signal has
one thread look at another: that one may run, and of looks at frames that change one in a hundred ends the process.
"""

from __future__ import annotations

import faulthandler
import gc
import itertools
import os
import signal
import sys
import threading

from lambda_web_adapter.log_output import LogOutput
from lambda_web_adapter.parent import SHOW_STACKS, STACKS_TO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from collections.abc import Collection, Iterator
    from types import FrameType
    from typing import Any

    from lambda_web_adapter.app.control import Control

# Where coroutines, generators and asynchronous generators keep their frame, and what they wait for.
_KINDS = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))
# Frames of a stack, which may have thousands, or go round where two coroutines wait for each other. `faulthandler` has
# the same bound.
_MAX_FRAMES = 100
# Tasks that are shown: the adapter waits 0.15 s for all of them, without the source's lines, which would be read first.
_MAX_TASKS = 100
_SECONDS = 0.1  # for a reader of stderr that is slow; the adapter waits no longer


def show_stacks(control: Control, loop: AbstractEventLoop | None = None, requests: Collection[Task[Any]] = ()) -> None:
    """Write the stacks of all other threads, and of an event loop's tasks, and tell the adapter.

    Args:
        control: the control channel.
        loop: the event loop, if there is one.
        requests: those of its tasks that handle requests: of very many tasks, they are among those that are shown.
    """
    try:
        text = "".join([*_thread_stacks(), *(_task_stacks(loop, requests) if loop else ())])
    except Exception as error:  # noqa: BLE001  # the app may have changed what is called here
        text = f"The stacks cannot be shown: {error!r}\n"
    data = text.encode("utf-8", "backslashreplace")
    if STACKS_TO in os.environ:
        os.write(_target(), data)  # a file in memory
    else:
        LogOutput(_SECONDS, lambda dropped: b"").write(data)
    control.shown()


def show_own_stack_on_signal() -> None:
    """Have each thread that `SHOW_STACKS` reaches write its own stack, even where native code keeps Python from it."""
    # CPython's handler leaves 0 in the thread's `errno`. That is nothing to a system call that the signal interrupts:
    # the C library sets `errno` after it. But libuv aborts where a signal comes between this and its look at `errno`,
    # as a second one can right after the first. So a thread gets one, and its app is about to be killed. `chain` would
    # keep `errno`, but lets the signal interrupt its own handler: many overflow its stack, and the adapter, which goes
    # by the signal's being blocked, would not see that the thread still writes.
    if signal.getsignal(SHOW_STACKS) is signal.SIG_DFL:  # the app has no use for it itself
        faulthandler.register(SHOW_STACKS, file=_target(), all_threads=False, chain=False)


def _target() -> int:
    """Return where to write: to the adapter, or to stderr (the app may have put something else into `sys.stderr`)."""
    return int(os.environ.get(STACKS_TO, "2"))


def _thread_stacks() -> Iterator[str]:
    names = {thread.ident: f" {thread.name}" for thread in threading.enumerate()}
    own = threading.get_ident()
    for ident, frame in sys._current_frames().items():
        if ident != own:
            yield f"Thread {ident:#x}{names.get(ident, '')} (most recent call first):\n"
            yield from _frame_lines(frame)


def _frame_lines(innermost: FrameType) -> Iterator[str]:
    frame: FrameType | None = innermost
    for _ in range(_MAX_FRAMES):
        if frame is None:
            return
        yield f'  File "{frame.f_code.co_filename}", line {frame.f_lineno} in {frame.f_code.co_name}\n'
        frame = frame.f_back
    yield "  ...\n"


def _task_stacks(loop: AbstractEventLoop, requests: Collection[Task[Any]]) -> Iterator[str]:
    import asyncio  # a WSGI app has no use for it

    tasks = dict.fromkeys([*requests, *asyncio.all_tasks(loop)])
    for task in itertools.islice(tasks, _MAX_TASKS):
        yield f"Task {task.get_name()}:\n"
        yield from _awaited_lines(task.get_coro())
    if len(tasks) > _MAX_TASKS:
        yield f"… and {len(tasks) - _MAX_TASKS} more tasks\n"


def _awaited_lines(awaited: Any) -> Iterator[str]:
    """Follow a coroutine through what it awaits; a task's own `print_stack` shows the first frame only."""
    frames = 0
    while awaited is not None and frames < _MAX_FRAMES:
        kind = _kind(awaited)
        if kind is None:  # what `anext` makes hides its generator from all but the garbage collector
            awaited = next(filter(_kind, gc.get_referents(awaited)), None)
            continue
        frame = getattr(awaited, kind[0])
        if frame is not None:
            frames += 1
            yield f'  File "{frame.f_code.co_filename}", line {frame.f_lineno}, in {frame.f_code.co_name}\n'
        awaited = getattr(awaited, kind[1])


def _kind(awaited: Any) -> tuple[str, str] | None:
    return next((kind for kind in _KINDS if hasattr(awaited, kind[0])), None)
