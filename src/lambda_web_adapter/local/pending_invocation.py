"""An invocation that waits for its reply: whole, or as a stream."""

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

# A bootstrap whose connection ends has often ended itself, which says more; so long it is waited for.
_EXIT_WAIT_SECONDS = 0.5
_TYPE = b"lambda-runtime-function-error-type"
_BODY = b"lambda-runtime-function-error-body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an invocation ended whose reply came as one.

    Attributes:
        payload: the reply, or the error document.
        failed: whether it is an error.
    """

    payload: bytes
    failed: bool = False

    @classmethod
    def failure(cls, kind: str, message: str) -> Outcome:
        """Makes a failure that the environment has not described itself."""
        error = InvocationError(error_type=kind, error_message=message)
        return cls(payload=error.to_json(), failed=True)


@dataclass(slots=True, kw_only=True)
class PendingInvocation:
    """An event, and what comes of it.

    Attributes:
        event: the event.
        deadline_ms: when the function's time is up, in milliseconds since the epoch.
        outcome: what came of it: all, or a stream that has begun.
        request_id: its id.
        invocation_id: a word that its reply must repeat.
        replying: whether a reply has begun to come.
        over: set when all has come, or will not come.
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
        """Gives the outcome to who waits for it; a stream that has begun breaks off. The first word counts."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)
        if self._stream is not None:
            self._stream.end(InvocationError.of_document(outcome.payload))
        self.over.set()

    async def take_whole(self, failed: bool, receive: ASGIReceiveCallable) -> None:
        """Takes a reply, or an error, that comes as one.

        Raises:
            ClientDisconnected: it did not come whole.
        """
        try:
            self.end(Outcome(payload=await read_body(receive), failed=failed))
        except ClientDisconnected:
            await self._break_off()
            raise

    async def take_stream(self, scope: HTTPScope, receive: ASGIReceiveCallable) -> None:
        """Takes a reply part by part, each when the one before it has been dealt with.

        Raises:
            ClientDisconnected: it did not come whole.
        """
        content_type = dict(scope["headers"]).get(b"content-type", b"")
        self._stream = stream = ReplyStream(content_type.decode("latin-1"))
        if not self.outcome.done():
            self.outcome.set_result(stream)
        else:  # nobody waits any more
            stream.abandon()
        has_more = True
        while has_more:
            message = await receive()
            if message["type"] != "http.request":
                await self._break_off()
                raise ClientDisconnected
            await stream.put(message.get("body", b""))
            has_more = message.get("more_body", False)
        stream.end(_error_from_trailers(scope["headers"]))
        self.over.set()

    async def _break_off(self) -> None:
        """Ends with a reply that did not come whole."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), _EXIT_WAIT_SECONDS)
        message = "The bootstrap's connection ended in the middle of its response"
        self.end(Outcome.failure("Runtime.TruncatedResponse", message))


def _error_from_trailers(headers: Iterable[tuple[bytes, bytes]]) -> InvocationError | None:
    """Reads the error of a stream from its trailers, which stand among the headers by now (see `server`)."""
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
