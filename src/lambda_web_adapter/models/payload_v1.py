"""API Gateway's payload 1.0: events of REST APIs, which have no `version`, and of HTTP APIs with that format."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic_core import to_json

from lambda_web_adapter.models.base import ClientCertificate, EventPart, Flag, HeaderText, Reply, Status

# Keys that are null in API Gateway's events if the request has no value for them.
_NULL_IN_EVENT = (
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "pathParameters",
    "stageVariables",
    "body",
)
_NULL_IN_IDENTITY = (
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "sourceIp",
    "user",
    "userAgent",
    "userArn",
)


class PayloadV1Identity(EventPart):
    """`requestContext.identity` of payload 1.0: the caller.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    """

    access_key: str | None = None
    account_id: str | None = None
    api_key: str | None = None
    api_key_id: str | None = None
    caller: str | None = None
    client_cert: ClientCertificate | None = None
    cognito_authentication_provider: str | None = None
    cognito_authentication_type: str | None = None
    cognito_identity_id: str | None = None
    cognito_identity_pool_id: str | None = None
    principal_org_id: str | None = None
    source_ip: str | None = None
    user: str | None = None
    user_agent: str | None = None
    user_arn: str | None = None


class PayloadV1Context(EventPart):
    """`requestContext` of payload 1.0.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    """

    account_id: str = ""
    api_id: str = ""
    authorizer: dict[str, Any] | None = None
    domain_name: str = ""
    domain_prefix: str = ""
    extended_request_id: str = ""
    http_method: str = ""
    identity: PayloadV1Identity = Field(default_factory=PayloadV1Identity)
    operation_name: str | None = None
    path: str = ""
    protocol: str = "HTTP/1.1"
    request_id: str = ""
    request_time: str = ""
    request_time_epoch: int = 0
    resource_id: str = ""
    resource_path: str = ""
    stage: str = ""


class PayloadV1Event(EventPart):
    """Common fields of the events of REST APIs and of HTTP APIs with payload 1.0."""

    resource: str = ""
    path: str
    http_method: str
    headers: dict[str, str] | None = None
    multi_value_headers: dict[str, list[str]] | None = None
    query_string_parameters: dict[str, str] | None = None
    multi_value_query_string_parameters: dict[str, list[str]] | None = None
    path_parameters: dict[str, str] | None = None
    stage_variables: dict[str, str] | None = None
    request_context: PayloadV1Context = Field(default_factory=PayloadV1Context)
    body: str | None = None
    is_base64_encoded: bool = False

    def to_json(self) -> bytes:
        """Return the event as API Gateway's JSON: missing maps, body and identity fields are null."""
        event = self.model_dump(by_alias=True, exclude_none=True)
        context = event["requestContext"]
        context["identity"] = dict.fromkeys(_NULL_IN_IDENTITY) | context["identity"]
        return to_json(dict.fromkeys(_NULL_IN_EVENT) | event)


class RestApiEvent(PayloadV1Event):
    """An event of a REST API with Lambda proxy integration.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """


class HttpApiV1Event(PayloadV1Event):
    """An event of an HTTP API with payload format 1.0.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """

    version: Literal["1.0"] = "1.0"


class PayloadV1Reply(Reply):
    """Common fields of the replies to REST APIs and to HTTP APIs with payload 1.0."""

    status_code: Status
    headers: dict[str, HeaderText] | None = None
    multi_value_headers: dict[str, list[HeaderText]] | None = None
    body: str | None = None
    is_base64_encoded: Flag = False


class RestApiReply(PayloadV1Reply):
    """A reply to a REST API, which rejects unknown keys.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """

    model_config = ConfigDict(extra="forbid")


class HttpApiV1Reply(PayloadV1Reply):
    """A reply to an HTTP API with payload format 1.0.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
