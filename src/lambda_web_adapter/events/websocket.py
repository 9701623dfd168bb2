"""API Gateway WebSocket API: each message is an event, which the app gets as a POST.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html

It cannot become an ASGI `websocket` scope, which lasts as long as the connection, across invocations and environments.
To send messages later, the app posts them to `https://<host><prefix>/@connections/<id>`, with host and prefix of the
request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.events import reply_rules, request_rules
from lambda_web_adapter.events.source import EventSource
from lambda_web_adapter.http.messages import Request
from lambda_web_adapter.http.trusted_headers import EVENT_SOURCE_HEADER

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Response
    from lambda_web_adapter.settings import Settings

_EVENT_TYPES = ("CONNECT", "MESSAGE", "DISCONNECT")


class WebSocket(EventSource):
    """A WebSocket API, switched on by `AWS_LWA_WEBSOCKET_PATH`."""

    name = "websocket"
    setting = "websocket_path"

    def matches(self, event: dict[str, Any]) -> bool:
        """Return whether the context has a connection id and a WebSocket's event type."""
        context = event.get("requestContext")
        return (
            isinstance(context, dict)
            and isinstance(context.get("connectionId"), str)
            and context.get("eventType") in _EVENT_TYPES
            and not context.keys() & {"http", "elb"}
        )

    def build_request(self, event: Any, settings: Settings) -> Request:
        """Return a POST to `/connect`, `/disconnect`, or the route's name, without the `$` of AWS's own routes."""
        context = event["requestContext"]
        route = request_rules.to_text_or_empty(context.get("routeKey")) or "$default"
        stage = request_rules.to_text_or_empty(context.get("stage"))
        return Request(
            method="POST",
            path=f"{settings.websocket_path}/{request_rules.percent_encode_segment(route.removeprefix('$'))}",
            query=request_rules.query_from_decoded(
                request_rules.merge_maps(
                    event.get("queryStringParameters"), event.get("multiValueQueryStringParameters"), ignore_case=False
                )
            ),
            headers=request_rules.merge_maps(event.get("headers"), event.get("multiValueHeaders")),
            body=request_rules.decode_body(event),
            client=request_rules.to_text_or_empty(request_rules.to_mapping(context.get("identity")).get("sourceIp")),
            prefix=f"/{request_rules.percent_encode_segment(stage)}"
            if stage and request_rules.is_api_gateway_host(event)
            else "",
            host=request_rules.to_text_or_empty(context.get("domainName")),
            reserved_headers=[
                (EVENT_SOURCE_HEADER, self.name),
                ("x-amzn-connection-id", context["connectionId"]),
                ("x-amzn-event-type", context["eventType"]),
                ("x-amzn-route-key", route),
            ],
        )

    def build_reply(self, response: Response, event: Any) -> bytes:
        """Return the reply: only 2xx accepts a connection, and the client gets the body if the route has a response."""
        reply: dict[str, Any] = {"statusCode": response.status}
        if event["requestContext"]["eventType"] == "CONNECT":
            reply["headers"] = reply_rules.single_value_headers(response)
        return reply_rules.encode_reply(reply, response)
