"""What can be configured of a WebSocket API, and its quotas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambda_web_adapter.local.websocket_api.route_selection import RouteSelection

# API Gateway, "Quotas for configuring and running a WebSocket API"; in bytes, and in seconds.
MAX_MESSAGE_BYTES = 128 * 1024
MAX_FRAME_BYTES = 32 * 1024
IDLE_SECONDS = 10 * 60
CONNECTION_SECONDS = 2 * 60 * 60

DEFAULT_STAGE = "prod"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketOptions:
    """The settings of an API.

    Attributes:
        stage: the stage in events and, optionally, in paths.
        route_selection: how a message's route is found.
        routes: the routes that the API has besides `$default`; None if it has whatever a message selects.
        route_responses: whether the client gets the body of a reply: the API's routes have a route response then.
        authorizer: what a Lambda authorizer has returned, in all events of a connection; None if there is none.
        idle_seconds: after how long without a message a connection is closed.
        connection_seconds: after how long a connection is closed in any case.
    """

    stage: str = DEFAULT_STAGE
    route_selection: RouteSelection = field(default_factory=RouteSelection)
    routes: frozenset[str] | None = None
    route_responses: bool = False
    authorizer: Mapping[str, Any] | None = None
    idle_seconds: float = IDLE_SECONDS
    connection_seconds: float = CONNECTION_SECONDS
