"""VPC Lattice, both versions of the event structure.

Neither AWS's page nor a capture shows whether the query map's values are encoded, or what happens to several
`set-cookie` headers. Here values are as sent, and there is one line for each spelling of the name.

https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lambda_web_adapter.local.gateways import event_rules
from lambda_web_adapter.local.gateways.base import Gateway, Pairs, Request, Response
from lambda_web_adapter.local.gateways.response_rules import build_response, parse_reply
from lambda_web_adapter.models import LatticeContext, LatticeReply, LatticeV1Event, LatticeV2Event

if TYPE_CHECKING:
    from lambda_web_adapter.local.gateways.authorizer import Authorizer
    from lambda_web_adapter.local.gateways.options import GatewayOptions

_ARN = f"arn:aws:vpc-lattice:{event_rules.REGION}:{event_rules.ACCOUNT}"
_VPC = f"arn:aws:ec2:{event_rules.REGION}:{event_rules.ACCOUNT}:vpc/vpc-0123456789abcdef0"


def vpc_lattice_v1(options: GatewayOptions) -> Gateway:
    """Return VPC Lattice with version 1 of the event; it has no options."""
    return Gateway(name="vpc-lattice-v1", title="VPC Lattice", event=_v1_event, response=_response, begins_traces=False)


def vpc_lattice_v2(options: GatewayOptions) -> Gateway:
    """Return VPC Lattice with version 2 of the event."""
    return replace(
        vpc_lattice_v1(options), name="vpc-lattice-v2", event=lambda request: _v2_event(request, options.authorizer)
    )


def _v1_event(request: Request) -> LatticeV1Event:
    """The path includes the query; of repeated parameters the map has only the last."""
    text, is_base64 = event_rules.body_text(request)
    return LatticeV1Event(
        raw_path=_target(request),
        method=request.method,
        headers=event_rules.joined_values(_headers(request), ", "),
        query_string_parameters=event_rules.last_values(event_rules.query_as_sent(request.query)),
        body=text,
        is_base64_encoded=is_base64,
    )


def _v2_event(request: Request, authorizer: Authorizer) -> LatticeV2Event:
    """The path includes the query; headers and parameters are lists."""
    text, is_base64 = event_rules.body_text(request)
    return LatticeV2Event(
        path=_target(request),
        method=request.method,
        headers=event_rules.all_values(_headers(request)),
        query_string_parameters=event_rules.all_values(event_rules.query_as_sent(request.query)),
        request_context=LatticeContext(
            service_network_arn=f"{_ARN}:servicenetwork/sn-0123456789abcdef0",
            service_arn=f"{_ARN}:service/svc-0123456789abcdef0",
            target_group_arn=f"{_ARN}:targetgroup/tg-0123456789abcdef0",
            identity=authorizer.lattice_identity(_VPC),
            region=event_rules.REGION,
            time_epoch=str(request.time_ms * 1000),
        ),
        body=text or None,
        is_base64_encoded=is_base64,
    )


def _target(request: Request) -> str:
    return f"{request.raw_path}?{request.query}" if request.query else request.raw_path


def _headers(request: Request) -> Pairs:
    """Captured events have only the address; the scheme is documented for HTTP targets ("x-forwarded headers").

    Without the scheme an app would take it for https, and reject forms that a browser sends from http://127.0.0.1.
    """
    lines = [
        *event_rules.client_lines(request),
        *event_rules.length_line(request),
        *event_rules.forwarded_lines(request),
    ]
    return event_rules.in_lower_case(lines)


def _response(payload: bytes) -> Response:
    reply = parse_reply(LatticeReply, payload)
    return build_response(reply.status_code, (reply.headers or {}).items(), reply.body, reply.is_base64_encoded)
