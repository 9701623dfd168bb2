"""The Runtime API of a local environment: an ASGI app over a queue of invocations."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from lambda_web_adapter.local.asgi_messages import ClientDisconnected, read_body, send_json, send_response
from lambda_web_adapter.local.caller_checks import refusal_of_runtime_call
from lambda_web_adapter.local.pending_invocation import Outcome, PendingInvocation

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope

    from lambda_web_adapter.local.reply_stream import ReplyStream

_PREFIX = "/2018-06-01/runtime"
_REPLY_PATH = re.compile(_PREFIX + r"/invocation/([^/]+)/(response|error)")
_RESPONSE_MODE = b"lambda-runtime-function-response-mode"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:local"


class RuntimeApiApp:
    """Passes queued invocations to the environment, and its replies to the callers of `invoke`.

    Attributes:
        address: `host:port`.
        key: the first segment of all paths, known only to the environment's processes. It is in their environ, which
            only processes of the same user can read, and those are trusted. Checking which process holds the other end
            of a connection would not work on all systems.
        init_error: the error document of an environment that could not start.
    """

    def __init__(self, timeout: float, address: str) -> None:
        """Prepare, given the function's timeout in seconds and the address that the Runtime API listens on."""
        self._timeout = timeout
        self.address = address
        self.key = secrets.token_urlsafe()
        self._queue: asyncio.Queue[PendingInvocation] = asyncio.Queue()
        self._running: dict[str, PendingInvocation] = {}
        self.init_error: bytes | None = None

    async def invoke(self, event: bytes) -> Outcome | ReplyStream:
        """Queue an event; return its outcome, or its reply as soon as that begins to stream."""
        deadline = int((time.time() + self._timeout) * 1000)
        pending = PendingInvocation(
            event=event, deadline_ms=deadline, outcome=asyncio.get_running_loop().create_future()
        )
        self._queue.put_nowait(pending)
        return await pending.outcome

    def renew_key(self) -> str:
        """Return a new key for a new environment, so that processes left over from the previous one are locked out."""
        self.key = secrets.token_urlsafe()
        return self.key

    def environment_ended(self, document: bytes) -> None:
        """End all running and queued invocations with an error document."""
        queued = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        for pending in [*self._running.values(), *queued]:
            pending.end(Outcome(payload=document, failed=True))
        self._running.clear()

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Handle a call of the Runtime API; a caller that disconnects gets no response."""
        key, _, path = scope["path"].removeprefix("/").partition("/")
        if refusal := refusal_of_runtime_call(scope, self.address):
            await _refuse(send, 403, "AccessDenied", refusal)
        elif secrets.compare_digest(key.encode(), self.key.encode()):
            with suppress(ClientDisconnected):
                await self._route(f"/{path}", scope, receive, send)
        elif scope["path"].startswith(_PREFIX):
            message = "This Runtime API is only for the environment of a local run, which knows the key in its path."
            await _refuse(send, 403, "AccessDenied", message)
        else:  # the Extensions API, for one
            await _refuse(send, 404, "InvalidRequest", f"There is no {scope['method']} {scope['path']}.")

    async def _route(self, path: str, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        method = scope["method"]
        if method == "GET" and path == f"{_PREFIX}/invocation/next":
            await self._next(receive, send)
        elif method == "POST" and path == f"{_PREFIX}/init/error":
            self.init_error = await read_body(receive)
            await send_json(send, 202, {"status": "OK"})
        elif method == "POST" and (match := _REPLY_PATH.fullmatch(path)):
            await self._reply(match[1], match[2] == "error", scope, receive, send)
        else:
            await _refuse(send, 404, "InvalidRequest", f"There is no {method} {path}.")

    async def _next(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Send the next invocation as soon as there is one, unless the caller disconnects first."""
        await read_body(receive)
        next_invocation = asyncio.ensure_future(self._queue.get())
        disconnect = asyncio.ensure_future(receive())
        await asyncio.wait({next_invocation, disconnect}, return_when=asyncio.FIRST_COMPLETED)
        if disconnect.done():
            if next_invocation.done():
                self._queue.put_nowait(next_invocation.result())
            next_invocation.cancel()
            return
        disconnect.cancel()
        pending = next_invocation.result()
        self._running[pending.request_id] = pending
        headers = {
            "content-type": "application/json",
            "lambda-runtime-aws-request-id": pending.request_id,
            "lambda-runtime-deadline-ms": str(pending.deadline_ms),
            "lambda-runtime-invoked-function-arn": ARN,
            "lambda-runtime-invocation-id": pending.invocation_id,
        }
        await send_response(send, 200, headers, pending.event)

    async def _reply(
        self, request_id: str, failed: bool, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        pending = self._running.get(request_id)
        if pending is None:
            await _refuse(send, 400, "InvalidRequestID", f"{request_id} is not the id of a running invocation.")
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get(b"lambda-runtime-invocation-id", "") != pending.invocation_id:
            await _refuse(send, 410, "InvokeTimeout", "The invocation id is not the one given with the event.")
            return
        if pending.replying:
            await _refuse(send, 403, "InvalidStateTransition", "A reply to this invocation is already coming.")
            return
        pending.replying = True
        response_mode = headers.get(_RESPONSE_MODE)
        if response_mode not in (None, "streaming"):  # Lambda has no value for buffered replies
            message = f"Lambda-Runtime-Function-Response-Mode is {response_mode!r}; use 'streaming' or omit it."
            pending.end(Outcome.failure("Runtime.InvalidResponseModeHeader", message))
            del self._running[request_id]
            await _refuse(send, 400, "InvalidFunctionResponseMode", message)
            return
        is_stream = response_mode is not None and not failed
        try:
            await (pending.take_stream(scope, receive) if is_stream else pending.take_whole(failed, receive))
        finally:
            self._running.pop(request_id, None)
        await send_json(send, 202, {"status": "OK"})


async def _refuse(send: ASGISendCallable, status: int, kind: str, message: str) -> None:
    await send_json(send, status, {"errorMessage": message, "errorType": kind})
