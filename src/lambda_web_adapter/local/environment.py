"""A local execution environment: the bootstrap as a process, started when it is needed, stopped with the local run."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import TYPE_CHECKING

from lambda_web_adapter.settings import RUNTIME_API_PROXY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_web_adapter.local.pending_invocation import Outcome
    from lambda_web_adapter.local.reply_stream import ReplyStream
    from lambda_web_adapter.local.runtime_api_app import RuntimeApiApp

# How long the bootstrap may take to stop before it is killed with the app: longer than it waits for the app itself.
_STOP_SECONDS = 2.0


class Environment:
    """The bootstrap, started for the first event, and restarted for the next event if it has ended, as on Lambda."""

    def __init__(
        self,
        service: RuntimeApiApp,
        arguments: list[str],
        variables: Mapping[str, str],
        program: Sequence[str] = ("-m", "lambda_web_adapter"),
    ) -> None:
        """Prepare, given the Runtime API that the bootstrap calls, its arguments, its environ, and the program."""
        self._program = program
        self._service = service
        self._arguments = arguments
        self._variables = dict(variables)
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._start_lock = asyncio.Lock()

    async def invoke(self, event: bytes) -> Outcome | ReplyStream:
        """Return an event's outcome, or its reply once that begins to stream; start the bootstrap if need be."""
        await self.start()
        return await self._service.invoke(event)

    async def start(self) -> None:
        """Start the bootstrap unless it is running."""
        async with self._start_lock:
            if self._watching is not None and not self._watching.done():
                return
            self._service.init_error = None
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self._program,
                *self._arguments,
                # Only the bootstrap's calls have the key in their path; extensions and the app see a plain address.
                env={**self._variables, RUNTIME_API_PROXY: f"{self._service.address}/{self._service.renew_key()}"},
                start_new_session=True,  # Ctrl-C reaches only the local run, which then stops the bootstrap in order
            )
            self._watching = asyncio.create_task(self._watch(self._process))

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        message = f"The bootstrap ended with exit code {code}. Its output shows the reason."
        document = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": message}).encode()
        self._service.environment_ended(self._service.init_error or document)

    async def stop(self) -> None:
        """Stop the bootstrap, and with it the app."""
        if self._process is None or self._watching is None or self._watching.done():
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(asyncio.shield(self._watching), _STOP_SECONDS)
        except TimeoutError:
            os.killpg(self._process.pid, signal.SIGKILL)  # its session's process group: bootstrap and app
            await self._watching


def variables(environ: Mapping[str, str], address: str, timeout: int) -> dict[str, str]:
    """Return the environment variables of a local environment: the caller's and those that Lambda sets.

    Args:
        environ: the caller's variables; they override Lambda's.
        address: `host:port` of the Runtime API.
        timeout: the function's timeout in seconds.
    """
    return {
        "AWS_LAMBDA_FUNCTION_NAME": "local",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": os.getcwd(),
        **environ,
        "AWS_LAMBDA_RUNTIME_API": address,
    }
