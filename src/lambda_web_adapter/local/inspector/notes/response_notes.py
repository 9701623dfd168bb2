"""From the reply to the response that the client gets: what the gateway has done."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from lambda_web_adapter.local.gateways.base import HOP_BY_HOP
from lambda_web_adapter.local.inspector.notes.header_changes import HeaderChange, Reason, explain_headers
from lambda_web_adapter.local.inspector.notes.note import BINARY_TYPES, CORS, REPLY_READING, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.local.inspector.notes.messages import Content, Message
    from lambda_web_adapter.local.inspector.notes.note import Kind

_REMAPPED = "x-amzn-remapped-"


def explain_response(reply: Message, client: Message, title: str, *, is_streamed: bool) -> Iterator[Note]:
    """Yield the differences between the reply and the response that the client gets.

    Args:
        reply: the reply.
        client: the client's response.
        title: the gateway's name in sentences, with an article.
        is_streamed: whether the reply was streamed; then the record has only the beginning of the body.
    """
    if reply.status != client.status:
        text = "The client gets another status than that of the reply."
        yield Note(
            step="response",
            kind="changed",
            name="status",
            text=text,
            before=str(reply.status),
            after=str(client.status),
        )
    yield from explain_headers("response", reply.headers, client.headers, lambda change: _reason(change, client, title))
    if reply.body and client.body and not is_streamed:
        yield from _explain_body(reply.body, client.body, title)


def _reason(change: HeaderChange, client: Message, title: str) -> Reason:
    """Return why the gateway has changed a header."""
    if change.name == "content-type" and not change.before:
        return Reason(f"The app has set no content type, so the client gets that of {title}.", REPLY_READING)
    if change.name.startswith(_REMAPPED) and not change.before:
        name = change.name.removeprefix(_REMAPPED)
        return Reason(f"It is the app's `{name}`, which {title} reserves for itself.", REPLY_READING)
    if not change.after and _is_remapped(change, client):
        text = f"The client gets it as `{_REMAPPED}{change.name}`: {title} reserves the name for itself."
        return Reason(text, REPLY_READING)
    if change.name in HOP_BY_HOP and not change.after:
        return Reason("It concerns only one connection, so the gateway drops it (RFC 9110 §7.6.1).", REPLY_READING)
    if change.name.startswith("access-control-") or change.name == "vary":
        return Reason("The function URL's CORS settings have added it (--cors).", CORS)
    if change.name == "content-length" and not change.after:
        return Reason("The body is longer as base64 than the app's length says.", BINARY_TYPES)
    return Reason(f"{title[0].upper()}{title[1:]} has {change.kind} this header.", REPLY_READING)


def _is_remapped(change: HeaderChange, client: Message) -> bool:
    return change.before == [value for name, value in client.headers if name.lower() == f"{_REMAPPED}{change.name}"]


def _explain_body(before: Content, after: Content, title: str) -> Iterator[Note]:
    if before.has_bytes_of(after):
        if before.is_base64:
            yield _note("recoded", "body", "The gateway has decoded the base64.")
    elif before.is_base64 and after.data == base64.b64encode(before.data):
        text = (
            "The client gets the base64 as text, since the type that it accepts is not one of the binary media types."
        )
        yield _note("lost", "body", text, page=BINARY_TYPES)
    else:
        yield _note("changed", "body", "The client gets another body than that of the reply.")


def _note(kind: Kind, name: str, text: str, *, after: str = "", page: str = REPLY_READING) -> Note:
    return Note(step="response", kind=kind, name=name, text=text, after=after, help=page)
