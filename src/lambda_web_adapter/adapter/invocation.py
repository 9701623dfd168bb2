"""One invocation: event → request → response → reply, and the reply that a caller gets if a step fails."""

from __future__ import annotations

import os
import traceback
from functools import partial
from typing import TYPE_CHECKING

import orjson

from lambda_web_adapter.adapter import memory
from lambda_web_adapter.adapter.diagnostics.log import log, log_once
from lambda_web_adapter.adapter.lambda_api.response_stream import StreamedReply
from lambda_web_adapter.errors import AdapterError, AppRejectedEvent, ResponseTooLarge
from lambda_web_adapter.events import build_request, find_source, prelude, warm_up
from lambda_web_adapter.events.base64_codec import encoded_length
from lambda_web_adapter.events.reading import read_event
from lambda_web_adapter.http.headers import build_request_head, end_to_end, restore_authorization
from lambda_web_adapter.http.large_bodies import LARGE_BODY
from lambda_web_adapter.http.messages import Response
from lambda_web_adapter.ipc.envelope import BODY_IN_REQUEST, prepend_envelope

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.adapter.app_client import AppClient
    from lambda_web_adapter.adapter.diagnostics.exchange_report import Observer
    from lambda_web_adapter.events.source import EventSource
    from lambda_web_adapter.http.content_codings import Compressor
    from lambda_web_adapter.http.messages import Invocation, Request
    from lambda_web_adapter.ipc.context_headers import ContextHeaders
    from lambda_web_adapter.settings import Settings

# Bytes of the body of a response that rejects an event; the error shows fewer.
_MAX_REJECTION_BYTES = 64 * 1024
_EMPTY = (b"content-length", b"0")
_STATUSES_WITHOUT_LENGTH = (204, 304)  # RFC 9110 §8.6


class NoObserver:
    """Stands for an observer of invocations where there is none: the same methods, which do nothing."""

    def _ignore(self, *_: object) -> None:
        """Do nothing."""

    start = set_request = set_response = set_reply = set_error = write = _ignore


class Invoker:
    """Turns invocations into replies, over one connection to the app."""

    def __init__(self, settings: Settings, connection: AppClient, observer: Observer | None = None) -> None:
        """Prepare what is the same for all invocations.

        Args:
            settings: the settings.
            connection: the connection to the app.
            observer: what is called at each step of an invocation; None for none.
        """
        self._settings = settings
        self._connection = connection
        self._observer = observer or NoObserver()
        self._accepts_envelope = connection.accepts_envelope
        self._streams = settings.invoke_mode == "response_stream"
        self._context_headers: ContextHeaders | None = None
        if settings.context_headers or not self._accepts_envelope:
            from lambda_web_adapter.ipc.context_headers import (
                ContextHeaders,  # imported here, so that it adds nothing to the cold start of a managed app
            )

            self._context_headers = ContextHeaders(os.environ, partial(log_once, "WARNING"))

    async def reply_to(self, invocation: Invocation, deadline: float) -> bytes | StreamedReply:
        """Return the app's reply to an invocation.

        Args:
            invocation: the event and its context; its event is taken, to free the memory.
            deadline: on the monotonic clock, in seconds.

        Returns:
            The reply to post, whole or streamed. If the request fails and its source has HTTP callers, the reply has
            the error's status.

        Raises:
            AdapterError: The invocation failed, and its source has no HTTP callers.
        """
        if len(invocation.event) >= LARGE_BODY:
            memory.keep_freed_memory()
        event = read_event(invocation.event)
        if warm_up.is_warm_up(event):
            return warm_up.REPLY
        source = find_source(event, self._settings)
        streamed = self._streams and self._can_stream(source)
        try:
            return await self._reply(source, event, invocation, deadline, streamed)
        except Exception as error:  # the one place where a bug of the adapter becomes a reply
            # Python deletes `error` after the block. Under another name it would live until the garbage collector
            # runs, and its traceback would keep this frame, with event and reply.
            if not isinstance(error, AdapterError):
                log("ERROR", traceback.format_exc(), invocation.request_id)
                error = AdapterError(f"The adapter failed on this event: {error!r}. This is a bug, please report it.")
            if not self._connection.complete:
                self._connection.discard_body()  # else the next request would read the rest of this response
            if not source.is_http or isinstance(error, AppRejectedEvent):
                raise error
            return self._reply_to_error(source, error, event, invocation.request_id, streamed)

    def _can_stream(self, source: EventSource) -> bool:
        """Return whether replies to a source can be streamed; if the setting is ignored for it, log that once."""
        if source.is_http and not source.streams:
            log_once(
                "WARNING", f"Replies to {source.name} cannot be streamed and are sent whole (AWS_LWA_INVOKE_MODE)."
            )
        return source.streams

    async def _reply(
        self, source: EventSource, event: Any, invocation: Invocation, deadline: float, streamed: bool
    ) -> bytes | StreamedReply:
        request = self._build_request(source, event, invocation)
        head = self._build_head(event, invocation, request)
        self._observer.set_request(source.name, request, head)
        head = self._with_envelope(head, source, event, invocation)
        response = await self._connection.exchange(
            head, request.take_body(), request.method, deadline, None if streamed else source.payload_limit
        )
        self._observer.set_response(response)
        size = len(response.body)
        if size >= LARGE_BODY:
            memory.keep_freed_memory()
        if response.status in self._settings.error_status_codes or (
            not source.is_http and self._fails(response.status)
        ):
            from lambda_web_adapter.events.pass_through import error_from_rejection  # of a source that most never see

            await self._read_rejection(response, deadline)
            raise error_from_rejection(response, request, event)
        response = end_to_end(response, request.method, self._settings.exclude_response_headers)
        compressor = None
        if self._settings.enable_compression and source.is_http and not request.reserved_headers:
            response, compressor = self._compressed(request, response)
            size = len(response.body)
        self._observer.set_reply(response)
        if streamed:
            return self._stream(source, request, response, deadline, compressor)
        if compressor or size > source.payload_limit:  # otherwise the body is complete
            await self._read_compressed(source, request, response, deadline, compressor)
        reply = source.build_reply(response, event)
        if len(reply) > source.payload_limit:
            what = f"The reply has {len(reply)} bytes, for a body of {len(response.body)}"
            raise self._too_large(what, source, request)
        return reply

    def _build_request(self, source: EventSource, event: Any, invocation: Invocation) -> Request:
        """Return the request that an event describes; it takes over the body of an HTTP event."""
        if not source.is_http:
            return build_request(source, event, self._settings, invocation.event)
        request = build_request(source, event, self._settings, b"")
        if event.get("body"):
            event["body"] = BODY_IN_REQUEST
        credentials = self._settings.authorization_source
        if credentials and not restore_authorization(request, credentials):
            log_once(
                "WARNING",
                f"A request has no {credentials} header (AWS_LWA_AUTHORIZATION_SOURCE).",
                invocation.request_id,
            )
        return request

    def _build_head(self, event: Any, invocation: Invocation, request: Request) -> bytes:
        """Return the request's head: request line and headers."""
        lines = self._context_headers.build(invocation, event) if self._context_headers else b""
        if invocation.client_context:
            from lambda_web_adapter.ipc.context_headers import build_trace_headers

            lines += build_trace_headers(invocation.client_context)
        return build_request_head(request, invocation, lines)

    def _with_envelope(self, head: bytes, source: EventSource, event: Any, invocation: Invocation) -> bytes:
        """Return the head, after the envelope if the app takes one; `invocation` drops the event."""
        raw_event = invocation.take_event()
        if self._accepts_envelope:
            return prepend_envelope(head, invocation, raw_event if source.is_http else b"", event)
        return head

    def _compressed(self, request: Request, response: Response) -> tuple[Response, Compressor | None]:
        """Return the response, compressed as far as it has arrived, and the compressor for the rest, if any."""
        from lambda_web_adapter.http import compression, content_codings  # imports that only compression needs

        accept_encoding = content_codings.join_accept_encoding(request.headers)
        if self._connection.complete:
            return compression.compress(response, accept_encoding, request.method), None
        head, compressor = compression.compress_stream(response, accept_encoding, request.method)
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
        """Return a streamed reply; the rest of its body may still have to be read from the app."""
        complete = self._connection.complete
        if (
            complete
            and not response.body
            and request.method != "HEAD"
            and response.status not in _STATUSES_WITHOUT_LENGTH
        ):
            response.headers.append(_EMPTY)
        begin = prelude(response)
        if len(begin) > source.prelude_limit:
            raise ResponseTooLarge(
                f"The response's headers have {len(begin)} bytes, but {source.limited_by} takes "
                f"{source.prelude_limit}.",
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
        """Read the rest of a body that is compressed, or raise for one that is too large without compression.

        Raises:
            ResponseTooLarge: The body is too large, compressed or not.
        """
        parts = [response.body]
        size = len(response.body)
        received = source.payload_limit if compressor else size
        while not self._connection.complete:
            if compressor is None or encoded_length(size) > source.payload_limit:
                coded = f", which make {encoded_length(size)} when they are compressed" if compressor else ""
                what = f"The response has at least {received} bytes{coded}"
                raise self._too_large(what, source, request)
            part = await self._connection.read_chunk(deadline)
            received += len(part)
            parts.append(compressor.feed(part))
            size += len(parts[-1])
        if compressor:
            parts.append(compressor.end())
        response.body = b"".join(parts)

    async def _read_rejection(self, response: Response, deadline: float) -> None:
        """Read the rest of a response that rejects the event, up to what the error shows."""
        while not self._connection.complete:
            if len(response.body) > _MAX_REJECTION_BYTES:
                self._connection.discard_body()
                return
            response.body += await self._connection.read_chunk(deadline)

    def _reply_to_error(
        self, source: EventSource, problem: AdapterError, event: Any, request_id: str, streamed: bool
    ) -> bytes | StreamedReply:
        """Log an error, and return the reply that an HTTP caller gets."""
        level = "ERROR" if problem.status >= 500 else "WARNING"  # a client's mistake is no reason for an alarm
        log(level, f"{problem.error_type}: {problem.log_text}{problem.details}", request_id)
        response = _error_response(problem)
        self._observer.set_error(problem)
        self._observer.set_reply(response)
        try:
            return _reply_with(source, response, event, streamed=streamed)
        except Exception as error:  # not even the error's reply can be built for this event
            log("ERROR", traceback.format_exc(), request_id)
            raise problem from error

    def _too_large(self, what: str, source: EventSource, request: Request) -> ResponseTooLarge:
        return ResponseTooLarge(
            f"{what}, but {source.limited_by} takes {source.payload_limit}. Stream it "
            "(AWS_LWA_INVOKE_MODE=response_stream, behind a function URL or a REST API), compress it "
            "(AWS_LWA_ENABLE_COMPRESSION=true), or respond with a presigned URL of a file in S3.",
            f" It was the reply to {_route(request)}.",
            self._settings.too_large_status,
        )

    def _fails(self, status: int) -> bool:
        """Return whether a status fails the invocation of an event that is no request; a queue redelivers it."""
        return not 200 <= status < 300 and self._settings.event_errors == "fail"


def reply_without_app(
    invocation: Invocation, problem: AdapterError, settings: Settings
) -> bytes | StreamedReply | None:
    """Return the reply to an HTTP caller if the app cannot be started; None for other events."""
    event = read_event(invocation.event)
    source = find_source(event, settings)
    if not source.is_http:
        return None
    streamed = source.streams and settings.invoke_mode == "response_stream"
    return _reply_with(source, _error_response(problem), event, streamed=streamed)


def _reply_with(source: EventSource, response: Response, event: Any, *, streamed: bool) -> bytes | StreamedReply:
    """Return the reply for a response that the adapter itself has built."""
    return StreamedReply(prelude(response), response.body) if streamed else source.build_reply(response, event)


def _route(request: Request) -> str:
    """Return method and path for the log, without the query, which may hold secrets."""
    return f"{request.method} {request.path:.200}"


def _error_response(error: AdapterError) -> Response:
    """Return what an HTTP caller gets; causes and tracebacks stay in the log."""
    document = orjson.dumps({"message": str(error), "errorType": error.error_type})
    headers = [(b"content-type", b"application/json"), *error.headers]
    return Response(status=error.status, headers=headers, body=document)
