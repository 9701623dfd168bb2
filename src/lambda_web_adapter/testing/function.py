"""What the transport needs of a function, wherever the app runs."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.local.stream_relay import collect
from lambda_web_adapter.models import InvocationError
from lambda_web_adapter.testing.record import InvocationFailed

if TYPE_CHECKING:
    from collections import deque
    from typing import Any

    from lambda_web_adapter.local.environments.invocation import Invocation
    from lambda_web_adapter.testing.record import InvocationRecord

# How many invocations are kept: each may have a body of megabytes.
MAX_HISTORY = 50
# The largest share of the timeout that the margin before it may have. Lambda's timeouts are a second or more, those of
# tests may be shorter.
_MAX_MARGIN = 0.3


class AppFunction(ABC):
    """A function with one environment.

    Attributes:
        history: the last invocations.
        timeout: the function's timeout in seconds.
        concurrency: how many invocations the environment takes at once.
        streams: whether replies are streamed.
        is_timed: whether the test is about the timeout, so that no app may block the test.
    """

    history: deque[InvocationRecord]
    timeout: float
    concurrency: int
    streams: bool
    is_timed: bool

    @abstractmethod
    def load(self) -> None:
        """Import the app where that is to be seen by the test; raise what its import raises."""

    @abstractmethod
    def submit(  # noqa: PLR0913  # what a caller of Lambda may say
        self,
        event: bytes,
        *,
        title: str,
        source: str = "",
        trace_id: str = "",
        client_context: str = "",
        tenant_id: str = "",
    ) -> Invocation:
        """Have the app handle an event, and return its invocation.

        Args:
            event: the event, as JSON.
            title: what log lines call it.
            source: the gateway's name; empty without one.
            trace_id: the value of X-Amzn-Trace-Id.
            client_context: the caller's client context, as JSON.
            tenant_id: the caller's tenant.
        """

    async def invoke(self, event: Any, *, client_context: str, tenant_id: str) -> Any:
        """Have the app handle an event, and return its parsed reply.

        Raises:
            InvocationFailed: the invocation has failed.
        """
        self.load()
        document = event if isinstance(event, bytes) else json.dumps(event).encode()
        invocation = self.submit(document, title="invoke", client_context=client_context, tenant_id=tenant_id)
        outcome = await invocation.outcome
        if isinstance(outcome, ReplyStream):
            outcome = await collect(outcome)
        await invocation.ended.wait()
        if outcome.failed:
            error = InvocationError.of_document(outcome.payload)
            raise InvocationFailed(error.error_type, error.error_message, error.stack_trace)
        try:
            return json.loads(outcome.payload)
        except ValueError:  # a streamed reply
            return outcome.payload

    @abstractmethod
    def crash(self) -> None:
        """Have the app end in the middle of the next invocation."""

    @abstractmethod
    async def cold(self) -> None:
        """End the environment in order; the next invocation starts another one."""

    @abstractmethod
    async def freeze(self, seconds: float) -> None:
        """Freeze the environment for a number of seconds, once it is idle."""

    @abstractmethod
    def forget(self) -> None:
        """Forget the environment, as its event loop has ended."""

    @abstractmethod
    async def close(self) -> None:
        """End what is running, and the environment in order; a later invocation starts another one."""


def scaled_margin(margin: float, timeout: float) -> float:
    """Return how long before the timeout the adapter gives up, in seconds."""
    return min(margin, _MAX_MARGIN * timeout)
