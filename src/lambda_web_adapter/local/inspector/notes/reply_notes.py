"""From the app's response to the reply: what the adapter has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.events.reply_rules import encode_body
from lambda_web_adapter.http.headers import HOP_BY_HOP
from lambda_web_adapter.http.messages import Response
from lambda_web_adapter.local.inspector.notes.header_changes import HeaderChange, Reason, explain_headers
from lambda_web_adapter.local.inspector.notes.note import COMPRESSION, REPLY_RULES, SETTINGS, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.local.inspector.notes.messages import Content, Message
    from lambda_web_adapter.local.inspector.notes.note import Kind

# Headers that compression adds, changes or drops (`http/compression`).
_OF_COMPRESSION = frozenset({"accept-ranges", "content-encoding", "etag", "vary"})


def explain_reply(response: Message, reply: Message, *, is_streamed: bool) -> Iterator[Note]:
    """Yield the differences between the app's response and the reply."""
    if response.status != reply.status:
        text = "The reply has another status than the app's response."
        yield Note(
            step="reply",
            kind="changed",
            name="status",
            text=text,
            before=str(response.status),
            after=str(reply.status),
        )
    if reply.description:
        text = "The adapter has added the status with its reason, `statusDescription`, as the source expects it."
        yield _note("added", "status", text, after=reply.description)
    is_compressed = reply.header("content-encoding") != response.header("content-encoding")
    yield from explain_headers(
        "reply", response.headers, reply.headers, lambda change: _reason(change, response, is_compressed)
    )
    names = [name for name, _ in reply.headers if name.lower() == "set-cookie"]
    if len({*names}) > 1:
        text = "Each cookie has another spelling of the name, since the reply has one value for each name."
        yield _note("recoded", "set-cookie", text, after="\n".join(names))
    if response.body and reply.body and not is_streamed:
        yield from _explain_body(response, response.body, reply.body, is_compressed=is_compressed)


def _reason(change: HeaderChange, response: Message, is_compressed: bool) -> Reason:
    """Return why the adapter has changed a header."""
    if not change.after:
        return _reason_for_drop(change, response, is_compressed)
    if change.is_joined_by(", "):
        text = "Several lines have become one, joined by commas, since the reply has one value for each name."
        return Reason(text, REPLY_RULES, "recoded")
    if change.name == "set-cookie":
        text = "There are 512 spellings of the name, so that no more cookies fit into the reply."
        return Reason(text, REPLY_RULES, "lost")
    if change.name in _OF_COMPRESSION:
        return Reason(
            "AWS_LWA_ENABLE_COMPRESSION has the adapter compress responses for clients that accept it.", COMPRESSION
        )
    if change.name == "content-length" and not change.before:
        return Reason("The streamed reply has no body, so the adapter states its length.", REPLY_RULES)
    return Reason(f"The adapter has {change.kind} this header.", REPLY_RULES)


def _reason_for_drop(change: HeaderChange, response: Message, is_compressed: bool) -> Reason:
    if change.name in HOP_BY_HOP:
        return Reason("It concerns only the connection between app and adapter (RFC 9110 §7.6.1).", REPLY_RULES)
    if change.name == "content-length":
        return Reason("The gateway counts the bytes itself.", REPLY_RULES)
    if change.name in {option.strip().lower() for option in response.header("connection").split(",")}:
        return Reason("The app's `Connection` header names it as one for that connection only.", REPLY_RULES)
    if is_compressed and change.name in _OF_COMPRESSION:
        return Reason("It describes the bytes before their compression.", COMPRESSION)
    return Reason("AWS_LWA_EXCLUDE_RESPONSE_HEADERS lists it.", SETTINGS)


def _explain_body(response: Message, before: Content, after: Content, *, is_compressed: bool) -> Iterator[Note]:
    if is_compressed and not before.has_bytes_of(after):
        text = "The adapter has compressed the body (AWS_LWA_ENABLE_COMPRESSION), so it is base64 in the reply."
        yield _note("recoded", "body", text, page=COMPRESSION)
    elif not before.has_bytes_of(after):
        yield _note("changed", "body", "The reply has another body than the app's response.")
    elif after.is_base64:
        yield _note("recoded", "body", f"The body is base64 in the reply, {_reason_for_base64(response, before)}.")


def _reason_for_base64(response: Message, body: Content) -> str:
    coding = response.header("content-encoding")
    if coding and coding.lower() != "identity":
        return f"since it is compressed (`content-encoding: {coding}`)"
    content_type = response.header("content-type")
    if encode_body(Response(200, [(b"content-type", content_type.encode())], b"text"))[1]:
        return f"since its type is binary (`{content_type}`)"
    try:
        body.data.decode()
    except UnicodeDecodeError:
        return "since its bytes are not UTF-8"
    return "since it has control characters, which JSON makes longer than base64"


def _note(kind: Kind, name: str, text: str, *, after: str = "", page: str = REPLY_RULES) -> Note:
    return Note(step="reply", kind=kind, name=name, text=text, after=after, help=page)
