"""Turn a streamed reply into a response: read the prelude, then pass the body on part by part, or collect it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lambda_web_adapter.ipc.exchange_frame import MAX_BODY
from lambda_web_adapter.local.asgi_messages import NO_CONTENT, WITHOUT_BODY, encode_headers
from lambda_web_adapter.local.environments.invocation import Outcome
from lambda_web_adapter.local.environments.reply_stream import StreamFailed
from lambda_web_adapter.local.gateways import LAMBDA_PAYLOAD_LIMIT, Response
from lambda_web_adapter.local.gateways.prelude import CONTENT_TYPE, PreludeParser
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable

    from lambda_web_adapter.local.environments.reply_stream import ReplyStream
    from lambda_web_adapter.local.gateways import Gateway

# Lambda's payload limit for a buffered reply, in bytes, as in Lambda's error message.
_MAX_REPLY = LAMBDA_PAYLOAD_LIMIT + 100


@dataclass(slots=True, kw_only=True)
class Sent:
    """What has been sent of a streamed response.

    Attributes:
        head_at: when its head was sent, by the monotonic clock.
        size: how many bytes of its body were sent.
        start: the first 64 KB of them.
        problem: why it is incomplete; empty if it is not.
    """

    head_at: float = field(default_factory=time.monotonic)
    size: int = 0
    start: bytearray = field(default_factory=bytearray)
    problem: str = ""

    def add(self, part: bytes) -> None:
        """Add a part of the body."""
        self.size += len(part)
        self.start += part[: MAX_BODY - len(self.start)]


async def collect(stream: ReplyStream) -> Outcome:
    """Return the whole stream, including prelude and NULs, as callers get it that do not stream."""
    parts, size = [], 0
    try:
        async for part in stream:
            size += len(part)
            if size > _MAX_REPLY:
                message = f"Response payload size exceeded maximum allowed payload size ({_MAX_REPLY} bytes)."
                return Outcome.failure("Function.ResponseSizeTooLarge", message)
            parts.append(part)
    except StreamFailed as failure:
        return Outcome(payload=failure.error.to_json(), failed=True)
    finally:
        stream.abandon()
    return Outcome(payload=b"".join(parts))


async def open_response(gateway: Gateway, stream: ReplyStream) -> Response:
    """Read a stream's prelude; return its response, with as much of the body as came with it.

    Raises:
        MalformedReply: the prelude is not valid.
        StreamFailed: the function failed before the prelude's end.
    """
    if gateway.head is None or stream.content_type.partition(";")[0].strip().lower() != CONTENT_TYPE:
        return Response(status=200, headers=[("content-type", "application/octet-stream")], body=b"")
    parser = PreludeParser(gateway.max_prelude)
    async for part in stream:
        if parsed := parser.feed(part):
            prelude, body_start = parsed
            return replace(gateway.head(prelude), body=body_start)
    raise parser.missing()


async def relay(
    method: str, response: Response, stream: ReplyStream, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> Sent:
    """Send a response while its body is still coming.

    If the function fails, the response is left incomplete: the server then closes the connection, and the client sees
    that something is missing.
    """
    without_body = method == "HEAD" or response.status in WITHOUT_BODY
    length = None if without_body else _length(response)
    disconnect = asyncio.create_task(abandon_on_disconnect(stream, receive))
    sent = Sent()
    try:
        headers = encode_headers(_headers(method, response, length))
        await send({"type": "http.response.start", "status": response.status, "headers": headers, "trailers": False})
        await _send_part(sent, b"" if without_body else response.body, length, send)
        async for part in stream:
            await _send_part(sent, b"" if without_body else part, length, send)
        if disconnect.done():
            sent.problem = "the client has left; the function goes on, as on Lambda"
        elif length is not None and sent.size < length:
            raise _wrong_length(length)
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    except StreamFailed as failure:
        sent.problem = f"broken off: {failure}"
    finally:
        disconnect.cancel()
        stream.abandon()
    return sent


async def read_rest(response: Response, stream: ReplyStream) -> Sent:
    """Read what is still coming of a response, as a client would that takes it all."""
    sent = Sent()
    sent.add(response.body)
    try:
        async for part in stream:
            sent.add(part)
    except StreamFailed as failure:
        sent.problem = f"broken off: {failure}"
    finally:
        stream.abandon()
    return sent


def _headers(method: str, response: Response, length: int | None) -> list[tuple[str, str]]:
    """Return the header lines to send, with one content-length if it is known."""
    keeps_length = method == "HEAD" and response.status != NO_CONTENT
    lines = [line for line in response.headers if line[0].lower() != "content-length" or keeps_length]
    return lines if length is None else [*lines, ("content-length", str(length))]


async def _send_part(sent: Sent, part: bytes, length: int | None, send: ASGISendCallable) -> None:
    """Send a part, unless it exceeds the length: the client must not take the response for complete."""
    if not part:
        return
    if length is not None and sent.size + len(part) > length:
        raise _wrong_length(length)
    await send({"type": "http.response.body", "body": part, "more_body": True})
    sent.add(part)


async def abandon_on_disconnect(stream: ReplyStream, receive: ASGIReceiveCallable) -> None:
    """Wait until the client has left, and let the function go on without a reader."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.abandon()


def _length(response: Response) -> int | None:
    """Return the length that the prelude states; None if there is none, or it is not a number."""
    lengths = [value for name, value in response.headers if name.lower() == "content-length" and value.isascii()]
    return int(lengths[0]) if lengths and lengths[0].isdecimal() else None


def _wrong_length(length: int) -> StreamFailed:
    message = f"The body does not have the {length} bytes that content-length says"
    return StreamFailed(InvocationError(error_type="Function.WrongLength", error_message=message))
