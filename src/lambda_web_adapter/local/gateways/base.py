"""What a gateway stands between: the client's request, the response that the client gets, and the gateway itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lambda_web_adapter.models import Model

Pairs = list[tuple[str, str]]

# What Lambda takes as an event (Lambda quotas, "Invocation payload"), in bytes.
LAMBDA_PAYLOAD_LIMIT = 6 * 1024 * 1024
# What API Gateway takes as a body, of either kind ("Quotas", "Payload size"), in bytes.
API_GATEWAY_PAYLOAD_LIMIT = 10 * 1024 * 1024

# Between two neighbours only, so that no gateway passes them on (RFC 9110 §7.6.1, and one more that clients send).
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as a client sent it, and what the gateway knows besides.

    Attributes:
        method: the method.
        raw_path: the path as in the request line: percent-encoded, without the query.
        query: the query as in the request line, without the question mark.
        headers: name and value in order, one pair for each field line, names as the client spelled them.
        body: the body's bytes, without any transfer coding.
        source_ip: the address that the request came from.
        port: the port that it came to.
        request_id: an id of its own.
        time_ms: when it came, in milliseconds since the epoch.
    """

    method: str
    raw_path: str
    query: str = ""
    headers: Pairs = field(default_factory=list)
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    port: int = 80
    request_id: str = "00000000-0000-4000-8000-000000000000"
    time_ms: int = 0

    def header(self, name: str) -> str | None:
        """Reads a header's last value, by its name in lower case."""
        return next((value for spelled, value in reversed(self.headers) if spelled.lower() == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response as the gateway sends it to the client.

    Attributes:
        status: the status code.
        headers: name and value in order, one pair for each field line.
        body: the body's bytes.
    """

    status: int
    headers: Pairs
    body: bytes


class MalformedReply(Exception):
    """The reply is not what the gateway takes; the text says which field, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One kind of gateway: two pure functions, and what else tells it from the others.

    Attributes:
        name: what `--event-source` calls it.
        title: what people call it, with its article.
        event: makes the event that the gateway sends for a request.
        response: makes the response that the gateway sends for a reply, given as JSON; raises MalformedReply.
        refusal: the status that a client gets when the reply is malformed, or the function failed.
        max_body: the most bytes of a request's body that the gateway takes.
        too_large: what a client gets that sends more, if that is known; None shows the reason instead.
        head: makes status and headers of a streamed reply from its prelude, given as JSON; raises MalformedReply.
            None if the gateway does not stream: it waits for all of a reply.
        max_prelude: the most bytes that a prelude may have, with the NULs behind it.
    """

    name: str
    title: str
    event: Callable[[Request], Model]
    response: Callable[[bytes], Response]
    refusal: int = 502
    max_body: int = LAMBDA_PAYLOAD_LIMIT
    too_large: Response | None = None
    head: Callable[[bytes], Response] | None = None
    max_prelude: int = 1024 * 1024
