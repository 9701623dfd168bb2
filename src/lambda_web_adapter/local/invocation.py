"""An invocation that waits for its reply, buffered or streamed."""

from __future__ import annotations

import asyncio
import base64
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_web_adapter.local.asgi_messages import ClientDisconnected, read_body
from lambda_web_adapter.local.reply_stream import ReplyStream
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from uvicorn._types import ASGIReceiveCallable, HTTPScope

# If a bootstrap's connection ends, the bootstrap has often ended too. Its exit code says more: how long to wait for it.
_EXIT_WAIT_SECONDS = 0.5
_TYPE = b"lambda-runtime-function-error-type"
_BODY = b"lambda-runtime-function-error-body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an invocation whose reply is not streamed has ended.

    Attributes:
        payload: the reply, or the error document.
        failed: whether the payload is an error document.
    """

    payload: bytes
    failed: bool = False

    @classmethod
    def failure(cls, kind: str, message: str) -> Outcome:
        """Return a failure for which the environment has sent no error document."""
        error = InvocationError(error_type=kind, error_message=message)
        return cls(payload=error.to_json(), failed=True)


@dataclass(slots=True, kw_only=True)
class PendingInvocation:
    """An event, and as much of its reply as has come.

    Attributes:
        event: the event.
        deadline_ms: the function's deadline, in milliseconds since the epoch.
        outcome: the whole reply, or a stream that has begun.
        request_id: the invocation's id.
        invocation_id: a token that the reply must repeat.
        replying: whether a reply has begun.
        over: set when the reply is complete or cannot be completed.
    """

    event: bytes
    deadline_ms: int
    outcome: asyncio.Future[Outcome | ReplyStream]
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    invocation_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    replying: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _stream: ReplyStream | None = None

    def end(self, outcome: Outcome) -> None:
        """Set the outcome, or end a stream that has begun, with the outcome's error; only the first call counts."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)
        if self._stream is not None:
            self._stream.end(InvocationError.of_document(outcome.payload))
        self.over.set()

    async def take_whole(self, failed: bool, receive: ASGIReceiveCallable) -> None:
        """Receive a buffered reply, or an error.

        Raises:
            ClientDisconnected: the connection ended first.
        """
        try:
            self.end(Outcome(payload=await read_body(receive), failed=failed))
        except ClientDisconnected:
            await self._break_off()
            raise

    async def take_stream(self, scope: HTTPScope, receive: ASGIReceiveCallable) -> None:
        """Receive a streamed reply part by part, each once the previous one has been read.

        Raises:
            ClientDisconnected: the connection ended first.
        """
        content_type = dict(scope["headers"]).get(b"content-type", b"")
        self._stream = stream = ReplyStream(content_type.decode("latin-1"))
        if not self.outcome.done():
            self.outcome.set_result(stream)
        else:  # the invocation has ended already
            stream.abandon()
        more_body = True
        while more_body:
            message = await receive()
            if message["type"] != "http.request":
                await self._break_off()
                raise ClientDisconnected
            await stream.put(message.get("body", b""))
            more_body = message.get("more_body", False)
        stream.end(_error_from_trailers(scope["headers"]))
        self.over.set()

    async def _break_off(self) -> None:
        """End an incomplete reply, unless the environment ends soon and so gives a better reason."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), _EXIT_WAIT_SECONDS)
        message = "The bootstrap's connection ended in the middle of its response"
        self.end(Outcome.failure("Runtime.TruncatedResponse", message))


def _error_from_trailers(headers: Iterable[tuple[bytes, bytes]]) -> InvocationError | None:
    """Return the error in a stream's trailers, if any; uvicorn has added them to the headers (see `server`)."""
    trailers = dict(headers)
    if _TYPE not in trailers:
        return None
    try:
        document = base64.b64decode(trailers.get(_BODY, b""), validate=True)
    except ValueError:
        document = trailers[_BODY]
    error = InvocationError.of_document(document)
    error.error_type = trailers[_TYPE].decode("latin-1")
    return error
