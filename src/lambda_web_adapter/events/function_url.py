"""Lambda function URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.events import request_rules
from lambda_web_adapter.events.http_api_v2 import (
    build_payload_v2_reply,
    build_payload_v2_request,
    is_function_url,
    is_payload_v2,
)
from lambda_web_adapter.events.source import EventSource

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Request, Response
    from lambda_web_adapter.settings import Settings


class FunctionUrl(EventSource):
    """Payload 2.0 with an encoded path (https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html)."""

    name = "function-url"
    streams = True

    def matches(self, event: dict[str, Any]) -> bool:
        """Return whether the context has a function URL's domain, which holds also if a CDN sends another `Host`."""
        return is_payload_v2(event) and is_function_url(event)

    def build_request(self, event: Any, settings: Settings) -> Request:
        """Return the request; the event's path is percent-encoded, without a stage."""
        return build_payload_v2_request(event, request_rules.path_from_encoded(event.get("rawPath")), "")

    def build_reply(self, response: Response, event: Any) -> bytes:
        """Return a payload 2.0 reply."""
        return build_payload_v2_reply(response)
