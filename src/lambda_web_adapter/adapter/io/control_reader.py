"""Read the control channel of an app for all workers that share the app, on an event loop."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.io.asyncio_client import time_out
from lambda_web_adapter.adapter.process.app_process import LEAVE_SECONDS
from lambda_web_adapter.ipc.control_protocol import DEBUGGER, DONE, STOPPING

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.process.app_process import AppProcess


class ControlReader:
    """Reads the control channel of one run of the app, for all workers.

    Attributes:
        app: the run.
    """

    def __init__(self, app: AppProcess) -> None:
        self.app = app
        self._loop = asyncio.get_running_loop()
        self._descriptor = os.dup(app.control.fileno())  # a copy, since others may close the channel
        self._closed = False
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self._received: set[bytes] = set()
        self._ignored: dict[bytes, tuple[bytes, ...]] = {}
        self._loop.add_reader(self._descriptor, self._on_readable)

    async def wait_for_message(self, messages: tuple[bytes, ...], deadline: float) -> bytes:
        """Return one of these messages, or b"" once the channel has closed; raise TimeoutError at the deadline."""
        for message in messages:
            if message in self._received:
                self._received.discard(message)
                return message
        if self._closed:
            return b""
        received: asyncio.Future[bytes] = self._loop.create_future()
        self._waiting.update(dict.fromkeys(messages, received))
        # `asyncio.timeout` would cancel this task even if the message has come in the same turn of the event loop.
        timer = self._loop.call_later(max(deadline - time.monotonic(), 0), time_out, received, self.app)
        try:
            return await received
        except TimeoutError:
            self.ignore(messages)
            raise
        finally:
            timer.cancel()
            for message in messages:
                self._waiting.pop(message, None)

    def ignore(self, messages: tuple[bytes, ...]) -> None:
        """Drop one of these messages: the one that has come, or else the first to come."""
        if not self._received.isdisjoint(messages):
            self._received.difference_update(messages)
            return
        self._ignored.update(dict.fromkeys(messages, messages))

    @property
    def hung_requests(self) -> int:
        """The number of timed-out requests whose calls have not returned."""
        return sum(message.startswith(DONE) for message in self._ignored)

    def _on_readable(self) -> None:
        messages = self.app.control.read_available()
        if messages is None:
            self.close()
            if not self.app.is_gone():  # the process may have work to do before it ends
                self._loop.call_later(1.5 * LEAVE_SECONDS, self.app.is_gone)
            return
        for message in messages:
            self._dispatch(message)

    def _dispatch(self, message: bytes) -> None:
        waiting = self._waiting.get(message)
        if waiting is not None:
            if not waiting.done():
                waiting.set_result(message)
        elif message in self._ignored:
            for alternative in self._ignored[message]:
                del self._ignored[alternative]
        elif message == STOPPING:
            self.app.mark_unreachable()
        elif message == DEBUGGER:
            self.app.control.mark_debugged()
        else:
            self._received.add(message)

    def close(self) -> None:
        """Stop reading; every wait for a message ends with b""."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(b"")
