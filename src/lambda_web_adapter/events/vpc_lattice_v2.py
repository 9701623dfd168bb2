"""VPC Lattice, event structure version 2 (https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.events import reply_rules, request_rules
from lambda_web_adapter.events.source import EventSource
from lambda_web_adapter.http.messages import Request

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.http.messages import Response
    from lambda_web_adapter.settings import Settings


class VpcLatticeV2(EventSource):
    """Version 2 of the event, whose `version` is "2.0", like API Gateway's payload."""

    name = "vpc-lattice-v2"

    def matches(self, event: dict[str, Any]) -> bool:
        """Return whether the context has the ARN of a service or service network, as only VPC Lattice's does."""
        context = event.get("requestContext")
        return (
            isinstance(context, dict)
            and ("serviceArn" in context or "serviceNetworkArn" in context)
            and isinstance(event.get("method"), str)
            and not context.keys() & {"http", "elb", "connectionId"}
            and event.get("httpMethod") is None
        )

    def build_request(self, event: Any, settings: Settings) -> Request:
        """Return the request; the event's headers and query have lists of values."""
        return build_lattice_request(event, settings, path=event.get("path"), query=event.get("queryStringParameters"))

    def build_reply(self, response: Response, event: Any) -> bytes:
        """Return the reply, with one string for each header name."""
        return build_lattice_reply(response)


def build_lattice_request(event: dict[str, Any], settings: Settings, *, path: Any, query: Any) -> Request:
    """Return the request for an event of either version.

    In captured events the path includes the query, while AWS's page shows it without: the query's map is used only if
    the path has no query. Its values are assumed to be percent-encoded; that is not measured.
    """
    raw_path, question_mark, raw = request_rules.to_text(path).partition("?")
    headers = request_rules.pairs_from_map(event.get("headers"))
    return Request(
        method=event["method"],
        path=request_rules.path_from_encoded(raw_path),
        query=request_rules.query_from_raw(raw)
        if question_mark
        else request_rules.query_from_encoded(request_rules.pairs_from_map(query)),
        headers=headers,
        body=request_rules.decode_body(event, "isBase64Encoded" if "isBase64Encoded" in event else "is_base64_encoded"),
        client=request_rules.forwarded_client(headers, settings.trusted_hops),
    )


def build_lattice_reply(response: Response) -> bytes:
    """Return the reply; lists of values are not documented, so each header name has one string."""
    return reply_rules.encode_reply(
        {
            "statusCode": response.status,
            "statusDescription": reply_rules.status_description(response.status),
            "headers": reply_rules.single_value_headers(response),
        },
        response,
    )
