"""Application Load Balancer, target groups of type lambda."""

from __future__ import annotations

from lambda_web_adapter.models.base import EventPart, Flag, Reply, Status


class AlbTarget(EventPart):
    """`requestContext.elb`: the target group of the request."""

    target_group_arn: str = ""


class AlbContext(EventPart):
    """`requestContext` of a load balancer's event."""

    elb: AlbTarget


class AlbEvent(EventPart):
    """An event of a load balancer; a setting of the target group decides between multi-value and single-value maps.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
    """

    request_context: AlbContext
    http_method: str
    path: str
    query_string_parameters: dict[str, str] | None = None
    multi_value_query_string_parameters: dict[str, list[str]] | None = None
    headers: dict[str, str] | None = None
    multi_value_headers: dict[str, list[str]] | None = None
    body: str | None = None
    is_base64_encoded: bool = False


class AlbReply(Reply):
    """A reply to a load balancer, which only reads the same kind of header map as the event has.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
    """

    status_code: Status
    status_description: str | None = None
    headers: dict[str, str] | None = None
    multi_value_headers: dict[str, list[str]] | None = None
    body: str | None = None
    is_base64_encoded: Flag = False
