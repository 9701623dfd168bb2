"""An invocation: its event, its way through an environment, and as much of its reply as has come."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.process.process_tree import describe_exit
from lambda_web_adapter.ipc.exchange_frame import MAX_BODY
from lambda_web_adapter.local.asgi_messages import ClientDisconnected, read_body
from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from uvicorn._types import ASGIReceiveCallable, HTTPScope

# If a bootstrap's connection ends, the bootstrap has often ended too. Its exit code says more: how long to wait for it.
_EXIT_WAIT_SECONDS = 0.5
_TYPE = b"lambda-runtime-function-error-type"
_BODY = b"lambda-runtime-function-error-body"
# How much of the log the Invoke API returns, in bytes ("Invoke", LogType), and how much is kept for records.
_MAX_LOG_TAIL = 4096
_MAX_LOG = 16 * 1024


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
    def of_exit(cls, code: int, init_error: bytes | None) -> Outcome:
        """Return the outcome of a bootstrap that has ended: the error that it has reported, or how it ended."""
        message = f"The bootstrap ended with {describe_exit(code)}. Its output shows the reason."
        document = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": message}).encode()
        return cls(payload=init_error or document, failed=True)

    @classmethod
    def of_stop(cls) -> Outcome:
        """Return the outcome of what was not complete when the local run was stopped."""
        return cls.failure("Runtime.Stopped", "The local run has been stopped.")

    @classmethod
    def failure(cls, kind: str, message: str) -> Outcome:
        """Return a failure for which the environment has sent no error document."""
        error = InvocationError(error_type=kind, error_message=message)
        return cls(payload=error.to_json(), failed=True)


@dataclass(slots=True, kw_only=True, eq=False)
class Invocation:
    """An event on its way through the function.

    Attributes:
        event: the event.
        title: what log lines call it, such as `GET /path`.
        outcome: the whole reply, or a stream that has begun.
        trace_id: the value of X-Amzn-Trace-Id; empty if there is none.
        client_context: the caller's client context, as JSON; empty if there is none.
        tenant_id: the tenant that the caller named; empty if there is none.
        content_type: the type of the response that has begun to stream; empty if none has.
        source: the name of the gateway whose request it is; empty for other events.
        replay_of: the number of the record that it repeats; 0 if it repeats none.
        request_id: the invocation's id.
        invocation_id: a token that the reply must repeat.
        deadline_ms: the function's deadline, in milliseconds since the epoch; 0 until an environment has the event.
        environment: the number of the environment that has the event; 0 until there is one.
        is_cold: whether the event waited for the environment's init.
        init_seconds: how long that init took; 0 unless `is_cold`.
        received_at: when the event came, by the monotonic clock.
        started_at: when an environment got it; 0 until then.
        responded_at: when its reply was complete; 0 until then.
        ended_at: when the environment was idle again; 0 until then.
        max_memory: the most memory that the environment had until then, in bytes; 0 if it was not measured.
        first_byte_at: when the first part of a streamed reply came; 0 until then.
        stream_start: the beginning of a streamed reply, for records.
        stream_size: how many bytes of a streamed reply have come.
        is_replying: whether a reply has begun.
        replied: set when the reply is complete or cannot be completed.
        ended: set when the environment is idle again, or has ended.
    """

    event: bytes
    title: str
    outcome: asyncio.Future[Outcome | ReplyStream]
    trace_id: str = ""
    client_context: str = ""
    tenant_id: str = ""
    content_type: str = ""
    source: str = ""
    replay_of: int = 0
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    invocation_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    deadline_ms: int = 0
    environment: int = 0
    is_cold: bool = False
    init_seconds: float = 0.0
    received_at: float = field(default_factory=time.monotonic)
    started_at: float = 0.0
    responded_at: float = 0.0
    ended_at: float = 0.0
    max_memory: int = 0
    first_byte_at: float = 0.0
    stream_start: bytearray = field(default_factory=bytearray)
    stream_size: int = 0
    is_replying: bool = False
    replied: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _log: bytearray = field(default_factory=bytearray)
    _stream: ReplyStream | None = None

    @property
    def log(self) -> bytes:
        """Return the last 16 KB of the invocation's log lines; they are complete once `ended` is set."""
        return bytes(self._log[-_MAX_LOG:])

    @property
    def log_tail(self) -> bytes:
        """Return the last 4 KB of the invocation's log lines; they are complete once `ended` is set."""
        return bytes(self._log[-_MAX_LOG_TAIL:])

    @property
    def is_streaming(self) -> bool:
        """Return whether the reply is a stream that has begun and goes on."""
        return self._stream is not None and not self.replied.is_set()

    def add_log(self, text: bytes) -> None:
        """Add log lines, or a part of one; only the last ones are kept."""
        self._log += text
        if len(self._log) > 2 * _MAX_LOG:
            del self._log[:-_MAX_LOG]

    def add_log_line(self, line: str) -> None:
        """Add a line to the tail, on a line of its own."""
        start = "\n" if self._log and not self._log.endswith(b"\n") else ""
        self.add_log(f"{start}{line}\n".encode())

    def end(self, outcome: Outcome) -> None:
        """Set the outcome, or end a stream that has begun, with the outcome's error; only the first call counts."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)
        if self._stream is not None:
            self._stream.end(InvocationError.of_document(outcome.payload))
        self._complete()

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
            self._add_part(message.get("body", b""))
            await stream.put(message.get("body", b""))
            more_body = message.get("more_body", False)
        stream.end(_error_from_trailers(scope["headers"]))
        self._complete()

    def _add_part(self, part: bytes) -> None:
        if part and not self.first_byte_at:
            self.first_byte_at = time.monotonic()
        self.stream_size += len(part)
        if len(self.stream_start) < MAX_BODY:
            self.stream_start += part[: MAX_BODY - len(self.stream_start)]

    def _complete(self) -> None:
        if not self.replied.is_set():
            self.responded_at = time.monotonic()
            self.replied.set()

    async def _break_off(self) -> None:
        """End an incomplete reply, unless the environment ends soon and so gives a better reason."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.replied.wait(), _EXIT_WAIT_SECONDS)
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
