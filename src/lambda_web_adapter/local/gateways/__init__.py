"""AWS's gateways: each turns an HTTP request into an event, and a reply into an HTTP response.

To add one, add a file with a function that returns a `Gateway` for options, a line here, and its name in
`local.event_sources`. All functions are pure: time and ids come with the request.
"""

from __future__ import annotations

from types import MappingProxyType

from lambda_web_adapter.local.gateways.alb import alb, alb_multi
from lambda_web_adapter.local.gateways.base import LAMBDA_PAYLOAD_LIMIT, Gateway, MalformedReply, Request, Response
from lambda_web_adapter.local.gateways.function_url import function_url
from lambda_web_adapter.local.gateways.http_api_v1 import http_api_v1
from lambda_web_adapter.local.gateways.http_api_v2 import http_api_v2
from lambda_web_adapter.local.gateways.options import GatewayOptions
from lambda_web_adapter.local.gateways.rest_api import rest_api
from lambda_web_adapter.local.gateways.vpc_lattice import vpc_lattice_v1, vpc_lattice_v2

__all__ = [
    "GATEWAYS",
    "LAMBDA_PAYLOAD_LIMIT",
    "Gateway",
    "GatewayOptions",
    "MalformedReply",
    "Request",
    "Response",
    "build_gateway",
]

_BUILDERS = MappingProxyType(
    {
        "function-url": function_url,
        "http-api-v2": http_api_v2,
        "http-api-v1": http_api_v1,
        "rest-api": rest_api,
        "alb": alb,
        "alb-multi": alb_multi,
        "vpc-lattice-v1": vpc_lattice_v1,
        "vpc-lattice-v2": vpc_lattice_v2,
    }
)


def build_gateway(name: str, options: GatewayOptions) -> Gateway:
    """Return the gateway of this name with its options."""
    return _BUILDERS[name](options)


# The gateways without options.
GATEWAYS = MappingProxyType({name: build_gateway(name, GatewayOptions()) for name in _BUILDERS})
