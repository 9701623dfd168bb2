"""API Gateway HTTP API with payload format 2.0, its `$default` route and, without options, its `$default` stage.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from pydantic_core import from_json

from lambda_web_adapter.local.gateways import event_rules
from lambda_web_adapter.local.gateways.api_address import API_DOMAIN, DEFAULT_STAGE, ID, ApiAddress
from lambda_web_adapter.local.gateways.base import (
    API_GATEWAY_PAYLOAD_LIMIT,
    Gateway,
    OwnResponse,
    Pairs,
    Request,
    Response,
)
from lambda_web_adapter.local.gateways.payload_v2 import cookies, reply_or_none, response_of_v2
from lambda_web_adapter.local.gateways.trace_ids import with_trace_id
from lambda_web_adapter.models import HttpDescription, PayloadV2Context, PayloadV2Event

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.options import GatewayOptions

# The content type of a response if the app has set none.
CONTENT_TYPE = "text/plain; charset=utf-8"
# The status if the function fails; all other gateways have 502.
REFUSAL = 500
# The response to a body that exceeds the payload limit.
TOO_LARGE = Response(
    status=413, headers=[("content-type", "application/json")], body=b'{"message":"Request Entity Too Large"}'
)


def http_api_v2(options: GatewayOptions) -> Gateway:
    """Return an HTTP API with payload 2.0."""
    address = address_of(options)
    return Gateway(
        name="http-api-v2",
        title="an HTTP API with payload 2.0",
        event=lambda request: _event(request, address, options),
        response=_response,
        own_response=lambda request: refuse(request, address),
        prefix=address.prefix,
        refusal=REFUSAL,
        max_body=API_GATEWAY_PAYLOAD_LIMIT,
        too_large=TOO_LARGE,
    )


def address_of(options: GatewayOptions) -> ApiAddress:
    """Return the address that the options give an HTTP API."""
    return ApiAddress.from_options(options, domain=API_DOMAIN, stage=DEFAULT_STAGE)


def refuse(request: Request, address: ApiAddress) -> OwnResponse | None:
    """Return the response to a path that is not below the API's prefix; None for any other."""
    return address.refuse(request, 404, "Not Found")


def _event(request: Request, address: ApiAddress, options: GatewayOptions) -> PayloadV2Event:
    """`rawPath` is decoded, despite its name; the query is as sent; cookies are only in the list."""
    path = unquote(request.raw_path)
    text, is_base64 = event_rules.body_text(request)
    headers = event_rules.joined_values(event_rules.in_lower_case(header_lines_of(request, address)), ",")
    headers.pop("cookie", None)
    return PayloadV2Event(
        raw_path=path,
        raw_query_string=request.query,
        cookies=cookies(request),
        headers=headers,
        query_string_parameters=event_rules.joined_values(event_rules.decoded_query(request.query), ",") or None,
        request_context=PayloadV2Context(
            account_id=event_rules.ACCOUNT,
            api_id=ID,
            authorizer=options.authorizer.for_payload_v2(),
            domain_name=address.domain,
            domain_prefix=address.domain_prefix,
            http=HttpDescription(
                method=request.method,
                path=path.removesuffix("/") or "/",  # as in captures, unlike rawPath
                source_ip=request.source_ip,
                user_agent=request.header("user-agent") or "",
            ),
            request_id=request.request_id,
            stage=address.stage,
            time=event_rules.clock(request),
            time_epoch=request.time_ms,
        ),
        body=text or None,
        is_base64_encoded=is_base64,
    )


def header_lines_of(request: Request, address: ApiAddress) -> Pairs:
    """Return the header lines of the event; content-length is there even without a body."""
    length = ("content-length", str(len(request.body)))
    lines = [*address.with_host(event_rules.client_lines(request)), length, *event_rules.forwarded_lines(request)]
    return with_trace_id(lines, request)


def _response(payload: bytes) -> Response:
    """A reply without `statusCode` is itself the body; a JSON string loses its quotes."""
    reply = reply_or_none(payload)
    if reply is not None:
        return response_of_v2(reply, CONTENT_TYPE)
    return Response(status=200, headers=[("content-type", "application/json")], body=_unquoted(payload))


def _unquoted(payload: bytes) -> bytes:
    try:
        return from_json(payload).encode() if payload.lstrip().startswith(b'"') else payload
    except ValueError:  # it only begins like a JSON string; captures show that what is not JSON is passed on
        return payload
