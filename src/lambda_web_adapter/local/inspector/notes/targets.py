"""What has become of path and query, on the way into the event and out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus, unquote_to_bytes

from lambda_web_adapter.events import request_rules
from lambda_web_adapter.local.inspector.notes.note import HEADER_RULES, LOSSES, STAGES, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.local.inspector.notes.messages import Message, Pairs
    from lambda_web_adapter.local.inspector.notes.note import Kind

_DECODING = "http-api-v2"  # the one source whose events have the path decoded
_DECODING_QUERIES = ("rest-api", "http-api-v1")
_OTHER_QUERY = "The event has another query than the client's request."
_ESCAPED = "Characters that a request line cannot have are percent-encoded."


# Client → event


def explain_event_path(before: str, after: str, source: str, title: str) -> Iterator[Note]:
    """Yield how the path of an event differs from that of the client's request."""
    kind: Kind = "changed"
    if before == after:
        return
    if source == _DECODING and "%2f" in before.lower():
        kind, text = "lost", "An HTTP API decodes the path: `%2F` has become `/`, which looks like a separator."
    elif source == _DECODING and not _is_utf_8(before):
        kind, text = "lost", "An HTTP API decodes the path as UTF-8: bytes that are not UTF-8 have become `\ufffd`."
    elif source == _DECODING and after == unquote(before):
        kind, text = "recoded", "An HTTP API decodes the path; the adapter encodes it again."
    elif before.endswith(after) or after == "/":
        text = f"Paths in events of {title} do not have the stage, which is in `requestContext`."
    else:
        text = "The event has another path than the client's request."
    yield Note(step="event", kind=kind, name="path", text=text, before=before, after=after, help=LOSSES)


def explain_event_query(before: str, event: Message, title: str) -> Iterator[Note]:
    """Yield how the query of an event differs from that of the client's request; the event may have only a map."""
    if event.query is not None:
        if event.query != before:
            yield _query_note("changed", _OTHER_QUERY, before, event.query)
        return
    sent = [part.partition("=") for part in before.split("&") if part]
    pairs = [(name, value) for name, _, value in sent]
    decoded = [(unquote_plus(name), unquote_plus(value)) for name, value in pairs]
    if pairs != decoded and sorted(decoded) == sorted(event.parameters):
        yield _note_of_decoding(pairs, decoded)
        pairs = decoded
    yield from _explain_pairs(before, pairs, event.parameters, title)
    if bare := [name for name, equals, _ in sent if not equals]:
        text = f"Whether a parameter without a value has a `=` is lost: events of {title} have a map."
        yield _query_note("lost", text, bare[0])


def _note_of_decoding(pairs: Pairs, decoded: Pairs) -> Note:
    sent, plain = next((sent, parameter) for sent, parameter in zip(pairs, decoded, strict=True) if sent != parameter)
    if all(_is_utf_8(text) for pair in pairs for text in pair):
        text = "The gateway decodes the query, so that `+` and `%20` are the same; the adapter encodes it again."
        return _query_note("recoded", text, "=".join(sent), "=".join(plain))
    text = "The gateway decodes the query as UTF-8: bytes that are not UTF-8 have become `\ufffd`."
    return _query_note("lost", text, "=".join(sent), "=".join(plain))


def _explain_pairs(before: str, sent: Pairs, parameters: Pairs, title: str) -> Iterator[Note]:
    """Yield whether pairs are missing, in another order, or others."""
    if sent == parameters:
        return
    if sorted(sent) == sorted(parameters):
        text = "The order of parameters with different names is lost, since the event has a map."
        yield _query_note("lost", text, before)
    elif dict(sent) == dict(parameters):
        text = f"Of repeated parameters, {title} has kept only the last; multi-value headers have all."
        yield _query_note("lost", text, before)
    else:
        yield _query_note("changed", _OTHER_QUERY, before)


def _query_note(kind: Kind, text: str, before: str, after: str = "") -> Note:
    return Note(step="event", kind=kind, name="query", text=text, before=before, after=after, help=LOSSES)


def _is_utf_8(encoded: str) -> bool:
    try:
        unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        return False
    return True


# Event → app


def explain_request_path(event: Message, request: Message, source: str) -> Iterator[Note]:
    """Yield how the path of the app's request differs from that of the event."""
    is_decoded = source == _DECODING
    encode = request_rules.path_from_decoded if is_decoded else request_rules.path_from_encoded
    whole, prefix = encode(event.path), request.header("x-forwarded-prefix")
    removed = whole.removesuffix(request.path)
    if whole not in (event.path, request.path) or (whole == request.path != event.path):
        text = "The event's path is decoded: the adapter encodes it, and the app's server decodes it once."
        yield _path_note("recoded", text if is_decoded else _ESCAPED, event, request)
    if whole == request.path:
        return
    if removed and prefix.endswith(removed):
        text = (
            f"`{removed}`, the stage or base path, is not part of the app's own path; the app gets it as its root path."
        )
        yield _path_note("changed", text, event, request, STAGES)
    else:
        yield _path_note("changed", "The app's request has another path than the event.", event, request)


def _path_note(kind: Kind, text: str, event: Message, request: Message, page: str = HEADER_RULES) -> Note:
    return Note(step="request", kind=kind, name="path", text=text, before=event.path, after=request.path, help=page)


def explain_request_query(event: Message, request: Message, source: str) -> Iterator[Note]:
    """Yield how the query of the app's request differs from that of the event."""
    before, after = event.query, request.query or ""
    kind: Kind = "recoded"
    if before is None:
        before = "&".join(f"{name}={value}" for name, value in event.parameters)
    if before == after:
        return
    if source in _DECODING_QUERIES and after == request_rules.query_from_decoded(event.parameters):
        text = "The event has the query decoded: the adapter encodes it again, with `%20` for a space."
    elif after == request_rules.query_from_raw(before):
        text = _ESCAPED
    else:
        kind, text = "changed", "The app's request has another query than the event."
    yield Note(
        step="request",
        kind=kind,
        name="query",
        text=text,
        before=event.query or "",
        after=after,
        help=HEADER_RULES,
    )
