"""Strategies of events that no service sends: damaged ones, marks without the rest, several sources in one."""

import copy
from typing import Any

from hypothesis import strategies as st

from properties.gateways import API_HOST, GATEWAYS, URL_HOST
from properties.other_services import bedrock_agent, lambda_edge, websocket
from properties.strategies import agent_calls, any_text, clients, json_values, raw_paths, socket_messages

_KEYS = [
    "Records",
    "actionGroup",
    "apiPath",
    "body",
    "cf",
    "connectionId",
    "content",
    "cookies",
    "domainName",
    "elb",
    "eventSource",
    "eventType",
    "headers",
    "http",
    "httpMethod",
    "identity",
    "isBase64Encoded",
    "is_base64_encoded",
    "messageVersion",
    "method",
    "methodArn",
    "multiValueHeaders",
    "multiValueQueryStringParameters",
    "name",
    "parameters",
    "path",
    "properties",
    "queryStringParameters",
    "query_string_parameters",
    "rawPath",
    "rawQueryString",
    "raw_path",
    "requestBody",
    "requestContext",
    "routeKey",
    "serviceArn",
    "sourceIp",
    "stage",
    "type",
    "value",
    "version",
    "warmer",
]
_TEXTS = [
    "GET",
    "/",
    "/prod/x",
    "/{a}",
    "1.0",
    "2.0",
    "$default",
    "prod",
    "YQ",
    "YWJj",
    "a\r\nb: c",
    "\0",
    "",
    "..",
    "%",
]
_TEXTS += [API_HOST, URL_HOST, "CONNECT", "MESSAGE", "DISCONNECT", "integer", "number", "array", "object", "aws:sqs"]
_TEXTS += ["a\rb", "a\nb", "a\r", "a\n", "a\r\n\r\nGET / HTTP/1.1"]
_TEXTS += ["123456789012345678901234567890", "[" * 300 + "]" * 300, "NaN", "1e999", '"\\ud800"']


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


# Deeper than the JSON writer goes (254 levels), not as deep as the reader does (1,024).
TOO_DEEP = nested(300)
values = json_values | st.sampled_from(_TEXTS) | st.sampled_from([TOO_DEEP, 2**64, -(2**70)])

# An event of each source, as its service sends it.
whole_events = (
    st.sampled_from(sorted(GATEWAYS)).flatmap(lambda gateway: clients.map(GATEWAYS[gateway]))
    | socket_messages.map(websocket)
    | agent_calls.map(bedrock_agent)
    | raw_paths.map(lambda_edge)
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a value that holds another: the container and the key or index."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        keys = list(container) if isinstance(container, dict) else list(range(len(container)))
        found += [(container, key) for key in keys]
        waiting += [container[key] for key in keys if isinstance(container[key], dict | list)]
    return found


def damage(draw: st.DrawFn, event: Any) -> None:
    """Has some values be others, or gone, or where they do not belong."""
    for _ in range(draw(st.integers(1, 4))):
        found = places(event)
        if not found:
            return
        container, key = draw(st.sampled_from(found))
        match draw(st.sampled_from(["replace", "delete", "null", "add", "move"])):
            case "replace":
                container[key] = copy.deepcopy(draw(values))
            case "null":
                container[key] = None
            case "delete":
                del container[key]
            case "move":
                other, place = draw(st.sampled_from(found))
                container[key] = copy.deepcopy(other[place])
            case "add" if isinstance(container, dict):
                container[draw(st.sampled_from(_KEYS) | any_text)] = copy.deepcopy(draw(values))


@st.composite
def damaged_events(draw: st.DrawFn) -> Any:
    """An event in which some values are others, or gone, or where they do not belong."""
    event = copy.deepcopy(draw(whole_events))
    damage(draw, event)
    return event


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both events in one; where both say something, the second one is right, but maps are merged."""
    found = dict(one)
    for key, value in other.items():
        before = found.get(key)
        found[key] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return found


@st.composite
def merged_events(draw: st.DrawFn) -> dict[str, Any]:
    """What forges several sources at once: the marks of two to four of them in one event, a few taken away again."""
    event: dict[str, Any] = {}
    for other in draw(st.lists(whole_events, min_size=2, max_size=4)):
        event = _merged(event, other)
    for key in draw(st.lists(st.sampled_from(sorted(event)), max_size=2)):
        event[key] = None
    for key in draw(st.lists(st.sampled_from(sorted(event)), max_size=2)):
        event.pop(key, None)
    return event


_contexts = st.fixed_dictionaries(
    {},
    optional={
        "elb": st.just({}) | st.none(),
        "http": st.just({"method": "GET"}) | st.none() | st.just({}),
        "domainName": st.sampled_from([API_HOST, URL_HOST, None]),
        "connectionId": st.just("AbCdEfGhIjKlMnO="),
        "eventType": st.sampled_from(["CONNECT", "MESSAGE", "OTHER", None]),
        "serviceArn": st.just("arn") | st.none(),
        "serviceNetworkArn": st.just("arn") | st.none(),
    },
)
# Events of marks alone, in every combination.
marked_events: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "version": st.sampled_from(["1.0", "2.0", "3.0", 2.0, None]),
        "httpMethod": st.sampled_from(["GET", "", None]),
        "method": st.sampled_from(["GET", "", None]),
        "path": st.sampled_from(["/", "", None]),
        "apiPath": st.sampled_from(["/", "", None]),
        "rawPath": st.just("/"),
        "raw_path": st.sampled_from(["/", "", None]),
        "actionGroup": st.sampled_from(["group", None]),
        "Records": st.sampled_from([[{"cf": {}}], [{"cf": None}], [], [None], None]),
        "requestContext": _contexts | st.none(),
        "multiValueHeaders": st.just({}) | st.none(),
    },
)
any_objects = whole_events | damaged_events() | merged_events() | marked_events
any_events = json_values | any_objects | values
