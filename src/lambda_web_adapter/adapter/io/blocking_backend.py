"""The backend for single invocations: waiting is blocking, which is faster than any event loop.

The coroutines that wait through it never suspend, so that running one is a plain call.
"""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.io.backend import Backend
from lambda_web_adapter.adapter.io.blocking_client import BlockingClient
from lambda_web_adapter.ipc.control_protocol import DEBUGGER, STOPPING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from lambda_web_adapter.adapter.io.backend import Result
    from lambda_web_adapter.adapter.process.app_process import AppProcess


def run_blocking(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that never suspends, and return its result."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    raise AssertionError("a coroutine of the blocking backend suspended")


class BlockingBackend(Backend):
    """How the only worker of an environment waits."""

    may_freeze = True

    def new_client(self, host: str, port: int, app: AppProcess | None = None) -> BlockingClient:
        """Return a client that blocks."""
        return BlockingClient(host, port, app)

    def exclusive(self, deadline: float | None = None) -> contextlib.nullcontext[None]:
        """Return a context without a lock, since there is no other worker."""
        return contextlib.nullcontext()

    def watch(self, app: AppProcess) -> None:
        """Do nothing: `wait_for_message` reads the channel of the app that it is given."""

    def child_changed(self) -> None:
        """Do nothing: all that waits for the app checks it regularly."""

    async def sleep(self, seconds: float) -> None:
        """Block for a number of seconds."""
        time.sleep(seconds)  # noqa: ASYNC251  # blocking is the point here

    async def call_blocking(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call the function, and return its result."""
        return function(*arguments)

    async def wait_for_message(self, app: AppProcess, messages: tuple[bytes, ...], deadline: float) -> bytes:
        """Read the channel up to one of these messages; skip others, about earlier requests that timed out."""
        while True:
            message = app.control.read_message(math.inf if app.control.has_debugger else deadline - time.monotonic())
            if not message or message in messages:
                return message
            if message == STOPPING:
                app.mark_unreachable()
            elif message == DEBUGGER:
                app.control.mark_debugged()
