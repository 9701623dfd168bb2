"""Many invocations at once, as on Lambda Managed Instances: a slot for each, on one event loop, over the same app.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances.html. As many threads would spend more time on
handing over the interpreter's lock than on the invocations.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.io.asyncio_client import AsyncioClient
from lambda_web_adapter.adapter.io.backend import Backend
from lambda_web_adapter.adapter.process.app_process import LEAVE_SECONDS
from lambda_web_adapter.ipc.parent_process import STOPPING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from lambda_web_adapter.adapter.io.backend import Found
    from lambda_web_adapter.adapter.process.app_process import AppProcess

# An app that does not even take note of a request's end within this time hangs as a whole.
_CANCEL_SECONDS = 1.0
# Between two looks at what the app is doing: when it hangs, all slots find that out at once.
_STACK_DUMP_INTERVAL = 1.0  # seconds


class AsyncioBackend(Backend):
    """How the slots that share an app process wait; of a request that hangs only its own slot is let go of."""

    may_freeze = False

    def __init__(self, workers: int) -> None:
        """Begins, on the event loop that runs; the slots are those of one app process."""
        self._workers = workers
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._control_reader: _ControlReader | None = None
        self._next_stacks = 0.0
        self._dump_stacks = False  # whether the app wrote its stacks when it was last asked to

    def new_client(self, host: str, port: int, is_gone: Callable[[], bool] | None = None) -> AsyncioClient:
        """Return a connection on the event loop; `child_changed` ends those to an app that is gone."""
        return AsyncioClient(host, port)

    @contextlib.asynccontextmanager
    async def exclusive_start(self, deadline: float) -> AsyncIterator[None]:
        """Lets in one slot after the other: the first starts the app, and the others find it ready."""
        async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
            await self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    def app_started(self, app: AppProcess) -> None:
        """Listens to the control channel for all slots."""
        if self._control_reader:
            self._control_reader.close()
        self._control_reader = _ControlReader(app)

    def child_changed(self) -> None:
        """Look at the app, outside of the signal's handler; one that is gone leaves no open connection."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        if self._control_reader:
            self._control_reader.app.is_gone()

    async def sleep(self, seconds: float) -> None:
        """Leaves the event loop to others."""
        await asyncio.sleep(seconds)

    async def call_blocking(self, function: Callable[..., Found], *arguments: Any) -> Found:
        """Calls the function in a thread."""
        return await asyncio.to_thread(function, *arguments)

    async def wait_for_message(self, app: AppProcess, messages: tuple[bytes, ...], deadline: float) -> bytes:
        """Waits for the line, unless it was heard already."""
        if self._control_reader is None or self._control_reader.app is not app:
            return b""
        return await self._control_reader.wait_for_message(messages, deadline)

    async def handle_timeout(self, app: AppProcess, port: int, request_id: str) -> None:
        """Has the app cancel the request, if it is ours to speak to; the other requests go on.

        An app that hangs as a whole, or in which as many requests hang as there are slots, is ended.
        """
        reader = self._control_reader
        if not port:
            self._dump_stacks = False
            await self._end(app, "The app takes no connection", request_id)
            return
        if not app.is_managed or reader is None or reader.app is not app:
            log("ERROR", "The app did not answer in time; its connection was closed.", request_id)
            return
        from lambda_web_adapter.adapter.diagnostics.stack_dump import log_stack_dump  # nobody else pays for it

        log("ERROR", "The app did not answer in time; the request is given up.", request_id)
        if time.monotonic() >= self._next_stacks:
            self._next_stacks = time.monotonic() + _STACK_DUMP_INTERVAL
            self._dump_stacks = await log_stack_dump(app, self, request_id, ends=False)
        reader.ignore((b"done %d" % port, b"closing %d" % port))
        app.control.send(f"cancel {port}")
        try:
            await reader.wait_for_message((b"cancelled %d" % port,), time.monotonic() + _CANCEL_SECONDS)
        except TimeoutError:
            await self._end(app, "The app did not react", request_id)
        if reader.hung_requests >= self._workers and app.pid:
            log(
                "ERROR",
                f"{reader.hung_requests} requests hang in the app; it is ended, and the next event starts it again.",
            )
            app.kill()

    async def _end(self, app: AppProcess, why: str, request_id: str) -> None:
        """End an app that hangs as a whole: one of the workers that find that out does, and the others wait for it."""
        async with self._lock:
            if not app.pid:
                return
            if not self._dump_stacks:
                from lambda_web_adapter.adapter.diagnostics.stack_dump import log_stack_dump  # nobody else pays for it

                await log_stack_dump(app, self, request_id, ends=True)
            app.kill()
            log("ERROR", f"{why}; it is ended, and the next event starts it again.", request_id)


class _ControlReader:
    """Hears what one run of the app says, for all slots.

    Attributes:
        app: the run.
    """

    def __init__(self, app: AppProcess) -> None:
        self.app = app
        self._loop = asyncio.get_running_loop()
        self._descriptor = os.dup(app.control.fileno())  # its own, since the channel may be closed by others
        self._closed = False
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self._received: set[bytes] = set()
        self._ignored: dict[bytes, tuple[bytes, ...]] = {}
        self._loop.add_reader(self._descriptor, self._on_readable)

    async def wait_for_message(self, lines: tuple[bytes, ...], deadline: float) -> bytes:
        """Waits for one of the lines; see `Mode.wait_for_message`."""
        for line in lines:
            if line in self._received:
                self._received.discard(line)
                return line
        if self._closed:
            return b""
        received: asyncio.Future[bytes] = self._loop.create_future()
        self._waiting.update(dict.fromkeys(lines, received))
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                return await received
        except TimeoutError:
            self.ignore(lines)
            raise
        finally:
            for line in lines:
                self._waiting.pop(line, None)

    def ignore(self, lines: tuple[bytes, ...]) -> None:
        """Drops whichever of these lines comes, unless one has come."""
        if not self._received.isdisjoint(lines):
            self._received.difference_update(lines)
            return
        self._ignored.update(dict.fromkeys(lines, lines))

    @property
    def hung_requests(self) -> int:
        """How many requests were given up whose calls have not returned."""
        return sum(line.startswith(b"done ") for line in self._ignored)

    def _on_readable(self) -> None:
        lines = self.app.control.read_available()
        if lines is None:
            self.close()
            if not self.app.is_gone():  # its process may have work to do at its end
                self._loop.call_later(1.5 * LEAVE_SECONDS, self.app.is_gone)
            return
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        waiting = self._waiting.get(line)
        if waiting is not None:
            if not waiting.done():
                waiting.set_result(line)
        elif line in self._ignored:
            for each in self._ignored[line]:
                del self._ignored[each]
        elif line == STOPPING.encode():
            self.app.lose()
        else:
            self._received.add(line)

    def close(self) -> None:
        """Takes the end of the channel."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(b"")
