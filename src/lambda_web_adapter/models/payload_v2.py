"""Payload 2.0, of function URLs, and of HTTP APIs that are not set to 1.0."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lambda_web_adapter.models.base import ClientCertificate, EventPart, Flag, HeaderText, Reply, Status


class HttpDescription(EventPart):
    """`requestContext.http` of payload 2.0."""

    method: str
    path: str
    protocol: str = "HTTP/1.1"
    source_ip: str = ""
    user_agent: str | None = None


class PayloadV2Authentication(EventPart):
    """`requestContext.authentication` of payload 2.0, which is only set with mutual TLS."""

    client_cert: ClientCertificate | None = None


class PayloadV2Context(EventPart):
    """`requestContext` of payload 2.0."""

    account_id: str = ""
    api_id: str = ""
    authentication: PayloadV2Authentication | None = None
    authorizer: dict[str, Any] | None = None
    domain_name: str = ""
    domain_prefix: str = ""
    http: HttpDescription
    request_id: str = ""
    route_key: str = "$default"
    stage: str = "$default"
    time: str = ""
    time_epoch: int = 0


class PayloadV2Event(EventPart):
    """An event of a function URL, or of an HTTP API with payload format 2.0.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """

    version: Literal["2.0"] = "2.0"
    route_key: str = "$default"
    raw_path: str = "/"
    raw_query_string: str = ""
    cookies: list[str] | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    query_string_parameters: dict[str, str] | None = None
    path_parameters: dict[str, str] | None = None
    stage_variables: dict[str, str] | None = None
    request_context: PayloadV2Context
    body: str | None = None
    is_base64_encoded: bool = False


class PayloadV2Reply(Reply):
    """A reply to a payload 2.0 event.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """

    status_code: Status
    headers: dict[str, HeaderText] | None = None
    cookies: list[str] | None = None
    body: str | None = None
    is_base64_encoded: Flag = False
