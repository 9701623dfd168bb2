"""The client's request that an event describes: the event's translation for the app, without what the gateway added.

What an event does not have cannot come back. Of all events: `content-length` without a body, and the headers of a CDN.

- Function URL: the case of names, which lines a header had, the client's `x-forwarded-for`.
- HTTP API with payload 2.0: the case of names, which lines a header had, how the path was percent-encoded.
- HTTP API with payload 1.0: the case of names, how the query was percent-encoded, the order of different parameters.
- REST API: how the query was percent-encoded, the order of different parameters.
- Load balancer: the case of names; with single values, all but the last value of a header or a parameter.
- VPC Lattice: the case of names; in version 1, which lines a header had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import find_source
from lambda_web_adapter.events.request_rules import path_from_encoded, to_mapping, to_text_or_empty
from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.local.gateways import Request
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.base import Pairs

# The stage stays in the path, as the client used it.
_SETTINGS = Settings(remove_stage="never")
# Headers that every gateway sets, and those of CloudFront, which is also in front of edge-optimised REST APIs.
_ADDED = frozenset({"content-length", "x-forwarded-port", "x-forwarded-proto", "via", "x-amz-cf-id"})
_ADDED_PREFIX = "cloudfront-"
_ADDRESSES, _TRACE = "x-forwarded-for", "x-amzn-trace-id"
_HTTPS_PORT = 443


def gateway_of_event(event: Any) -> str:
    """Return the name of the gateway that sends such events; empty if no gateway of HTTP requests does."""
    name = find_source(event).name
    if name == "alb" and isinstance(event.get("multiValueHeaders"), dict):
        return "alb-multi"
    return name if name in EVENT_SOURCES else ""


def request_of_event(event: Any) -> Request:
    """Return the client's request that an event describes.

    Args:
        event: an event of a gateway, parsed from JSON.

    Raises:
        InvalidEvent: it is no event of a gateway, or not a valid one.
    """
    name = gateway_of_event(event)
    if not name:
        raise InvalidEvent("The event is no HTTP request: it comes from none of the gateways.")
    translated = find_source(event).build_request(event, _SETTINGS)
    headers = [(header.lower(), value) for header, value in translated.headers]
    values = dict(headers)
    addresses = [each.strip() for each in values.get(_ADDRESSES, "").split(",") if each.strip()]
    scheme = values.get("x-forwarded-proto", "https")
    port = values.get("x-forwarded-port", "")
    return Request(
        method=translated.method,
        raw_path=_path(name, event, translated.path),
        query=translated.query,
        headers=_client_headers(translated.headers, translated.body, addresses[:-1]),
        body=translated.body,
        source_ip=translated.client or (addresses or ["127.0.0.1"])[-1],
        port=int(port) if port.isdecimal() and port.isascii() else _HTTPS_PORT,
        scheme=scheme,
    )


def _path(name: str, event: dict[str, Any], path: str) -> str:
    """Return the path as the client used it; a REST API's event has the stage only in its context."""
    context = to_mapping(event.get("requestContext"))
    full = to_text_or_empty(context.get("path")) if name == "rest-api" else ""
    return path_from_encoded(full) if full else path


def _client_headers(headers: Pairs, body: bytes, own_addresses: list[str]) -> Pairs:
    """Return the headers without what the gateway added to them."""
    sent: Pairs = []
    cookies = [(name, value) for name, value in headers if name.lower() == "cookie"]
    for name, value in headers:
        lower = name.lower()
        if lower in _ADDED or lower.startswith(_ADDED_PREFIX) or lower in (_ADDRESSES, "cookie"):
            continue
        if lower != _TRACE:
            sent.append((name, value))
        elif own_trace := _own_trace(value):
            sent.append((name, own_trace))
    if cookies:
        sent.append((cookies[0][0], "; ".join(value for _, value in cookies)))
    if own_addresses:
        sent.append((_ADDRESSES, ", ".join(own_addresses)))
    if body:
        sent.append(("content-length", str(len(body))))
    return sent


def _own_trace(header: str) -> str:
    """Return what the client itself had sent: beside its own `Root` the gateway's id is `Self`, else that is `Root`."""
    parts = [part.strip() for part in header.split(";") if part.strip()]
    names = [part.partition("=")[0].strip().lower() for part in parts]
    added = "self" if "self" in names else "root"
    return ";".join(part for part, name in zip(parts, names, strict=True) if name != added)
