"""Application Load Balancer, with single- and with multi-value headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.events import reply_rules, request_rules
from lambda_web_adapter.events.source import EventSource
from lambda_web_adapter.http.messages import Request

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Response
    from lambda_web_adapter.settings import Settings


class Alb(EventSource):
    """A target group of type lambda (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html)."""

    name = "alb"
    payload_limit = 1024 * 1024  # "Limits" on that page
    limited_by = "a load balancer"

    def matches(self, event: dict[str, Any]) -> bool:
        """Return whether the context has `elb`, as only a load balancer's does."""
        return (
            "elb" in request_rules.to_mapping(event.get("requestContext"))
            and isinstance(event.get("httpMethod"), str)
            and event.get("version") is None
        )

    def build_request(self, event: Any, settings: Settings) -> Request:
        """Return the request; the event's path and query are percent-encoded, and a health check has no host."""
        headers = request_rules.merge_maps(event.get("headers"), event.get("multiValueHeaders"))
        return Request(
            method=event["httpMethod"],
            path=request_rules.path_from_encoded(event.get("path")),
            query=request_rules.query_from_encoded(
                request_rules.merge_maps(
                    event.get("queryStringParameters"), event.get("multiValueQueryStringParameters"), ignore_case=False
                )
            ),
            headers=headers,
            body=request_rules.decode_body(event),
            client=request_rules.forwarded_client(headers, settings.trusted_hops),
        )

    def build_reply(self, response: Response, event: Any) -> bytes:
        """Return the reply; a target group with multi-value headers reads only these, any other only `headers`."""
        reply: dict[str, Any] = {
            "statusCode": response.status,
            "statusDescription": reply_rules.status_description(response.status),
        }
        if isinstance(event.get("multiValueHeaders"), dict):
            reply["multiValueHeaders"] = reply_rules.multi_value_headers(response)
        else:
            reply["headers"] = reply_rules.single_value_headers(response)
        return reply_rules.encode_reply(reply, response)
