"""An invocation for tests that call the app without the adapter."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambda_web_adapter.app_api.current_invocation import CURRENT, Invocation
from lambda_web_adapter.app_api.lambda_context import LambdaContext

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_TIMEOUT = 30  # seconds


class _FakeInvocation(Invocation):
    """An invocation whose event and context come from a test, not from an envelope."""

    __slots__ = ()

    def __init__(self, event: Any, context: LambdaContext) -> None:
        for name in LambdaContext.__slots__:
            setattr(self, name, getattr(context, name))
        self.trace_id = (context.xray_trace_id or "").encode()
        self._event = event
        self._body = None


@contextmanager
def invocation(event: Any = None, context: LambdaContext | None = None) -> Iterator[LambdaContext]:
    """Set the current invocation while the block runs: in this thread, and in all others of the process.

    `current_context`, `current_event`, and the dependencies and proxies of `lambda_web_adapter.fastapi` and
    `lambda_web_adapter.flask` return this event and context. Scope and environ are the test client's own.

    Args:
        event: the event, as parsed JSON; an empty one by default.
        context: the context; by default that of a function `test` with a remaining time of 30 seconds.

    Yields:
        The context.
    """
    if context is None:
        deadline = int((time.time() + _TIMEOUT) * 1000)
        context = LambdaContext(aws_request_id="test", function_name="test", deadline_ms=deadline)
    fake = _FakeInvocation({} if event is None else event, context)
    token, previous = CURRENT.in_context.set(fake), CURRENT.in_process
    CURRENT.in_process = fake
    try:
        yield fake
    finally:
        CURRENT.in_process = previous
        CURRENT.in_context.reset(token)
