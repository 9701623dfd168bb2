"""Replies that are not the app's, and responses that are not the function's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lambda_web_adapter.local.gateways import GATEWAYS, MalformedReply
from lambda_web_adapter.local.inspector.notes.note import ERRORS, REPLY_READING, Note

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.local.inspector.notes.note import Kind
    from lambda_web_adapter.local.records.record_models import InvocationDetail


def explain_adapter_reply(detail: InvocationDetail, reply: dict[str, Any] | None) -> Note | None:
    """Return the note for a reply that the adapter or Lambda has made of an error; None for an app's reply."""
    if detail.error is not None and detail.state == "failed":
        text = f"The invocation failed, so that the reply is an error document: `{detail.error.type}`."
        return _reply_note(detail, text, detail.error.message)
    error_type, message = _own_error(detail, reply)
    if error_type:
        return _reply_note(detail, f"The adapter has made this reply, not the app: `{error_type}`.", message)
    return None


def _reply_note(detail: InvocationDetail, text: str, message: str) -> Note:
    kind: Kind = "changed" if detail.response else "added"
    return Note(step="reply", kind=kind, name="status", text=text, after=message, help=ERRORS)


def _own_error(detail: InvocationDetail, reply: dict[str, Any] | None) -> tuple[str, str]:
    """Return type and message of the adapter's error in a reply; empty if it is the app's."""
    document: Any = None
    if reply is not None and (detail.adapter_error or detail.response is None):
        try:
            document = json.loads(reply.get("body") or "")
        except (TypeError, ValueError):
            document = None
    fields = document if isinstance(document, dict) else {}
    if detail.adapter_error:
        return detail.adapter_error, str(fields.get("message", ""))
    if fields.keys() == {"message", "errorType"}:  # the app was never started
        return str(fields["errorType"]), str(fields["message"])
    return "", ""


def explain_gateway_response(detail: InvocationDetail, reply: dict[str, Any] | None) -> Note | None:
    """Return the note for a response that the gateway has not built of the reply as such; None for any other."""
    if detail.client_response is None or detail.source not in {*GATEWAYS, "event"}:
        return None
    after = str(detail.client_response.status)
    if detail.state == "rejected":
        text = f"The gateway has responded without the function: {detail.problem}" if detail.problem else ""
        return _response_note(text, after) if text else None
    if detail.source not in GATEWAYS:
        return None
    if detail.state == "failed":
        return _response_note(
            "The gateway has responded itself, since the function failed; on AWS only the log says why.", after
        )
    if detail.is_streamed or detail.reply.is_truncated:
        return None
    try:
        GATEWAYS[detail.source].response(detail.reply.to_bytes())
    except MalformedReply as error:
        return _response_note(f"The gateway has responded itself, since the reply is malformed: {error}.", after)
    if reply is None or "statusCode" not in reply:
        return _response_note("A reply without `statusCode` is itself the body of a response with status 200.", after)
    return None


def _response_note(text: str, after: str) -> Note:
    return Note(step="response", kind="added", name="status", text=text, after=after, help=REPLY_READING)
