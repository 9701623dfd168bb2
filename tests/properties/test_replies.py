"""From response to reply, for all responses at once."""

import base64
import json
from typing import Any

from hypothesis import event as note
from hypothesis import example, given

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import find_source
from lambda_web_adapter.http.messages import Response
from properties.gateways import GATEWAYS, Client
from properties.odd_events import TOO_DEEP, any_events
from properties.other_services import AgentCall, SocketMessage, bedrock_agent, websocket
from properties.strategies import (
    EVERYTHING_ON,
    agent_calls,
    clients,
    gateways,
    responses,
    settings,
    socket_messages,
)
from properties.translating import recognised

# The keys that each source's documentation has; REST APIs answer 502 to any other.
KEYS = {
    "rest-api": {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"},
    "http-api-v1": {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"},
    "http-api-v2": {"statusCode", "headers", "cookies", "body", "isBase64Encoded"},
    "function-url": {"statusCode", "headers", "cookies", "body", "isBase64Encoded"},
    "alb": {"statusCode", "statusDescription", "headers", "multiValueHeaders", "body", "isBase64Encoded"},
    "vpc-lattice-v1": {"statusCode", "statusDescription", "headers", "body", "isBase64Encoded"},
    "vpc-lattice-v2": {"statusCode", "statusDescription", "headers", "body", "isBase64Encoded"},
    "websocket": {"statusCode", "headers", "body", "isBase64Encoded"},
}
AGENT_KEYS = {"actionGroup", "apiPath", "httpMethod", "httpStatusCode", "responseBody"}


def agent_event(action_group: Any) -> dict[str, Any]:
    return {"actionGroup": action_group, "apiPath": "/", "httpMethod": "GET"}


def reply_of(gateway: str, client: Client, response: Response) -> Any:
    event = GATEWAYS[gateway](client)
    return json.loads(find_source(event).build_reply(response, event))


def strict(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON (RFC 8259 §6)")


def as_text(value: bytes) -> str:
    """A header as a gateway gets it: the bytes read as UTF-8, else as latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def lines(response: Response) -> list[tuple[str, str]]:
    return [(name.decode().lower(), as_text(value)) for name, value in response.headers]


@given(any_events, responses, settings)
@example(agent_event("\ud800"), Response(status=200), EVERYTHING_ON)
@example(agent_event(2**64), Response(status=200), EVERYTHING_ON)
@example(agent_event(TOO_DEEP), Response(status=200), EVERYTHING_ON)
def test_the_reply_to_any_event_is_json_with_the_keys_of_its_source(
    event: Any, response: Response, chosen: dict[str, str]
) -> None:
    source = recognised(event, chosen)
    note(source.name)
    try:
        reply = json.loads(source.build_reply(response, event), parse_constant=strict)
    except InvalidEvent:
        assert source.name == "lambda-edge"
        return
    if source.name == "bedrock-agent":
        assert reply.keys() == {"messageVersion", "response"}
        assert reply["response"].keys() == AGENT_KEYS
        assert reply["response"]["httpStatusCode"] == response.status
    elif source.is_http:
        assert reply.keys() - KEYS[source.name] == set()
        assert reply["statusCode"] == response.status
        assert isinstance(reply["body"], str)
        assert isinstance(reply["isBase64Encoded"], bool)


@given(gateways, clients, responses)
def test_a_body_arrives_unchanged(gateway: str, client: Client, response: Response) -> None:
    reply = reply_of(gateway, client, response)

    body = reply["body"]
    arrived = base64.b64decode(body, validate=True) if reply["isBase64Encoded"] else body.encode()
    assert arrived == response.body


@given(gateways, clients, responses)
def test_every_header_arrives_in_order(gateway: str, client: Client, response: Response) -> None:
    reply = reply_of(gateway, client, response)

    sent = [line for line in lines(response) if line[0] != "set-cookie"]
    several = reply.get("multiValueHeaders") or {name: [value] for name, value in (reply.get("headers") or {}).items()}
    arrived = {name.lower(): values for name, values in several.items() if name.lower() != "set-cookie"}
    values = {name: [value for found, value in sent if found == name] for name, _ in sent}
    if "multiValueHeaders" in reply:
        assert arrived == values
    else:
        assert arrived == {name: [", ".join(found)] for name, found in values.items()}


@given(gateways, clients, responses)
def test_every_cookie_arrives(gateway: str, client: Client, response: Response) -> None:
    reply = reply_of(gateway, client, response)

    several = reply.get("multiValueHeaders") or {name: [value] for name, value in (reply.get("headers") or {}).items()}
    arrived = [value for name, values in several.items() if name.lower() == "set-cookie" for value in values]
    sent = [value for name, value in lines(response) if name == "set-cookie"]
    assert arrived + reply.get("cookies", []) == sent


@given(socket_messages, responses)
def test_a_websocket_reply_has_status_and_body_and_headers_for_the_handshake(
    message: SocketMessage, response: Response
) -> None:
    event = websocket(message)
    reply = json.loads(recognised(event, EVERYTHING_ON).build_reply(response, event))

    body = reply["body"]
    assert (base64.b64decode(body, validate=True) if reply["isBase64Encoded"] else body.encode()) == response.body
    assert ("headers" in reply) == (message.event_type == "CONNECT")
    for name, value in reply.get("headers", {}).items():
        sent = [value for found, value in lines(response) if found == name.lower()]
        assert value in sent if name.lower() == "set-cookie" else value == ", ".join(sent)


@given(agent_calls, responses)
def test_an_agent_gets_status_media_type_and_body(call: AgentCall, response: Response) -> None:
    event = bedrock_agent(call)
    reply = json.loads(recognised(event, EVERYTHING_ON).build_reply(response, event))["response"]

    assert (reply["actionGroup"], reply["apiPath"], reply["httpMethod"]) == ("garden", call.api_path, call.method)
    [(media_type, found)] = reply["responseBody"].items()
    said = next((value for name, value in lines(response) if name == "content-type"), "").partition(";")[0].strip()
    assert media_type == (said.lower() or "application/json")
    assert found.keys() == {"body"}
    assert response.body in (found["body"].encode(), _bytes(found["body"]))


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


@given(any_events, responses, settings)
def test_replying_leaves_response_and_event_unchanged(event: Any, response: Response, chosen: dict[str, str]) -> None:
    before = repr((event, response))
    source = recognised(event, chosen)

    try:
        source.build_reply(response, event)
    except InvalidEvent:
        note("not written")

    assert repr((event, response)) == before
