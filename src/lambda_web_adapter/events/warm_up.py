"""Warm-up events: sent on a schedule to keep environments alive, answered without the app."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

REPLY = b'{"warm":true}'


def is_warm_up(event: Any) -> bool:
    """Says whether an event is one of those that the common tools send.

    `{"warmer": true}` (lambda-warmer, bref) and `{"source": "serverless-plugin-warmup"}`. A schedule of EventBridge
    itself (`aws.events`) is not one: real work starts that way.
    """
    if not isinstance(event, dict):
        return False
    return event.get("warmer") is True or event.get("source") == "serverless-plugin-warmup"
