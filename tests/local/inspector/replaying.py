"""A run whose function replies to any request with what it has got, and records for replays."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

from local.scripted_function import ScriptedFunction

from lambda_web_adapter.local.environments.function_options import FunctionOptions
from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.local.gateways import GatewayOptions, Request
from lambda_web_adapter.local.inspector.inspected_run import InspectedRun
from lambda_web_adapter.local.log import Log
from lambda_web_adapter.local.records.masking import Masker
from lambda_web_adapter.local.records.recorder import Recorder
from lambda_web_adapter.local.records.records import Record
from lambda_web_adapter.local.run import RunOptions
from lambda_web_adapter.local.websocket_api.options import WebSocketOptions


def reply_to(invocation: Invocation) -> Outcome:
    """Reply with the event as body, in a form that each gateway takes."""
    body = invocation.event.decode()
    multi = '"multiValueHeaders"' in body and '"elb"' in body
    headers: dict[str, Any] = {"x-tag": ["1"] if multi else "1"}
    reply = {"statusCode": 201, "multiValueHeaders" if multi else "headers": headers, "body": body}
    return Outcome(payload=json.dumps(reply).encode())


class RecordedFunction(ScriptedFunction):
    """A scripted function that has its invocations recorded."""

    def __init__(self, log: Log, respond: Callable[[Invocation], Outcome | ReplyStream] = reply_to) -> None:
        super().__init__(respond)
        self._log = log

    def _end(self, invocation: Invocation, outcome: Outcome | ReplyStream) -> None:
        self._log.started(invocation)
        super()._end(invocation, outcome)
        self._log.ended(invocation, self.options)


class ReplayRun:
    """A run, what its log says, and what its function gets."""

    def __init__(
        self,
        gateway: GatewayOptions | None = None,
        respond: Callable[[Invocation], Outcome | ReplyStream] = reply_to,
        environ: dict[str, str] | None = None,
    ) -> None:
        self.text = io.StringIO()
        self.recorder = Recorder()
        log = Log(stream=self.text, recorder=self.recorder)
        self.function = RecordedFunction(log, respond)
        self.inspected = InspectedRun(
            options=RunOptions(
                arguments=["main:app"],
                title="main:app",
                listeners=(),
                gateway=gateway,
                websocket=WebSocketOptions(),
                function=FunctionOptions(),
            ),
            environ=environ or {},
            function=self.function,
            recorder=self.recorder,
            log=log,
            masker=Masker(),
            ports=[8000],
            started=0.0,
            listeners=[("alb", "http://127.0.0.1:8000")],
        )

    def record(self, request: Request | None, source: str = "event", event: bytes = b"") -> Record:
        """Return a record with a client's request, or with an event only."""
        record = self.recorder.records.add(0.0, "recorded")
        record.client_request, record.source = request, source
        record.client_request_bytes = len(request.body) if request else 0
        record.event, record.event_bytes = event, len(event)
        return record

    def get(self, number: int) -> Record:
        record = self.recorder.records.get(number)
        assert record
        return record

    @property
    def events(self) -> list[Any]:
        """The events that the function has got."""
        return [json.loads(each.event) for each in self.function.invocations]


def within_a_loop(steps: Callable[[], Awaitable[None]]) -> None:
    """Do the steps within an event loop."""

    async def run() -> None:
        await steps()

    asyncio.run(run())
