"""Request and response, the same for all event sources, and the invocation that they belong to.

The module is pure: no sockets, clock, environ or log. Headers are ordered pairs everywhere. The hot path creates these
objects with positional arguments: keywords take twice as long, for six objects in each invocation.
"""

from __future__ import annotations


class _Comparable:
    """Compares and shows attributes. Not a dataclass: these three would add a millisecond to each cold start."""

    __slots__: tuple[str, ...] = ()
    __hash__ = None  # type: ignore[assignment]  # they change

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values() == other._values()

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self._values().items())
        return f"{type(self).__name__}({values})"

    def _values(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}


class Request(_Comparable):
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

    __slots__ = (
        "body",
        "client",
        "headers",
        "host",
        "method",
        "path",
        "prefix",
        "query",
        "reserved_headers",
    )

    def __init__(  # noqa: PLR0913  # a request has as many parts
        self,
        method: str,
        path: str,
        query: str = "",
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        client: str = "",
        prefix: str = "",
        host: str = "",
        reserved_headers: list[tuple[str, str]] | None = None,
    ) -> None:
        """Create a request."""
        self.method = method
        self.path = path
        self.query = query
        self.headers = [] if headers is None else headers
        self.body = body
        self.client = client
        self.prefix = prefix
        self.host = host
        self.reserved_headers = [] if reserved_headers is None else reserved_headers

    def take_body(self) -> bytes:
        """Return the body and forget it, so that its memory is free once the response has come."""
        body, self.body = self.body, b""
        return body


class Response(_Comparable):
    """An HTTP response as the app sent it.

    Attributes:
        status: the status code.
        headers: name and value in order, as bytes, one pair for each header line.
        body: the body's bytes, without transfer coding.
    """

    __slots__ = (
        "body",
        "headers",
        "status",
    )

    def __init__(
        self,
        status: int,
        headers: list[tuple[bytes, bytes]] | None = None,
        body: bytes = b"",
    ) -> None:
        """Create a response."""
        self.status = status
        self.headers = [] if headers is None else headers
        self.body = body


class Invocation(_Comparable):
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

    __slots__ = (
        "client_context",
        "deadline_ms",
        "event",
        "function_arn",
        "identity",
        "invocation_id",
        "request_id",
        "tenant_id",
        "trace_id",
    )

    def __init__(  # noqa: PLR0913  # as many as the Runtime API has headers
        self,
        request_id: str,
        event: bytes,
        deadline_ms: int = 0,
        invocation_id: str = "",
        trace_id: str = "",
        tenant_id: str = "",
        function_arn: bytes = b"",
        client_context: bytes = b"",
        identity: bytes = b"",
    ) -> None:
        """Create an invocation."""
        self.request_id = request_id
        self.event = event
        self.deadline_ms = deadline_ms
        self.invocation_id = invocation_id
        self.trace_id = trace_id
        self.tenant_id = tenant_id
        self.function_arn = function_arn
        self.client_context = client_context
        self.identity = identity

    def take_event(self) -> bytes:
        """Return the event and forget it: the request has the body, which may be most of its memory."""
        event, self.event = self.event, b""
        return event
