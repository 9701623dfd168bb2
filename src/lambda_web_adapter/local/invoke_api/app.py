"""Lambda's Invoke API for the local function: what boto3, the AWS CLI and `lambda-web-adapter invoke` call.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html and API_InvokeWithResponseStream.html
"""

from __future__ import annotations

import asyncio
import base64
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from lambda_web_adapter.local.asgi_messages import (
    BodyTooLarge,
    ClientDisconnected,
    encode_headers,
    read_body,
    send_response,
)
from lambda_web_adapter.local.caller_checks import refusal_of_invoke
from lambda_web_adapter.local.environments.function import Throttled
from lambda_web_adapter.local.environments.reply_stream import ReplyStream, StreamFailed
from lambda_web_adapter.local.gateways import LAMBDA_PAYLOAD_LIMIT
from lambda_web_adapter.local.invoke_api import event_stream, function_configuration
from lambda_web_adapter.local.invoke_api.event_titles import title_of_event
from lambda_web_adapter.local.invoke_api.invoke_request import (
    DRY_RUN,
    EVENT,
    ApiError,
    InvokeRequest,
    check_payload,
    is_api_path,
    parse_invoke_request,
    parse_operation,
    payload_too_large,
)
from lambda_web_adapter.local.log import RequestLine
from lambda_web_adapter.local.stream_relay import abandon_on_disconnect, collect
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

    from lambda_web_adapter.local.environments.function import Function
    from lambda_web_adapter.local.environments.invocation import Invocation
    from lambda_web_adapter.local.invoke_api.async_invocations import AsyncInvocations
    from lambda_web_adapter.local.log import Log


_VERSION = "$LATEST"
# What Lambda says if the function's own concurrency is used up (API page of Invoke, TooManyRequestsException).
_THROTTLED = {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}
_RETRY_AFTER = "1"  # seconds


class BesideInvokeApi:
    """The ASGI app of a listener: the Invoke API below its own paths, and else another app."""

    def __init__(self, app: ASGI3Application, invoke_api: InvokeApi) -> None:
        """Prepare, given the other app."""
        self._app = app
        self._invoke_api = invoke_api

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Pass on a request, or a connection."""
        if scope["type"] == "http" and is_api_path(scope["path"]):
            await self._invoke_api(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class InvokeApi:
    """The ASGI app for the paths of `is_api_path`."""

    def __init__(
        self, function: Function, async_invocations: AsyncInvocations, log: Log, host: str = "127.0.0.1"
    ) -> None:
        """Prepare.

        Args:
            function: the function that is invoked.
            async_invocations: the queue for asynchronous invocations.
            log: the log of the local run.
            host: the host that the local run listens on.
        """
        self._function = function
        self._async_invocations = async_invocations
        self._log = log
        self._host = host
        self._started_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Handle a request, and log it; an error is sent as Lambda sends it."""
        started_at = time.monotonic()
        line = RequestLine(title=f"{scope['method']} {scope['raw_path'].decode('utf-8', 'replace')}")
        try:
            await self._handle(scope, receive, send, line)
        except ClientDisconnected:
            line.problem = "the client left in the middle of its body"
        except ApiError as error:
            await _send_error(send, error)
            line.status, line.problem = error.status, error.message
        except Throttled:
            headers = {"retry-after": _RETRY_AFTER}
            await _send_error(send, ApiError(429, "TooManyRequestsException", "Rate Exceeded.", _THROTTLED, headers))
            line.status, line.problem = 429, "all environments are busy, and --throttle rejects further events"
        finally:
            line.seconds = time.monotonic() - started_at
            self._log.request(line)

    async def _handle(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable, line: RequestLine
    ) -> None:
        """Handle a request, and say in its line what happened.

        Raises:
            ApiError: the request is not allowed or not valid.
            ClientDisconnected: the connection ended before the payload was there.
            Throttled: all environments are busy.
        """
        if refusal := refusal_of_invoke(scope, self._host):
            raise ApiError(403, "AccessDeniedException", refusal)
        operation = parse_operation(scope["method"], scope["path"], scope["query_string"].decode("latin-1"))
        if operation in ("GetFunction", "GetFunctionConfiguration"):
            document = function_configuration.configuration(self._function.options, self._started_at)
            await _send_document(send, document if operation != "GetFunction" else {"Configuration": document})
            line.status = 200
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request = parse_invoke_request(headers, operation)
        event = check_payload(await _read_payload(receive), request.kind)
        line.title = title_of_event(event)
        if request.kind == DRY_RUN:
            await send_response(send, 204, _headers(str(uuid.uuid4())), None)
            line.status, line.title = 204, f"dry run of {line.title}"
        elif request.kind == EVENT:
            await self._queue(request, event, line, send)
        else:
            await self._invoke(request, event, line, receive, send)

    async def _queue(self, request: InvokeRequest, event: bytes, line: RequestLine, send: ASGISendCallable) -> None:
        """Queue the event; the response says nothing but that."""
        request_id = self._async_invocations.enqueue(
            event, title=line.title, trace_id=request.trace_id, tenant_id=request.tenant_id
        )
        headers = _headers(request_id, request.trace_id)
        del headers["x-amz-executed-version"]  # no version has executed it yet
        await send_response(send, 202, {**headers, "content-type": "application/json"}, b"")
        line.status = 202

    async def _invoke(
        self,
        request: InvokeRequest,
        event: bytes,
        line: RequestLine,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
    ) -> None:
        """Invoke the function, and send its reply.

        Raises:
            Throttled: all environments are busy.
        """
        line.invocation = invocation = self._function.submit(
            event,
            title=line.title,
            trace_id=request.trace_id,
            client_context=request.client_context,
            tenant_id=request.tenant_id,
        )
        if request.is_streamed:
            error = await _stream(invocation, request, receive, send)
        else:
            error = await _respond(invocation, request, send)
        line.status = 200
        line.problem = f"the function failed: {error}" if error else ""


async def _respond(invocation: Invocation, request: InvokeRequest, send: ASGISendCallable) -> str:
    """Send the whole reply when it has come, with the end of the log if that is wanted; return why it failed, if so."""
    outcome = await invocation.outcome
    content_type = "application/json"
    if isinstance(outcome, ReplyStream):
        outcome = await collect(outcome)
        content_type = content_type if outcome.failed else "application/octet-stream"
    headers = {**_headers(invocation.request_id, invocation.trace_id), "content-type": content_type}
    if outcome.failed:
        headers["x-amz-function-error"] = "Unhandled"
    if request.wants_log:
        headers["x-amz-log-result"] = await _log_result(invocation)
    await send_response(send, 200, headers, outcome.payload)
    return str(InvocationError.of_document(outcome.payload)) if outcome.failed else ""


async def _stream(
    invocation: Invocation, request: InvokeRequest, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> str:
    """Send the reply as an event stream, each part as it comes; return why the function failed, if it did."""
    outcome = await invocation.outcome
    headers = {**_headers(invocation.request_id, invocation.trace_id), "content-type": event_stream.CONTENT_TYPE}
    encoded = encode_headers(headers.items())
    await send({"type": "http.response.start", "status": 200, "headers": encoded, "trailers": False})
    error: InvocationError | None = None
    if isinstance(outcome, ReplyStream):
        error = await _send_parts(outcome, receive, send)
    elif outcome.failed:
        error = InvocationError.of_document(outcome.payload)
    else:
        await _send_chunks(send, outcome.payload)
    message = event_stream.invoke_complete(
        error_code=(error.error_type or "Unhandled") if error else "",
        error_details=error.to_json().decode() if error else "",
        log_result=await _log_result(invocation) if request.wants_log else "",
    )
    await send({"type": "http.response.body", "body": message, "more_body": False})
    return str(error) if error else ""


async def _send_parts(
    stream: ReplyStream, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> InvocationError | None:
    """Send the parts of a stream; return why it ended early, if it did."""
    disconnect = asyncio.create_task(abandon_on_disconnect(stream, receive))
    try:
        async for part in stream:
            await _send_chunks(send, part)
    except StreamFailed as failure:
        return failure.error
    finally:
        disconnect.cancel()
        stream.abandon()
    return None


async def _send_chunks(send: ASGISendCallable, part: bytes) -> None:
    for message in event_stream.payload_chunks(part):
        await send({"type": "http.response.body", "body": message, "more_body": True})


async def _log_result(invocation: Invocation) -> str:
    """Wait until the invocation's log is complete, and return its end in base64."""
    await invocation.ended.wait()
    return base64.b64encode(invocation.log_tail).decode()


async def _read_payload(receive: ASGIReceiveCallable) -> bytes:
    """Return the request's body.

    Raises:
        ApiError: it is larger than Lambda takes.
        ClientDisconnected: the connection ended first.
    """
    try:
        return await read_body(receive, LAMBDA_PAYLOAD_LIMIT)
    except BodyTooLarge:
        raise payload_too_large() from None


async def _send_document(send: ASGISendCallable, document: dict[str, Any]) -> None:
    headers = {"content-type": "application/json", "x-amzn-requestid": str(uuid.uuid4())}
    await send_response(send, 200, headers, orjson.dumps(document))


async def _send_error(send: ASGISendCallable, error: ApiError) -> None:
    """Send an error, without CORS headers, so that no page of another origin reads it."""
    headers = {
        "content-type": "application/json",
        "x-amzn-requestid": str(uuid.uuid4()),
        "x-amzn-errortype": error.error_type,
        **error.headers,
    }
    await send_response(send, error.status, headers, error.document())


def _headers(request_id: str, trace_id: str = "") -> dict[str, str]:
    """Return the headers of every response to an invocation."""
    headers = {"x-amzn-requestid": request_id, "x-amz-executed-version": _VERSION}
    return {**headers, "x-amzn-trace-id": trace_id} if trace_id else headers
