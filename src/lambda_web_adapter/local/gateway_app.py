"""The local gateway: an ASGI app that turns each request into an event, and each reply into a response."""

from __future__ import annotations

import secrets
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from lambda_web_adapter.local.asgi_messages import BodyTooLarge, ClientDisconnected, read_body, send_response
from lambda_web_adapter.local.environments.function import Throttled
from lambda_web_adapter.local.environments.reply_stream import ReplyStream, StreamFailed
from lambda_web_adapter.local.gateways import LAMBDA_PAYLOAD_LIMIT, MalformedReply, Request, Response
from lambda_web_adapter.local.gateways.trace_ids import invocation_trace
from lambda_web_adapter.local.log import RequestLine
from lambda_web_adapter.local.stream_relay import collect, open_response, relay
from lambda_web_adapter.local.upgrade_refusal import refuse_upgrade
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope, WebSocketScope

    from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
    from lambda_web_adapter.local.gateways import Gateway

_UPLOAD_ADVICE = (
    "Have clients upload large content to a storage, such as S3 with a presigned URL, and send the app its location."
)


class AnyFunction(Protocol):
    """What a gateway needs of a function."""

    def submit(self, event: bytes, *, title: str, trace_id: str = "") -> Invocation:
        """Return the invocation of an event; raise Throttled if none is possible now."""


class RequestLog(Protocol):
    """What a gateway needs of a log."""

    def request(self, line: RequestLine) -> None:
        """Write the line of a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """A response, what the log says about it, and the stream with the rest of its body, if any."""

    response: Response
    problem: str = ""
    stream: ReplyStream | None = None
    invocation: Invocation | None = None


class GatewayApp:
    """The ASGI app that stands in for one of AWS's gateways."""

    def __init__(self, gateway: Gateway, function: AnyFunction, log: RequestLog) -> None:
        """Prepare, given the gateway, the function behind it, and the log."""
        self.title = gateway.title
        self._gateway = gateway
        self._function = function
        self._log = log

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Handle a request, and log it; a WebSocket handshake is refused."""
        if scope["type"] == "lifespan":
            return
        line = RequestLine(title=_title(scope))
        started_at = time.monotonic()
        try:
            if scope["type"] == "http":
                await self._handle(scope, receive, send, line)
            else:
                line.status, line.problem = await refuse_upgrade(self._gateway.title, receive, send)
        finally:
            line.seconds = time.monotonic() - started_at
            self._log.request(line)

    async def _handle(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable, line: RequestLine
    ) -> None:
        """Handle a request, and say in its line what happened."""
        started_at = time.monotonic()
        try:
            body = await _read_body(scope, receive, self._gateway.max_body)
        except ClientDisconnected:
            line.problem = "the client left in the middle of its body"
            return
        except BodyTooLarge:
            result = _too_large(_content_length(scope), self._gateway)
            result = self._finish(result, request_from_scope(scope, b""))
        else:
            line.request = request_from_scope(scope, body)
            result = await self._call_gateway(line.request)
        line.response, line.invocation = result.response, result.invocation
        line.status, line.problem = result.response.status, result.problem
        if result.stream is None:
            await _send(send, scope["method"], result.response)
            return
        sent = await relay(scope["method"], result.response, result.stream, receive, send)
        line.progress = f", first byte after {(sent.head_at - started_at) * 1000:.0f} ms, {sent.size} bytes"
        line.problem = sent.problem

    async def _call_gateway(self, request: Request) -> _Result:
        """Return the result of a request to the gateway."""
        if own := self._gateway.own_response(request):
            return _Result(response=own.response, problem=own.reason)
        return self._finish(await self._invoke_for(request), request)

    def _finish(self, result: _Result, request: Request) -> _Result:
        return replace(result, response=self._gateway.finish(result.response, request))

    async def _invoke_for(self, request: Request) -> _Result:
        """Return the result of invoking the function for a request."""
        event = self._gateway.event(request).to_json()
        if len(event) > LAMBDA_PAYLOAD_LIMIT:
            return _event_too_large(len(event), len(request.body))
        try:
            trace_id = invocation_trace(self._gateway, request)
            invocation = self._function.submit(event, title=_event_title(request), trace_id=trace_id)
        except Throttled:
            return _error_result(429, "All environments are busy, and --throttle rejects further requests.")
        invocation.source = self._gateway.name
        try:
            result = await self._result_of(await invocation.outcome)
        except MalformedReply as error:
            title, status = f"{self._gateway.title[0].upper()}{self._gateway.title[1:]}", self._gateway.refusal
            problem = f"{title} would respond with {status}: the reply is malformed: {error}."
            result = _error_result(status, problem)
        invocation.content_type = next((value for name, value in result.response.headers if name == "content-type"), "")
        return replace(result, invocation=invocation)

    async def _result_of(self, outcome: Outcome | ReplyStream) -> _Result:
        """Return the result of an invocation.

        Raises:
            MalformedReply: the gateway cannot read the reply.
        """
        gateway = self._gateway
        if isinstance(outcome, ReplyStream) and gateway.head is not None:
            return await _open_stream(gateway, outcome)
        if isinstance(outcome, ReplyStream):
            outcome = await collect(outcome)
        if outcome.failed:  # the environment has logged the reason
            return _Result(response=_failed(gateway.refusal, InvocationError.of_document(outcome.payload)))
        return _Result(response=gateway.response(outcome.payload))


async def _open_stream(gateway: Gateway, stream: ReplyStream) -> _Result:
    """Return a result whose body is streamed, or that of a function that failed before its response began.

    Raises:
        MalformedReply: the stream does not begin with a valid prelude.
    """
    try:
        return _Result(response=await open_response(gateway, stream), stream=stream)
    except MalformedReply:
        stream.abandon()
        raise
    except StreamFailed as failure:
        return _Result(response=_failed(gateway.refusal, failure.error), problem=str(failure))


def _event_title(request: Request) -> str:
    return f"{request.method} {request.raw_path}{'?' if request.query else ''}{request.query}"


def _title(scope: HTTPScope | WebSocketScope) -> str:
    method = scope["method"] if scope["type"] == "http" else "WebSocket"
    query = f"?{_text(scope['query_string'])}" if scope["query_string"] else ""
    return f"{method} {_text(scope['raw_path'])}{query}"


async def _read_body(scope: HTTPScope, receive: ASGIReceiveCallable, max_bytes: int) -> bytes:
    """Return a request's body.

    Raises:
        BodyTooLarge: the body has more than `max_bytes`; if its content-length says so, it is not read at all.
        ClientDisconnected: the connection ended first.
    """
    if (_content_length(scope) or 0) > max_bytes:
        raise BodyTooLarge
    return await read_body(receive, max_bytes)


def _content_length(scope: HTTPScope) -> int | None:
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() else None


def request_from_scope(scope: HTTPScope, body: bytes) -> Request:
    """Return the request in uvicorn's scope, with the current time and a new id."""
    address, port = scope["client"] or ("127.0.0.1", 0), (scope["server"] or ("", 0))[1]
    now = time.time()
    return Request(
        method=scope["method"],
        raw_path=_text(scope["raw_path"]),
        query=_text(scope["query_string"]),
        headers=[(name.decode("latin-1"), _text(value)) for name, value in scope["headers"]],
        body=body,
        source_ip=address[0],
        port=port or 0,
        scheme=scope["scheme"],
        request_id=str(uuid.uuid4()),
        trace_id=f"1-{int(now):08x}-{secrets.token_hex(12)}",
        time_ms=int(now * 1000),
    )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


async def _send(send: ASGISendCallable, method: str, response: Response) -> None:
    """Send a response with its length; the response to HEAD has the length that the app states, if any."""
    length = [pair for pair in response.headers if pair[0].lower() == "content-length"][:1]
    headers = [pair for pair in response.headers if pair[0].lower() != "content-length"]
    if method != "HEAD":
        await send_response(send, response.status, headers, response.body)
        return
    if response.body and not length:
        length = [("content-length", str(len(response.body)))]
    await send_response(send, response.status, headers + length, None)


def _too_large(size: int | None, gateway: Gateway) -> _Result:
    """Return the gateway's error for a body that is too large."""
    limit = gateway.max_body
    if size is None:
        problem = f"The body has more than the {limit} bytes that {gateway.title} takes. {_UPLOAD_ADVICE}"
    else:
        problem = f"The body has {size} bytes, but {gateway.title} takes {limit}. {_UPLOAD_ADVICE}"
    return _Result(response=gateway.too_large or _page(413, problem), problem=problem)


def _event_too_large(size: int, body_size: int) -> _Result:
    return _error_result(
        413,
        f"The event has {size} bytes, but Lambda takes {LAMBDA_PAYLOAD_LIMIT}. The request's body has {body_size}. "
        f"Base64, used for everything but text, makes it a third larger, so that about 4.5 MB fit. {_UPLOAD_ADVICE}",
    )


def _failed(status: int, error: InvocationError) -> Response:
    """Return a page that shows why an invocation failed; on AWS only the log shows the reason."""
    if not error.error_type:
        return _page(status, error.error_message)
    return _page(status, "\n".join([f"{error.error_type}: {error.error_message}", "", "".join(error.stack_trace)]))


def _error_result(status: int, problem: str) -> _Result:
    return _Result(response=_page(status, problem), problem=problem)


def _page(status: int, text: str) -> Response:
    headers = [("content-type", "text/plain; charset=utf-8")]
    return Response(status=status, headers=headers, body=f"{text.rstrip()}\n".encode())
