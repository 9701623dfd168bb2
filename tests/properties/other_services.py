"""Events that are no client's HTTP request, but reach the app as one, from AWS's descriptions of them."""

import json
from dataclasses import dataclass, field
from typing import Any

from properties.gateways import ADDRESS, API_HOST, Pairs


@dataclass(frozen=True, kw_only=True)
class SocketMessage:
    """What happens on a connection of a WebSocket API; query and headers are those of the opening handshake.

    Attributes:
        event_type: CONNECT, MESSAGE or DISCONNECT.
        route_key: the route that API Gateway chose; `$connect`, `$disconnect`, `$default` are its own.
        connection_id: the connection's id.
        text: what the client sent; API Gateway takes text only, and hands binary frames on as base64.
        query: keys and values, decoded.
        headers: names and values.
    """

    event_type: str
    route_key: str
    connection_id: str
    text: str = ""
    query: Pairs = field(default_factory=list)
    headers: Pairs = field(default_factory=list)


def websocket(message: SocketMessage) -> dict[str, Any]:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html."""
    event: dict[str, Any] = {
        "requestContext": {
            "routeKey": message.route_key,
            "eventType": message.event_type,
            "messageDirection": "IN",
            "stage": "production",
            "identity": {"sourceIp": ADDRESS},
            "domainName": API_HOST,
            "connectionId": message.connection_id,
            "apiId": "a1b2c3d4e5",
        },
        "isBase64Encoded": False,
    }
    if message.event_type == "CONNECT":
        event["headers"] = dict(message.headers)
        event["multiValueHeaders"] = _several(message.headers)
        if message.query:
            event["queryStringParameters"] = dict(message.query)
            event["multiValueQueryStringParameters"] = _several(message.query)
    if message.event_type == "MESSAGE":
        event["body"] = message.text
    return event


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A value with the type that the API's schema declares for it; agents send every value as text."""

    name: str
    declared: str
    value: Any

    @property
    def text(self) -> str:
        return self.value if isinstance(self.value, str) else json.dumps(self.value)

    @property
    def event(self) -> dict[str, str]:
        return {"name": self.name, "type": self.declared, "value": self.text}


@dataclass(frozen=True, kw_only=True)
class AgentCall:
    """A call that a Bedrock agent makes of an API.

    Attributes:
        method: the method.
        segments: the path's segments; a parameter stands for the placeholder with its name.
        query: the parameters that the path does not name.
        content_type: the body's media type, or empty for no body.
        properties: the body's properties.
    """

    method: str
    segments: list[str | Parameter]
    query: list[Parameter]
    content_type: str = ""
    properties: list[Parameter] = field(default_factory=list)

    @property
    def api_path(self) -> str:
        found = [segment if isinstance(segment, str) else f"{{{segment.name}}}" for segment in self.segments]
        return "/" + "/".join(found)


def bedrock_agent(call: AgentCall) -> dict[str, Any]:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html#agents-lambda-input."""
    in_path = [segment for segment in call.segments if isinstance(segment, Parameter)]
    event: dict[str, Any] = {
        "messageVersion": "1.0",
        "agent": {"name": "helper", "id": "ABCDEFGHIJ", "alias": "TSTALIASID", "version": "DRAFT"},
        "inputText": "What may I plant in March?",
        "sessionId": "123456789012345",
        "actionGroup": "garden",
        "apiPath": call.api_path,
        "httpMethod": call.method,
        "parameters": [parameter.event for parameter in [*in_path, *call.query]],
        "sessionAttributes": {},
        "promptSessionAttributes": {},
    }
    if call.content_type:
        properties = [parameter.event for parameter in call.properties]
        event["requestBody"] = {"content": {call.content_type: {"properties": properties}}}
    return event


def lambda_edge(uri: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html#request-event."""
    request = {"clientIp": ADDRESS, "headers": {}, "method": "GET", "querystring": "", "uri": uri}
    config = {
        "distributionId": "EDFDVBD6EXAMPLE",
        "eventType": "viewer-request",
        "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6",
    }
    return {"Records": [{"cf": {"config": config, "request": request}}]}


def _several(pairs: Pairs) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
