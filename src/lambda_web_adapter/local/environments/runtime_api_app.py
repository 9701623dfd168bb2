"""The Runtime API and the Extensions API of one environment: an ASGI app over its session.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson

from lambda_web_adapter.adapter.process.debugger import DEBUGGER_PATH
from lambda_web_adapter.local.asgi_messages import ClientDisconnected, read_body, send_json, send_response
from lambda_web_adapter.local.caller_checks import refusal_of_runtime_call
from lambda_web_adapter.local.environments.invocation import Invocation, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

    from lambda_web_adapter.local.environments.runtime_session import RuntimeSession

_PREFIX = "/2018-06-01/runtime"
_EXTENSION_PREFIX = "/2020-01-01/extension"
_REPLY_PATH = re.compile(_PREFIX + r"/invocation/([^/]+)/(response|error)")
_RESPONSE_MODE = b"lambda-runtime-function-response-mode"
_IDENTIFIER = b"lambda-extension-identifier"


class RuntimeApiApp:
    """Passes an environment its invocations, and takes its replies.

    Attributes:
        address: `host:port`, which the bootstrap sends as `Host`.
        session: the environment's present session; another one after a restart, with another key.
    """

    def __init__(self, address: str, arn: str, session: RuntimeSession) -> None:
        """Prepare, given the address, the function's ARN and the session."""
        self.address = address
        self.session = session
        self._arn = arn

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Handle a call of one of the APIs; a caller that disconnects gets no response."""
        if scope["type"] != "http":
            return
        if refusal := refusal_of_runtime_call(scope, self.address):
            await _refuse(send, 403, "AccessDenied", refusal)
            return
        key, _, path = scope["path"].removeprefix("/").partition("/")
        with suppress(ClientDisconnected):
            if secrets.compare_digest(key.encode(), self.session.key.encode()):
                await self._route(f"/{path}", scope, receive, send)
            elif scope["path"].startswith(_EXTENSION_PREFIX):
                await self._route_extension(scope, receive, send)
            elif scope["path"].startswith(_PREFIX):
                message = (
                    "This Runtime API is only for the environment of a local run, which knows the key in its path."
                )
                await _refuse(send, 403, "AccessDenied", message)
            else:
                await _refuse(send, 404, "InvalidRequest", f"There is no {scope['method']} {scope['path']}.")

    async def _route(self, path: str, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        method = scope["method"]
        if method == "GET" and path == f"{_PREFIX}/invocation/next":
            await self._next(receive, send)
        elif method == "POST" and path == f"{_PREFIX}/init/error":
            self.session.report_init_error(await read_body(receive))
            await send_json(send, 202, {"status": "OK"})
        elif method == "POST" and path == DEBUGGER_PATH:
            await read_body(receive)
            self.session.report_debugger()
            await send_json(send, 202, {"status": "OK"})
        elif method == "POST" and (match := _REPLY_PATH.fullmatch(path)):
            await self._reply(match[1], match[2] == "error", scope, receive, send)
        else:
            await _refuse(send, 404, "InvalidRequest", f"There is no {method} {path}.")

    async def _next(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Send the next invocation as soon as there is one, unless the caller disconnects first."""
        await read_body(receive)
        session = self.session
        invocation = await _unless_disconnected(session.request_next(), receive, session.return_undelivered)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(invocation.event)),
            (b"lambda-runtime-aws-request-id", invocation.request_id.encode()),
            (b"lambda-runtime-deadline-ms", b"%d" % invocation.deadline_ms),
            (b"lambda-runtime-invoked-function-arn", self._arn.encode()),
            (b"lambda-runtime-invocation-id", invocation.invocation_id.encode()),
        ]
        for name, value in (
            (b"lambda-runtime-trace-id", invocation.trace_id),
            (b"lambda-runtime-client-context", invocation.client_context),
            (b"lambda-runtime-aws-tenant-id", invocation.tenant_id),
        ):
            if value:
                headers.append((name, value.encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": invocation.event, "more_body": False})

    async def _reply(
        self, request_id: str, failed: bool, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        session = self.session
        invocation = session.running.get(request_id)
        if invocation is None or invocation.replied.is_set():
            await _refuse(send, 400, "InvalidRequestID", f"{request_id} is not the id of a running invocation.")
            if invocation is not None and not invocation.is_replying:  # it has timed out: the runtime is done with it
                session.complete_reply(invocation)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get(b"lambda-runtime-invocation-id", "") != invocation.invocation_id:
            await _refuse(send, 410, "InvokeTimeout", "The invocation id is not the one that came with the event.")
            return
        if invocation.is_replying:
            await _refuse(send, 403, "InvalidStateTransition", "A reply to this invocation is already coming.")
            return
        invocation.is_replying = True
        response_mode = headers.get(_RESPONSE_MODE)
        if response_mode not in (None, "streaming"):  # Lambda has no value for buffered replies
            message = f"Lambda-Runtime-Function-Response-Mode is {response_mode!r}; use 'streaming' or omit it."
            invocation.end(Outcome.failure("Runtime.InvalidResponseModeHeader", message))
            await _refuse(send, 400, "InvalidFunctionResponseMode", message)
            session.complete_reply(invocation)
            return
        is_stream = response_mode is not None and not failed
        try:
            await (invocation.take_stream(scope, receive) if is_stream else invocation.take_whole(failed, receive))
        finally:
            session.complete_reply(invocation)
        await send_json(send, 202, {"status": "OK"})

    async def _route_extension(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        path = scope["path"].removeprefix(_EXTENSION_PREFIX)
        headers = dict(scope["headers"])
        extension = self.session.extensions.get(headers.get(_IDENTIFIER, b"").decode("latin-1"))
        if path == "/register" and scope["method"] == "POST":
            await self._register(headers.get(b"lambda-extension-name", b"").decode("latin-1"), receive, send)
        elif extension is None:
            await _refuse(send, 403, "Extension.InvalidExtensionIdentifier", "Register, and send the identifier.")
        elif path == "/event/next" and scope["method"] == "GET":
            await read_body(receive)
            event = await _unless_disconnected(
                self.session.request_extension_event(extension), receive, extension.events.appendleft
            )
            await send_json(send, 200, self._invoke_event(event))
        elif path in ("/init/error", "/exit/error") and scope["method"] == "POST":
            self.session.report_init_error(await read_body(receive))
            await send_json(send, 202, {"status": "OK"})
        else:
            await _refuse(send, 404, "InvalidRequest", f"There is no {scope['method']} {scope['path']}.")

    async def _register(self, name: str, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Register an internal extension, which may take INVOKE events, but no SHUTDOWN event."""
        try:
            events = orjson.loads(await read_body(receive) or b"{}").get("events", [])
        except (ValueError, AttributeError):
            events = None
        if not name or not isinstance(events, list):
            message = "Lambda-Extension-Name and a JSON body with a list of events are expected."
            await _refuse(send, 400, "InvalidRequestFormat", message)
        elif any(event != "INVOKE" for event in events):
            message = "Internal extensions take no event but INVOKE."
            await _refuse(send, 403, "Extension.InvalidEventType", message)
        elif self.session.has_requested:
            message = "Extensions register before the runtime requests its first event."
            await _refuse(send, 403, "Extension.RegistrationClosed", message)
        else:
            extension = self.session.register(name, "INVOKE" in events)
            document = {"functionName": self._arn.rpartition(":")[2], "functionVersion": "$LATEST", "handler": ""}
            headers = {"content-type": "application/json", "lambda-extension-identifier": extension.identifier}
            await send_response(send, 200, headers, orjson.dumps(document))

    def _invoke_event(self, invocation: Invocation) -> dict[str, Any]:
        event = {
            "eventType": "INVOKE",
            "deadlineMs": invocation.deadline_ms,
            "requestId": invocation.request_id,
            "invokedFunctionArn": self._arn,
        }
        if invocation.trace_id:
            event["tracing"] = {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id}
        return event


async def _unless_disconnected(
    future: asyncio.Future[Invocation], receive: ASGIReceiveCallable, take_back: Callable[[Invocation], None]
) -> Invocation:
    """Return the result of a future; if the caller disconnects first, nothing of it gets lost.

    Raises:
        ClientDisconnected: the connection has ended.
    """
    if future.done():
        return future.result()
    disconnect = asyncio.ensure_future(receive())
    pending: tuple[asyncio.Future[Any], ...] = (future, disconnect)
    try:
        await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if not disconnect.done():
            return future.result()
        if future.done():
            take_back(future.result())
        raise ClientDisconnected
    finally:
        future.cancel()
        disconnect.cancel()


async def _refuse(send: ASGISendCallable, status: int, kind: str, message: str) -> None:
    await send_json(send, status, {"errorMessage": message, "errorType": kind})
