"""VPC Lattice, event structure version 1 (https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.events.source import EventSource
from lambda_web_adapter.events.vpc_lattice_v2 import build_lattice_reply, build_lattice_request

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Request, Response
    from lambda_web_adapter.settings import Settings


class VpcLatticeV1(EventSource):
    """Version 1 of the event: flat, and in snake case."""

    name = "vpc-lattice-v1"

    def matches(self, event: dict[str, Any]) -> bool:
        """Return whether the event has `raw_path` and `method`, as only this source's do."""
        return (
            isinstance(event.get("raw_path"), str)
            and isinstance(event.get("method"), str)
            and event.get("requestContext") is None
            and event.get("httpMethod") is None
        )

    def build_request(self, event: Any, settings: Settings) -> Request:
        """Return the request; the event's path and query are percent-encoded, the query with one value for each key."""
        return build_lattice_request(
            event, settings, path=event["raw_path"], query=event.get("query_string_parameters")
        )

    def build_reply(self, response: Response, event: Any) -> bytes:
        """Return the reply, with one string for each header name."""
        return build_lattice_reply(response)
