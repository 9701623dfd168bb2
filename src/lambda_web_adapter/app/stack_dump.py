"""The stack dump of the app: the stacks of its threads and of asyncio's tasks, written on the adapter's message.

The thread that holds the interpreter's lock can read every stack, since no other thread runs Python code meanwhile. So
a thread that never runs the app's code handles the message, whatever the app hangs in. If that thread cannot, native
code keeps the lock. Then the adapter signals each thread, and C code writes the stack of the thread that the signal
interrupts. It does not read the stacks of other threads, which may be running: one in a hundred such reads crashes.
"""

from __future__ import annotations

import faulthandler
import gc
import itertools
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from lambda_web_adapter.ipc.log_output import LogOutput
from lambda_web_adapter.ipc.parent_process import STACK_DUMP_FD_VARIABLE, STACK_DUMP_SIGNAL

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from collections.abc import Collection, Iterator
    from types import FrameType
    from typing import Any

    from lambda_web_adapter.app.control_channel import AdapterChannel

# The attributes of coroutines, generators and asynchronous generators: their frame, and what they await.
_KINDS = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))
# How many frames of a stack are written: it may have thousands, or no end where two coroutines await each other.
# `faulthandler` has the same limit.
_MAX_FRAMES = 100
# How many tasks are written: the adapter waits 0.15 s. So there are no source lines either, which are on disk.
_MAX_TASKS = 100
_SECONDS = 0.1  # how long to wait for a slow reader of stderr; less than the adapter waits


def dump_stacks(
    control: AdapterChannel,
    loop: AbstractEventLoop | None = None,
    requests: Collection[Task[Any]] = (),
    *,
    shares_process: bool = False,
) -> None:
    """Write the stacks of all other threads and of an event loop's tasks, and send STACKS_DUMPED.

    Args:
        control: the control channel.
        loop: the event loop, if there is one.
        requests: the tasks that handle requests; they come first, in case there are too many tasks to write.
        shares_process: whether main thread and other tasks are somebody else's, such as a test's, and left out.
    """
    try:
        others = _all_tasks(loop) if loop and not shares_process else ()
        skipped = {threading.get_ident(), *([threading.main_thread().ident] if shares_process else ())}
        text = "".join([*_thread_stacks(skipped), *_task_stacks([*requests, *others])])
    except Exception as error:  # noqa: BLE001  # the app may have changed what is called here
        text = f"The stacks cannot be shown: {error!r}\n"
    data = text.encode("utf-8", "backslashreplace")
    if STACK_DUMP_FD_VARIABLE in os.environ:
        os.write(_descriptor(), data)  # a file in memory
    else:
        LogOutput(_SECONDS, lambda dropped: b"").write(data)
    control.stacks_dumped()


def show_own_stack_on_signal() -> None:
    """Make each thread write its own stack when `STACK_DUMP_SIGNAL` reaches it, even while native code runs."""
    # CPython's handler leaves 0 in the thread's `errno`. A system call that the signal interrupts is not affected: the
    # C library sets `errno` afterwards. But libuv aborts if a signal comes after that and before it reads `errno`, as a
    # second signal right after the first can. So each thread gets one, shortly before its app is killed. With `chain`,
    # `errno` is kept, but the signal can interrupt its own handler. Then many signals overflow the stack, and the
    # adapter no longer sees that a thread is still writing, which it knows from the blocked signal.
    # The bootstrap has it ignored until this handler is there. Any other handler is the app's own.
    if signal.getsignal(STACK_DUMP_SIGNAL) in (signal.SIG_DFL, signal.SIG_IGN):
        faulthandler.register(STACK_DUMP_SIGNAL, file=_descriptor(), all_threads=False, chain=False)
        # An import that the signal interrupts goes on: native code may take EINTR for a failure.
        signal.siginterrupt(STACK_DUMP_SIGNAL, False)


def _descriptor() -> int:
    """Return the descriptor to write to: the adapter's file, or stderr itself, even if `sys.stderr` is replaced."""
    return int(os.environ.get(STACK_DUMP_FD_VARIABLE, "2"))


def _thread_stacks(skipped: Collection[int | None]) -> Iterator[str]:
    names = {thread.ident: f" {thread.name}" for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():
        if ident not in skipped:
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


def _all_tasks(loop: AbstractEventLoop) -> Collection[Task[Any]]:
    import asyncio  # a WSGI app does not need it

    return asyncio.all_tasks(loop)


def _task_stacks(requests_and_others: Collection[Task[Any]]) -> Iterator[str]:
    tasks = dict.fromkeys(requests_and_others)
    for task in itertools.islice(tasks, _MAX_TASKS):
        yield f"Task {task.get_name()}:\n"
        yield from _awaited_lines(task.get_coro())
    if len(tasks) > _MAX_TASKS:
        yield f"… and {len(tasks) - _MAX_TASKS} more tasks\n"


def _awaited_lines(awaited: Any) -> Iterator[str]:
    """Yield the frames of a coroutine and of what it awaits; a task's own `print_stack` has only the first frame."""
    frames = 0
    while awaited is not None and frames < _MAX_FRAMES:
        kind = _kind(awaited)
        if kind is None:  # `anext` returns an object that hides its generator
            awaited = next(filter(_kind, gc.get_referents(awaited)), None)
            continue
        frame = getattr(awaited, kind[0])
        if frame is not None:
            frames += 1
            yield f'  File "{frame.f_code.co_filename}", line {frame.f_lineno}, in {frame.f_code.co_name}\n'
        awaited = getattr(awaited, kind[1])


def _kind(awaited: Any) -> tuple[str, str] | None:
    return next((kind for kind in _KINDS if hasattr(awaited, kind[0])), None)
