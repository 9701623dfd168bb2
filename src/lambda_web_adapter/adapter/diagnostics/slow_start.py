"""Show in the log what an app does that takes long to start: the stack of its main thread, or of its tasks.

The main thread imports the app, and writes its own stack on a signal, whatever it waits for. In its lifespan startup
the app may wait in a task, which is on no thread's stack: an event loop that is idle reads the adapter's message.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.diagnostics.stacks import describe_server, find_position, without_importing
from lambda_web_adapter.ipc.control_protocol import DUMP_STACKS, STACKS_DUMPED, encode
from lambda_web_adapter.ipc.parent_process import STACK_DUMP_SIGNAL

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.diagnostics.stacks import Position
    from lambda_web_adapter.adapter.process.app_process import AppProcess

_SIGNAL_SECONDS = 0.2  # how long a main thread may take to write its stack; it does so at once unless it is stopped
_MESSAGE_SECONDS = 0.15  # how long an idle event loop may take to write its tasks
_POLL_SECONDS = 0.002
# In the main thread's stack once the app is imported, and the event loop runs its lifespan startup.
_EVENT_LOOP = f"app{os.sep}asgi{os.sep}server.py"


def log_slow_start(app: AppProcess) -> str:
    """Log what the app does, as a sentence and as a stack.

    Returns:
        The sentence, with a space before it; empty if it is not known.
    """
    dump = _main_thread_stack(app)
    position = find_position(dump, os.getcwd())
    is_imported = _EVENT_LOOP in dump
    if is_imported and position is None:
        dump = _task_stacks(app) or dump
        position = find_position(dump, os.getcwd())
    if not dump:
        return ""
    seconds = f"{time.monotonic() - app.started_at:.0f} s"
    phase = (
        f"The app is imported, but its lifespan startup is not complete {seconds} after its start"
        if is_imported
        else (f"The app has been importing for {seconds}")
    )
    sentence = _sentence(phase, position)
    level = "WARNING" if position and position.serves else "INFO"
    log(level, f"{sentence} Its stack:\n{without_importing(dump)}")
    return f" {sentence}"


def _sentence(phase: str, position: Position | None) -> str:
    if position is None:
        return f"{phase}."
    if position.serves:
        return f"{phase}. {describe_server(position)}"
    return f"{phase}; it is at: {position}."


def _main_thread_stack(app: AppProcess) -> str:
    """Return the stack of the main thread; empty if it is stopped, or has no file to write to."""
    app.read_stack_dump()  # of an earlier one
    os.kill(app.pid, STACK_DUMP_SIGNAL)  # the kernel gives it to the main thread unless that has it blocked
    deadline, before = time.monotonic() + _SIGNAL_SECONDS, ""
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        dump = app.read_stack_dump(clear=False)
        if dump and dump == before:
            break
        before = dump
    return app.read_stack_dump()


def _task_stacks(app: AppProcess) -> str:
    """Return the stacks of the event loop's tasks; empty if it is busy."""
    app.control.send(encode(DUMP_STACKS))
    try:
        message = app.control.read_message(_MESSAGE_SECONDS)
    except TimeoutError:
        return ""
    if message == STACKS_DUMPED:
        return app.read_stack_dump()
    if message:
        app.control.unread(message)
    return ""
