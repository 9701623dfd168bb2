"""Everything that is not an HTTP request: queues, schedules, streams, authorizers, direct invocations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from lambda_web_adapter.errors import AppRejectedEvent
from lambda_web_adapter.events import reply_rules, strict_json
from lambda_web_adapter.events.services import find_service
from lambda_web_adapter.events.source import EventSource
from lambda_web_adapter.http.messages import Request
from lambda_web_adapter.http.trusted_headers import EVENT_SOURCE_HEADER

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Response
    from lambda_web_adapter.settings import Settings

_MAX_BODY_CHARACTERS = 1000  # characters of the app's response that an error message quotes
_COMMANDS_ARE_OFF = (
    " Commands of the app are off: to have such events run them, set the function's variable AWS_LWA_COMMANDS to the "
    "program, such as `python3 manage.py` (docs/commands-on-lambda.md)."
)


class PassThrough(EventSource):
    """The source of all events that no other source recognises; the app gets a POST of the event."""

    name = "pass-through"
    is_http = False

    def matches(self, event: dict[str, Any]) -> bool:
        """Return False: this source is used only if no other matches."""
        return False

    def build_request(self, event: Any, settings: Settings) -> Request:
        """Return the request without its body.

        `events.build_request` adds the event's bytes, since encoding the parsed event might change numbers.
        """
        service = find_service(event)
        return Request(
            method="POST",
            path=settings.pass_through_path.replace("{source}", service),
            headers=[("content-type", "application/json")],
            reserved_headers=[(EVENT_SOURCE_HEADER, service)],
        )

    def build_reply(self, response: Response, event: Any) -> bytes:
        """Return the body if it is JSON, other text as a JSON string, and null if there is no body."""
        if not response.body:
            return b"null"
        text, is_base64 = reply_rules.encode_body(response)
        return response.body if not is_base64 and _is_json(text) else orjson.dumps(text)


def error_from_rejection(response: Response, request: Request, event: Any) -> AppRejectedEvent:
    """Return the error for a response whose status fails the invocation.

    If the body is a JSON object with `errorType` and `errorMessage`, these become the error's, so that a state machine
    can branch on them.

    Args:
        response: the app's.
        request: the one that it is for.
        event: the one that the request was built of. A command gets here only while commands are off.
    """
    text, is_base64 = reply_rules.encode_body(response)
    try:
        document = None if is_base64 else orjson.loads(text)
    except orjson.JSONDecodeError:
        document = None
    if isinstance(document, dict):
        error_type, message = document.get("errorType"), document.get("errorMessage")
        if isinstance(error_type, str) and isinstance(message, str):
            return AppRejectedEvent(message, raised=error_type)
    route = f"{request.method} {request.path}"
    return AppRejectedEvent(
        f"The app responded to {route} with status {response.status}: {text[:_MAX_BODY_CHARACTERS] or '(no body)'}",
        details=_COMMANDS_ARE_OFF if isinstance(event, dict) and list(event) == ["command"] else "",
    )


def _is_json(text: str) -> bool:
    try:
        strict_json.read(text)
    except ValueError:
        return False
    return True
