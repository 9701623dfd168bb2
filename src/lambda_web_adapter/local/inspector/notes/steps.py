"""The notes of a record: what each step between client and app has changed, as far as the record has both sides."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import find_source, pass_through_source
from lambda_web_adapter.local.asgi_messages import WITHOUT_BODY
from lambda_web_adapter.local.gateways import GATEWAYS
from lambda_web_adapter.local.inspector.notes.event_notes import explain_event
from lambda_web_adapter.local.inspector.notes.messages import (
    message_of_event,
    message_of_reply,
    message_of_request,
    message_of_response,
    read_document,
)
from lambda_web_adapter.local.inspector.notes.note import AGENTS, NO_REQUESTS, WEBSOCKETS, Note
from lambda_web_adapter.local.inspector.notes.outcomes import explain_adapter_reply, explain_gateway_response
from lambda_web_adapter.local.inspector.notes.reply_notes import explain_reply
from lambda_web_adapter.local.inspector.notes.request_notes import explain_request, explain_request_without_http
from lambda_web_adapter.local.inspector.notes.response_notes import explain_response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lambda_web_adapter.local.records.record_models import Body, InvocationDetail

_PAGES = {"websocket": WEBSOCKETS, "bedrock-agent": AGENTS}


def explain(detail: InvocationDetail) -> list[Note]:
    """Return a note for each difference between two messages that follow each other.

    Where the record lacks a message, or has too little of it, there are no notes.
    """
    event, reply = _document(detail, detail.event), _document(detail, detail.reply)
    source = _adapter_source(event, detail) if event is not None else ""
    notes: list[Note] = []
    with suppress(InvalidEvent):  # the adapter has rejected it for the same reason
        notes += _event_notes(detail, event, source)
        notes += _request_notes(detail, event, source)
    with suppress(InvalidEvent):
        notes += _reply_notes(detail, reply, source)
        notes += _response_notes(detail, reply)
    return notes


def _document(detail: InvocationDetail, body: Body) -> dict[str, Any] | None:
    """Return an event or a reply; None if it is not JSON, or is cut, so that what is masked elsewhere is not in it."""
    return None if detail.is_masked and body.is_truncated else read_document(body)


def _adapter_source(event: dict[str, Any], detail: InvocationDetail) -> str:
    """Return which source the adapter has taken the event for; some are switched on by settings."""
    source = find_source(event).name
    if source == pass_through_source().name and detail.request is not None:
        if any(name.lower() == "x-amzn-connection-id" for name, _ in detail.request.headers):
            return "websocket"
        if "apiPath" in event and detail.request.body.size != detail.event_bytes:  # the event is not the body
            return "bedrock-agent"
    return source


def _event_notes(detail: InvocationDetail, event: dict[str, Any] | None, source: str) -> Iterator[Note]:
    if event is None or detail.client_request is None or detail.source not in GATEWAYS:
        return
    client = message_of_request(detail.client_request)
    title = GATEWAYS[detail.source].title
    yield from explain_event(client, message_of_event(event, source), detail.source, title)


def _request_notes(detail: InvocationDetail, event: dict[str, Any] | None, source: str) -> Iterator[Note]:
    if detail.request is None:
        return
    request = message_of_request(detail.request)
    if event is not None and _has_http_messages(source):
        yield from explain_request(message_of_event(event, source), request, source)
    elif event is not None or request.header("x-amzn-event-source"):
        yield from explain_request_without_http(request, source, _PAGES.get(source, NO_REQUESTS))


def _reply_notes(detail: InvocationDetail, reply: dict[str, Any] | None, source: str) -> Iterator[Note]:
    if own := explain_adapter_reply(detail, reply):
        yield own
    elif detail.response is None or detail.state != "succeeded":
        return
    elif reply is not None and _has_http_messages(source) and "statusCode" in reply:
        response = message_of_response(detail.response)
        yield from explain_reply(response, message_of_reply(reply), is_streamed=detail.is_streamed)
    elif detail.reply.size and source and not _has_http_messages(source):
        text = "The response's status and headers are not part of the result of an event that is no HTTP request."
        page = _PAGES.get(source, NO_REQUESTS)
        yield Note(step="reply", kind="dropped", name="headers", text=text, help=page)


def _response_notes(detail: InvocationDetail, reply: dict[str, Any] | None) -> Iterator[Note]:
    if detail.client_response is None:
        return
    if own := explain_gateway_response(detail, reply):
        yield own
    elif reply is not None and "statusCode" in reply and detail.source in GATEWAYS:
        client = message_of_response(detail.client_response)
        title = GATEWAYS[detail.source].title
        yield from explain_response(message_of_reply(reply), client, title, is_streamed=detail.is_streamed)
    is_head = detail.client_request is not None and detail.client_request.method == "HEAD"
    if detail.client_response.body.size and (is_head or detail.client_response.status in WITHOUT_BODY):
        text = "The client gets no body: a response to HEAD, or with the status 204 or 304, has none (RFC 9110 §6.4.1)."
        yield Note(step="response", kind="dropped", name="body", text=text)


def _has_http_messages(source: str) -> bool:
    """Return whether the source's events and replies describe an HTTP request and its response."""
    return source in {gateway.removesuffix("-multi") for gateway in GATEWAYS}
