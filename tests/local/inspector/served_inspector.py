"""The inspector on a real socket, over records that a test makes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from local.scripted_function import ScriptedFunction

from lambda_web_adapter.local.environments.function_options import FunctionOptions
from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
from lambda_web_adapter.local.gateways import Request, Response
from lambda_web_adapter.local.inspector.inspected_run import InspectedRun
from lambda_web_adapter.local.inspector.options import InspectorOptions
from lambda_web_adapter.local.inspector.server import serve_inspector
from lambda_web_adapter.local.log import Log, RequestLine
from lambda_web_adapter.local.records.masking import Masker
from lambda_web_adapter.local.records.recorder import Recorder
from lambda_web_adapter.local.records.records import Records
from lambda_web_adapter.local.records.run_file import RunFile, read_runs, runs_folder
from lambda_web_adapter.local.run import RunOptions
from lambda_web_adapter.local.websocket_api.options import WebSocketOptions

SECONDS = 15.0


class Served:
    """An inspector, its records, and the file that leads to it."""

    def __init__(self, inspected: InspectedRun, run: RunFile, line: str, client: httpx.AsyncClient) -> None:
        self.inspected = inspected
        self.recorder = inspected.recorder
        self.run = run
        self.line = line
        self.client = client

    def reject(self, title: str) -> None:
        """Make a record of a request that was rejected; it is complete at once."""
        self.recorder.respond(RequestLine(title=title, status=413, seconds=0.001))

    def begin(self, title: str, event: bytes = b"{}", *, log: bytes = b"") -> Invocation:
        """Return an invocation that an environment has got."""
        outcome = asyncio.get_running_loop().create_future()
        invocation = Invocation(event=event, title=title, outcome=outcome, source="function-url")
        invocation.received_at = invocation.started_at = time.monotonic()
        invocation.environment = 1
        invocation.add_log(log)
        self.recorder.start(invocation)
        return invocation

    def end(self, invocation: Invocation, request: Request | None = None, response: Response | None = None) -> None:
        """Complete the record of an invocation."""
        invocation.outcome.set_result(Outcome(payload=b"{}"))
        invocation.ended_at = time.monotonic()
        self.recorder.end(invocation)
        line = RequestLine(title=invocation.title, status=200, invocation=invocation)
        line.request, line.response = request, response
        self.recorder.respond(line)

    async def get(self, path: str) -> Any:
        """Return the document at a path."""
        return (await self.client.get(path)).raise_for_status().json()

    async def titles(self, query: str = "") -> list[str]:
        """Return the titles of the records that a query finds."""
        return [record["title"] for record in (await self.get(f"/api/invocations{query}"))["invocations"]]

    @asynccontextmanager
    async def follow(self, query: str = "") -> AsyncIterator[Callable[[], Awaitable[tuple[str, Any]]]]:
        """Return a function that returns the next event of the stream, and its data."""
        async with self.client.stream("GET", f"/api/invocations?follow=1{query}") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            lines = response.aiter_lines()

            async def next_event() -> tuple[str, Any]:
                name = ""
                async with asyncio.timeout(SECONDS):
                    async for line in lines:
                        if line.startswith("event: "):
                            name = line.removeprefix("event: ")
                        if line.startswith("data: "):
                            return name, json.loads(line.removeprefix("data: "))
                raise AssertionError("the stream has ended")

            yield next_event


@asynccontextmanager
async def served(
    folder: Path, options: InspectorOptions | None = None, *, log: Log | None = None
) -> AsyncIterator[Served]:
    environ: Mapping[str, str] = {"XDG_RUNTIME_DIR": str(folder)}
    inspector = options or InspectorOptions(port=0)
    inspected = InspectedRun(
        options=RunOptions(
            arguments=[],
            title="main:app",
            listeners=(),
            websocket=WebSocketOptions(),
            function=FunctionOptions(),
            inspector=inspector,
        ),
        environ={},
        function=ScriptedFunction(),
        recorder=Recorder(Records(inspector.keep, inspector.max_bytes)),
        log=log or Log(),
        masker=Masker(inspector.masked_headers),
        ports=[8000],
        started=1.5,
        listeners=[("alb", "http://127.0.0.1:8000")],
    )
    async with serve_inspector(inspected, environ) as line:
        runs = read_runs(runs_folder(environ))
        run = runs[0] if runs else RunFile(url=line.split()[1].partition("/#")[0], token="", pid=0, ports=[])
        headers = {"authorization": f"Bearer {run.token}"}
        async with httpx.AsyncClient(base_url=run.url, headers=headers, trust_env=False, timeout=SECONDS) as client:
            yield Served(inspected, run, line, client)


def run(folder: Path, steps: Callable[[Served], Awaitable[None]], options: InspectorOptions | None = None) -> None:
    """Do the steps with a served inspector."""

    async def within_a_loop() -> None:
        async with served(folder, options) as inspector:
            await steps(inspector)

    asyncio.run(within_a_loop())
