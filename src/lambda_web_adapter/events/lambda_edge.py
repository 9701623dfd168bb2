"""Lambda@Edge: recognised, but rejected with an explanation.

Functions at the edge have no container images, layers or environment variables, which the adapter needs
(https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import request_rules
from lambda_web_adapter.events.source import EventSource

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Request, Response
    from lambda_web_adapter.settings import Settings


class LambdaEdge(EventSource):
    """A CloudFront event."""

    name = "lambda-edge"
    is_http = False  # CloudFront could not use the status of an error

    def matches(self, event: dict[str, Any]) -> bool:
        """Return whether the first record has `cf`, as only CloudFront's do."""
        records = event.get("Records")
        return (
            isinstance(records, list)
            and len(records) > 0
            and "cf" in request_rules.to_mapping(records[0])
            and not event.keys() & {"requestContext", "httpMethod", "method"}
        )

    def build_request(self, event: Any, settings: Settings) -> Request:
        """Raise InvalidEvent, which names an alternative.

        Raises:
            InvalidEvent: always.
        """
        raise InvalidEvent(
            "Lambda@Edge events are not supported: functions at the edge have no environment variables, layers or "
            "container images. Use a function URL as the origin of a CloudFront distribution instead."
        )

    def build_reply(self, response: Response, event: Any) -> bytes:
        """Raise InvalidEvent.

        Raises:
            InvalidEvent: always.
        """
        raise InvalidEvent("A Lambda@Edge event has no reply.")
