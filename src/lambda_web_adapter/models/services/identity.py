"""Who may do what: triggers of Cognito, and authorizers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lambda_web_adapter.models.base import EventPart
from lambda_web_adapter.models.payload_v1 import PayloadV1Context, PayloadV1Event
from lambda_web_adapter.models.payload_v2 import PayloadV2Context
from lambda_web_adapter.models.services.base import JsonObject


class CognitoCaller(EventPart):
    """The client that calls the user pool."""

    aws_sdk_version: str = ""
    client_id: str = ""


class CognitoEvent(EventPart):
    """A trigger of a user pool; `trigger_source` says which, and with it what request and response hold.

    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
    """

    version: str
    trigger_source: str
    region: str = ""
    user_pool_id: str
    user_name: str = ""
    caller_context: CognitoCaller = Field(default_factory=CognitoCaller)
    request: JsonObject
    response: JsonObject


class TokenAuthorizerEvent(EventPart):
    """An authorizer of a REST API, by a token.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
    """

    type: Literal["TOKEN"]
    method_arn: str
    authorization_token: str


class RequestAuthorizerEvent(PayloadV1Event):
    """An authorizer of a REST API, by the request that it is about; one of an HTTP API with payload 1.0.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
    """

    type: Literal["REQUEST"]
    method_arn: str
    request_context: PayloadV1Context = Field(default_factory=PayloadV1Context)


class HttpApiAuthorizerEvent(EventPart):
    """An authorizer of an HTTP API, payload 2.0.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
    """

    version: Literal["2.0"]
    type: Literal["REQUEST"]
    route_arn: str
    route_key: str = ""
    identity_source: list[str] | None = None
    raw_path: str = ""
    raw_query_string: str = ""
    cookies: list[str] | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    query_string_parameters: dict[str, str] | None = None
    path_parameters: dict[str, str] | None = None
    stage_variables: dict[str, str] | None = None
    request_context: PayloadV2Context


class WebSocketAuthorizerEvent(EventPart):
    """An authorizer of a WebSocket API.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
    """

    type: Literal["REQUEST"]
    method_arn: str
    headers: dict[str, str] | None = None
    query_string_parameters: dict[str, str] | None = None
    request_context: JsonObject


class IotAuthorizerEvent(EventPart):
    """A custom authorizer of IoT Core.

    https://docs.aws.amazon.com/iot/latest/developerguide/custom-auth-lambda.html
    """

    token: str | None = None
    signature_verified: bool = False
    protocols: list[Literal["tls", "http", "mqtt"]]
    protocol_data: dict[str, dict[str, Any]]
    connection_metadata: dict[str, str] = Field(default_factory=dict)
