"""Lambda function URL.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from lambda_web_adapter.local.gateways import event_rules
from lambda_web_adapter.local.gateways.base import Gateway, Request, Response
from lambda_web_adapter.local.gateways.payload_v2 import cookies, reply_or_none, response_of_v2
from lambda_web_adapter.local.gateways.response_rules import (
    build_response,
    parse_reply,
    remap_headers,
    with_content_type,
)
from lambda_web_adapter.local.gateways.trace_ids import with_trace_id
from lambda_web_adapter.models import FunctionUrlPrelude, HttpDescription, PayloadV2Context, PayloadV2Event

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.authorizer import Authorizer
    from lambda_web_adapter.local.gateways.options import GatewayOptions

_ID = "local"
# Seen with many functions, though it is documented for REST APIs only.
_REMAPPED = frozenset({"www-authenticate"})


def function_url(options: GatewayOptions) -> Gateway:
    """Return a function URL."""
    gateway = Gateway(
        name="function-url",
        title="a function URL",
        event=lambda request: _event(request, options.authorizer),
        response=_response,
        head=_head,
    )
    if options.cors is None:
        return gateway
    return replace(gateway, own_response=options.cors.preflight, finish=options.cors.finish)


def _event(request: Request, authorizer: Authorizer) -> PayloadV2Event:
    """The path is as sent; cookies are in the list and in the header."""
    headers = _headers(request)
    text, is_base64 = event_rules.body_text(request)
    caller = authorizer.for_function_url()
    return PayloadV2Event(
        raw_path=request.raw_path,
        raw_query_string=request.query,
        cookies=cookies(request),
        headers=headers,
        query_string_parameters=event_rules.joined_values(event_rules.decoded_query(request.query), ",") or None,
        request_context=PayloadV2Context(
            account_id=event_rules.ACCOUNT if caller else "anonymous",  # as with the auth type NONE
            api_id=_ID,
            authorizer=caller,
            domain_name=f"{_ID}.lambda-url.{event_rules.REGION}.on.aws",
            domain_prefix=_ID,
            http=HttpDescription(
                method=request.method,
                path=unquote(request.raw_path),
                source_ip=request.source_ip,
                user_agent=request.header("user-agent"),
            ),
            request_id=request.request_id,
            time=event_rules.clock(request),
            time_epoch=request.time_ms,
        ),
        body=text or None,
        is_base64_encoded=is_base64,
    )


def _headers(request: Request) -> dict[str, str]:
    """Captures have one address in `x-forwarded-for`; whether a client's own value is kept was not measured."""
    lines = [
        *event_rules.client_lines(request),
        *event_rules.length_line(request),
        *event_rules.forwarded_lines(request),
    ]
    headers = event_rules.joined_values(event_rules.in_lower_case(with_trace_id(lines, request)), ",")
    return headers | {"x-forwarded-for": request.source_ip}


def _response(payload: bytes) -> Response:
    """A reply without `statusCode` is itself the body, byte for byte ("payload format inference")."""
    reply = reply_or_none(payload)
    if reply is None:
        return Response(status=200, headers=[("content-type", "application/json")], body=payload)
    return remap_headers(response_of_v2(reply, "application/json"), _REMAPPED)


def _head(prelude: bytes) -> Response:
    """The content type is octet-stream if the prelude has none, as without a prelude; this was not measured."""
    parsed = parse_reply(FunctionUrlPrelude, prelude)
    lines = [*(parsed.headers or {}).items(), *(("set-cookie", cookie) for cookie in parsed.cookies or [])]
    response = build_response(parsed.status_code, lines, None, is_base64=False)
    return remap_headers(with_content_type(response, "application/octet-stream"), _REMAPPED)
