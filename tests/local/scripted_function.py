"""A function for tests: what each of its invocations ends with is up to the test."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

from lambda_web_adapter.local.environments.function import Function
from lambda_web_adapter.local.environments.function_options import FunctionOptions
from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
from lambda_web_adapter.local.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_web_adapter.local.environments.reply_stream import ReplyStream

LOG = b"START RequestId\nhello\nEND RequestId\n"


class RecordingLog(Log):
    """Keeps its lines."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        super().__init__(stream=self._text)

    @property
    def lines(self) -> list[str]:
        return self._text.getvalue().splitlines()


def echo(invocation: Invocation) -> Outcome:
    return Outcome(payload=invocation.event)


def fail(_: Invocation) -> Outcome:
    return Outcome.failure("KeyError", "no such thing")


class ScriptedFunction(Function):
    """Ends each invocation at once, with what `respond` returns or raises."""

    def __init__(self, respond: Callable[[Invocation], Outcome | ReplyStream] = echo) -> None:
        self.options = FunctionOptions(timeout=29.5)
        self.respond = respond
        self.invocations: list[Invocation] = []
        self.submitted = asyncio.Semaphore(0)

    def submit(
        self,
        event: bytes,
        *,
        title: str,
        source: str = "",
        trace_id: str = "",
        client_context: str = "",
        tenant_id: str = "",
        request_id: str = "",
        replay_of: int = 0,
        is_cold: bool = False,
    ) -> Invocation:
        """Takes the event, and ends the invocation as the loop goes on."""
        invocation = Invocation(
            event=event,
            title=title,
            outcome=asyncio.get_running_loop().create_future(),
            source=source,
            trace_id=trace_id,
            client_context=client_context,
            tenant_id=tenant_id,
            replay_of=replay_of,
            is_cold=is_cold,
        )
        invocation.request_id = request_id or invocation.request_id
        outcome = self.respond(invocation)
        self.invocations.append(invocation)
        self.submitted.release()
        asyncio.get_running_loop().call_soon(self._end, invocation, outcome)
        return invocation

    def _end(self, invocation: Invocation, outcome: Outcome | ReplyStream) -> None:
        invocation.outcome.set_result(outcome)
        invocation.add_log(LOG)
        invocation.ended.set()
