"""The values in the middle: what every event becomes, and what every reply is made from.

No socket, clock, environment or log is used here. Headers are ordered pairs from edge to edge. Where each event passes,
they are made by position: by keyword takes twice as long, for six values in each invocation.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Request:
    """An HTTP request as an event source states it, before any rule that holds for all sources.

    Attributes:
        method: the method, as the event has it.
        path: the path as it stands in a request line: percent-encoded, beginning with a slash.
        query: the query as it stands in a request line, without the question mark.
        headers: name and value in order, one pair for each field line.
        body: the body's bytes.
        client: the caller's address, from where the caller cannot forge it; empty when the source has none.
        prefix: the part in front of the path that was removed (stage, base path), percent-encoded; or empty.
        host: the host to name when the headers have none.
        reserved_headers: headers that only the adapter can set, by which the app knows an event from a request.
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


@dataclass(slots=True)
class Response:
    """An HTTP response as the app sent it.

    Attributes:
        status: the status code.
        headers: name and value in order, as bytes, one pair for each field line.
        body: the body's bytes, without any transfer coding.
    """

    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


@dataclass(slots=True)
class Invocation:
    """One event with what the Runtime API says about it (Lambda Runtime API, "Next invocation").

    Attributes:
        request_id: the id to answer with.
        event: the event's bytes.
        deadline_ms: when the invocation ends, in milliseconds since the epoch; 0 when the API did not say.
        invocation_id: the nonce to echo with the answer, so that a late one cannot reach another caller; or empty.
        trace_id: the X-Ray trace header, or empty.
        tenant_id: the tenant of a function with tenant isolation, or empty.
        function_arn: the function, version or alias that was invoked.
        client_context: what the caller's AWS SDK said of itself, as JSON; or empty. This and its neighbours are as they
            came, since few apps look at them.
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
