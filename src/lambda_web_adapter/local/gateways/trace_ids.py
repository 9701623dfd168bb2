"""The trace ids that gateways add to requests, and the one that comes with the invocation.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html

Only load balancers document what happens to a header that the client has sent. It is assumed that API Gateway and
function URLs do the same: captures show that they add it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.base import Gateway, Pairs, Request

HEADER = "x-amzn-trace-id"
# "Limitations" on the page above: if the headers are larger, only the gateway's own id is left, in bytes.
_MAX_HEADERS = 7 * 1024


def with_trace_id(lines: Pairs, request: Request) -> Pairs:
    """Return the header lines with the trace id that the gateway adds or updates."""
    return [*(line for line in lines if line[0].lower() != HEADER), (HEADER, _updated(request))]


def invocation_trace(gateway: Gateway, request: Request) -> str:
    """Return the trace header of the invocation, as the Runtime API has it.

    The trace is that of the event's header, sampled if the client says so. The parent is a made-up segment.
    """
    fields = _fields(_updated(request)) if gateway.begins_traces else {}
    root = fields.get("root", request.trace_id)
    return f"Root={root};Parent={request.trace_id[-16:]};Sampled={1 if fields.get('sampled') == '1' else 0}"


def _updated(request: Request) -> str:
    """Return the client's header with the gateway's id in it: as Root, or as Self if there is a Root."""
    sent = request.header(HEADER) or ""
    size = sum(len(name) + len(value) + 4 for name, value in request.headers)  # colon, space and line end
    if not sent or size > _MAX_HEADERS:
        return f"Root={request.trace_id}"
    others = [part.strip() for part in sent.split(";") if part.strip() and _name(part) != "self"]
    name = "Self" if "root" in _fields(sent) else "Root"
    return ";".join([f"{name}={request.trace_id}", *others])


def _fields(header: str) -> dict[str, str]:
    return {_name(part): part.partition("=")[2].strip() for part in header.split(";") if "=" in part}


def _name(part: str) -> str:
    return part.partition("=")[0].strip().lower()
