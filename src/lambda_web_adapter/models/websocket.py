"""API Gateway WebSocket API."""

from __future__ import annotations

from typing import Any, Literal

from lambda_web_adapter.models.base import EventPart, Flag, HeaderText, Reply, Status
from lambda_web_adapter.models.payload_v1 import PayloadV1Identity


class WebSocketContext(EventPart):
    """`requestContext` of a WebSocket API's event.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
    """

    connection_id: str
    event_type: Literal["CONNECT", "MESSAGE", "DISCONNECT"]
    route_key: str
    api_id: str = ""
    authorizer: dict[str, Any] | None = None
    connected_at: int = 0
    disconnect_reason: str | None = None
    disconnect_status_code: int | None = None
    domain_name: str = ""
    extended_request_id: str = ""
    identity: PayloadV1Identity | None = None
    message_direction: str = "IN"
    message_id: str | None = None
    request_id: str = ""
    request_time: str = ""
    request_time_epoch: int = 0
    stage: str = ""


class WebSocketEvent(EventPart):
    """An event of a WebSocket API; headers and query come with CONNECT, the body with MESSAGE.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html
    """

    request_context: WebSocketContext
    headers: dict[str, str] | None = None
    multi_value_headers: dict[str, list[str]] | None = None
    query_string_parameters: dict[str, str] | None = None
    multi_value_query_string_parameters: dict[str, list[str]] | None = None
    stage_variables: dict[str, str] | None = None
    body: str | None = None
    is_base64_encoded: bool = False


class WebSocketReply(Reply):
    """A reply to a WebSocket API; only 2xx accepts a connection, and the body is sent if the route has a response.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-response.html
    """

    status_code: Status
    headers: dict[str, HeaderText] | None = None
    body: str | None = None
    is_base64_encoded: Flag = False
