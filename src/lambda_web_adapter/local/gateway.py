"""The local gateway: an ASGI app that turns each request into an event, and the reply into the response."""

from __future__ import annotations

import sys
import time
import uuid
from typing import TYPE_CHECKING

import orjson

from lambda_web_adapter.local.gateways import MalformedReply, Request, Response
from lambda_web_adapter.local.http import answer, read_body
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope

    from lambda_web_adapter.local.gateways import Gateway
    from lambda_web_adapter.local.runtime_service import Outcome

    Invoke = Callable[[bytes], Awaitable[Outcome]]

# The path of Lambda's own Invoke call, as the Runtime Interface Emulator has it: the body is the event itself.
INVOKE_PATH = "/2015-03-31/functions/function/invocations"
# What Lambda takes as an event (Lambda quotas, "Invocation payload"), in bytes.
MAX_EVENT = 6 * 1024 * 1024


class GatewayApp:
    """Stands where one of AWS's gateways stands."""

    def __init__(self, gateway: Gateway, invoke: Invoke) -> None:
        """Takes the gateway to stand for, and what handles an event."""
        self._gateway = gateway
        self._invoke = invoke

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answers a request."""
        begun = time.monotonic()
        body = await read_body(receive)
        if scope["method"] == "POST" and scope["path"] == INVOKE_PATH:
            response, problem = _shown(await self._invoke(body)), ""
        else:
            response, problem = await self._answer(request_of(scope, body))
        await _send(send, scope["method"], response)
        query = f"?{_text(scope['query_string'])}" if scope["query_string"] else ""
        took = (time.monotonic() - begun) * 1000
        line = f"{scope['method']} {_text(scope['raw_path'])}{query} {response.status} {took:.0f} ms"
        sys.stderr.write(f"{line}: {problem}\n" if problem else f"{line}\n")

    async def _answer(self, request: Request) -> tuple[Response, str]:
        """Passes a request through the gateway.

        Returns:
            The response, and what the log is to say about it.
        """
        gateway, title = self._gateway, f"{self._gateway.title[0].upper()}{self._gateway.title[1:]}"
        if gateway.max_body is not None and len(request.body) > gateway.max_body:
            return _refused(
                413, f"The body has {len(request.body)} bytes, but {gateway.title} takes {gateway.max_body}."
            )
        event = gateway.event(request).to_json()
        if len(event) > MAX_EVENT:
            return _refused(413, f"The event has {len(event)} bytes, but Lambda takes {MAX_EVENT}.")
        outcome = await self._invoke(event)
        if outcome.failed:
            return _failed(gateway.refusal, outcome.payload), ""  # the environment has logged why
        try:
            return gateway.response(outcome.payload), ""
        except MalformedReply as error:
            status = gateway.refusal
            return _refused(status, f"{title} would answer {status}, since the reply is malformed: {error}.")


def request_of(scope: HTTPScope, body: bytes) -> Request:
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
    """Sends a response with its own length; a HEAD's is that of the body which the app would have sent."""
    length = [pair for pair in response.headers if pair[0].lower() == "content-length"][:1]
    headers = [pair for pair in response.headers if pair[0].lower() != "content-length"]
    if method == "HEAD":
        headers += length or [("content-length", str(len(response.body)))]
    await answer(send, response.status, headers, b"" if method == "HEAD" else response.body)


def _shown(outcome: Outcome) -> Response:
    """Answers an Invoke call."""
    failed = [("x-amz-function-error", "Unhandled")] if outcome.failed else []
    return Response(status=200, headers=[("content-type", "application/json"), *failed], body=outcome.payload)


def _failed(status: int, document: bytes) -> Response:
    """Shows why an invocation failed; on AWS the caller would see the bare status, and the log the reason."""
    try:
        error = InvocationError.model_validate(orjson.loads(document))
    except ValueError:
        return _page(status, document.decode("utf-8", "replace"))
    return _page(status, "\n".join([f"{error.error_type}: {error.error_message}", "", "".join(error.stack_trace)]))


def _refused(status: int, problem: str) -> tuple[Response, str]:
    return _page(status, problem), problem


def _page(status: int, text: str) -> Response:
    headers = [("content-type", "text/plain; charset=utf-8")]
    return Response(status=status, headers=headers, body=f"{text.rstrip()}\n".encode())
