"""From the event to the app's request: what the adapter has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.http.headers import BODY_HEADERS, HOP_BY_HOP
from lambda_web_adapter.http.trusted_headers import RESERVED_HEADERS, SERVER_VARIABLES, is_set_by_gateways
from lambda_web_adapter.local.inspector.notes.header_changes import HeaderChange, Reason, explain_headers
from lambda_web_adapter.local.inspector.notes.note import (
    CONTEXT_HEADERS,
    NO_REQUESTS,
    SCHEMES,
    SETTINGS,
    STAGES,
    TRACE_IDS,
    Note,
)
from lambda_web_adapter.local.inspector.notes.targets import explain_request_path, explain_request_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambda_web_adapter.local.inspector.notes.messages import Message

_WITHOUT_REQUEST = {
    "websocket": "Each message of a WebSocket API reaches the app as a POST to the path of its route.",
    "bedrock-agent": "The agent's call reaches the app as the request that its schema describes.",
}


def explain_request(event: Message, request: Message, source: str) -> Iterator[Note]:
    """Yield the differences between an event of an HTTP source and the app's request."""
    if event.method != request.method:
        text = "The app's request has another method than the event."
        yield Note(step="request", kind="changed", name="method", text=text, before=event.method, after=request.method)
    yield from explain_request_path(event, request, source)
    yield from explain_request_query(event, request, source)
    yield from explain_headers(
        "request", event.headers, request.headers, lambda change: _reason(change, event, request)
    )
    yield from _explain_body(event, request)


def explain_request_without_http(request: Message, source: str, page: str) -> Iterator[Note]:
    """Yield how an event that is no HTTP request reaches the app."""
    name = request.header("x-amzn-event-source") or "other"
    text = _WITHOUT_REQUEST.get(
        source, f"An event that is no HTTP request (`{name}`) reaches the app as a POST, with the event as its body."
    )
    target = f"{request.path}?{request.query}" if request.query else request.path
    yield Note(step="request", kind="changed", name="method", text=text, after=f"{request.method} {target}", help=page)


def _reason(change: HeaderChange, event: Message, request: Message) -> Reason:
    """Return why the adapter has changed a header."""
    own = _OWN_HEADERS.get(change.name)
    return (
        (own and own(change))
        or _reason_for_drop(change, event)
        or _reason_for_credentials(change, event, request)
        or _reason_for_values(change)
    )


def _reason_for_drop(change: HeaderChange, event: Message) -> Reason | None:
    if change.after:
        return None
    if change.name in HOP_BY_HOP:
        return Reason("It concerns one connection only, so it is not passed on (RFC 9110 §7.6.1).")
    if change.name in BODY_HEADERS:
        return Reason("The event has the whole body, so no client waits for the app to accept it.")
    if change.name in RESERVED_HEADERS:
        return Reason("Only the adapter may set this header, so that the app can trust it.")
    if change.name in SERVER_VARIABLES:
        return Reason(
            "A server could take it for a variable of its own, or of a trusted proxy, and anyone can send it."
        )
    if change.name in {option.strip().lower() for option in event.header("connection").split(",")}:
        return Reason("The client's `Connection` header names it as one for that connection only (RFC 9110 §7.6.1).")
    hyphenated = "".join(char if char.isalnum() else "-" for char in change.name)
    if hyphenated != change.name:
        return Reason(f"Some servers read the name as `{hyphenated}`, which a client must not set in another spelling.")
    return None


def _reason_for_credentials(change: HeaderChange, event: Message, request: Message) -> Reason | None:
    """Return the reason for headers that `AWS_LWA_AUTHORIZATION_SOURCE` concerns; None for others."""
    credentials = request.header("authorization")
    is_moved = change.before == [credentials] and not change.after
    is_target = change.name == "authorization" and change.after != change.before
    if credentials and (is_moved or (is_target and any(value == credentials for _, value in event.headers))):
        text = "The credentials for the app are moved to `authorization`, as AWS_LWA_AUTHORIZATION_SOURCE says."
        return Reason(text, SETTINGS)
    return None


def _reason_for_values(change: HeaderChange) -> Reason:
    if [value.strip(" \t") for value in change.before] == change.after:
        return Reason("Spaces around a value are not part of it (RFC 9110 §5.5).", kind="recoded")
    if change.is_last():
        return Reason("Of several values only the last counts, since the header concerns the request as a whole.")
    if is_set_by_gateways(change.name) and not change.before:
        return Reason("The adapter has added this header.", CONTEXT_HEADERS)
    return Reason(f"The adapter has {change.kind} this header.")


def _host(change: HeaderChange) -> Reason | None:
    if any(change.before):
        return None
    return Reason(
        "HTTP/1.1 needs a host; without one in the event, it is the domain in `requestContext`, or localhost."
    )


def _scheme(change: HeaderChange) -> Reason | None:
    if any(change.before):
        return None
    return Reason("The event does not say how the client has connected, so https and its port are assumed.", SCHEMES)


def _length(change: HeaderChange) -> Reason:
    if not change.after:
        return Reason("A request without a body has no length, unless its method usually has a body (RFC 9110 §8.6).")
    return Reason("The adapter has counted the bytes of the body that it sends.")


def _client(change: HeaderChange) -> Reason | None:
    if not change.after:
        return None
    if change.before:
        return Reason("A client has sent this header; its value is replaced by the address that the source saw.")
    return Reason("The adapter has added the client's address, as the source saw it, which no client can invent.")


def _prefix(change: HeaderChange) -> Reason | None:
    if not change.after:
        return None
    return Reason("The stage or base path before the app's own path, for links that the app makes.", STAGES)


def _cookie(change: HeaderChange) -> Reason | None:
    if len(change.before) > 1 and change.after == ["; ".join(change.before)]:
        return Reason("Cookies have become one header again (RFC 9113 §8.2.3).", kind="recoded")
    return None


def _trace(change: HeaderChange) -> Reason | None:
    if not change.after:
        return None
    return Reason("The adapter passes on the trace of the invocation, whose parent is Lambda's segment.", TRACE_IDS)


def _tenant(change: HeaderChange) -> Reason | None:
    if not change.after:
        return None
    return Reason("The tenant that the invocation belongs to.", CONTEXT_HEADERS)


def _context(change: HeaderChange) -> Reason | None:
    if not change.after:
        return None
    return Reason("Lambda's context, for apps in any language.", CONTEXT_HEADERS)


def _source(change: HeaderChange) -> Reason | None:
    if not change.after:
        return None
    return Reason("It shows the app that the request is an event; no client can send it.", NO_REQUESTS)


_OWN_HEADERS: dict[str, Callable[[HeaderChange], Reason | None]] = {
    "baggage": _context,
    "content-length": _length,
    "cookie": _cookie,
    "host": _host,
    "traceparent": _context,
    "tracestate": _context,
    "x-amz-tenant-id": _tenant,
    "x-amzn-event-source": _source,
    "x-amzn-lambda-context": _context,
    "x-amzn-request-context": _context,
    "x-amzn-trace-id": _trace,
    "x-forwarded-port": _scheme,
    "x-forwarded-prefix": _prefix,
    "x-forwarded-proto": _scheme,
    "x-real-ip": _client,
}


def _explain_body(event: Message, request: Message) -> Iterator[Note]:
    if event.body is None or request.body is None:
        return
    if not event.body.has_bytes_of(request.body):
        yield Note(
            step="request", kind="changed", name="body", text="The app's request has another body than the event."
        )
    elif event.body.is_base64:
        yield Note(
            step="request", kind="recoded", name="body", text="The app gets the bytes that the base64 stands for."
        )
