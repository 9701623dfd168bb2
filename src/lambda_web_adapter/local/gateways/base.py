"""The gateway, the client's request, and the response that the client gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lambda_web_adapter.models import Model

Pairs = list[tuple[str, str]]

# Lambda's payload limit for an event (Lambda quotas, "Invocation payload"), in bytes.
LAMBDA_PAYLOAD_LIMIT = 6 * 1024 * 1024
# API Gateway's payload limit for request and response ("Quotas", "Payload size"), in bytes.
API_GATEWAY_PAYLOAD_LIMIT = 10 * 1024 * 1024

# Headers for one connection, which no gateway passes on (RFC 9110 §7.6.1; some clients send proxy-connection).
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as a client sent it, and what the gateway adds.

    Attributes:
        method: the method.
        raw_path: the path as in the request line: percent-encoded, without the query.
        query: the query as in the request line, without the question mark.
        headers: name and value in order, one pair for each field line, names as the client spelled them.
        body: the body's bytes, without any transfer coding.
        source_ip: the address that the request came from.
        port: the port that it came to.
        scheme: `http` or `https`, as the client used it.
        request_id: the id that the gateway gives it.
        trace_id: the id of the trace that the gateway begins with it, as in X-Ray: `1-<time>-<24 hex digits>`.
        time_ms: when it arrived, in milliseconds since the epoch.
    """

    method: str
    raw_path: str
    query: str = ""
    headers: Pairs = field(default_factory=list)
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    port: int = 80
    scheme: str = "http"
    request_id: str = "00000000-0000-4000-8000-000000000000"
    trace_id: str = "1-00000000-000000000000000000000000"
    time_ms: int = 0

    def header(self, name: str) -> str | None:
        """Return a header's last value, by its name in lower case."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response as the gateway sends it to the client.

    Attributes:
        status: the status code.
        headers: name and value in order, one pair for each field line.
        body: the body's bytes.
        is_base64: whether the body was base64 in the reply, as a REST API may pass it on.
    """

    status: int
    headers: Pairs
    body: bytes
    is_base64: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnResponse:
    """A response that the gateway makes itself, without the function.

    Attributes:
        response: the response.
        reason: why the function is not invoked, for the log.
    """

    response: Response
    reason: str


class MalformedReply(Exception):
    """The reply is not valid for the gateway; the message says which field, and why."""


def _no_response(request: Request) -> OwnResponse | None:
    return None


def _unchanged(response: Response, request: Request) -> Response:
    return response


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway with its options: pure functions, and its limits.

    Attributes:
        name: its value of `--event-source`.
        title: its name in messages, with an article.
        event: returns the event that the gateway sends for a request.
        response: returns the response that the gateway sends for a reply's JSON; raises MalformedReply.
        own_response: returns the response to a request that does not reach the function; None for any other.
        finish: returns any response, streamed or failed ones too, as the client gets it for its request.
        prefix: what the paths of its URLs begin with, such as `/prod`; empty, or with a leading slash.
        begins_traces: whether its events have a trace id in their headers.
        refusal: the status that a client gets if the reply is malformed or the function failed.
        max_body: the payload limit of a request's body, in bytes.
        too_large: the gateway's response to a larger body; None if it is not known, and the client gets the reason.
        head: returns status and headers of a streamed reply from its prelude's JSON; raises MalformedReply.
            None if the gateway does not stream and waits for the whole reply.
        max_prelude: the limit of a prelude and the NULs after it, in bytes.
    """

    name: str
    title: str
    event: Callable[[Request], Model]
    response: Callable[[bytes], Response]
    own_response: Callable[[Request], OwnResponse | None] = _no_response
    finish: Callable[[Response, Request], Response] = _unchanged
    prefix: str = ""
    begins_traces: bool = True
    refusal: int = 502
    max_body: int = LAMBDA_PAYLOAD_LIMIT
    too_large: Response | None = None
    head: Callable[[bytes], Response] | None = None
    max_prelude: int = 1024 * 1024
