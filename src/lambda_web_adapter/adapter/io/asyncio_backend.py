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
from lambda_web_adapter.adapter.io.asyncio_client import LoopConnection
from lambda_web_adapter.adapter.io.backend import Mode
from lambda_web_adapter.adapter.process.app_process import LEAVE_SECONDS
from lambda_web_adapter.ipc.parent_process import STOPPING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from lambda_web_adapter.adapter.io.backend import Found
    from lambda_web_adapter.adapter.process.app_process import AppProcess

# An app that does not even take note of a request's end within this time hangs as a whole.
_REACTION_SECONDS = 1.0
# Between two looks at what the app is doing: when it hangs, all slots find that out at once.
_STACKS_PAUSE = 1.0  # seconds


class ManyAtOnce(Mode):
    """How the slots that share an app process wait; of a request that hangs only its own slot is let go of."""

    freezes = False

    def __init__(self, slots: int) -> None:
        """Begins, on the event loop that runs; the slots are those of one app process."""
        self._slots = slots
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._ear: _Ear | None = None
        self._next_stacks = 0.0
        self._shown = False  # whether the app wrote its stacks when it was last asked to

    def connection(self, host: str, port: int, is_gone: Callable[[], bool] | None = None) -> LoopConnection:
        """Return a connection on the event loop; `child_changed` ends those to an app that is gone."""
        return LoopConnection(host, port)

    @contextlib.asynccontextmanager
    async def starting(self, deadline: float) -> AsyncIterator[None]:
        """Lets in one slot after the other: the first starts the app, and the others find it ready."""
        async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
            await self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    def started(self, app: AppProcess) -> None:
        """Listens to the control channel for all slots."""
        if self._ear:
            self._ear.end()
        self._ear = _Ear(app)

    def child_changed(self) -> None:
        """Look at the app, outside of the signal's handler; one that is gone leaves no open connection."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        if self._ear:
            self._ear.app.is_gone()

    async def pause(self, seconds: float) -> None:
        """Leaves the event loop to others."""
        await asyncio.sleep(seconds)

    async def call(self, function: Callable[..., Found], *arguments: Any) -> Found:
        """Calls the function in a thread."""
        return await asyncio.to_thread(function, *arguments)

    async def hear(self, app: AppProcess, lines: tuple[bytes, ...], deadline: float) -> bytes:
        """Waits for the line, unless it was heard already."""
        if self._ear is None or self._ear.app is not app:
            return b""
        return await self._ear.wait(lines, deadline)

    async def give_up(self, app: AppProcess, port: int, request_id: str) -> None:
        """Has the app cancel the request, if it is ours to speak to; the other requests go on.

        An app that hangs as a whole, or in which as many requests hang as there are slots, is ended.
        """
        ear = self._ear
        if not port:
            self._shown = False
            await self._end(app, "The app takes no connection", request_id)
            return
        if not app.speaks or ear is None or ear.app is not app:
            log("ERROR", "The app did not answer in time; its connection was closed.", request_id)
            return
        from lambda_web_adapter.adapter.diagnostics.stack_dump import log_stacks  # nobody else pays for it

        log("ERROR", "The app did not answer in time; the request is given up.", request_id)
        if time.monotonic() >= self._next_stacks:
            self._next_stacks = time.monotonic() + _STACKS_PAUSE
            self._shown = await log_stacks(app, self, request_id, ends=False)
        ear.ignore((b"done %d" % port, b"closing %d" % port))
        app.control.ask(f"cancel {port}")
        try:
            await ear.wait((b"cancelled %d" % port,), time.monotonic() + _REACTION_SECONDS)
        except TimeoutError:
            await self._end(app, "The app did not react", request_id)
        if ear.stuck >= self._slots and app.pid:
            log("ERROR", f"{ear.stuck} requests hang in the app; it is ended, and the next event starts it again.")
            app.kill()

    async def _end(self, app: AppProcess, why: str, request_id: str) -> None:
        """End an app that hangs as a whole: one of the workers that find that out does, and the others wait for it."""
        async with self._lock:
            if not app.pid:
                return
            if not self._shown:
                from lambda_web_adapter.adapter.diagnostics.stack_dump import log_stacks  # nobody else pays for it

                await log_stacks(app, self, request_id, ends=True)
            app.kill()
            log("ERROR", f"{why}; it is ended, and the next event starts it again.", request_id)


class _Ear:
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
        self._heard: set[bytes] = set()
        self._ignored: dict[bytes, tuple[bytes, ...]] = {}
        self._loop.add_reader(self._descriptor, self._hear)

    async def wait(self, lines: tuple[bytes, ...], deadline: float) -> bytes:
        """Waits for one of the lines; see `Mode.hear`."""
        for line in lines:
            if line in self._heard:
                self._heard.discard(line)
                return line
        if self._closed:
            return b""
        heard: asyncio.Future[bytes] = self._loop.create_future()
        self._waiting.update(dict.fromkeys(lines, heard))
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                return await heard
        except TimeoutError:
            self.ignore(lines)
            raise
        finally:
            for line in lines:
                self._waiting.pop(line, None)

    def ignore(self, lines: tuple[bytes, ...]) -> None:
        """Drops whichever of these lines comes, unless one has come."""
        if not self._heard.isdisjoint(lines):
            self._heard.difference_update(lines)
            return
        self._ignored.update(dict.fromkeys(lines, lines))

    @property
    def stuck(self) -> int:
        """How many requests were given up whose calls have not returned."""
        return sum(line.startswith(b"done ") for line in self._ignored)

    def _hear(self) -> None:
        lines = self.app.control.lines()
        if lines is None:
            self.end()
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
            self._heard.add(line)

    def end(self) -> None:
        """Takes the end of the channel."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(b"")
