"""API Gateway HTTP API, payload format 2.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.events import reply_rules, request_rules
from lambda_web_adapter.events.source import EventSource
from lambda_web_adapter.http.messages import Request

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Response
    from lambda_web_adapter.settings import Settings


class HttpApiV2(EventSource):
    """API Gateway HTTP API (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html)."""

    name = "http-api-v2"

    def matches(self, event: dict[str, Any]) -> bool:
        """Return whether the event has payload format 2.0, but not a function URL's domain."""
        return is_payload_v2(event) and not is_function_url(event)

    def build_request(self, event: Any, settings: Settings) -> Request:
        """Return the request; despite its name, `rawPath` is decoded, and begins with the stage if it has a name."""
        path = request_rules.path_from_decoded(event.get("rawPath"))
        prefix, path = request_rules.remove_stage(path, event, settings.remove_stage)
        return build_payload_v2_request(event, path, prefix)

    def build_reply(self, response: Response, event: Any) -> bytes:
        """Return a payload 2.0 reply."""
        return build_payload_v2_reply(response)


def is_payload_v2(event: dict[str, Any]) -> bool:
    """Return whether the event has payload format 2.0; VPC Lattice's version is also 2.0, but has no `http`."""
    context = event.get("requestContext")
    return event.get("version") == "2.0" and isinstance(context, dict) and isinstance(context.get("http"), dict)


def is_function_url(event: dict[str, Any]) -> bool:
    """Return whether a payload 2.0 event came through a function URL (`<id>.lambda-url.<region>.on.aws`)."""
    return ".lambda-url." in request_rules.to_text_or_empty(event["requestContext"].get("domainName"))


def build_payload_v2_request(event: dict[str, Any], path: str, prefix: str) -> Request:
    """Return the request for a payload 2.0 event, given its encoded path and the prefix that was removed from it."""
    context = event["requestContext"]
    http = context["http"]
    headers = request_rules.merge_maps(event.get("headers"), None)
    cookies = event.get("cookies")
    if cookies and isinstance(cookies, list):  # function URLs repeat them in the header
        headers = [pair for pair in headers if len(pair[0]) != 6 or pair[0].lower() != "cookie"]
        headers.append(
            ("cookie", "; ".join([request_rules.to_text(cookie) for cookie in cookies if cookie is not None]))
        )
    method = request_rules.to_text_or_empty(http.get("method")) or "GET"
    query = request_rules.query_from_raw(event.get("rawQueryString"))
    body = request_rules.decode_body(event)
    client = request_rules.to_text_or_empty(http.get("sourceIp"))
    host = request_rules.to_text_or_empty(context.get("domainName"))
    return Request(method, path, query, headers, body, client, prefix, host)


def build_payload_v2_reply(response: Response) -> bytes:
    """Return a payload 2.0 reply: one string for each header name, repeats joined by commas; cookies in a list."""
    headers, cookies = reply_rules.joined_headers(response)
    # Only a reply with `statusCode` is parsed; any other JSON would be the body.
    reply: dict[str, Any] = {"statusCode": response.status, "headers": headers}
    if cookies:
        reply["cookies"] = cookies
    return reply_rules.encode_reply(reply, response)
