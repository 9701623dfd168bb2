"""API Gateway REST API with Lambda proxy integration, its resource `/{proxy+}`.

Without options it is on a custom domain, whose paths have no stage, and its `binaryMediaTypes` include all types that
are not text, so that binary bodies work in both directions.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.local.gateways import event_rules, media_types
from lambda_web_adapter.local.gateways.api_address import CUSTOM_DOMAIN, ID, ApiAddress
from lambda_web_adapter.local.gateways.base import API_GATEWAY_PAYLOAD_LIMIT, Gateway, Pairs, Request, Response
from lambda_web_adapter.local.gateways.response_rules import (
    build_response,
    header_lines,
    parse_reply,
    remap_headers,
    with_content_type,
)
from lambda_web_adapter.local.gateways.trace_ids import with_trace_id
from lambda_web_adapter.models import PayloadV1Context, RestApiEvent, RestApiPrelude, RestApiReply

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.options import GatewayOptions

_STAGE = "prod"
# Header names as the gateway spells them.
_SPELLINGS = {
    name.lower(): name
    for name in ("Host", "User-Agent", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto")
}
# Headers from "Amazon API Gateway important notes" that apps send.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
_REMAPPED = frozenset({"date", "server", "www-authenticate"})
# "Gateway response types", REQUEST_TOO_LARGE, as captured.
_TOO_LARGE = Response(
    status=413,
    headers=[("content-type", "text/plain")],
    body=f"HTTP content length exceeded {API_GATEWAY_PAYLOAD_LIMIT} bytes.".encode(),
)
# The eight NULs must come within it ("Lambda proxy integration format for response streaming"), in bytes.
_MAX_PRELUDE = 16 * 1024


def rest_api(options: GatewayOptions) -> Gateway:
    """Return a REST API."""
    address = ApiAddress.from_options(options, domain=CUSTOM_DOMAIN, stage=_STAGE)
    return Gateway(
        name="rest-api",
        title="a REST API",
        event=lambda request: _event(request, address, options),
        response=_response,
        own_response=lambda request: address.refuse(request, 403, "Forbidden"),
        finish=lambda response, request: _finish(response, request, options.binary_media_types),
        prefix=address.prefix,
        max_body=API_GATEWAY_PAYLOAD_LIMIT,
        too_large=_TOO_LARGE,
        head=_head,
        max_prelude=_MAX_PRELUDE,
    )


def _event(request: Request, address: ApiAddress, options: GatewayOptions) -> RestApiEvent:
    """The path is as sent, but without the stage, the query decoded; there is no content-length."""
    headers = _headers(request, address)
    query = event_rules.decoded_query(request.query)
    path = address.without_stage(request.raw_path)
    proxy = path.removeprefix("/")
    resource = "/{proxy+}" if proxy else "/"
    types = options.binary_media_types
    text, is_base64 = event_rules.body_text(request) if types is None else media_types.body_for_event(request, types)
    return RestApiEvent(
        resource=resource,
        path=path,
        http_method=request.method,
        headers=event_rules.last_values(headers),
        multi_value_headers=event_rules.all_values(headers),
        query_string_parameters=event_rules.last_values(query) or None,
        multi_value_query_string_parameters=event_rules.all_values(query) or None,
        path_parameters={"proxy": proxy} if proxy else None,
        request_context=_context(request, resource, address, options),
        body=text or None,
        is_base64_encoded=is_base64,
    )


def _headers(request: Request, address: ApiAddress) -> Pairs:
    lines = [*address.with_host(event_rules.client_lines(request)), *event_rules.forwarded_lines(request)]
    spelled = [(_SPELLINGS.get(name.lower(), name), value) for name, value in with_trace_id(lines, request)]
    return event_rules.first_spelling(spelled)


def _context(request: Request, resource: str, address: ApiAddress, options: GatewayOptions) -> PayloadV1Context:
    """The path is as sent, with the stage."""
    return PayloadV1Context(
        account_id=event_rules.ACCOUNT,
        api_id=ID,
        authorizer=options.authorizer.for_rest_api(),
        domain_name=address.domain,
        domain_prefix=address.domain_prefix,
        extended_request_id=request.request_id,
        http_method=request.method,
        identity=options.authorizer.identity_v1(request.source_ip, request.header("user-agent")),
        path=request.raw_path,
        request_id=request.request_id,
        request_time=event_rules.clock(request),
        request_time_epoch=request.time_ms,
        resource_id=ID,
        resource_path=resource,
        stage=address.stage,
    )


def _finish(response: Response, request: Request, types: tuple[str, ...] | None) -> Response:
    return response if types is None else media_types.for_client(response, request, types)


def _response(payload: bytes) -> Response:
    """Unknown keys make a reply malformed; both maps are read."""
    reply = parse_reply(RestApiReply, payload)
    response = build_response(reply.status_code, _merge_headers(reply), reply.body, reply.is_base64_encoded)
    return remap_headers(with_content_type(response, "application/json"), _REMAPPED)


def _head(prelude: bytes) -> Response:
    """Both maps are read as in a buffered reply; cookies, which that cannot have, come after them."""
    parsed = parse_reply(RestApiPrelude, prelude)
    lines = [*_merge_headers(parsed), *(("set-cookie", cookie) for cookie in parsed.cookies or [])]
    response = build_response(parsed.status_code, lines, None, is_base64=False)
    return remap_headers(with_content_type(response, "application/json"), _REMAPPED)


def _merge_headers(reply: RestApiReply | RestApiPrelude) -> Pairs:
    """For a name in both maps the multi values come first; a value in both comes once."""
    multi = header_lines(reply.multi_value_headers)
    seen = {(name.lower(), value) for name, value in multi}
    return [*multi, *(line for line in (reply.headers or {}).items() if (line[0].lower(), line[1]) not in seen)]
