"""From event to request, for all inputs at once."""

import copy
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from hypothesis import event as note
from hypothesis import example, given
from hypothesis import strategies as st
from support.whole_request import request_bytes

from lambda_web_adapter.errors import ForbiddenPath, InvalidEvent
from properties.gateways import (
    ADDRESS,
    CLIENT_BY_FORWARDED_FOR,
    DECODED_PATH,
    GATEWAYS,
    LAST_PARAMETER_ONLY,
    RAW_PAIRS,
    RAW_QUERY,
    Client,
    headers_that_arrive,
    query_that_arrives,
)
from properties.odd_events import TOO_DEEP, any_events, whole_events
from properties.strategies import (
    EVERYTHING_ON,
    LISTED,
    clients,
    gateways,
    header_values,
    listed_headers,
    raw_queries,
    settings,
)
from properties.translating import (
    INVOCATION,
    assert_is_one_request,
    headers_read,
    recognised,
    request_of,
    sent,
    translated,
)

# Written by the adapter itself, or on behalf of the gateway.
ADDED = {
    "cookie",
    "host",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-real-ip",
}

WITH_COOKIES = Client(
    method="GET", raw_path="/", query=[("a", "b")], headers=[("x-tag", "a")], cookies=["a=1", "b=2"], body=b"c"
)


def agent_event(declared: str, value: str) -> dict[str, Any]:
    """A Bedrock agent's call with one value in every place."""
    parameter = {"name": "a", "type": declared, "value": value}
    return {
        "actionGroup": "",
        "apiPath": "/{a}",
        "httpMethod": "POST",
        "parameters": [parameter, {**parameter, "name": "b"}],
        "requestBody": {"content": {"application/json": {"properties": [parameter]}}},
    }


@given(any_events, settings)
@example(agent_event("integer", "1" * 30), EVERYTHING_ON)
@example(agent_event("array", "[" * 300 + "]" * 300), EVERYTHING_ON)
@example(agent_event("string", "\ud800"), EVERYTHING_ON)
@example(agent_event("object", r'{"\ud800": "\ud800"}'), EVERYTHING_ON)
@example({"actionGroup": TOO_DEEP, "apiPath": "/", "httpMethod": "GET"}, EVERYTHING_ON)
@example({"httpMethod": "GET", "path": "/", "headers": {"x-tag": "a\rb"}}, {})
@example({"httpMethod": "GET", "path": "/", "headers": {"host": "a\nb: c"}}, {})
@example({"httpMethod": "GET", "path": "/", "headers": {"cookie": "a\0"}}, {})
@example({"httpMethod": "G T", "path": "/"}, {})
def test_any_json_becomes_one_request_or_is_refused_and_nothing_else(event: Any, chosen: dict[str, str]) -> None:
    try:
        made = translated(event, chosen)
        data = request_bytes(made, INVOCATION)
    except InvalidEvent:
        note("refused")
        return
    except ForbiddenPath:
        note("forbidden")
        assert "AWS_LWA_PROTECT_EVENT_PATHS" in chosen
        return
    note(recognised(event, chosen).name)
    assert assert_is_one_request(data) == made.body


@given(whole_events | any_events, settings)
@example(GATEWAYS["function-url"](WITH_COOKIES), {})
@example(GATEWAYS["http-api-v2"](WITH_COOKIES), {})
def test_translating_any_event_leaves_it_unchanged(event: Any, chosen: dict[str, str]) -> None:
    before = copy.deepcopy(event)

    try:
        sent(event, chosen)
    except (InvalidEvent, ForbiddenPath):
        note("refused")

    assert repr(event) == repr(before), "which tells NaN, 1 and true apart, where == does not"


@given(gateways, clients)
def test_method_body_and_client_arrive_unchanged(gateway: str, client: Client) -> None:
    made = request_of(gateway, client)

    assert (made.method, made.body, made.client) == (client.method, client.body, ADDRESS)


@given(gateways, clients)
@example("http-api-v2", Client(method="GET", raw_path="/%2541%252F", query=[], headers=[], cookies=[], body=b""))
def test_a_path_decoded_once_is_what_the_client_meant(gateway: str, client: Client) -> None:
    assert unquote_to_bytes(request_of(gateway, client).path) == unquote_to_bytes(client.raw_path)


@given(st.sampled_from(sorted(GATEWAYS.keys() - DECODED_PATH)), clients)
def test_a_path_that_comes_as_sent_goes_on_as_sent(gateway: str, client: Client) -> None:
    assert request_of(gateway, client).path == client.raw_path


@given(gateways, clients)
def test_query_pairs_are_those_that_the_client_sent(gateway: str, client: Client) -> None:
    found = parse_qsl(request_of(gateway, client).query, keep_blank_values=True)

    expected = query_that_arrives(gateway, client.decoded_query)
    if gateway in LAST_PARAMETER_ONLY:  # keys that differ only in how they are encoded are two keys there
        assert set(found) <= set(client.decoded_query)
        assert {key for key, _ in found} == expected.keys()
    else:
        assert Counter(found) == Counter(client.decoded_query)
        assert {key: [value for name, value in found if name == key] for key in expected} == expected


def with_raw_query(gateway: str, client: Client, query: str) -> dict[str, Any]:
    event = GATEWAYS[gateway](client)
    if "rawQueryString" in event:
        return event | {"rawQueryString": query}
    key = "raw_path" if "raw_path" in event else "path"
    return event | {key: f"{client.raw_path}?{query}"}


@given(st.sampled_from(sorted(RAW_QUERY)), clients, raw_queries)
@example("vpc-lattice-v1", Client(method="GET", raw_path="/", query=[], headers=[], cookies=[], body=b""), "a?b=?")
def test_a_raw_query_arrives_byte_for_byte(gateway: str, client: Client, query: str) -> None:
    made = translated(with_raw_query(gateway, client, query))

    assert (made.path if gateway not in DECODED_PATH else client.raw_path, made.query) == (client.raw_path, query)


@given(st.sampled_from(sorted(RAW_PAIRS)), clients)
def test_pairs_that_come_as_sent_arrive_byte_for_byte(gateway: str, client: Client) -> None:
    found = request_of(gateway, client).query

    expected = query_that_arrives(gateway, client.query)
    assert found == "&".join(f"{key}={value}" for key, values in expected.items() for value in values)


@given(gateways, clients, listed_headers)
def test_every_header_arrives_in_order_but_for_those_listed(
    gateway: str, client: Client, listed: list[tuple[str, str]]
) -> None:
    event = GATEWAYS[gateway](
        Client(
            method=client.method,
            raw_path="/",
            query=[],
            headers=[*listed, *client.headers],
            cookies=client.cookies,
            body=b"",
        )
    )

    found = headers_read(request_bytes(translated(event), INVOCATION))

    left = {name: values for name, values in found.items() if name not in ADDED | {"content-length"}}
    expected = headers_that_arrive(gateway, client.headers)
    assert {name: Counter(values) for name, values in left.items()} == {
        name: Counter(values) for name, values in expected.items()
    }
    assert left.keys() & LISTED == set()


@given(gateways, clients, st.data())
def test_headers_that_connection_names_do_not_arrive(gateway: str, client: Client, data: st.DataObject) -> None:
    """They were meant for the client's own hop (RFC 9110 §7.6.1)."""
    names = sorted({name.lower() for name, _ in client.headers})
    named = data.draw(st.lists(st.sampled_from(names), unique=True) if names else st.just([]))
    headers = [*client.headers, ("Connection", ", ".join(["close", "X-Forwarded-For", *named]))]
    asked = Client(method="GET", raw_path="/", query=[], headers=headers, cookies=[], body=b"")

    found = headers_read(request_bytes(request_of(gateway, asked), INVOCATION))

    expected = headers_that_arrive(gateway, [pair for pair in client.headers if pair[0].lower() not in named])
    assert found.keys() - ADDED == expected.keys()


@given(gateways, clients)
def test_values_of_a_name_keep_their_order(gateway: str, client: Client) -> None:
    headers = [(name.lower(), value) for name, value in client.headers]
    alike = Client(method="GET", raw_path="/", query=[], headers=headers, cookies=[], body=b"")

    found = headers_read(request_bytes(request_of(gateway, alike), INVOCATION))

    expected = headers_that_arrive(gateway, headers)
    assert {name: found[name] for name in expected} == expected


@given(gateways, clients)
def test_cookies_arrive_in_one_line_and_once(gateway: str, client: Client) -> None:
    found = headers_read(request_bytes(request_of(gateway, client), INVOCATION))

    assert found.get("cookie", []) == (["; ".join(client.cookies)] if client.cookies else [])


@given(st.sampled_from(sorted(CLIENT_BY_FORWARDED_FOR)), clients, st.lists(header_values), st.integers(1, 5))
def test_a_caller_cannot_forge_its_address(gateway: str, client: Client, claims: list[str], hops: int) -> None:
    """What the client sends comes first; each proxy of our own appends the address that it has seen."""
    seen = [ADDRESS, *(f"10.0.0.{number}" for number in range(hops - 1))]
    event = GATEWAYS[gateway](client)
    for key in ("headers", "multiValueHeaders"):
        if key in event:
            before = event[key]["x-forwarded-for"]
            value = ", ".join([*claims, *seen])
            event[key]["x-forwarded-for"] = [value] if isinstance(before, list) else value

    assert translated(event, {"AWS_LWA_TRUSTED_HOPS": str(hops)}).client == ADDRESS


@given(clients, st.sampled_from(["", "/shop", "/s/h/o/p"]))
def test_prefix_and_path_together_are_what_came(client: Client, base: str) -> None:
    event = GATEWAYS["function-url"](client) | {"rawPath": base + client.raw_path}

    made = translated(event, {"AWS_LWA_REMOVE_BASE_PATH": base})

    assert (made.prefix, made.path) == (base, client.raw_path)
