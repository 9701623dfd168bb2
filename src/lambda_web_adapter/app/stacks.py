"""What the app is doing, for the log: all threads' stacks, and asyncio's tasks, when the adapter asks by a signal."""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import traceback

from lambda_web_adapter.parent import SHOW_STACKS, STACKS_TO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from lambda_web_adapter.app.control import Control

# Where coroutines, generators and asynchronous generators keep their frame, and what they wait for.
_KINDS = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))
_DEEPEST = 100  # frames, should two wait for each other


def _target() -> int:
    """Says where to: to the adapter, or to stderr (the app may have put something else in place of `sys.stderr`)."""
    return int(os.environ.get(STACKS_TO, "2"))


def show_threads_on_signal(control: Control) -> None:
    """Has the stacks of all threads shown. The signal's own handler writes them, whatever the app does."""
    if _is_free():
        signal.signal(SHOW_STACKS, lambda number, frame: control.shown())
        faulthandler.register(SHOW_STACKS, file=_target(), all_threads=True, chain=True)


def show_tasks_on_signal(control: Control) -> None:
    """Has the stacks of all threads shown, and those of the tasks, if the running event loop does not hang."""
    import asyncio  # a WSGI app has no use for it

    loop = asyncio.get_running_loop()

    def show() -> None:
        _show_tasks()
        control.shown()

    if _is_free():
        loop.add_signal_handler(SHOW_STACKS, show)
        faulthandler.register(SHOW_STACKS, file=_target(), all_threads=True, chain=True)


def show_threads(control: Control) -> None:
    """Has the stacks of all threads shown now, while none of them runs and changes under the reader's eyes."""
    faulthandler.dump_traceback(file=_target(), all_threads=True)
    control.shown()


def show_tasks(control: Control) -> None:
    """Has those of the running event loop's tasks shown as well."""
    _show_tasks()
    show_threads(control)


def _show_tasks() -> None:
    import asyncio  # a WSGI app has no use for it

    for task in asyncio.all_tasks():
        text = "".join([f"Task {task.get_name()}:\n", *_stack(task.get_coro()).format()])
        os.write(_target(), text.encode("utf-8", "backslashreplace"))


def _stack(awaited: Any) -> traceback.StackSummary:
    """Follows a coroutine through what it awaits; a task's own `print_stack` shows the first frame only."""
    frames: list[tuple[FrameType, int]] = []
    while awaited is not None and len(frames) < _DEEPEST:
        kind = _kind(awaited)
        if kind is None:  # what `anext` makes hides its generator from all but the garbage collector
            awaited = next(filter(_kind, gc.get_referents(awaited)), None)
            continue
        frame = getattr(awaited, kind[0])
        if frame is not None:
            frames.append((frame, frame.f_lineno))
        awaited = getattr(awaited, kind[1])
    return traceback.StackSummary.extract(iter(frames))


def _kind(awaited: Any) -> tuple[str, str] | None:
    return next((kind for kind in _KINDS if hasattr(awaited, kind[0])), None)


def _is_free() -> bool:
    """Says whether the app has no use for the signal itself."""
    return signal.getsignal(SHOW_STACKS) is signal.SIG_DFL
