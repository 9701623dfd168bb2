"""One invocation, from event to answer: translate, exchange, translate, and what the caller gets when that fails."""

from __future__ import annotations

import os
import time
import traceback
from functools import partial

import orjson

from lambda_web_adapter.adapter import memory
from lambda_web_adapter.adapter.log import log, log_once
from lambda_web_adapter.adapter.streamed_reply import StreamedReply
from lambda_web_adapter.errors import AdapterError, AppRejectedEvent, ResponseTooLarge
from lambda_web_adapter.events import prelude, source_of, to_request, warm_up
from lambda_web_adapter.events._base64 import encoded_length
from lambda_web_adapter.events.pass_through import rejection
from lambda_web_adapter.events.reading import read_event
from lambda_web_adapter.forwarding import authorize, end_to_end, request_head
from lambda_web_adapter.messages import Response
from lambda_web_adapter.preface import IN_THE_REQUEST, in_front

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.adapter.access_log import AccessLog
    from lambda_web_adapter.adapter.app_connection import AppConnection
    from lambda_web_adapter.codings import Compressor
    from lambda_web_adapter.context_headers import ContextHeaders
    from lambda_web_adapter.events._source import EventSource
    from lambda_web_adapter.messages import Invocation, Request
    from lambda_web_adapter.settings import Settings

# How much of a rejection's body is read, in bytes, when the app streams it; the error shows less.
_ENOUGH_OF_A_REJECTION = 64 * 1024
_EMPTY = (b"content-length", b"0")
_WITHOUT_LENGTH = (204, 304)  # RFC 9110 §8.6
# Lambda's longest time-out, for a Runtime API that names no deadline (Lambda quotas, "Function timeout").
_LONGEST = 900.0  # seconds


class Invoker:
    """Has the app handle invocations, over one connection."""

    def __init__(self, settings: Settings, connection: AppConnection, access: AccessLog | None = None) -> None:
        """Takes what all invocations share, and what takes note of them."""
        self._settings = settings
        self._connection = connection
        self._access = access
        self._streams = settings.invoke_mode == "response_stream"
        self._contexts: ContextHeaders | None = None
        if settings.context_headers == "always" or (settings.context_headers == "auto" and not connection.takes_event):
            from lambda_web_adapter.context_headers import ContextHeaders  # a Python app's start need not pay for it

            self._contexts = ContextHeaders(os.environ, partial(log_once, "WARNING"))

    async def reply_to(self, invocation: Invocation, deadline: float) -> bytes | StreamedReply:
        """Has the app handle an invocation's event.

        Args:
            invocation: the event and what belongs to it.
            deadline: when to give up, on the monotonic clock in seconds.

        Returns:
            The reply to post, as a whole or as a stream. A request that failed is answered with an HTTP status, if its
            source has one.

        Raises:
            AdapterError: the invocation failed, and its source has no other way to say so.
        """
        if len(invocation.event) >= memory.LARGE:
            memory.keep()
        event = read_event(invocation.event)
        if warm_up.is_warm_up(event):
            return warm_up.REPLY
        source = source_of(event, self._settings)
        streamed = self._streams and source.streams
        if self._streams and source.http and not streamed:
            log_once("WARNING", f"Events of {source.name} take no stream and are answered whole (AWS_LWA_INVOKE_MODE).")
        try:
            return await self._reply(source, event, invocation, deadline, streamed)
        except AdapterError as error:
            problem = error
        except Exception as error:  # noqa: BLE001  # the one place where a bug of ours becomes an answer
            log("ERROR", traceback.format_exc(), invocation.request_id)
            problem = AdapterError(f"The adapter failed on this event: {error!r}. This is a bug, please report it.")
        if not self._connection.complete:
            self._connection.abandon()  # the rest of the response would come before the next one
        try:
            if not source.http or isinstance(problem, AppRejectedEvent):
                raise problem
            return self._reply_to_failed(source, problem, event, invocation.request_id, streamed)
        finally:
            del problem  # its traceback holds this frame, so that event and reply would wait for the garbage collector

    async def _reply(
        self, source: EventSource, event: Any, invocation: Invocation, deadline: float, streamed: bool
    ) -> bytes | StreamedReply:
        verbatim = invocation.event
        request = self._request(source, event, invocation)
        lines = self._contexts.of(invocation, event) if self._contexts else b""
        if invocation.client_context:
            from lambda_web_adapter.context_headers import trace_context

            lines += trace_context(invocation.client_context)
        head = request_head(request, invocation, lines)
        if self._connection.takes_event:
            head = in_front(head, invocation, verbatim if source.http else b"", event)
        del verbatim
        if self._access:
            self._access.asked(source.name, request)
        response = await self._response(source, request, head, deadline, streamed)
        response = end_to_end(response, request.method, self._settings.exclude_response_headers)
        compressor = None
        if self._settings.enable_compression and source.http and not request.marks:
            response, compressor = self._compressed(request, response, streamed)
        if self._access:
            self._access.replies(response)
        if streamed:
            return self._stream(source, request, response, deadline, compressor)
        if not self._connection.complete:
            await self._read_compressed(source, request, response, deadline, compressor)
        reply = source.reply(response, event)
        self._check_size(reply, response, source, request)
        return reply

    def _request(self, source: EventSource, event: Any, invocation: Invocation) -> Request:
        """Makes the request that an event means, and lets go of what was large of the event: it is in the request."""
        verbatim, invocation.event = invocation.event, b""
        if source.http:
            verbatim = b""
        request = to_request(source, event, self._settings, verbatim)
        if source.http:
            if event.get("body"):
                event["body"] = IN_THE_REQUEST
            credentials = self._settings.authorization_source
            if credentials and not authorize(request, credentials):
                missed = f"A request has no {credentials} header (AWS_LWA_AUTHORIZATION_SOURCE)."
                log_once("WARNING", missed, invocation.request_id)
        return request

    async def _response(
        self, source: EventSource, request: Request, head: bytes, deadline: float, streamed: bool
    ) -> Response:
        """Return the app's response; of one that is to be streamed, only the head need be there.

        One that is larger than its source takes is not whole either: no reply has fewer bytes than its body.
        """
        self._connection.limit_body(source.max_reply)
        response = await self._connection.exchange(head, request.body, request.method, deadline, whole=not streamed)
        if self._access:
            self._access.answered(response.status)
        request.body = b""
        if len(response.body) >= memory.LARGE:
            memory.keep()
        if self._fails(source, response.status):
            await self._read_rejection(response, deadline)
            raise rejection(response, request)
        return response

    def _compressed(self, request: Request, response: Response, streamed: bool) -> tuple[Response, Compressor | None]:
        """Compresses what there is of a response; what compresses the rest, if some is to come, is returned with it."""
        from lambda_web_adapter import codings, compression  # nobody else pays for it

        accept_encoding = codings.joined(request.headers)
        if self._connection.complete:
            return compression.compress(response, accept_encoding, request.method), None
        head, compressor = compression.begin(response, accept_encoding, request.method)
        if compressor:
            head.body = compressor.feed(head.body)
        return head, compressor

    def _stream(
        self,
        source: EventSource,
        request: Request,
        response: Response,
        deadline: float,
        compressor: Compressor | None,
    ) -> StreamedReply:
        """Begins a reply whose body may still be on its way."""
        complete = self._connection.complete
        if complete and not response.body and request.method != "HEAD" and response.status not in _WITHOUT_LENGTH:
            response.headers.append(_EMPTY)
        begin = prelude(response)
        if len(begin) > source.max_prelude:
            raise ResponseTooLarge(
                f"The response's headers have {len(begin)} bytes, but {source.taker} takes {source.max_prelude}.",
                f" It was the response to {_route(request)}.",
                self._settings.too_large_status,
            )
        reply = StreamedReply(begin, response.body, _route(request))
        if not complete:
            reply.continue_from(self._connection, deadline, compressor)
        return reply

    async def _read_compressed(
        self,
        source: EventSource,
        request: Request,
        response: Response,
        deadline: float,
        compressor: Compressor | None,
    ) -> None:
        """Read the rest of a body that is too large as it is, and may be small enough compressed.

        Raises:
            ResponseTooLarge: it is not.
        """
        parts = [response.body]
        size = len(response.body)
        received = source.max_reply if compressor else size
        while not self._connection.complete:
            if compressor is None or encoded_length(size) > source.max_reply:
                coded = f", which make {encoded_length(size)} when they are compressed" if compressor else ""
                what = f"The response has at least {received} bytes{coded}"
                raise self._too_large(what, source, request)
            part = await self._connection.more(deadline)
            received += len(part)
            parts.append(compressor.feed(part))
            size += len(parts[-1])
        if compressor:
            parts.append(compressor.end())
        response.body = b"".join(parts)

    async def _read_rejection(self, response: Response, deadline: float) -> None:
        """Reads what an error has to say, where the response is not whole."""
        while not self._connection.complete:
            if len(response.body) > _ENOUGH_OF_A_REJECTION:
                self._connection.abandon()
                return
            response.body += await self._connection.more(deadline)

    def _reply_to_failed(
        self, source: EventSource, problem: AdapterError, event: Any, request_id: str, streamed: bool
    ) -> bytes | StreamedReply:
        """Tells an HTTP caller of a problem, and the log."""
        level = "ERROR" if problem.status >= 500 else "WARNING"  # what a client did wrong is no reason for an alarm
        log(level, f"{problem.error_type}: {problem}{problem.details}", request_id)
        response = _error_response(problem)
        if self._access:
            self._access.failed(problem)
            self._access.replies(response)
        try:
            return _reply_with(source, response, event, streamed=streamed)
        except Exception as error:  # the loop must outlive an event that not even an error can be written for
            log("ERROR", traceback.format_exc(), request_id)
            raise problem from error

    def _check_size(self, reply: bytes, response: Response, source: EventSource, request: Request) -> None:
        if len(reply) > source.max_reply:
            what = f"The reply has {len(reply)} bytes, for a body of {len(response.body)}"
            raise self._too_large(what, source, request)

    def _too_large(self, what: str, source: EventSource, request: Request) -> ResponseTooLarge:
        return ResponseTooLarge(
            f"{what}, but {source.taker} takes {source.max_reply}. Stream it "
            "(AWS_LWA_INVOKE_MODE=response_stream, behind a function URL or a REST API), compress it "
            "(AWS_LWA_ENABLE_COMPRESSION=true), or answer with a presigned URL of a file in S3.",
            f" It was the reply to {_route(request)}.",
            self._settings.too_large_status,
        )

    def _fails(self, source: EventSource, status: int) -> bool:
        """Says whether a status fails the invocation: of an event that is no request, a queue must see that."""
        if status in self._settings.error_status_codes:
            return True
        return not source.http and not 200 <= status < 300 and self._settings.event_errors == "fail"


def reply_without_app(
    invocation: Invocation, problem: AdapterError, settings: Settings
) -> bytes | StreamedReply | None:
    """Return what tells an HTTP caller that there is no app to ask; None if the event is no request."""
    event = read_event(invocation.event)
    source = source_of(event, settings)
    if not source.http:
        return None
    streamed = source.streams and settings.invoke_mode == "response_stream"
    return _reply_with(source, _error_response(problem), event, streamed=streamed)


def deadline_of(invocation: Invocation, margin: float) -> float:
    """Says when to give up on an invocation, on the monotonic clock in seconds: `margin` seconds before Lambda does."""
    left = invocation.deadline_ms / 1000 - time.time() - margin if invocation.deadline_ms else _LONGEST
    return time.monotonic() + min(max(left, 0.0), _LONGEST)


def _reply_with(source: EventSource, response: Response, event: Any, *, streamed: bool) -> bytes | StreamedReply:
    """Return the reply of a response of ours, which is whole, in the way in which its source takes replies."""
    return StreamedReply(prelude(response), response.body) if streamed else source.reply(response, event)


def _route(request: Request) -> str:
    """Says what was asked for, without the query, which may hold secrets."""
    return f"{request.method} {request.path:.200}"


def _error_response(error: AdapterError) -> Response:
    """What an HTTP caller sees; causes and traces stay in the log."""
    document = orjson.dumps({"message": str(error), "errorType": error.error_type})
    headers = [(b"content-type", b"application/json"), *error.headers]
    return Response(status=error.status, headers=headers, body=document)
