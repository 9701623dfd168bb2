"""Do what the adapter's messages request, in a thread beside the event loop, which may hang.

Until the app is ready, the event loop does it: a thread would take time of each start.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from lambda_web_adapter.app.control_channel import start_new_thread
from lambda_web_adapter.app.stack_dump import dump_stacks
from lambda_web_adapter.ipc.control_protocol import CANCEL, DUMP_STACKS, parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_web_adapter.app.control_channel import AdapterChannel


class AdapterMessages:
    """The adapter's messages to an ASGI server."""

    def __init__(self, control: AdapterChannel, tasks: set[asyncio.Task[Any]], stop: Callable[[], object]) -> None:
        """Prepare for `handle_in_thread`.

        Args:
            control: the control channel.
            tasks: the tasks that handle requests, each with the connection's port as its name.
            stop: stops the server; called when the adapter has ended.
        """
        self._control = control
        self._tasks = tasks
        self._stop = stop

    def handle_on_loop(self) -> None:
        """Handle messages of the adapter while the app starts; called in the event loop."""
        if self._control.fileno() >= 0:
            loop = asyncio.get_running_loop()
            loop.add_reader(self._control.fileno(), self._dump_stacks, loop)

    def handle_in_thread(self) -> None:
        """Handle messages in a thread from now on; called in the event loop."""
        if self._control.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            start_new_thread(self._handle, (asyncio.get_running_loop(),))

    def _handle(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            while messages := self._control.read_messages():
                for message in messages:
                    if message == DUMP_STACKS:
                        dump_stacks(self._control, loop, self._tasks)
                    else:
                        loop.call_soon_threadsafe(self._handle_on_loop, message)
            self._stop()

    def _dump_stacks(self, loop: asyncio.AbstractEventLoop) -> None:
        messages = self._control.read_messages()
        if DUMP_STACKS in messages:
            dump_stacks(self._control, loop, self._tasks)
        if not messages:  # the adapter has ended
            loop.remove_reader(self._control.fileno())

    def _handle_on_loop(self, message: bytes) -> None:
        name, port = parse(message)
        if name == CANCEL:
            self._cancel(port)
            return
        from lambda_web_adapter.app.hooks import snapstart  # only with SnapStart

        task = asyncio.create_task(snapstart.run_hooks_async(name, self._control))  # hooks may be asynchronous
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _cancel(self, port: int) -> None:
        """Cancel the task of a request; an app that ignores the cancellation goes on."""
        for task in self._tasks:
            if task.get_name() == str(port):
                task.cancel()
        self._control.cancelled(port)
