"""Application Load Balancer, with single- and with multi-value headers."""

from __future__ import annotations

from http import HTTPStatus

from lambda_web_adapter.events import _wire
from lambda_web_adapter.events._source import EventSource
from lambda_web_adapter.messages import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.messages import Response
    from lambda_web_adapter.settings import Settings

_DESCRIPTIONS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Alb(EventSource):
    """A target group of type lambda (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html)."""

    name = "alb"

    def recognises(self, event: dict[str, Any]) -> bool:
        """Only a load balancer's context has `elb`."""
        return (
            "elb" in _wire.mapping(event.get("requestContext"))
            and isinstance(event.get("httpMethod"), str)
            and event.get("version") is None
        )

    def request(self, event: Any, settings: Settings) -> Request:
        """Path and query come as sent, still percent-encoded; a health check comes without a host."""
        headers = _wire.pairs(event.get("headers"), event.get("multiValueHeaders"))
        return Request(
            method=event["httpMethod"],
            path=_wire.encoded_path(event.get("path")),
            query=_wire.encoded_query(
                _wire.pairs(
                    event.get("queryStringParameters"), event.get("multiValueQueryStringParameters"), names_fold=False
                )
            ),
            headers=headers,
            body=_wire.body_bytes(event),
            client=_last_hop(headers),
        )

    def reply(self, response: Response, event: Any) -> bytes:
        """A target group with multi-value headers reads only `multiValueHeaders`, any other only `headers`."""
        body, is_base64 = _wire.body_text(response)
        reply: dict[str, Any] = {
            "statusCode": response.status,
            "statusDescription": _DESCRIPTIONS.get(response.status, str(response.status)),
            "body": body,
            "isBase64Encoded": is_base64,
        }
        if isinstance(event.get("multiValueHeaders"), dict):
            reply["multiValueHeaders"] = _wire.multi_value_headers(response)
        else:
            reply["headers"] = _wire.single_value_headers(response)
        return _wire.json_bytes(reply)


def _last_hop(headers: _wire.Pairs) -> str:
    """The load balancer appends the peer it saw to `X-Forwarded-For`; all before that is the client's own claim."""
    for name, value in reversed(headers):
        if name.lower() == "x-forwarded-for":
            return _without_port(value.rpartition(",")[2].strip())
    return ""


def _without_port(hop: str) -> str:
    """Leaves out the port that a load balancer with client port preservation adds: `1.2.3.4:5`, `[::1]:5`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
