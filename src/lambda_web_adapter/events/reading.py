"""Parse events, with the faster of two JSON parsers if it can."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import orjson

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.http.large_bodies import LARGE_BODY

if TYPE_CHECKING:
    from typing import Any


def read_event(event: bytes) -> Any:
    """Return the parsed event.

    A large body stays bytes, which `request_rules.decode_body` accepts: base64 as a view of the event, text as UTF-8.

    Raises:
        InvalidEvent: the event is not JSON.
    """
    if len(event) >= LARGE_BODY:
        from lambda_web_adapter.events.large_bodies import read_large_event  # few functions need it

        if parsed := read_large_event(event):
            return parsed
    try:
        return orjson.loads(event)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(event)  # accepts half of a surrogate pair and NaN, too
    except (ValueError, RecursionError) as error:
        raise InvalidEvent(f"The event is not JSON: {error}. It begins with {event[:100]!r}.") from None
