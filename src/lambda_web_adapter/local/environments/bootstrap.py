"""The bootstrap of an environment as a process, and the Runtime API that it alone calls."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from lambda_web_adapter.adapter.process.ports import open_listener
from lambda_web_adapter.ipc.parent_process import EXCHANGES_FD_VARIABLE
from lambda_web_adapter.local.environments.exchange_socket import ExchangeSocket
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


class Bootstrap(NamedTuple):
    """The process, and what it writes to.

    Attributes:
        process: the process.
        pipe: stdout and stderr of it and all its children.
        exchanges: what the adapter reports of its exchanges with the app; None if nothing is recorded.
    """

    process: asyncio.subprocess.Process
    pipe: LogPipe
    exchanges: ExchangeSocket | None

    def drain(self) -> None:
        """Read what was written until now."""
        self.pipe.drain()
        if self.exchanges:
            self.exchanges.drain()


async def start_bootstrap(
    program: Program,
    options: FunctionOptions,
    session: RuntimeSession,
    take_output: Callable[[bytes], None],
    stack: AsyncExitStack,
) -> Bootstrap:
    """Start the bootstrap and its Runtime API; return it.

    Args:
        program: what it executes.
        options: the function's configuration.
        session: what the Runtime API passes on.
        take_output: gets what it and all its children write.
        stack: ends the Runtime API, and closes what the bootstrap writes to.

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
    exchanges = None
    with ExitStack() as inherited:
        output, descriptors = inherited.enter_context(pipe.writer()), []
        if program.reports_exchanges:
            exchanges = ExchangeSocket(program.log.exchange_reported)
            stack.callback(exchanges.close)
            descriptors = [inherited.enter_context(exchanges.writer())]
            variables[EXCHANGES_FD_VARIABLE] = str(descriptors[0])
        process = await asyncio.create_subprocess_exec(
            program.python,
            *program.arguments,
            env=variables,
            stdout=output,
            stderr=output,
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C reaches only the local run, which then stops the bootstrap in order
        )
    return Bootstrap(process, pipe, exchanges)
