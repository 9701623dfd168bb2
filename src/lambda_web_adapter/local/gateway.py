"""The local gateway: an ASGI app that turns each request into an event, and the reply into the response."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import orjson

from lambda_web_adapter.local.function_url import MalformedReply, event_of, response_of
from lambda_web_adapter.local.http import answer, read_body
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope

    from lambda_web_adapter.local.runtime_service import Outcome

    Invoke = Callable[[bytes], Awaitable[Outcome]]
    Answer = tuple[int, list[tuple[str, str]], bytes]

# The path of Lambda's own Invoke call, as the Runtime Interface Emulator has it: the body is the event itself.
INVOKE_PATH = "/2015-03-31/functions/function/invocations"
# What Lambda takes as an event (Lambda quotas, "Invocation payload"), in bytes.
MAX_EVENT = 6 * 1024 * 1024


class Gateway:
    """Stands where a function URL stands on AWS."""

    def __init__(self, invoke: Invoke) -> None:
        """Takes what handles an event."""
        self._invoke = invoke

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answers a request."""
        begun = time.monotonic()
        body = await read_body(receive)
        if scope["method"] == "POST" and scope["path"] == INVOKE_PATH:
            outcome = await self._invoke(body)
            status, headers, content = 200, [("content-type", "application/json")], outcome.payload
            if outcome.failed:
                headers.append(("x-amz-function-error", "Unhandled"))
        else:
            status, headers, content = await self._answer(scope, body)
        await answer(send, status, headers, b"" if scope["method"] == "HEAD" else content)
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        took = (time.monotonic() - begun) * 1000
        sys.stderr.write(f"{scope['method']} {scope['path']}{query} {status} {took:.0f} ms\n")

    async def _answer(self, scope: HTTPScope, body: bytes) -> Answer:
        event = event_of(scope, body).to_json()
        if len(event) > MAX_EVENT:
            return _problem(413, f"The event has {len(event)} bytes, but Lambda takes {MAX_EVENT}.")
        outcome = await self._invoke(event)
        if outcome.failed:
            return _failure(outcome.payload)
        try:
            status, headers, content = response_of(outcome.payload)
        except MalformedReply as error:
            return _problem(502, f"A function URL would answer 502, since the reply is malformed: {error}.")
        if scope["method"] == "HEAD" and not any(name.lower() == "content-length" for name, _ in headers):
            headers.append(("content-length", str(len(content))))
        return status, headers, content


def _failure(document: bytes) -> Answer:
    """Shows why an invocation failed; on AWS the caller would see a bare 502, and the log the reason."""
    try:
        error = InvocationError.model_validate(orjson.loads(document))
    except ValueError:
        return _problem(502, document.decode("utf-8", "replace"))
    return _problem(502, "\n".join([f"{error.error_type}: {error.error_message}", "", "".join(error.stack_trace)]))


def _problem(status: int, text: str) -> Answer:
    return status, [("content-type", "text/plain; charset=utf-8")], f"{text.rstrip()}\n".encode()
