"""Everything that is not an HTTP request: queues, schedules, streams, authorizers, direct invocations."""

from __future__ import annotations

import json

import orjson

from lambda_web_adapter.errors import AppRejectedEvent
from lambda_web_adapter.events import _wire
from lambda_web_adapter.events._source import EventSource
from lambda_web_adapter.messages import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.messages import Response
    from lambda_web_adapter.settings import Settings


class PassThrough(EventSource):
    """The remainder: what no other source recognises reaches the app as a POST of the event."""

    name = "pass-through"
    http = False

    def recognises(self, event: dict[str, Any]) -> bool:
        """It is what is left, so it claims nothing."""
        return False

    def request(self, event: Any, settings: Settings) -> Request:
        """The body is the event verbatim, which `to_request` puts in: written again, numbers might change."""
        return Request(
            method="POST",
            path=settings.pass_through_path,
            headers=[("content-type", "application/json")],
        )

    def reply(self, response: Response, event: Any) -> bytes:
        """JSON is the result as it is, other text a JSON string, and nothing is null.

        Raises:
            AppRejectedEvent: the status is not 2xx; a queue must see that, or it takes the message for done.
        """
        text, is_base64 = _wire.body_text(response)
        if not 200 <= response.status < 300:
            shown = text[:1000] or "(no body)"
            raise AppRejectedEvent(f"The app answered the event with status {response.status}: {shown}")
        if not response.body:
            return b"null"
        if is_base64:
            return orjson.dumps(text)
        return response.body if _is_json(text) else orjson.dumps(text)


def _is_json(text: str) -> bool:
    """Says whether a text is JSON; the standard library takes what orjson does not: half of a surrogate pair."""
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON (RFC 8259 §6)")
