"""From response to reply, for all responses at once."""

import base64
import json
from typing import Any

from hypothesis import event as note
from hypothesis import given

from lambda_web_adapter.errors import AppRejectedEvent
from lambda_web_adapter.events import source_of
from lambda_web_adapter.messages import Response
from properties.gateways import GATEWAYS, Client
from properties.strategies import any_events, clients, gateways, responses

# The keys that each source's documentation has; REST APIs answer 502 to any other.
KEYS = {
    "rest-api": {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"},
    "http-api-v1": {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"},
    "http-api-v2": {"statusCode", "headers", "cookies", "body", "isBase64Encoded"},
    "function-url": {"statusCode", "headers", "cookies", "body", "isBase64Encoded"},
    "alb": {"statusCode", "statusDescription", "headers", "multiValueHeaders", "body", "isBase64Encoded"},
}


def reply_of(gateway: str, client: Client, response: Response) -> Any:
    event = GATEWAYS[gateway](client)
    return json.loads(source_of(event).reply(response, event))


def as_text(value: bytes) -> str:
    """A header as a gateway gets it: the bytes read as UTF-8, else as latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def lines(response: Response) -> list[tuple[str, str]]:
    return [(name.decode().lower(), as_text(value)) for name, value in response.headers]


@given(any_events, responses)
def test_the_reply_to_any_event_is_json_with_the_keys_of_its_source(event: Any, response: Response) -> None:
    source = source_of(event)
    note(source.name)
    try:
        reply = json.loads(source.reply(response, event))
    except AppRejectedEvent:
        assert not source.http
        return
    if source.http:
        assert reply.keys() - KEYS[source.name] == set()
        assert reply["statusCode"] == response.status
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


@given(gateways, clients, responses)
def test_replying_leaves_response_and_event_unchanged(gateway: str, client: Client, response: Response) -> None:
    event = GATEWAYS[gateway](client)
    before = (list(response.headers), response.body)

    source_of(event).reply(response, event)

    assert (response.headers, response.body) == before
    assert event == GATEWAYS[gateway](client)
