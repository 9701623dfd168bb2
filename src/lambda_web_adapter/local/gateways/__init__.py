"""AWS's gateways: each turns an HTTP request into an event, and a reply into an HTTP response.

To add one, add a file with a `Gateway`, a line here, and its name in `local.arguments`. All functions are pure: time
and ids come with the request.
"""

from __future__ import annotations

from types import MappingProxyType

from lambda_web_adapter.local.gateways.alb import ALB, ALB_MULTI
from lambda_web_adapter.local.gateways.base import LAMBDA_PAYLOAD_LIMIT, Gateway, MalformedReply, Request, Response
from lambda_web_adapter.local.gateways.function_url import FUNCTION_URL
from lambda_web_adapter.local.gateways.http_api_v1 import HTTP_API_V1
from lambda_web_adapter.local.gateways.http_api_v2 import HTTP_API_V2
from lambda_web_adapter.local.gateways.rest_api import REST_API
from lambda_web_adapter.local.gateways.vpc_lattice import VPC_LATTICE_V1, VPC_LATTICE_V2

__all__ = ["GATEWAYS", "LAMBDA_PAYLOAD_LIMIT", "Gateway", "MalformedReply", "Request", "Response"]

GATEWAYS = MappingProxyType(
    {
        gateway.name: gateway
        for gateway in (
            FUNCTION_URL,
            HTTP_API_V2,
            HTTP_API_V1,
            REST_API,
            ALB,
            ALB_MULTI,
            VPC_LATTICE_V1,
            VPC_LATTICE_V2,
        )
    }
)
