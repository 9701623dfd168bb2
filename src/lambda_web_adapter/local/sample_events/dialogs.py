"""Samples of AppSync, Bedrock agents, Lex, Connect and IoT.

https://docs.aws.amazon.com/appsync/latest/devguide/resolver-context-reference.html
https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html
https://docs.aws.amazon.com/lexv2/latest/dg/lambda-input-format.html
https://docs.aws.amazon.com/connect/latest/adminguide/connect-lambda-functions.html
https://docs.aws.amazon.com/iot/latest/developerguide/custom-auth-lambda.html
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.local.sample_events.base import CLIENT_ADDRESS, REGION, SampleEvent, arn

if TYPE_CHECKING:
    from lambda_web_adapter.local.sample_events.base import Occasion


def _appsync(occasion: Occasion) -> dict[str, Any]:
    return _resolver(occasion, 1)


def _appsync_batch(occasion: Occasion) -> list[dict[str, Any]]:
    return [_resolver(occasion, number) for number in range(1, occasion.count + 1)]


def _resolver(occasion: Occasion, number: int) -> dict[str, Any]:
    headers = {
        "host": f"example1234.appsync-api.{REGION}.amazonaws.com",
        "content-type": "application/json",
        "x-forwarded-for": CLIENT_ADDRESS,
        "x-amzn-requestid": occasion.uuid(),
    }
    return {
        "arguments": {"id": str(number)},
        "identity": None,
        "source": None,
        "request": {"headers": headers, "domainName": None},
        "prev": None,
        "info": {
            "selectionSetList": ["id", "item"],
            "selectionSetGraphQL": "{\n  id\n  item\n}",
            "parentTypeName": "Query",
            "fieldName": "getOrder",
            "variables": {},
        },
        "stash": {},
    }


def _bedrock_agent(occasion: Occasion) -> dict[str, Any]:
    parameter = {"name": "id", "type": "string", "value": "1"}
    route = {"apiPath": "/orders/{id}", "httpMethod": "GET", "parameters": [parameter]}
    return {**_agent(occasion), **route}


def _bedrock_agent_function(occasion: Occasion) -> dict[str, Any]:
    parameter = {"name": "id", "type": "string", "value": "1"}
    return {**_agent(occasion), "function": "get_order", "parameters": [parameter]}


def _agent(occasion: Occasion) -> dict[str, Any]:
    return {
        "messageVersion": "1.0",
        "agent": {"name": "shop", "id": occasion.hex(10).upper(), "alias": "TSTALIASID", "version": "DRAFT"},
        "inputText": "Where is my order?",
        "sessionId": occasion.decimal(15),
        "actionGroup": "orders",
        "sessionAttributes": {},
        "promptSessionAttributes": {},
    }


def _lex(occasion: Occasion) -> dict[str, Any]:
    intent = {"name": "FindOrder", "slots": {"Order": None}, "state": "InProgress", "confirmationState": "None"}
    return {
        "messageVersion": "1.0",
        "invocationSource": "DialogCodeHook",
        "inputMode": "Text",
        "responseContentType": "text/plain; charset=utf-8",
        "sessionId": occasion.decimal(15),
        "inputTranscript": "Where is my order?",
        "bot": {
            "id": occasion.hex(10).upper(),
            "name": "Shop",
            "aliasId": "TSTALIASID",
            "aliasName": "TestBotAlias",
            "localeId": "en_US",
            "version": "DRAFT",
        },
        "interpretations": [{"intent": intent, "interpretationSource": "Lex"}],
        "requestAttributes": {},
        "sessionState": {
            "sessionAttributes": {},
            "activeContexts": [],
            "intent": intent,
            "originatingRequestId": occasion.uuid(),
        },
    }


def _connect(occasion: Occasion) -> dict[str, Any]:
    contact = occasion.uuid()
    return {
        "Details": {
            "ContactData": {
                "Attributes": {},
                "Channel": "VOICE",
                "ContactId": contact,
                "CustomerEndpoint": {"Address": "+12025550123", "Type": "TELEPHONE_NUMBER"},
                "InitialContactId": contact,
                "InitiationMethod": "INBOUND",
                "InstanceARN": arn("connect", f"instance/{occasion.uuid()}"),
                "PreviousContactId": contact,
                "Queue": None,
                "SystemEndpoint": {"Address": "+12025550199", "Type": "TELEPHONE_NUMBER"},
            },
            "Parameters": {"order": "1"},
        },
        "Name": "ContactFlowEvent",
    }


def _iot(occasion: Occasion) -> dict[str, Any]:
    """The message itself, as `SELECT *` selects it."""
    return {"device": f"sensor-{occasion.hex(4)}", "temperature": 21.5, "time": occasion.time_ms}


def _iot_authorizer(occasion: Occasion) -> dict[str, Any]:
    return {
        "token": "a-token",
        "signatureVerified": True,
        "protocols": ["tls", "http", "mqtt"],
        "protocolData": {
            "tls": {"serverName": f"example-ats.iot.{REGION}.amazonaws.com"},
            "http": {"headers": {}, "queryString": "?token=a-token"},
            "mqtt": {
                "username": "sensor",
                "password": base64.b64encode(b"a-password").decode(),
                "clientId": f"sensor-{occasion.hex(4)}",
            },
        },
        "connectionMetadata": {"id": occasion.uuid()},
    }


SAMPLES = (
    SampleEvent(name="appsync", title="a field that AppSync resolves directly", build=_appsync, source="appsync"),
    SampleEvent(
        name="appsync-batch",
        title="fields that AppSync resolves by BatchInvoke",
        build=_appsync_batch,
        source="appsync",
        repeats=True,
    ),
    SampleEvent(
        name="bedrock-agent",
        title="an action group with an OpenAPI schema",
        build=_bedrock_agent,
        source="bedrock-agent",
    ),
    SampleEvent(
        name="bedrock-agent-function",
        title="an action group with functions",
        build=_bedrock_agent_function,
        source="bedrock-agent",
    ),
    SampleEvent(name="lex", title="a turn of a conversation with Lex", build=_lex, source="lex"),
    SampleEvent(name="connect", title="a block of a contact flow of Connect", build=_connect, source="connect"),
    SampleEvent(name="iot", title="a message that an IoT rule selects", build=_iot, source="direct"),
    SampleEvent(name="iot-authorizer", title="a custom authorizer of IoT Core", build=_iot_authorizer, source="iot"),
)
