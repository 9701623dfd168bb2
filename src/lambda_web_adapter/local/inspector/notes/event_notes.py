"""From the client's request to the event: what the gateway has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.local.gateways.base import HOP_BY_HOP
from lambda_web_adapter.local.inspector.notes.header_changes import HeaderChange, Reason, explain_headers
from lambda_web_adapter.local.inspector.notes.note import (
    BINARY_TYPES,
    CALLERS,
    CUSTOM_DOMAINS,
    LOSSES,
    SCHEMES,
    TRACE_IDS,
    Note,
)
from lambda_web_adapter.local.inspector.notes.targets import explain_event_path, explain_event_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambda_web_adapter.local.inspector.notes.messages import Content, Message
    from lambda_web_adapter.local.inspector.notes.note import Kind

_REPLACEMENT = "\ufffd".encode()
_JOINED_BY_COMMA = "Several lines have become one, joined by commas, since {title} has one value for each name."


def explain_event(client: Message, event: Message, source: str, title: str) -> Iterator[Note]:
    """Yield the differences between the client's request and the event.

    Args:
        client: the client's request.
        event: what the event says.
        source: the gateway's name.
        title: its name in sentences, with an article.
    """
    if client.method != event.method:
        text = "The event has another method than the client's request."
        yield Note(step="event", kind="changed", name="method", text=text, before=client.method, after=event.method)
    yield from explain_event_path(client.path, event.path, source, title)
    yield from explain_event_query(client.query or "", event, title)
    yield from explain_headers("event", client.headers, event.headers, lambda change: _reason(change, source, title))
    yield from _explain_body(client, event, title)


def _reason(change: HeaderChange, source: str, title: str) -> Reason:
    """Return why the gateway has changed a header."""
    if change.name in HOP_BY_HOP and not change.after:
        return Reason("It concerns only the connection between client and gateway (RFC 9110 §7.6.1).", LOSSES)
    own = _OWN_HEADERS.get(change.name)
    return (own and own(change, title)) or _reason_for_repeats(change, source, title)


def _reason_for_repeats(change: HeaderChange, source: str, title: str) -> Reason:
    if source == "alb" and change.is_last():
        return Reason(
            f"Of several lines, {title} has kept only the last; multi-value headers have all.", LOSSES, "lost"
        )
    for separator in (",", ", "):
        if change.is_joined_by(separator):
            return Reason(_JOINED_BY_COMMA.format(title=title), LOSSES, "recoded")
    return Reason(f"{title[0].upper()}{title[1:]} has {change.kind} this header.", LOSSES)


def _length(change: HeaderChange, title: str) -> Reason:
    if not change.after:
        return Reason(f"Events of {title} have no content-length; the adapter counts the bytes.", LOSSES)
    return Reason("The gateway has counted the bytes of the body.", LOSSES)


def _address(change: HeaderChange, title: str) -> Reason:
    if not change.before:
        return Reason("The gateway has added the address that the request came from.", LOSSES)
    if change.after[0].startswith(", ".join(change.before)):
        return Reason(
            "The gateway has appended the address that the request came from; all before it, a client may invent."
        )
    return Reason(
        f"The value that the client sent is gone: {title} has the address that the request came from.", LOSSES, "lost"
    )


def _scheme(change: HeaderChange, title: str) -> Reason:
    if change.before:
        return Reason("The gateway has replaced what the client sent by what it has seen itself.", SCHEMES)
    what = "scheme" if change.name == "x-forwarded-proto" else "port"
    return Reason(f"The gateway has added the {what} that the client used.", SCHEMES)


def _trace(change: HeaderChange, title: str) -> Reason:
    if change.before:
        return Reason("The gateway has put the id that it gives the request into the client's trace.", TRACE_IDS)
    return Reason("The gateway has given the request a trace id.", TRACE_IDS)


def _host(change: HeaderChange, title: str) -> Reason | None:
    if len(change.before) == len(change.after) == 1:
        return Reason("The app is behind a custom domain, which replaces the local run's address.", CUSTOM_DOMAINS)
    return None


def _cookie(change: HeaderChange, title: str) -> Reason | None:
    if change.is_split():
        return Reason("Cookies are a list in the event, one element for each.", LOSSES, "recoded")
    if change.is_joined_by("; "):
        return Reason("Several lines of cookies have become one (RFC 9113 §8.2.3).", LOSSES, "recoded")
    if change.is_last():
        return Reason(f"Of several lines of cookies, {title} has kept only the last.", LOSSES, "lost")
    return None


def _login(change: HeaderChange, title: str) -> Reason:
    return Reason("The load balancer has added what --authorizer says about the user.", CALLERS)


_OWN_HEADERS: dict[str, Callable[[HeaderChange, str], Reason | None]] = {
    "content-length": _length,
    "cookie": _cookie,
    "host": _host,
    "x-amzn-oidc-accesstoken": _login,
    "x-amzn-oidc-data": _login,
    "x-amzn-oidc-identity": _login,
    "x-amzn-trace-id": _trace,
    "x-forwarded-for": _address,
    "x-forwarded-port": _scheme,
    "x-forwarded-proto": _scheme,
}


def _explain_body(client: Message, event: Message, title: str) -> Iterator[Note]:
    if client.body is None or event.body is None:
        return
    if not client.body.has_bytes_of(event.body):
        kind: Kind = "changed"
        text = "The event has another body than the client's request."
        if _REPLACEMENT in event.body.data:
            kind = "lost"
            text = "Bytes that are not UTF-8 have become `\ufffd`: the body's type is none of the binary media types."
        yield Note(step="event", kind=kind, name="body", text=text, help=BINARY_TYPES)
    elif event.body.is_base64:
        text = f"The body is base64 in the event, {_reason_for_base64(client, client.body)}."
        yield Note(step="event", kind="recoded", name="body", text=text, help=LOSSES)


def _reason_for_base64(client: Message, body: Content) -> str:
    if coding := client.header("content-encoding"):
        return f"since it is compressed (`content-encoding: {coding}`)"
    content_type = client.header("content-type")
    if not content_type:
        return "since the request does not say that it is text (it has no `content-type`)"
    try:
        body.data.decode()
    except UnicodeDecodeError:
        return "since its bytes are not UTF-8"
    return f"as bodies of its type are (`{content_type}`)"
