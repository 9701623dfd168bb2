"""Warm-up events, which are sent on a schedule to keep environments alive; the app does not get them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

REPLY = b'{"warm":true}'


def is_warm_up(event: Any) -> bool:
    """Return whether an event is a warm-up event of one of the common tools.

    These are `{"warmer": true}` (lambda-warmer, bref) and `{"source": "serverless-plugin-warmup"}`. A plain EventBridge
    schedule (`aws.events`) does not count, since scheduled work starts that way.
    """
    if not isinstance(event, dict):
        return False
    return event.get("warmer") is True or event.get("source") == "serverless-plugin-warmup"
