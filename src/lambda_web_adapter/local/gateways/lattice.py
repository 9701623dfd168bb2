"""VPC Lattice, both versions of the event structure.

Neither AWS's page nor a capture says whether the values of the query's map are encoded, or what becomes of several
`set-cookie`: here they are as sent, and one line for each spelling of the name.

https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
"""

from __future__ import annotations

from lambda_web_adapter.local.gateways import _events
from lambda_web_adapter.local.gateways._replies import reply_of, response_of
from lambda_web_adapter.local.gateways.exchange import Gateway, Pairs, Request, Response
from lambda_web_adapter.models import LatticeContext, LatticeIdentity, LatticeReply, LatticeV1Event, LatticeV2Event

_ARN = f"arn:aws:vpc-lattice:{_events.REGION}:{_events.ACCOUNT}"
_VPC = f"arn:aws:ec2:{_events.REGION}:{_events.ACCOUNT}:vpc/vpc-0123456789abcdef0"


def _v1_event(request: Request) -> LatticeV1Event:
    """The path comes with the query behind it; of repeated parameters the map has the last one only."""
    text, is_base64 = _events.body_text(request)
    return LatticeV1Event(
        raw_path=_target(request),
        method=request.method,
        headers=_events.joined_values(_headers(request), ", "),
        query_string_parameters=_events.last_values(_events.query_as_sent(request.query)),
        body=text,
        is_base64_encoded=is_base64,
    )


def _v2_event(request: Request) -> LatticeV2Event:
    """The path comes with the query behind it; headers and parameters come in lists."""
    text, is_base64 = _events.body_text(request)
    return LatticeV2Event(
        path=_target(request),
        method=request.method,
        headers=_events.all_values(_headers(request)),
        query_string_parameters=_events.all_values(_events.query_as_sent(request.query)),
        request_context=LatticeContext(
            service_network_arn=f"{_ARN}:servicenetwork/sn-0123456789abcdef0",
            service_arn=f"{_ARN}:service/svc-0123456789abcdef0",
            target_group_arn=f"{_ARN}:targetgroup/tg-0123456789abcdef0",
            identity=LatticeIdentity(source_vpc_arn=_VPC),
            region=_events.REGION,
            time_epoch=str(request.time_ms * 1000),
        ),
        body=text or None,
        is_base64_encoded=is_base64,
    )


def _target(request: Request) -> str:
    return f"{request.raw_path}?{request.query}" if request.query else request.raw_path


def _headers(request: Request) -> Pairs:
    """Of the forwarded headers there is only the address: AWS's examples have no other."""
    lines = [*_events.client_lines(request), *_events.length_line(request), _events.address_line(request)]
    return _events.in_lower_case(lines)


def _response(payload: bytes) -> Response:
    reply = reply_of(LatticeReply, payload)
    return response_of(reply.status_code, (reply.headers or {}).items(), reply.body, reply.is_base64_encoded)


VPC_LATTICE_V1 = Gateway(name="vpc-lattice-v1", title="VPC Lattice", event=_v1_event, response=_response)
VPC_LATTICE_V2 = Gateway(name="vpc-lattice-v2", title="VPC Lattice", event=_v2_event, response=_response)
