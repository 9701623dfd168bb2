"""Event sources: which one an event is of, what request it means, what reply it takes.

To add a source: one file with one class, and one line in `SOURCES`. Recognition is by positive marks and exclusive, so
the order of `SOURCES` does not matter.
"""

from __future__ import annotations

from dataclasses import replace

from lambda_web_adapter.events import _wire
from lambda_web_adapter.events._source import EventSource
from lambda_web_adapter.events.alb import Alb
from lambda_web_adapter.events.function_url import FunctionUrl
from lambda_web_adapter.events.http_api_v1 import HttpApiV1
from lambda_web_adapter.events.http_api_v2 import HttpApiV2
from lambda_web_adapter.events.pass_through import PassThrough
from lambda_web_adapter.events.rest_api import RestApi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.messages import Request
    from lambda_web_adapter.settings import Settings

SOURCES: tuple[EventSource, ...] = (RestApi(), HttpApiV1(), HttpApiV2(), FunctionUrl(), Alb())
PASS_THROUGH: EventSource = PassThrough()

# An authorizer's event looks like the request it is about, but asks for a policy, not for a page.
_AUTHORIZER_MARKS = frozenset({"methodArn", "routeArn"})


def source_of(event: Any) -> EventSource:
    """Finds the source of an event; what no source recognises is passed through.

    Args:
        event: the event, as read from JSON.
    """
    if isinstance(event, dict) and _AUTHORIZER_MARKS.isdisjoint(event):
        for source in SOURCES:
            if source.recognises(event):
                return source
    return PASS_THROUGH


def to_request(source: EventSource, event: Any, settings: Settings, verbatim: bytes) -> Request:
    """Makes the request that an event means, with the configured base path taken off.

    Args:
        source: the event's source.
        event: the event, as read from JSON.
        settings: the settings.
        verbatim: the event's own bytes, which are what an event that is not an HTTP request is sent as.

    Raises:
        InvalidEvent: the event holds something that no HTTP request can carry.
    """
    request = source.request(event, settings)
    if not source.http:
        return replace(request, body=verbatim)
    if settings.remove_base_path:
        removed, path = _wire.remove_prefix(request.path, settings.remove_base_path)
        if removed:
            return replace(request, path=path, prefix=request.prefix + removed)
    return request
