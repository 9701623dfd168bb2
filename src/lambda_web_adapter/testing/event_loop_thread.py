"""An event loop in a thread of its own, for clients that have none; a WSGI app is called where the client waits."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeVar

    Result = TypeVar("Result")
    Put = Callable[[Callable[[], object]], None]

__tracebackhide__ = True  # pytest leaves this module's frames out

# How long tasks that are cancelled may take to end, in seconds.
_CANCEL_SECONDS = 1.0

_PUT: ContextVar[Put | None] = ContextVar("lambda_web_adapter_caller", default=None)


def call_in_caller(function: Callable[[], object]) -> bool:
    """Have a function called in the thread that waits in `EventLoopThread.run`; return whether one waits."""
    put = _PUT.get()
    if put is None:
        return False
    put(function)
    return True


class EventLoopEnded(RuntimeError):
    """The event loop of a thread has ended, since the transport was closed."""


class EventLoopThread:
    """A running event loop; its thread does not keep the interpreter from ending."""

    def __init__(self) -> None:
        """Start the thread."""
        self.loop = asyncio.new_event_loop()
        self._last: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="lambda-transport", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.run_until_complete(_cancel_tasks())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Return a coroutine's result; it has the caller's context variables.

        Meanwhile this thread calls what `call_in_caller` gives it, in a copy of its context.

        Raises:
            EventLoopEnded: the transport has been closed.
        """
        if self.loop.is_closed():
            coroutine.close()
            raise EventLoopEnded("The LambdaTransport has been closed.")
        calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        future = asyncio.run_coroutine_threadsafe(_with_caller(coroutine, calls.put), self.loop)
        future.add_done_callback(lambda _: calls.put(None))
        try:
            while (function := calls.get()) is not None:
                _call_in_copy(function)
        except BaseException:
            future.cancel()
            raise
        return future.result()

    def finish(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a last coroutine and end the loop, without waiting for that; the garbage collector may call this."""
        self.loop.call_soon_threadsafe(self._begin_to_finish, coroutine)

    def _begin_to_finish(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._last = self.loop.create_task(coroutine)  # the loop itself would not keep it
        self._last.add_done_callback(lambda _: self.loop.stop())

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread, for a number of seconds at most."""
        self._thread.join(timeout)

    def stop(self) -> None:
        """End the loop, and wait for its thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()


async def _cancel_tasks() -> None:
    """Cancel what the app has left behind, as `asyncio.run` does."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_CANCEL_SECONDS)


def _call_in_copy(function: Callable[[], object]) -> None:
    from contextvars import copy_context

    copy_context().run(function)


async def _with_caller(coroutine: Coroutine[Any, Any, Result], put: Put) -> Result:
    _PUT.set(put)
    return await coroutine
