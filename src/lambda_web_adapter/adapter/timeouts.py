"""What happens when a request gets no response in time: the app is killed, or the request cancelled."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.ipc.control_protocol import CANCEL, CANCELLED, encode, end_messages, message_for

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.io.asyncio_backend import AsyncioBackend
    from lambda_web_adapter.adapter.io.backend import Backend
    from lambda_web_adapter.adapter.process.app_process import AppProcess

# An app that does not even confirm a cancellation within this time hangs as a whole.
_CANCEL_SECONDS = 1.0
# Between two stack dumps: all workers notice a hung app at the same time.
_STACK_DUMP_INTERVAL_SECONDS = 1.0


class TimeoutPolicy(ABC):
    """What to do about a request that hangs."""

    @abstractmethod
    async def handle(self, app: AppProcess, port: int, request_id: str) -> None:
        """Cancel the request or kill the app, and log what the app was doing.

        Args:
            app: the app.
            port: the local port of the request's connection; 0 if the app accepted none.
            request_id: the invocation, for the log.
        """


class KillApp(TimeoutPolicy):
    """Kill the app, so that nothing of the request happens later; the next event restarts it."""

    def __init__(self, backend: Backend) -> None:
        """Use a backend for the waiting."""
        self._backend = backend

    async def handle(self, app: AppProcess, port: int, request_id: str) -> None:
        """Log the stacks of the app, and kill it."""
        problem = "did not respond in time" if port else "accepts no connection"
        log("ERROR", f"The app {problem}; it is killed, and the next event restarts it.", request_id)
        await _log_stack_dump(app, self._backend, request_id, ends=True)
        app.kill()


class CancelRequest(TimeoutPolicy):
    """Cancel the request, where the built-in server serves the app; the other workers' requests go on.

    An app that hangs as a whole, or in which as many requests hang as there are workers, is killed.
    """

    def __init__(self, backend: AsyncioBackend, workers: int) -> None:
        """Use the backend of `workers` workers that share one app process."""
        self._backend = backend
        self._workers = workers
        self._next_stack_dump = 0.0
        self._stacks_written = False  # whether the app wrote the stack dump that was requested last

    async def handle(self, app: AppProcess, port: int, request_id: str) -> None:
        """Cancel the request, and kill the app if that does not help."""
        if not port:
            self._stacks_written = False
            await self._kill(app, "The app accepts no connection", request_id)
            return
        reader = self._backend.control_reader(app)
        if not app.is_managed or reader is None:
            log("ERROR", "The app did not respond in time; the connection is closed.", request_id)
            return
        log("ERROR", "The app did not respond in time; the request is cancelled.", request_id)
        if time.monotonic() >= self._next_stack_dump:
            self._next_stack_dump = time.monotonic() + _STACK_DUMP_INTERVAL_SECONDS
            self._stacks_written = await _log_stack_dump(app, self._backend, request_id, ends=False)
        reader.ignore(end_messages(port))
        app.control.send(encode(CANCEL, port))
        try:
            await reader.wait_for_message((message_for(CANCELLED, port),), time.monotonic() + _CANCEL_SECONDS)
        except TimeoutError:
            await self._kill(app, "The app did not react to the cancellation", request_id)
        if reader.hung_requests >= self._workers and app.pid:
            log(
                "ERROR",
                f"{reader.hung_requests} requests hang in the app; it is killed, and the next event restarts it.",
            )
            app.kill()

    async def _kill(self, app: AppProcess, problem: str, request_id: str) -> None:
        """Kill an app that hangs as a whole; the first worker that notices does, and the others wait for it."""
        async with self._backend.exclusive():
            if not app.pid:
                return
            if not self._stacks_written:
                await _log_stack_dump(app, self._backend, request_id, ends=True)
            app.kill()
            log("ERROR", f"{problem}; it is killed, and the next event restarts it.", request_id)


async def _log_stack_dump(app: AppProcess, backend: Backend, request_id: str, *, ends: bool) -> bool:
    from lambda_web_adapter.adapter.diagnostics.stack_dump import log_stack_dump  # few environments need it

    return await log_stack_dump(app, backend, request_id, ends=ends)
