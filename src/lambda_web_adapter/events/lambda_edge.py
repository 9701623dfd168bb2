"""Lambda@Edge: recognised, and refused with a reason.

Functions at the edge have neither container images nor layers nor environment variables, which an adapter with a server
beside it needs (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html).
"""

from __future__ import annotations

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import request_rules
from lambda_web_adapter.events.source import EventSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Request, Response
    from lambda_web_adapter.settings import Settings


class LambdaEdge(EventSource):
    """A CloudFront event."""

    name = "lambda-edge"
    is_http = False  # its callers take no status from us

    def matches(self, event: dict[str, Any]) -> bool:
        """Only CloudFront's records have `cf`."""
        records = event.get("Records")
        return (
            isinstance(records, list)
            and len(records) > 0
            and "cf" in request_rules.to_mapping(records[0])
            and not event.keys() & {"requestContext", "httpMethod", "method"}
        )

    def build_request(self, event: Any, settings: Settings) -> Request:
        """Refuses.

        Raises:
            InvalidEvent: always.
        """
        raise InvalidEvent(
            "This is a Lambda@Edge event, which cannot be served: functions at the edge have no environment variables, "
            "layers or container images. Put CloudFront in front of a function URL instead."
        )

    def build_reply(self, response: Response, event: Any) -> bytes:
        """There is none.

        Raises:
            InvalidEvent: always.
        """
        raise InvalidEvent("A Lambda@Edge event has no reply.")
