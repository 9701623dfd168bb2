"""The local gateway: an ASGI app that turns each request into an event, and the reply into the response."""

from __future__ import annotations

import sys
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_web_adapter.local.asgi_messages import BodyTooLarge, ClientDisconnected, read_body, send_response
from lambda_web_adapter.local.caller_checks import refusal_of_invoke
from lambda_web_adapter.local.gateways import LAMBDA_PAYLOAD_LIMIT, MalformedReply, Request, Response
from lambda_web_adapter.local.reply_stream import ReplyStream, StreamFailed
from lambda_web_adapter.local.stream_relay import collect, open_response, relay
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope

    from lambda_web_adapter.local.gateways import Gateway
    from lambda_web_adapter.local.pending_invocation import Outcome

    Invoke = Callable[[bytes], Awaitable[Outcome | ReplyStream]]

# The path of Lambda's own Invoke call, as the Runtime Interface Emulator has it: the body is the event itself.
INVOKE_PATH = "/2015-03-31/functions/function/invocations"
_TOO_LARGE = f"Request must be smaller than {LAMBDA_PAYLOAD_LIMIT} bytes for the InvokeFunction operation"
_INVOKE_TOO_LARGE = Response(
    status=413,
    headers=[("content-type", "application/json")],
    body=f'{{"Type":"User","message":"{_TOO_LARGE}"}}'.encode(),
)
_ELSEWHERE = (
    "Have clients upload what is large to a storage, such as S3 by a presigned URL, and tell the app where it is."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """What a client gets, and what the log says about it; a stream has the rest of the body."""

    response: Response
    problem: str = ""
    rest: ReplyStream | None = None


class GatewayApp:
    """Stands where one of AWS's gateways stands."""

    def __init__(self, gateway: Gateway, invoke: Invoke, host: str = "127.0.0.1") -> None:
        """Take the gateway to stand for, what handles an event, and the host that the run listens on."""
        self._gateway = gateway
        self._invoke = invoke
        self._host = host

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answers a request."""
        begun = time.monotonic()
        direct = scope["method"] == "POST" and scope["path"] == INVOKE_PATH
        if direct and (refusal := refusal_of_invoke(scope, self._host)):
            await _send(send, scope["method"], _page(403, refusal))
            _log(scope, 403, begun, problem=refusal)
            return
        max_body = LAMBDA_PAYLOAD_LIMIT if direct else self._gateway.max_body
        try:
            body = await _read_body(scope, receive, max_body)
        except ClientDisconnected:
            _log(scope, "-", begun, problem="the client left in the middle of its body")
            return
        except BodyTooLarge:
            result = _too_large(_content_length(scope), max_body, None if direct else self._gateway)
        else:
            result = await (
                self._invoke_directly(body) if direct else self._pass_through_gateway(request_from_scope(scope, body))
            )
        if result.rest is None:
            await _send(send, scope["method"], result.response)
            _log(scope, result.response.status, begun, problem=result.problem)
            return
        sent = await relay(scope["method"], result.response, result.rest, receive, send)
        first = f", first byte after {(sent.head_at - begun) * 1000:.0f} ms, {sent.size} bytes"
        _log(scope, result.response.status, begun, first, sent.problem)

    async def _invoke_directly(self, event: bytes) -> _Result:
        """Handles an Invoke call, which waits for all of a reply."""
        outcome = await self._invoke(event)
        kind = "application/json"
        if isinstance(outcome, ReplyStream):
            outcome = await collect(outcome)
            kind = kind if outcome.failed else "application/octet-stream"
        failed = [("x-amz-function-error", "Unhandled")] if outcome.failed else []
        return _Result(response=Response(status=200, headers=[("content-type", kind), *failed], body=outcome.payload))

    async def _pass_through_gateway(self, request: Request) -> _Result:
        """Passes a request through the gateway."""
        gateway = self._gateway
        event = gateway.event(request).to_json()
        if len(event) > LAMBDA_PAYLOAD_LIMIT:
            return _event_too_large(len(event), len(request.body))
        outcome = await self._invoke(event)
        try:
            if isinstance(outcome, ReplyStream) and gateway.head is not None:
                return await _open_stream(gateway, outcome)
            if isinstance(outcome, ReplyStream):
                outcome = await collect(outcome)
            if outcome.failed:  # the environment has logged why
                return _Result(response=_failed(gateway.refusal, InvocationError.of_document(outcome.payload)))
            return _Result(response=gateway.response(outcome.payload))
        except MalformedReply as error:
            title, status = f"{gateway.title[0].upper()}{gateway.title[1:]}", gateway.refusal
            return _refused(status, f"{title} would answer {status}, since the reply is malformed: {error}.")


async def _open_stream(gateway: Gateway, stream: ReplyStream) -> _Result:
    """Begins a streamed response, or explains why there is none.

    Raises:
        MalformedReply: the stream begins with something else than a prelude.
    """
    try:
        return _Result(response=await open_response(gateway, stream), rest=stream)
    except MalformedReply:
        stream.abandon()
        raise
    except StreamFailed as broke:
        return _Result(response=_failed(gateway.refusal, broke.error), problem=str(broke))


async def _read_body(scope: HTTPScope, receive: ASGIReceiveCallable, max_bytes: int) -> bytes:
    """Reads a request's body.

    Raises:
        BodyTooLarge: it has more bytes than may come; one that says so beforehand is not read at all.
        ClientDisconnected: it did not come whole.
    """
    if (_content_length(scope) or 0) > max_bytes:
        raise BodyTooLarge
    return await read_body(receive, max_bytes)


def _content_length(scope: HTTPScope) -> int | None:
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() else None


def request_from_scope(scope: HTTPScope, body: bytes) -> Request:
    """Reads a request as uvicorn has it, and gives it a time and an id."""
    address, port = scope["client"] or ("127.0.0.1", 0), (scope["server"] or ("", 0))[1]
    return Request(
        method=scope["method"],
        raw_path=_text(scope["raw_path"]),
        query=_text(scope["query_string"]),
        headers=[(name.decode("latin-1"), _text(value)) for name, value in scope["headers"]],
        body=body,
        source_ip=address[0],
        port=port or 0,
        request_id=str(uuid.uuid4()),
        time_ms=int(time.time() * 1000),
    )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


async def _send(send: ASGISendCallable, method: str, response: Response) -> None:
    """Sends a response with its own length; to HEAD, with what the app says, or with no length, which nobody knows."""
    length = [pair for pair in response.headers if pair[0].lower() == "content-length"][:1]
    headers = [pair for pair in response.headers if pair[0].lower() != "content-length"]
    if method != "HEAD":
        await send_response(send, response.status, headers, response.body)
        return
    if response.body and not length:
        length = [("content-length", str(len(response.body)))]
    await send_response(send, response.status, headers + length, None)


def _log(scope: HTTPScope, status: int | str, begun: float, extra: str = "", problem: str = "") -> None:
    """Writes the one line that the log has for a request."""
    query = f"?{_text(scope['query_string'])}" if scope["query_string"] else ""
    took = (time.monotonic() - begun) * 1000
    line = f"{scope['method']} {_text(scope['raw_path'])}{query} {status} {took:.0f} ms{extra}"
    sys.stderr.write(f"{line}: {problem}\n" if problem else f"{line}\n")


def _too_large(size: int | None, max_body: int, gateway: Gateway | None) -> _Result:
    """Refuses a body as the gateway does; without one it is an Invoke call's."""
    title = gateway.title if gateway else "Lambda's Invoke call"
    fits = f"has more than the {max_body} bytes that {title} takes"
    if size is not None:
        fits = f"has {size} bytes, but {title} takes {max_body}"
    problem = f"The body {fits}. {_ELSEWHERE}"
    as_on_aws = gateway.too_large if gateway else _INVOKE_TOO_LARGE
    return _Result(response=as_on_aws or _page(413, problem), problem=problem)


def _event_too_large(size: int, body: int) -> _Result:
    return _refused(
        413,
        f"The event has {size} bytes, but Lambda takes {LAMBDA_PAYLOAD_LIMIT}. The body in it had {body}; as base64, "
        f"which all that is not text becomes, it is larger by a third, so that about 4.5 MB fit. {_ELSEWHERE}",
    )


def _failed(status: int, error: InvocationError) -> Response:
    """Shows why an invocation failed; on AWS the caller would see the bare status, and the log the reason."""
    if not error.error_type:
        return _page(status, error.error_message)
    return _page(status, "\n".join([f"{error.error_type}: {error.error_message}", "", "".join(error.stack_trace)]))


def _refused(status: int, problem: str) -> _Result:
    return _Result(response=_page(status, problem), problem=problem)


def _page(status: int, text: str) -> Response:
    headers = [("content-type", "text/plain; charset=utf-8")]
    return Response(status=status, headers=headers, body=f"{text.rstrip()}\n".encode())
