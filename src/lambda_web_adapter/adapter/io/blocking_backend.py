"""One invocation at a time: to wait is to block, which no event loop can beat.

The coroutines that wait by means of this never suspend, so that to run one is a plain call.
"""

from __future__ import annotations

import contextlib
import time

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.io.backend import Backend
from lambda_web_adapter.adapter.io.blocking_client import BlockingClient
from lambda_web_adapter.ipc.parent_process import STOPPING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from lambda_web_adapter.adapter.io.backend import Found
    from lambda_web_adapter.adapter.process.app_process import AppProcess


def run_blocking(coroutine: Coroutine[Any, Any, Found]) -> Found:
    """Runs a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: Found = end.value
        return result
    raise AssertionError("one invocation at a time never suspends")


class BlockingBackend(Backend):
    """How the only slot of an environment waits; a request that hangs costs the app its life."""

    may_freeze = True

    def new_client(self, host: str, port: int, is_gone: Callable[[], bool] | None = None) -> BlockingClient:
        """Makes a connection that blocks."""
        return BlockingClient(host, port, is_gone)

    def exclusive_start(self, deadline: float) -> contextlib.nullcontext[None]:
        """Keeps nobody off, since there is nobody else."""
        return contextlib.nullcontext()

    def app_started(self, app: AppProcess) -> None:
        """Takes no note of it."""

    def child_changed(self) -> None:
        """Leave it to the next look: who waits looks again and again."""

    async def sleep(self, seconds: float) -> None:
        """Sleeps."""
        time.sleep(seconds)  # noqa: ASYNC251  # blocking is the point here

    async def call_blocking(self, function: Callable[..., Found], *arguments: Any) -> Found:
        """Calls the function."""
        return function(*arguments)

    async def wait_for_message(self, app: AppProcess, messages: tuple[bytes, ...], deadline: float) -> bytes:
        """Reads the channel, and passes over what is about earlier requests, which were given up."""
        while True:
            line = app.control.read_message(deadline - time.monotonic())
            if not line or line in messages:
                return line
            if line == STOPPING.encode():
                app.lose()

    async def handle_timeout(self, app: AppProcess, port: int, request_id: str) -> None:
        """Ends the app, so that nothing of the request happens later, and the next event meets a clean one."""
        from lambda_web_adapter.adapter.diagnostics.stack_dump import log_stack_dump  # nobody else pays for it

        what = "did not answer in time" if port else "takes no connection"
        log("ERROR", f"The app {what}; it is ended, and the next event starts it again.", request_id)
        await log_stack_dump(app, self, request_id, ends=True)
        app.kill()
