"""API Gateway HTTP API, payload format 1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.events import request_rules
from lambda_web_adapter.events.rest_api import RestApi

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.settings import Settings


class HttpApiV1(RestApi):
    """A REST API's event except for the path (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html)."""

    name = "http-api-v1"
    streams = False

    def matches(self, event: dict[str, Any]) -> bool:
        """Return whether the event has version 1.0, and `httpMethod` and `path` like a REST event."""
        return (
            event.get("version") == "1.0"
            and isinstance(event.get("httpMethod"), str)
            and isinstance(event.get("path"), str)
            and "connectionId" not in request_rules.to_mapping(event.get("requestContext"))
        )

    def _path(self, path: str, event: dict[str, Any], settings: Settings) -> tuple[str, str]:
        """Return prefix and path; a named stage is the first segment of the event's path."""
        return request_rules.remove_stage(path, event, settings.remove_stage)
