"""The bootstrap of an environment as a process, and the Runtime API that it alone calls."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.process.ports import open_listener
from lambda_web_adapter.local.environments.log_pipe import LogPipe
from lambda_web_adapter.local.environments.runtime_api_app import RuntimeApiApp
from lambda_web_adapter.local.environments.variables import environment_variables
from lambda_web_adapter.local.server import serve
from lambda_web_adapter.settings import RUNTIME_API_PROXY

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from lambda_web_adapter.local.environments.function_options import FunctionOptions
    from lambda_web_adapter.local.environments.program import Program
    from lambda_web_adapter.local.environments.runtime_session import RuntimeSession


async def start_bootstrap(
    program: Program,
    options: FunctionOptions,
    session: RuntimeSession,
    take_output: Callable[[bytes], None],
    stack: AsyncExitStack,
) -> tuple[asyncio.subprocess.Process, LogPipe]:
    """Start the bootstrap and its Runtime API; return the process, and the pipe that it and all its children write to.

    Args:
        program: what it executes.
        options: the function's configuration.
        session: what the Runtime API passes on.
        take_output: gets what comes through the pipe.
        stack: ends the Runtime API, and closes the pipe.

    Raises:
        OSError: the system has no port, descriptor or process left, or the variables are too large.
    """
    listener = open_listener("127.0.0.1", 0)
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    api = RuntimeApiApp(address, options.arn, session)
    await stack.enter_async_context(serve(listener, api, stop_seconds=0, websockets=False))
    variables = environment_variables(program.environ, options, address)
    # Only the bootstrap's calls have the key in their path; extensions and the app see a plain address.
    variables[RUNTIME_API_PROXY] = f"{address}/{session.key}"
    pipe = LogPipe(take_output)
    stack.callback(pipe.close)
    with pipe.writer() as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *program.arguments,
            env=variables,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches only the local run, which then stops the bootstrap in order
        )
    return process, pipe
