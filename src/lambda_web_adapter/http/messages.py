"""Request and response, the same for all event sources, and the invocation that they belong to.

The module is pure: no sockets, clock, environ or log. Headers are ordered pairs everywhere. The hot path creates these
objects with positional arguments: keywords take twice as long, for six objects in each invocation.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Request:
    """An HTTP request as an event source builds it, before the rules for all sources are applied.

    Attributes:
        method: the event's method.
        path: the path for the request line: percent-encoded, beginning with a slash.
        query: the query for the request line, without the question mark.
        headers: name and value in order, one pair for each header line.
        body: the body's bytes.
        client: the caller's address, as far as the caller cannot forge it; empty if the source has none.
        prefix: the part removed from the beginning of the path (stage, base path), percent-encoded; or empty.
        host: the value for `host` if the headers have none.
        reserved_headers: reserved headers to add; they show the app that the request delivers an event.
    """

    method: str
    path: str
    query: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    client: str = ""
    prefix: str = ""
    host: str = ""
    reserved_headers: list[tuple[str, str]] = field(default_factory=list)

    def take_body(self) -> bytes:
        """Return the body and forget it, so that its memory is free once the response has come."""
        body, self.body = self.body, b""
        return body


@dataclass(slots=True)
class Response:
    """An HTTP response as the app sent it.

    Attributes:
        status: the status code.
        headers: name and value in order, as bytes, one pair for each header line.
        body: the body's bytes, without transfer coding.
    """

    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


@dataclass(slots=True)
class Invocation:
    """One event, with the Runtime API's headers for it (Lambda Runtime API, "Next invocation").

    Attributes:
        request_id: the id to post the reply with.
        event: the event's bytes.
        deadline_ms: when the invocation ends, in milliseconds since the epoch; 0 if the header is missing.
        invocation_id: the nonce to send with the reply, so that a late reply cannot reach another caller; or empty.
        trace_id: the X-Ray trace header, or empty.
        tenant_id: the tenant of a function with tenant isolation, or empty.
        function_arn: the function, version or alias that was invoked. This and the following values are not decoded,
            since few apps read them.
        client_context: the client context of the caller's AWS SDK, as JSON; or empty.
        identity: the caller's Cognito identity, as JSON; or empty.
    """

    request_id: str
    event: bytes
    deadline_ms: int = 0
    invocation_id: str = ""
    trace_id: str = ""
    tenant_id: str = ""
    function_arn: bytes = b""
    client_context: bytes = b""
    identity: bytes = b""

    def take_event(self) -> bytes:
        """Return the event and forget it: the request has the body, which may be most of its memory."""
        event, self.event = self.event, b""
        return event
