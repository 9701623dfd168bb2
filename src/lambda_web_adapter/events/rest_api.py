"""API Gateway REST API with Lambda proxy integration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.events import reply_rules, request_rules
from lambda_web_adapter.events.source import EventSource
from lambda_web_adapter.http.messages import Request

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Response
    from lambda_web_adapter.settings import Settings


class RestApi(EventSource):
    """API Gateway REST API (https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html)."""

    name = "rest-api"
    streams = True
    prelude_limit = 16 * 1024  # "Set up a Lambda proxy integration with payload response streaming"

    def matches(self, event: dict[str, Any]) -> bool:
        """Return whether the event has `httpMethod` and `path`, but no `version`, `elb` or connection id."""
        return (
            isinstance(event.get("httpMethod"), str)
            and isinstance(event.get("path"), str)
            and event.get("version") is None
            and not request_rules.to_mapping(event.get("requestContext")).keys() & {"elb", "connectionId"}
        )

    def build_request(self, event: Any, settings: Settings) -> Request:
        """Return the request; the event's path is percent-encoded, its query decoded."""
        context = request_rules.to_mapping(event.get("requestContext"))
        prefix, path = self._path(request_rules.path_from_encoded(event["path"]), event, settings)
        return Request(
            method=event["httpMethod"],
            path=path,
            query=request_rules.query_from_decoded(
                request_rules.merge_maps(
                    event.get("queryStringParameters"), event.get("multiValueQueryStringParameters"), ignore_case=False
                )
            ),
            headers=request_rules.merge_maps(event.get("headers"), event.get("multiValueHeaders")),
            body=request_rules.decode_body(event),
            client=request_rules.to_text_or_empty(request_rules.to_mapping(context.get("identity")).get("sourceIp")),
            prefix=prefix,
            host=request_rules.to_text_or_empty(context.get("domainName")),
        )

    def _path(self, path: str, event: dict[str, Any], settings: Settings) -> tuple[str, str]:
        """Return the prefix in the URL that the caller requested, and the path, which has no stage in the event.

        On the API's own host, `requestContext.path` is the stage and `path`; on a custom domain both are equal.
        """
        if not request_rules.is_api_gateway_host(event):
            return "", path
        context = request_rules.to_mapping(event.get("requestContext"))
        stage = f"/{request_rules.percent_encode_segment(request_rules.to_text_or_empty(context.get('stage')))}".rstrip(
            "/"
        )
        if not context.get("path"):
            return stage, path
        full = request_rules.path_from_encoded(context["path"])
        prefix = full.removesuffix(path)
        if prefix == full:
            prefix = request_rules.remove_prefix(full, stage)[0]
        return prefix, path

    def build_reply(self, response: Response, event: Any) -> bytes:
        """Return the reply with all headers in `multiValueHeaders`; API Gateway rejects keys that it does not know."""
        headers = reply_rules.multi_value_headers(response)
        return reply_rules.encode_reply({"statusCode": response.status, "multiValueHeaders": headers}, response)
