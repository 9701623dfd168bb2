"""API Gateway HTTP API with payload format 1.0, its `$default` route and, without options, its `$default` stage.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from lambda_web_adapter.local.gateways import event_rules
from lambda_web_adapter.local.gateways.api_address import ID
from lambda_web_adapter.local.gateways.base import API_GATEWAY_PAYLOAD_LIMIT, Gateway, Request, Response
from lambda_web_adapter.local.gateways.http_api_v2 import (
    CONTENT_TYPE,
    REFUSAL,
    TOO_LARGE,
    address_of,
    header_lines_of,
    refuse,
)
from lambda_web_adapter.local.gateways.response_rules import (
    build_response,
    header_lines,
    parse_reply,
    with_content_type,
)
from lambda_web_adapter.models import HttpApiV1Event, HttpApiV1Reply, PayloadV1Context

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.api_address import ApiAddress
    from lambda_web_adapter.local.gateways.options import GatewayOptions

_ROUTE = "$default"


def http_api_v1(options: GatewayOptions) -> Gateway:
    """Return an HTTP API with payload 1.0."""
    address = address_of(options)
    return Gateway(
        name="http-api-v1",
        title="an HTTP API with payload 1.0",
        event=lambda request: _event(request, address, options),
        response=_response,
        own_response=lambda request: refuse(request, address),
        prefix=address.prefix,
        refusal=REFUSAL,
        max_body=API_GATEWAY_PAYLOAD_LIMIT,
        too_large=TOO_LARGE,
    )


def _event(request: Request, address: ApiAddress, options: GatewayOptions) -> HttpApiV1Event:
    """The path is as sent, but decoded in the context; header names are capitalised."""
    headers = event_rules.capitalised(header_lines_of(request, address))
    query = event_rules.decoded_query(request.query)
    text, is_base64 = event_rules.body_text(request)
    return HttpApiV1Event(
        resource=_ROUTE,
        path=request.raw_path,
        http_method=request.method,
        headers=event_rules.last_values(headers),
        multi_value_headers=event_rules.all_values(headers),
        query_string_parameters=event_rules.last_values(query) or None,
        multi_value_query_string_parameters=event_rules.all_values(query) or None,
        request_context=_context(request, address, options),
        body=text or None,
        is_base64_encoded=is_base64,
    )


def _context(request: Request, address: ApiAddress, options: GatewayOptions) -> PayloadV1Context:
    return PayloadV1Context(
        account_id=event_rules.ACCOUNT,
        api_id=ID,
        authorizer=options.authorizer.for_http_api_v1(),
        domain_name=address.domain,
        domain_prefix=address.domain_prefix,
        extended_request_id=request.request_id,
        http_method=request.method,
        identity=options.authorizer.identity_v1(request.source_ip, request.header("user-agent") or ""),
        path=unquote(request.raw_path),
        request_id=request.request_id,
        request_time=event_rules.clock(request),
        request_time_epoch=request.time_ms,
        resource_id=_ROUTE,
        resource_path=_ROUTE,
        stage=address.stage,
    )


def _response(payload: bytes) -> Response:
    """Both maps are read; for a name in both, the single value comes first."""
    reply = parse_reply(HttpApiV1Reply, payload)
    lines = [*(reply.headers or {}).items(), *header_lines(reply.multi_value_headers)]
    return with_content_type(
        build_response(reply.status_code, lines, reply.body, reply.is_base64_encoded), CONTENT_TYPE
    )
