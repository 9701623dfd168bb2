"""API Gateway HTTP API with payload format 1.0, its `$default` stage and route.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

from urllib.parse import unquote

from lambda_web_adapter.local.gateways import event_rules
from lambda_web_adapter.local.gateways.base import API_GATEWAY_PAYLOAD_LIMIT, Gateway, Request, Response
from lambda_web_adapter.local.gateways.http_api_v2 import CONTENT_TYPE, DOMAIN, ID, REFUSAL, TOO_LARGE, header_lines_of
from lambda_web_adapter.local.gateways.response_rules import (
    build_response,
    header_lines,
    parse_reply,
    with_content_type,
)
from lambda_web_adapter.models import HttpApiV1Event, HttpApiV1Reply, PayloadV1Context, PayloadV1Identity

_ROUTE = "$default"


def _event(request: Request) -> HttpApiV1Event:
    """The path is as sent, but decoded in the context; header names are capitalised."""
    headers = event_rules.capitalised(header_lines_of(request))
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
        request_context=_context(request),
        body=text or None,
        is_base64_encoded=is_base64,
    )


def _context(request: Request) -> PayloadV1Context:
    return PayloadV1Context(
        account_id=event_rules.ACCOUNT,
        api_id=ID,
        domain_name=DOMAIN,
        domain_prefix=ID,
        extended_request_id=request.request_id,
        http_method=request.method,
        identity=PayloadV1Identity(source_ip=request.source_ip, user_agent=request.header("user-agent") or ""),
        path=unquote(request.raw_path),
        request_id=request.request_id,
        request_time=event_rules.clock(request),
        request_time_epoch=request.time_ms,
        resource_id=_ROUTE,
        resource_path=_ROUTE,
        stage="$default",
    )


def _response(payload: bytes) -> Response:
    """Both maps are read; for a name in both, the single value comes first."""
    reply = parse_reply(HttpApiV1Reply, payload)
    lines = [*(reply.headers or {}).items(), *header_lines(reply.multi_value_headers)]
    return with_content_type(
        build_response(reply.status_code, lines, reply.body, reply.is_base64_encoded), CONTENT_TYPE
    )


HTTP_API_V1 = Gateway(
    name="http-api-v1",
    title="an HTTP API with payload 1.0",
    event=_event,
    response=_response,
    refusal=REFUSAL,
    max_body=API_GATEWAY_PAYLOAD_LIMIT,
    too_large=TOO_LARGE,
)
