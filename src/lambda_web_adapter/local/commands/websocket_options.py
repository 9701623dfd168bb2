"""The options of a WebSocket API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lambda_web_adapter.local.commands.help_sections import SectionOption
from lambda_web_adapter.local.websocket_api.options import DEFAULT_STAGE, WebSocketOptions
from lambda_web_adapter.local.websocket_api.route_selection import (
    DEFAULT_EXPRESSION,
    InvalidExpression,
    RouteSelection,
)

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.local.gateways import GatewayOptions

_SECTION = "WebSocket API"
PARAMETERS: list[click.Parameter] = [
    SectionOption(
        ["--route-selection"],
        section=_SECTION,
        default=DEFAULT_EXPRESSION,
        show_default=True,
        metavar="EXPRESSION",
        help="What of a message is its route.",
    ),
    SectionOption(
        ["--route", "routes"],
        section=_SECTION,
        multiple=True,
        metavar="NAME",
        help="A route of the API, besides $default; without it, the API has whatever messages select.",
    ),
    SectionOption(
        ["--route-responses"],
        section=_SECTION,
        is_flag=True,
        help="Send clients what routes reply, as on AWS with a route response.",
    ),
]


def parse(values: dict[str, Any], gateway: GatewayOptions | None) -> WebSocketOptions:
    """Return the settings of a WebSocket API, given the values of its options, and the options of all gateways.

    Raises:
        click.BadParameter: the expression is not valid.
    """
    try:
        selection = RouteSelection(values["route_selection"])
    except InvalidExpression as error:
        raise click.BadParameter(str(error), param_hint="'--route-selection'") from None
    return WebSocketOptions(
        stage=values["stage"] or DEFAULT_STAGE,
        route_selection=selection,
        routes=frozenset(values["routes"]) if values["routes"] else None,
        route_responses=values["route_responses"],
        authorizer=gateway.authorizer.for_websocket_api() if gateway else None,
    )
