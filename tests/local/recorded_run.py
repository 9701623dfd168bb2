"""A local run within the test's own process, with real environments, whose records the test reads."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from support.processes import SECONDS, plain_environment

from lambda_web_adapter.adapter.process.ports import open_listener
from lambda_web_adapter.local.environments.function import Function
from lambda_web_adapter.local.environments.function_options import FunctionOptions
from lambda_web_adapter.local.environments.guard import Guard
from lambda_web_adapter.local.environments.program import Program
from lambda_web_adapter.local.gateway_app import GatewayApp
from lambda_web_adapter.local.gateways import GATEWAYS
from lambda_web_adapter.local.log import Log
from lambda_web_adapter.local.records.recorder import Recorder
from lambda_web_adapter.local.records.records import Record
from lambda_web_adapter.local.server import serve


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """A run that goes on.

    Attributes:
        function: its function.
        recorder: its recorder.
        client: asks its gateway, a function URL.
        log: what it has written.
    """

    function: Function
    recorder: Recorder
    client: httpx.AsyncClient
    log: io.StringIO

    def states(self, number: int = 1) -> list[str]:
        """Return what an environment did, one after the other."""
        return [state for lane in self.recorder.lanes.last() if lane.number == number for _, state, _ in lane.changes]

    def reason(self, state: str, number: int = 1) -> str:
        """Return why an environment is in a state, of which there is one."""
        (reason,) = [
            reason
            for lane in self.recorder.lanes.last()
            if lane.number == number
            for _, each, reason in lane.changes
            if each == state
        ]
        return reason

    async def record(self, path: str = "/", *, is_frozen: bool = True, **request: Any) -> Record:
        """Send a request, and return its record once that has all that follows; `request` as httpx takes it."""
        number = len(self.recorder.records)
        await self.client.request(request.pop("method", "GET"), path, **request)
        await until(lambda: len(self.recorder.records) > number)
        (record,) = self.recorder.records.last(1)
        await until(lambda: record.is_complete and (not is_frozen or record.frozen_at > 0))
        return record


@asynccontextmanager
async def recorded_run(
    arguments: list[str], environ: dict[str, str] | None = None, *, reports_exchanges: bool = True, **options: Any
) -> AsyncIterator[RecordedRun]:
    """Serve an app through environments while the block runs.

    Args:
        arguments: those of the bootstrap: the app's name, or `--` and a command.
        environ: further variables of the environments.
        reports_exchanges: whether the adapter reports exchanges.
        options: the function's options.
    """
    recorder, output = Recorder(), io.StringIO()
    log = Log("short", output, recorder)
    variables = plain_environment(environ)
    program = Program(
        ["-m", "lambda_web_adapter", *arguments], variables, Guard.start(), log, reports_exchanges=reports_exchanges
    )
    function = Function(program, FunctionOptions(**options))
    listener = open_listener("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    function.start()
    try:
        async with (
            serve(listener, GatewayApp(GATEWAYS["function-url"], function, log)),
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=2 * SECONDS) as client,
        ):
            yield RecordedRun(function=function, recorder=recorder, client=client, log=output)
    finally:
        await function.stop()
        sys.stdout.write(output.getvalue())  # pytest shows it for a test that failed


def within_run(
    folder: Path,
    test: Callable[[RecordedRun], Awaitable[None]],
    arguments: list[str] | None = None,
    environ: dict[str, str] | None = None,
    **options: Any,
) -> None:
    """Call the test with a run of `main:app` in a folder, or of other arguments, within a bounded time."""

    async def run() -> None:
        variables = {"AWS_LWA_APP_DIR": str(folder), **(environ or {})}
        async with recorded_run(arguments or ["main:app"], variables, **options) as recorded:
            await asyncio.wait_for(test(recorded), 3 * SECONDS)

    asyncio.run(run())


async def until(condition: Callable[[], object]) -> None:
    """Look again and again while the run goes on, which bounds it."""
    while not condition():  # noqa: ASYNC110  # what another process does sets no event
        await asyncio.sleep(0.005)
