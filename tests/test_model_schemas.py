"""What the models offer to apps: their names, their descriptions, and their JSON Schemas."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_web_adapter import models
from lambda_web_adapter.models import Model

PUBLIC = [pytest.param(getattr(models, name), id=name) for name in models.__all__]
SERVED = [param for param in PUBLIC if str(param.id).endswith(("Event", "Reply", "Prelude", "Error"))]

MAP = "{string} | null"
LISTS = "{[string]} | null"
TEXT = "string | null"
PAYLOAD_V1 = {
    "resource": "string",
    "path": "string!",
    "httpMethod": "string!",
    "headers": MAP,
    "multiValueHeaders": LISTS,
    "queryStringParameters": MAP,
    "multiValueQueryStringParameters": LISTS,
    "pathParameters": MAP,
    "stageVariables": MAP,
    "requestContext": "PayloadV1Context",
    "body": TEXT,
    "isBase64Encoded": "boolean",
}
PAYLOAD_V1_REPLY = {
    "statusCode": "integer!",
    "headers": MAP,
    "multiValueHeaders": LISTS,
    "body": TEXT,
    "isBase64Encoded": "boolean",
}
PRELUDE = {"statusCode": "integer!", "headers": MAP, "cookies": "[string] | null"}
# Each property with its type: {} is a map, [] a list, ! marks what is required.
SHAPES: dict[type[Model], dict[str, str]] = {
    models.RestApiEvent: PAYLOAD_V1,
    models.HttpApiV1Event: PAYLOAD_V1 | {"version": "string"},
    models.PayloadV2Event: {
        "version": "string",
        "routeKey": "string",
        "rawPath": "string",
        "rawQueryString": "string",
        "cookies": "[string] | null",
        "headers": "{string}",
        "queryStringParameters": MAP,
        "pathParameters": MAP,
        "stageVariables": MAP,
        "requestContext": "PayloadV2Context!",
        "body": TEXT,
        "isBase64Encoded": "boolean",
    },
    models.AlbEvent: {
        "requestContext": "AlbContext!",
        "httpMethod": "string!",
        "path": "string!",
        "queryStringParameters": MAP,
        "multiValueQueryStringParameters": LISTS,
        "headers": MAP,
        "multiValueHeaders": LISTS,
        "body": TEXT,
        "isBase64Encoded": "boolean",
    },
    models.LatticeV1Event: {
        "raw_path": "string!",
        "method": "string!",
        "headers": "{string}",
        "query_string_parameters": "{string}",
        "body": TEXT,
        "is_base64_encoded": "boolean",
    },
    models.LatticeV2Event: {
        "version": "string",
        "path": "string!",
        "method": "string!",
        "headers": "{[string]}",
        "queryStringParameters": "{[string]}",
        "requestContext": "LatticeContext!",
        "body": TEXT,
        "isBase64Encoded": "boolean",
    },
    models.WebSocketEvent: {
        "requestContext": "WebSocketContext!",
        "headers": MAP,
        "multiValueHeaders": LISTS,
        "queryStringParameters": MAP,
        "multiValueQueryStringParameters": LISTS,
        "stageVariables": MAP,
        "body": TEXT,
        "isBase64Encoded": "boolean",
    },
    models.BedrockAgentEvent: {
        "messageVersion": "string",
        "agent": "BedrockAgent",
        "inputText": "string",
        "sessionId": "string",
        "actionGroup": "string!",
        "apiPath": "string!",
        "httpMethod": "string!",
        "parameters": "[BedrockParameter]",
        "requestBody": "BedrockRequestBody | null",
        "sessionAttributes": "{string}",
        "promptSessionAttributes": "{string}",
    },
    models.RestApiReply: PAYLOAD_V1_REPLY,
    models.HttpApiV1Reply: PAYLOAD_V1_REPLY,
    models.PayloadV2Reply: {
        "statusCode": "integer!",
        "headers": MAP,
        "cookies": "[string] | null",
        "body": TEXT,
        "isBase64Encoded": "boolean",
    },
    models.AlbReply: PAYLOAD_V1_REPLY | {"statusDescription": TEXT},
    models.LatticeReply: {
        "statusCode": "integer!",
        "statusDescription": TEXT,
        "headers": MAP,
        "body": TEXT,
        "isBase64Encoded": "boolean",
    },
    models.WebSocketReply: {
        "statusCode": "integer!",
        "headers": MAP,
        "body": TEXT,
        "isBase64Encoded": "boolean",
    },
    models.BedrockAgentReply: {
        "messageVersion": "string",
        "response": "BedrockAgentResponse!",
        "sessionAttributes": MAP,
        "promptSessionAttributes": MAP,
        "knowledgeBasesConfiguration": "[{}] | null",
    },
    models.FunctionUrlPrelude: PRELUDE,
    models.RestApiPrelude: PRELUDE | {"multiValueHeaders": LISTS},
    models.InvocationError: {"errorMessage": "string", "errorType": "string", "stackTrace": "[string]"},
}
BASES = {models.PayloadV1Event, models.PayloadV1Reply}


def type_of(described: dict[str, Any]) -> str:
    """Says in short which values a schema describes."""
    if "$ref" in described:
        return str(described["$ref"]).rpartition("/")[2]
    if "anyOf" in described:
        return " | ".join(type_of(choice) for choice in described["anyOf"])
    if described["type"] == "array":
        return f"[{type_of(described['items'])}]"
    if described["type"] == "object":
        values = described["additionalProperties"]
        return f"{{{'' if values is True else type_of(values)}}}"
    return str(described["type"])


def test_the_names_that_the_package_exports_are_sorted_models() -> None:
    assert models.__all__ == sorted(models.__all__)
    assert {issubclass(getattr(models, name), Model) for name in models.__all__} == {True}


@pytest.mark.parametrize("model", PUBLIC)
def test_every_model_says_what_it_is(model: type[Model]) -> None:
    assert model.__doc__


@pytest.mark.parametrize("model", SERVED)
def test_events_replies_and_preludes_name_the_page_that_describes_them(model: type[Model]) -> None:
    described = {model, *model.__subclasses__()} - BASES

    assert {"https://docs.aws.amazon.com/" in (each.__doc__ or "") for each in described} == {True}


@pytest.mark.parametrize("model", [param for param in SERVED if param.values[0] not in BASES])
def test_the_schema_has_the_names_and_types_of_aws(model: type[Model]) -> None:
    schema = model.model_json_schema(by_alias=True)

    required = set(schema.get("required", []))
    found = {name: type_of(described) for name, described in schema["properties"].items()}
    assert {name: f"{kind}!" if name in required else kind for name, kind in found.items()} == SHAPES[model]
    assert (schema["type"], schema["title"]) == ("object", model.__name__)


def test_the_schema_says_which_reply_may_not_have_more() -> None:
    closed = [model for model in SHAPES if model.model_json_schema().get("additionalProperties") is False]

    assert closed == [models.RestApiReply]


def test_the_schema_says_which_status_there_can_be() -> None:
    status = models.AlbReply.model_json_schema()["properties"]["statusCode"]

    assert (status["minimum"], status["maximum"]) == (100, 599)


@pytest.mark.parametrize(
    ("model", "name", "values"),
    [
        pytest.param(models.PayloadV2Event, "version", "2.0", id="payload 2.0"),
        pytest.param(models.HttpApiV1Event, "version", "1.0", id="payload 1.0"),
        pytest.param(models.LatticeV2Event, "version", "2.0", id="Lattice 2"),
    ],
)
def test_the_schema_says_the_version(model: type[Model], name: str, values: str) -> None:
    assert model.model_json_schema()["properties"][name]["const"] == values


def test_the_schema_says_the_types_of_websocket_events() -> None:
    found = models.WebSocketContext.model_json_schema()

    assert found["properties"]["eventType"]["enum"] == ["CONNECT", "MESSAGE", "DISCONNECT"]
    assert found["required"] == ["connectionId", "eventType", "routeKey"]
