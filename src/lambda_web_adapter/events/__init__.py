"""Event sources: which one sent an event, which request the event becomes, and which reply the source takes.

To add a source: one file with one class, and one line in `SOURCES`. Each source matches only fields that no other
source's events have, so the order of `SOURCES` only matters for speed.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from lambda_web_adapter.errors import ForbiddenPath
from lambda_web_adapter.events import request_rules
from lambda_web_adapter.events.reply_rules import prelude

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.events.source import EventSource
    from lambda_web_adapter.http.messages import Request
    from lambda_web_adapter.settings import Settings

__all__ = ["build_request", "find_source", "import_sources", "pass_through_source", "prelude"]

# Module and class. A module is imported when an event may be of its source: all of them take 2 ms of a cold start.
SOURCES = (
    "function_url.FunctionUrl",
    "http_api_v2.HttpApiV2",
    "rest_api.RestApi",
    "http_api_v1.HttpApiV1",
    "alb.Alb",
    "vpc_lattice_v2.VpcLatticeV2",
    "vpc_lattice_v1.VpcLatticeV1",
    "websocket.WebSocket",
    "bedrock_agent.BedrockAgent",
    "lambda_edge.LambdaEdge",
)


@cache
def _get_source(name: str) -> EventSource:
    module, _, class_name = name.partition(".")
    source: EventSource = getattr(import_module(f"{__name__}.{module}"), class_name)()
    return source


def import_sources() -> list[EventSource]:
    """Import all sources, for a start that no caller waits for, and return them."""
    return [*map(_get_source, SOURCES), pass_through_source()]


def pass_through_source() -> EventSource:
    """Return the source of all events that no other one matches."""
    return _get_source("pass_through.PassThrough")


def find_source(event: Any, settings: Settings | None = None) -> EventSource:
    """Return the source of an event: the one that matches it and is switched on, else `pass_through_source()`.

    Args:
        event: the event, parsed from JSON.
        settings: the settings; without them, only the sources that are always on count.
    """
    # An authorizer's event looks like the request that it is to authorize, but the reply is a policy, not a page.
    if isinstance(event, dict) and "methodArn" not in event and "routeArn" not in event:
        for source in map(_get_source, SOURCES):
            if source.matches(event):
                is_on = not source.setting or getattr(settings, source.setting, None)
                return source if is_on else pass_through_source()
    return pass_through_source()


def build_request(source: EventSource, event: Any, settings: Settings, raw_event: bytes) -> Request:
    """Return the request for an event, with the settings for all sources applied.

    Args:
        source: the event's source.
        event: the event, parsed from JSON.
        settings: the settings.
        raw_event: the event's bytes, which are the body if the event is not an HTTP request.

    Raises:
        InvalidEvent: the event holds something that no HTTP request can carry.
        ForbiddenPath: a client requests a path that is reserved for events or for the adapter.
    """
    request = source.build_request(event, settings)
    if not source.is_http:
        request.body = raw_event
        return request
    if request.reserved_headers:
        return request  # no client can choose the path of such a request
    if settings.remove_base_path:
        removed, request.path = request_rules.remove_prefix(request.path, settings.remove_base_path)
        request.prefix += removed
    if settings.snapstart_before_checkpoint_path or settings.snapstart_after_restore_path:
        _check_hook_paths(request, event, settings)
    if settings.protect_event_paths and _is_event_path(request, event, settings):
        raise ForbiddenPath(f"{request.path:.200} is reserved for events (AWS_LWA_PROTECT_EVENT_PATHS).")
    return request


def _is_event_path(request: Request, event: Any, settings: Settings) -> bool:
    from lambda_web_adapter.events.protected_paths import is_for_events  # takes 0.3 ms of a cold start

    return is_for_events(request, event, settings)


def _check_hook_paths(request: Request, event: Any, settings: Settings) -> None:
    from lambda_web_adapter.events.protected_paths import is_for_hooks  # as above

    if is_for_hooks(request, event, settings):
        raise ForbiddenPath(f"{request.path:.200} is reserved for SnapStart hooks (AWS_LWA_SNAPSTART_…).")
