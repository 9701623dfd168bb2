"""API Gateway REST API with Lambda proxy integration, on a custom domain, its resource `/{proxy+}`.

A custom domain's paths have no stage, so that an app's links lead back to the local run. Its `binaryMediaTypes` include
all types that are not text, so that binary bodies work in both directions.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

from lambda_web_adapter.local.gateways import event_rules
from lambda_web_adapter.local.gateways.base import API_GATEWAY_PAYLOAD_LIMIT, Gateway, Pairs, Request, Response
from lambda_web_adapter.local.gateways.response_rules import (
    build_response,
    header_lines,
    parse_reply,
    remap_headers,
    with_content_type,
)
from lambda_web_adapter.models import PayloadV1Context, PayloadV1Identity, RestApiEvent, RestApiPrelude, RestApiReply

_DOMAIN = "local.example.com"
_STAGE = "prod"
# Header names as the gateway spells them.
_SPELLINGS = {
    name.lower(): name for name in ("Host", "User-Agent", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto")
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


def _event(request: Request) -> RestApiEvent:
    """The path is as sent, the query decoded; there is no content-length."""
    lines = [*event_rules.client_lines(request), *event_rules.forwarded_lines(request)]
    headers = event_rules.first_spelling([(_SPELLINGS.get(name.lower(), name), value) for name, value in lines])
    query = event_rules.decoded_query(request.query)
    proxy = request.raw_path.removeprefix("/")
    resource = "/{proxy+}" if proxy else "/"
    text, is_base64 = event_rules.body_text(request)
    return RestApiEvent(
        resource=resource,
        path=request.raw_path,
        http_method=request.method,
        headers=event_rules.last_values(headers),
        multi_value_headers=event_rules.all_values(headers),
        query_string_parameters=event_rules.last_values(query) or None,
        multi_value_query_string_parameters=event_rules.all_values(query) or None,
        path_parameters={"proxy": proxy} if proxy else None,
        request_context=_context(request, resource),
        body=text or None,
        is_base64_encoded=is_base64,
    )


def _context(request: Request, resource: str) -> PayloadV1Context:
    return PayloadV1Context(
        account_id=event_rules.ACCOUNT,
        api_id="local",
        domain_name=_DOMAIN,
        domain_prefix=_DOMAIN.partition(".")[0],
        extended_request_id=request.request_id,
        http_method=request.method,
        identity=PayloadV1Identity(source_ip=request.source_ip, user_agent=request.header("user-agent")),
        path=request.raw_path,
        request_id=request.request_id,
        request_time=event_rules.clock(request),
        request_time_epoch=request.time_ms,
        resource_id="local",
        resource_path=resource,
        stage=_STAGE,
    )


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


REST_API = Gateway(
    name="rest-api",
    title="a REST API",
    event=_event,
    response=_response,
    max_body=API_GATEWAY_PAYLOAD_LIMIT,
    too_large=_TOO_LARGE,
    head=_head,
    max_prelude=_MAX_PRELUDE,
)
