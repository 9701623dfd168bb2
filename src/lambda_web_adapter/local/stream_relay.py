"""A streamed reply at the gateway: read to the end of its prelude, then passed on as it comes, or collected whole."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lambda_web_adapter.local.asgi_messages import NO_CONTENT, WITHOUT_BODY, encode_headers
from lambda_web_adapter.local.gateways import LAMBDA_PAYLOAD_LIMIT, Response
from lambda_web_adapter.local.gateways.prelude import CONTENT_TYPE, PreludeParser
from lambda_web_adapter.local.pending_invocation import Outcome
from lambda_web_adapter.local.reply_stream import StreamFailed
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable

    from lambda_web_adapter.local.gateways import Gateway
    from lambda_web_adapter.local.reply_stream import ReplyStream

# What Lambda takes as a reply that it passes on as one, in bytes.
_MAX_REPLY = LAMBDA_PAYLOAD_LIMIT + 100


@dataclass(slots=True, kw_only=True)
class Sent:
    """What went out of a streamed response.

    Attributes:
        head_at: when the head did, by the monotonic clock.
        size: how many bytes of the body did.
        problem: why that is not all, or nothing.
    """

    head_at: float = field(default_factory=time.monotonic)
    size: int = 0
    problem: str = ""


async def collect(stream: ReplyStream) -> Outcome:
    """Waits for all of a stream, prelude and NULs included, as who asked for a reply in one piece gets it."""
    parts, size = [], 0
    try:
        async for part in stream:
            size += len(part)
            if size > _MAX_REPLY:
                message = f"Response payload size exceeded maximum allowed payload size ({_MAX_REPLY} bytes)."
                return Outcome.failure("Function.ResponseSizeTooLarge", message)
            parts.append(part)
    except StreamFailed as broke:
        return Outcome(payload=broke.error.to_json(), failed=True)
    finally:
        stream.abandon()
    return Outcome(payload=b"".join(parts))


async def open_response(gateway: Gateway, stream: ReplyStream) -> Response:
    """Reads a stream until status and headers are known; what has come of the body by then is the response's.

    Raises:
        MalformedReply: the prelude is not what the gateway takes.
        StreamFailed: the function failed before.
    """
    if gateway.head is None or stream.content_type.partition(";")[0].strip().lower() != CONTENT_TYPE:
        return Response(status=200, headers=[("content-type", "application/octet-stream")], body=b"")
    reader = PreludeParser(gateway.max_prelude)
    async for part in stream:
        if parsed := reader.feed(part):
            prelude, begun = parsed
            return replace(gateway.head(prelude), body=begun)
    raise reader.missing()


async def relay(
    method: str, response: Response, stream: ReplyStream, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> Sent:
    """Sends a response whose body is still coming.

    If the function fails, the response is left unfinished: the server then closes the connection, and the client sees
    that something is missing.
    """
    without_body = method == "HEAD" or response.status in WITHOUT_BODY
    length = None if without_body else _length(response)
    keeps_length = method == "HEAD" and response.status != NO_CONTENT
    lines = [line for line in response.headers if line[0].lower() != "content-length" or keeps_length]
    if length is not None:
        lines.append(("content-length", str(length)))
    leaving = asyncio.create_task(_abandon_when_left(stream, receive))
    sent = Sent()
    try:
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": encode_headers(lines),
                "trailers": False,
            }
        )
        await _send_part(sent, b"" if without_body else response.body, length, send)
        async for part in stream:
            await _send_part(sent, b"" if without_body else part, length, send)
        if leaving.done():
            sent.problem = "the client has left; the function goes on, as on Lambda"
        elif length is not None and sent.size < length:
            raise _other_length(length)
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    except StreamFailed as broke:
        sent.problem = f"broken off: {broke}"
    finally:
        leaving.cancel()
        stream.abandon()
    return sent


async def _send_part(sent: Sent, part: bytes, length: int | None, send: ASGISendCallable) -> None:
    """Sends a part; one that is too much is left out, so that the client does not take the response for whole."""
    if not part:
        return
    if length is not None and sent.size + len(part) > length:
        raise _other_length(length)
    await send({"type": "http.response.body", "body": part, "more_body": True})
    sent.size += len(part)


async def _abandon_when_left(stream: ReplyStream, receive: ASGIReceiveCallable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.abandon()


def _length(response: Response) -> int | None:
    """Reads the length that the prelude promises; one that is no number counts for nothing."""
    lengths = [value for name, value in response.headers if name.lower() == "content-length" and value.isascii()]
    return int(lengths[0]) if lengths and lengths[0].isdecimal() else None


def _other_length(length: int) -> StreamFailed:
    message = f"The body does not have the {length} bytes that content-length says"
    return StreamFailed(InvocationError(error_type="Function.WrongLength", error_message=message))
