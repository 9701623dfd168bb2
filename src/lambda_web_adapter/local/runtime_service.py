"""The Runtime API, as a local environment sees it: an ASGI app over a queue of invocations."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_web_adapter.local.http import answer, answer_json, read_body

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope

_PREFIX = "/2018-06-01/runtime"
_ANSWER = re.compile(_PREFIX + r"/invocation/([^/]+)/(response|error)")
ARN = "arn:aws:lambda:us-east-1:123456789012:function:local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an invocation ended.

    Attributes:
        payload: the reply, or the error document.
        failed: whether it is an error.
    """

    payload: bytes
    failed: bool = False


@dataclass(slots=True, kw_only=True)
class _Pending:
    event: bytes
    deadline_ms: int
    outcome: asyncio.Future[Outcome]
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    invocation_id: str = field(default_factory=lambda: uuid.uuid4().hex)


class RuntimeService:
    """Hands invocations to whoever asks for the next one, and their outcomes to who waits for them."""

    def __init__(self, timeout: float) -> None:
        """Takes the function's time-out in seconds."""
        self._timeout = timeout
        self._queue: asyncio.Queue[_Pending] = asyncio.Queue()
        self._running: dict[str, _Pending] = {}
        self.init_error: bytes | None = None

    async def invoke(self, event: bytes) -> Outcome:
        """Has an environment handle an event, and waits for what comes of it."""
        deadline = int((time.time() + self._timeout) * 1000)
        pending = _Pending(event=event, deadline_ms=deadline, outcome=asyncio.get_running_loop().create_future())
        self._queue.put_nowait(pending)
        return await pending.outcome

    def environment_ended(self, document: bytes) -> None:
        """Ends what the environment was working on, and what waits for it, with an error document."""
        waiting = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        for pending in [*self._running.values(), *waiting]:
            if not pending.outcome.done():
                pending.outcome.set_result(Outcome(payload=document, failed=True))
        self._running.clear()

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answers a call of the Runtime API."""
        path, method = scope["path"], scope["method"]
        if method == "GET" and path == f"{_PREFIX}/invocation/next":
            await self._next(receive, send)
        elif method == "POST" and path == f"{_PREFIX}/init/error":
            self.init_error = await read_body(receive)
            await answer_json(send, 202, {"status": "OK"})
        elif method == "POST" and (found := _ANSWER.fullmatch(path)):
            await self._end(found[1], found[2] == "error", scope, receive, send)
        else:
            await _refuse(send, 404, "InvalidRequest", f"There is no {method} {path}.")

    async def _next(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Waits for an invocation, but not longer than the caller does."""
        await read_body(receive)
        getting = asyncio.ensure_future(self._queue.get())
        leaving = asyncio.ensure_future(receive())
        await asyncio.wait({getting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            if getting.done():
                self._queue.put_nowait(getting.result())
            getting.cancel()
            return
        leaving.cancel()
        pending = getting.result()
        self._running[pending.request_id] = pending
        headers = {
            "content-type": "application/json",
            "lambda-runtime-aws-request-id": pending.request_id,
            "lambda-runtime-deadline-ms": str(pending.deadline_ms),
            "lambda-runtime-invoked-function-arn": ARN,
            "lambda-runtime-invocation-id": pending.invocation_id,
        }
        await answer(send, 200, headers, pending.event)

    async def _end(
        self, request_id: str, failed: bool, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        payload = await read_body(receive)
        pending = self._running.get(request_id)
        if pending is None:
            await _refuse(send, 400, "InvalidRequestID", f"{request_id} is not the id of a running invocation.")
            return
        echoed = dict(scope["headers"]).get(b"lambda-runtime-invocation-id", b"").decode("latin-1")
        if echoed != pending.invocation_id:
            await _refuse(send, 410, "InvokeTimeout", "The invocation id is not the one given with the event.")
            return
        del self._running[request_id]
        if not pending.outcome.done():
            pending.outcome.set_result(Outcome(payload=payload, failed=failed))
        await answer_json(send, 202, {"status": "OK"})


async def _refuse(send: ASGISendCallable, status: int, kind: str, message: str) -> None:
    await answer_json(send, status, {"errorMessage": message, "errorType": kind})
