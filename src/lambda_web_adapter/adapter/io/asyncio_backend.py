"""The backend for concurrent invocations: the workers that share an app process wait on one event loop.

`adapter/concurrent_workers.py` starts them, and says why they are not threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.io.asyncio_client import AsyncioClient
from lambda_web_adapter.adapter.io.backend import Backend
from lambda_web_adapter.adapter.io.control_reader import ControlReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from lambda_web_adapter.adapter.io.backend import Result
    from lambda_web_adapter.adapter.process.app_process import AppProcess


class AsyncioBackend(Backend):
    """How the workers that share an app process wait."""

    may_freeze = False

    def __init__(self) -> None:
        """Use the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._control_reader: ControlReader | None = None

    def new_client(self, host: str, port: int, app: AppProcess | None = None) -> AsyncioClient:
        """Return a client on the event loop; when the app is gone, `child_changed` ends the client's connection."""
        return AsyncioClient(host, port, app)

    @contextlib.asynccontextmanager
    async def exclusive(self, deadline: float | None = None) -> AsyncIterator[None]:
        """Admit one worker at a time."""
        async with asyncio.timeout(None if deadline is None else max(deadline - time.monotonic(), 0)):
            await self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    def watch(self, app: AppProcess) -> None:
        """Read the control channel of this run from now on, for all workers."""
        if self._control_reader:
            self._control_reader.close()
        self._control_reader = ControlReader(app)

    def child_changed(self) -> None:
        """Check the app outside of the signal handler; if it is gone, nothing holds its connections open then."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._check_app)

    def _check_app(self) -> None:
        if self._control_reader:
            self._control_reader.app.is_gone()

    async def sleep(self, seconds: float) -> None:
        """Suspend for a number of seconds."""
        await asyncio.sleep(seconds)

    async def call_blocking(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call the function in a thread, and return its result."""
        return await asyncio.to_thread(function, *arguments)

    async def wait_for_message(self, app: AppProcess, messages: tuple[bytes, ...], deadline: float) -> bytes:
        """Return one of these messages: at once if it has come already, otherwise when it comes."""
        reader = self.control_reader(app)
        return b"" if reader is None else await reader.wait_for_message(messages, deadline)

    def control_reader(self, app: AppProcess) -> ControlReader | None:
        """Return the reader of the app's control channel; None once another run of the app is read."""
        reader = self._control_reader
        return reader if reader and reader.app is app else None
