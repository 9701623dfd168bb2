"""The backend for concurrent invocations: the workers that share an app process wait on one event loop.

`adapter/concurrent_workers.py` starts them, and has the reason why they are no threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.io.asyncio_client import AsyncioClient
from lambda_web_adapter.adapter.io.backend import Backend
from lambda_web_adapter.adapter.process.app_process import LEAVE_SECONDS
from lambda_web_adapter.ipc.control_protocol import CANCEL, CANCELLED, DONE, STOPPING, encode, end_messages, message_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from lambda_web_adapter.adapter.io.backend import Result
    from lambda_web_adapter.adapter.process.app_process import AppProcess

# An app that does not even confirm that a request is cancelled within this time hangs as a whole.
_CANCEL_SECONDS = 1.0
# Between two stack dumps: when an app hangs, all its workers find that out at the same time.
_STACK_DUMP_INTERVAL_SECONDS = 1.0


class AsyncioBackend(Backend):
    """How the workers that share an app process wait; a request that hangs is cancelled, and the others go on."""

    may_freeze = False

    def __init__(self, workers: int) -> None:
        """Use the running event loop, for so many workers of one app process."""
        self._workers = workers
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._control_reader: _ControlReader | None = None
        self._next_stack_dump = 0.0
        self._stacks_written = False  # whether the app wrote the stack dump that was requested last

    def new_client(self, host: str, port: int, is_gone: Callable[[], bool] | None = None) -> AsyncioClient:
        """Return a client on the event loop; `child_changed` ends its connection to an app that is gone."""
        return AsyncioClient(host, port)

    @contextlib.asynccontextmanager
    async def exclusive_start(self, deadline: float) -> AsyncIterator[None]:
        """Admit one worker after the other: the first starts the app, and the next find it ready."""
        async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
            await self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    def app_started(self, app: AppProcess) -> None:
        """Read the control channel of this run from now on, for all workers."""
        if self._control_reader:
            self._control_reader.close()
        self._control_reader = _ControlReader(app)

    def child_changed(self) -> None:
        """Check the app, outside of the signal handler; one that is gone leaves no open connection."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._check_app)

    def _check_app(self) -> None:
        if self._control_reader:
            self._control_reader.app.is_gone()

    async def sleep(self, seconds: float) -> None:
        """Suspend for so many seconds."""
        await asyncio.sleep(seconds)

    async def call_blocking(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call the function in a thread, and return its result."""
        return await asyncio.to_thread(function, *arguments)

    async def wait_for_message(self, app: AppProcess, messages: tuple[bytes, ...], deadline: float) -> bytes:
        """Return one of these messages: at once if it has come already, otherwise when it comes."""
        if self._control_reader is None or self._control_reader.app is not app:
            return b""
        return await self._control_reader.wait_for_message(messages, deadline)

    async def handle_timeout(self, app: AppProcess, port: int, request_id: str) -> None:
        """Cancel the request, where the built-in server serves the app; the other requests go on.

        An app that hangs as a whole, or in which as many requests hang as there are workers, is ended.
        """
        reader = self._control_reader
        if not port:
            self._stacks_written = False
            await self._end(app, "The app accepts no connection", request_id)
            return
        if not app.is_managed or reader is None or reader.app is not app:
            log("ERROR", "The app did not respond in time; the connection was closed.", request_id)
            return
        from lambda_web_adapter.adapter.diagnostics.stack_dump import log_stack_dump  # only for a timeout

        log("ERROR", "The app did not respond in time; the request is cancelled.", request_id)
        if time.monotonic() >= self._next_stack_dump:
            self._next_stack_dump = time.monotonic() + _STACK_DUMP_INTERVAL_SECONDS
            self._stacks_written = await log_stack_dump(app, self, request_id, ends=False)
        reader.ignore(end_messages(port))
        app.control.send(encode(CANCEL, port))
        try:
            await reader.wait_for_message((message_for(CANCELLED, port),), time.monotonic() + _CANCEL_SECONDS)
        except TimeoutError:
            await self._end(app, "The app did not react to the cancellation", request_id)
        if reader.hung_requests >= self._workers and app.pid:
            log(
                "ERROR",
                f"{reader.hung_requests} requests hang in the app; it is ended, and the next event starts it again.",
            )
            app.kill()

    async def _end(self, app: AppProcess, problem: str, request_id: str) -> None:
        """End an app that hangs as a whole; of the workers that find that out, one does, and the others wait for it."""
        async with self._lock:
            if not app.pid:
                return
            if not self._stacks_written:
                from lambda_web_adapter.adapter.diagnostics.stack_dump import log_stack_dump  # only for a timeout

                await log_stack_dump(app, self, request_id, ends=True)
            app.kill()
            log("ERROR", f"{problem}; it is ended, and the next event starts it again.", request_id)


class _ControlReader:
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
        """Return one of these messages, or nothing at the channel's end; see `Backend.wait_for_message`."""
        for message in messages:
            if message in self._received:
                self._received.discard(message)
                return message
        if self._closed:
            return b""
        received: asyncio.Future[bytes] = self._loop.create_future()
        self._waiting.update(dict.fromkeys(messages, received))
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                return await received
        except TimeoutError:
            self.ignore(messages)
            raise
        finally:
            for message in messages:
                self._waiting.pop(message, None)

    def ignore(self, messages: tuple[bytes, ...]) -> None:
        """Drop the one of these messages that has come, or else the first that comes."""
        if not self._received.isdisjoint(messages):
            self._received.difference_update(messages)
            return
        self._ignored.update(dict.fromkeys(messages, messages))

    @property
    def hung_requests(self) -> int:
        """The number of requests that were cancelled, but whose calls have not returned."""
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
            self.app.lose()
        else:
            self._received.add(message)

    def close(self) -> None:
        """Stop reading; whoever waits for a message gets nothing."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(b"")
