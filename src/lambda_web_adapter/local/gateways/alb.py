"""Application Load Balancer, without and with multi-value headers.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lambda_web_adapter.local.gateways import event_rules
from lambda_web_adapter.local.gateways.base import Gateway, MalformedReply, Pairs, Request, Response
from lambda_web_adapter.local.gateways.response_rules import build_response, header_lines, parse_reply
from lambda_web_adapter.local.gateways.trace_ids import with_trace_id
from lambda_web_adapter.models import AlbContext, AlbEvent, AlbReply, AlbTarget

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.authorizer import Authorizer
    from lambda_web_adapter.local.gateways.options import GatewayOptions

_TARGET_GROUP = (
    f"arn:aws:elasticloadbalancing:{event_rules.REGION}:{event_rules.ACCOUNT}:targetgroup/local/0123456789abcdef"
)
# In bytes, of a request's body and of the whole reply ("Limits" on the page above).
_MAX_BYTES = 1024 * 1024


def alb(options: GatewayOptions) -> Gateway:
    """Return a load balancer."""
    return Gateway(
        name="alb",
        title="a load balancer",
        event=lambda request: _event(request, options.authorizer),
        response=_response,
        max_body=_MAX_BYTES,
    )


def alb_multi(options: GatewayOptions) -> Gateway:
    """Return a load balancer with multi-value headers."""
    return replace(
        alb(options),
        name="alb-multi",
        title="a load balancer with multi-value headers",
        event=lambda request: _multi_value_event(request, options.authorizer),
        response=_multi_value_response,
    )


def _event(request: Request, authorizer: Authorizer) -> AlbEvent:
    """Path and query are as sent; of repeated headers and parameters there is only the last."""
    event = _common(request)
    event.headers = event_rules.last_values(_headers(request, authorizer))
    event.query_string_parameters = event_rules.last_values(event_rules.query_as_sent(request.query))
    return event


def _multi_value_event(request: Request, authorizer: Authorizer) -> AlbEvent:
    """Path and query are as sent; headers and parameters are lists."""
    event = _common(request)
    event.multi_value_headers = event_rules.all_values(_headers(request, authorizer))
    event.multi_value_query_string_parameters = event_rules.all_values(event_rules.query_as_sent(request.query))
    return event


def _common(request: Request) -> AlbEvent:
    text, is_base64 = event_rules.body_text(request)
    return AlbEvent(
        request_context=AlbContext(elb=AlbTarget(target_group_arn=_TARGET_GROUP)),
        http_method=request.method,
        path=request.raw_path,
        body=text,
        is_base64_encoded=is_base64,
    )


def _headers(request: Request, authorizer: Authorizer) -> Pairs:
    lines = [
        *event_rules.client_lines(request),
        *event_rules.length_line(request),
        *event_rules.forwarded_lines(request),
    ]
    return authorizer.with_oidc_lines(event_rules.in_lower_case(with_trace_id(lines, request)))


def _response(payload: bytes) -> Response:
    """Only `headers` is read; names that differ in case become separate lines."""
    reply = _reply(payload)
    return build_response(reply.status_code, (reply.headers or {}).items(), reply.body, reply.is_base64_encoded)


def _multi_value_response(payload: bytes) -> Response:
    """Only `multiValueHeaders` is read."""
    reply = _reply(payload)
    if reply.headers and reply.multi_value_headers is None:
        raise MalformedReply("multiValueHeaders: Field required, since the event had it; headers is not read")
    return build_response(
        reply.status_code, header_lines(reply.multi_value_headers), reply.body, reply.is_base64_encoded
    )


def _reply(payload: bytes) -> AlbReply:
    if len(payload) > _MAX_BYTES:
        raise MalformedReply(f"the reply: It has {len(payload)} bytes, but a load balancer takes {_MAX_BYTES}")
    return parse_reply(AlbReply, payload)
