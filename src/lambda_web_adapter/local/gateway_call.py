"""A request to a gateway, or an event for it, and the response that comes of it, apart from how these are carried."""

from __future__ import annotations

import secrets
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lambda_web_adapter.local.environments.function import Throttled
from lambda_web_adapter.local.environments.reply_stream import ReplyStream, StreamFailed
from lambda_web_adapter.local.gateways import LAMBDA_PAYLOAD_LIMIT, MalformedReply, Response
from lambda_web_adapter.local.gateways.trace_ids import invocation_trace
from lambda_web_adapter.local.stream_relay import collect, open_response
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
    from lambda_web_adapter.local.gateways import Gateway, Request

_UPLOAD_ADVICE = (
    "Have clients upload large content to a storage, such as S3 with a presigned URL, and send the app its location."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What comes of a request.

    Attributes:
        response: the response; of a streamed one, as much of its body as came with its head.
        problem: what the log says about it; empty if nothing went wrong.
        stream: the rest of its body, if it is streamed.
        invocation: the invocation, if there was one.
    """

    response: Response
    problem: str = ""
    stream: ReplyStream | None = None
    invocation: Invocation | None = None


class GatewayCall:
    """Invokes a function for the requests to one gateway."""

    def __init__(self, gateway: Gateway, submit: Callable[..., Invocation]) -> None:
        """Prepare, given the gateway and `submit` of the function behind it."""
        self._gateway = gateway
        self._submit = submit

    async def handle(self, request: Request) -> Result:
        """Return the result of a request."""
        if own := self._gateway.own_response(request):
            return Result(response=own.response, problem=own.reason)
        event = self._gateway.event(request).to_json()
        if len(event) > LAMBDA_PAYLOAD_LIMIT:
            return self._finish(_event_too_large(len(event), len(request.body)), request)
        return await self.deliver(event, request)

    async def deliver(self, event: bytes, request: Request) -> Result:
        """Return the result of invoking the function with the event of a request."""
        return self._finish(await self._invoke(event, request), request)

    def reject_body(self, size: int | None, request: Request) -> Result:
        """Return the gateway's error for a body that is too large, given its size if that is known."""
        limit = self._gateway.max_body
        if size is None:
            problem = f"The body has more than the {limit} bytes that {self._gateway.title} takes. {_UPLOAD_ADVICE}"
        else:
            problem = f"The body has {size} bytes, but {self._gateway.title} takes {limit}. {_UPLOAD_ADVICE}"
        return self._finish(Result(response=self._gateway.too_large or _page(413, problem), problem=problem), request)

    def _finish(self, result: Result, request: Request) -> Result:
        return replace(result, response=self._gateway.finish(result.response, request))

    async def _invoke(self, event: bytes, request: Request) -> Result:
        gateway = self._gateway
        try:
            trace_id = invocation_trace(gateway, request)
            invocation = self._submit(event, title=title_of(request), source=gateway.name, trace_id=trace_id)
        except Throttled:
            return _error_result(429, "All environments are busy, and --throttle rejects further requests.")
        try:
            result = await self._result_of(await invocation.outcome)
        except MalformedReply as error:
            title, status = f"{gateway.title[0].upper()}{gateway.title[1:]}", gateway.refusal
            problem = f"{title} would respond with {status}: the reply is malformed: {error}."
            result = _error_result(status, problem)
        invocation.content_type = next((value for name, value in result.response.headers if name == "content-type"), "")
        return replace(result, invocation=invocation)

    async def _result_of(self, outcome: Outcome | ReplyStream) -> Result:
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
            return Result(response=_failed(gateway.refusal, InvocationError.of_document(outcome.payload)))
        return Result(response=gateway.response(outcome.payload))


async def _open_stream(gateway: Gateway, stream: ReplyStream) -> Result:
    """Return a result whose body is streamed, or that of a function that failed before its response began.

    Raises:
        MalformedReply: the stream does not begin with a valid prelude.
    """
    try:
        return Result(response=await open_response(gateway, stream), stream=stream)
    except MalformedReply:
        stream.abandon()
        raise
    except StreamFailed as failure:
        return Result(response=_failed(gateway.refusal, failure.error), problem=str(failure))


def stamped(request: Request) -> Request:
    """Return a request with the current time and new ids."""
    now = time.time()
    return replace(
        request,
        request_id=str(uuid.uuid4()),
        trace_id=f"1-{int(now):08x}-{secrets.token_hex(12)}",
        time_ms=int(now * 1000),
    )


def title_of(request: Request) -> str:
    """Return what log lines call a request: method, path and query."""
    return f"{request.method} {request.raw_path}{'?' if request.query else ''}{request.query}"


def _event_too_large(size: int, body_size: int) -> Result:
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


def _error_result(status: int, problem: str) -> Result:
    return Result(response=_page(status, problem), problem=problem)


def _page(status: int, text: str) -> Response:
    headers = [("content-type", "text/plain; charset=utf-8")]
    return Response(status=status, headers=headers, body=f"{text.rstrip()}\n".encode())
