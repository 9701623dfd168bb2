"""Which source an event is of, for all events at once."""

import json
from typing import Any

from hypothesis import event as note
from hypothesis import example, given

from lambda_web_adapter.events import import_sources, pass_through_source
from properties.gateways import GATEWAYS, Client, source_name
from properties.odd_events import any_events, any_objects
from properties.other_services import AgentCall, SocketMessage, bedrock_agent, lambda_edge, websocket
from properties.strategies import (
    EVERYTHING_ON,
    agent_calls,
    clients,
    gateways,
    json_values,
    raw_paths,
    settings,
    socket_messages,
)
from properties.translating import VERBATIM, recognised, translated

OPTIONAL = {"websocket": "AWS_LWA_WEBSOCKET_PATH", "bedrock-agent": "AWS_LWA_BEDROCK_AGENT"}


def recognising(event: dict[str, Any]) -> list[str]:
    return [source.name for source in import_sources() if source.matches(event)]


@given(any_objects)
@example({"version": "1.0", "httpMethod": "GET", "path": "/", "requestContext": {"elb": {}}})
@example({"version": "2.0", "httpMethod": "GET", "requestContext": {"elb": {}, "http": {}}})
@example({"version": "2.0", "method": "GET", "requestContext": {"serviceArn": "", "http": {}}})
@example({"method": "GET", "raw_path": "/", "Records": [{"cf": {}}]})
@example({"httpMethod": "GET", "apiPath": "/", "actionGroup": "", "path": "/"})
@example({"httpMethod": "GET", "path": "/", "requestContext": {"connectionId": "", "eventType": "CONNECT"}})
def test_at_most_one_source_recognises_an_event(event: dict[str, Any]) -> None:
    found = recognising(event)

    note(" and ".join(found) or "none")
    assert found[1:] == []


@given(gateways, clients)
def test_an_event_is_recognised_by_the_source_that_it_came_from(gateway: str, client: Client) -> None:
    assert recognising(GATEWAYS[gateway](client)) == [source_name(gateway)]


@given(socket_messages)
def test_a_websocket_event_is_recognised(message: SocketMessage) -> None:
    assert recognising(websocket(message)) == ["websocket"]


@given(agent_calls)
def test_an_agents_call_is_recognised(call: AgentCall) -> None:
    assert recognising(bedrock_agent(call)) == ["bedrock-agent"]


@given(raw_paths)
def test_an_event_of_the_edge_is_recognised(uri: str) -> None:
    assert recognising(lambda_edge(uri)) == ["lambda-edge"]


@given(any_events, settings)
def test_a_source_that_is_switched_off_takes_no_events(event: Any, chosen: dict[str, str]) -> None:
    found = recognised(event, chosen)

    assert found is pass_through_source() or found.name not in OPTIONAL or OPTIONAL[found.name] in chosen
    assert recognised(event).name not in OPTIONAL


@given(any_objects, json_values)
@example({"httpMethod": "GET", "path": "/"}, None)
@example({"apiPath": "/", "httpMethod": "GET", "actionGroup": ""}, "arn")
def test_an_authorizers_event_is_never_taken_for_the_request_that_it_is_about(event: dict[str, Any], arn: Any) -> None:
    for mark in ("methodArn", "routeArn"):
        assert recognised(event | {mark: arn}, EVERYTHING_ON) is pass_through_source()


@given(any_events, settings)
def test_what_is_passed_through_goes_on_verbatim_and_says_where_it_is_from(event: Any, chosen: dict[str, str]) -> None:
    if recognised(event, chosen) is not pass_through_source():
        note("not passed through")
        return

    made = translated(event, chosen)

    path = chosen.get("AWS_LWA_PASS_THROUGH_PATH", "/events")
    [(mark, origin)] = made.reserved_headers
    assert mark == "x-amzn-event-source"
    assert origin.replace("-", "").replace("3", "").isalpha(), "fit for a path and a header as it is"
    assert origin == origin.lower()
    assert (made.method, made.path) == ("POST", path.replace("{source}", origin))
    assert made.headers == [("content-type", "application/json")]
    assert made.body == VERBATIM
    assert (made.query, made.client, made.prefix) == ("", "", "")


@given(json_values)
def test_what_is_no_object_is_passed_through(event: Any) -> None:
    for value in (event, [event], json.dumps(event)):
        if not isinstance(value, dict):
            assert recognised(value, EVERYTHING_ON) is pass_through_source()
