"""From event to request, for all inputs at once."""

import copy
import re
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import h11
from hypothesis import event as note
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import SOURCES, source_of, to_request
from lambda_web_adapter.forwarding import request_bytes
from lambda_web_adapter.messages import Invocation, Request
from lambda_web_adapter.settings import Settings
from properties.gateways import ADDRESS, GATEWAYS, Client, headers_that_arrive, query_that_arrives
from properties.strategies import (
    LISTED,
    any_events,
    clients,
    gateways,
    json_values,
    listed_headers,
    marked_events,
    raw_queries,
)

INVOCATION = Invocation(request_id="1", event=b"")
REQUEST_LINE = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+ /[\x21-\x7e]* HTTP/1\.1")
HEADER_LINE = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+: [^\r\n\0]*")
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


def translated(event: Any) -> Request:
    return to_request(source_of(event), event, Settings(), b"verbatim")


def request_of(gateway: str, client: Client) -> Request:
    return translated(GATEWAYS[gateway](client))


def headers_read(data: bytes) -> dict[str, list[str]]:
    """The values of each header as h11 reads them, by name in lower case."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    request = server.next_event()
    assert isinstance(request, h11.Request)
    found: dict[str, list[str]] = {}
    for name, value in request.headers:
        found.setdefault(name.decode(), []).append(value.decode())
    return found


@given(any_events)
def test_any_json_becomes_one_request_or_an_invalid_event_and_nothing_else(event: Any) -> None:
    try:
        made = translated(event)
        data = request_bytes(made, INVOCATION)
    except InvalidEvent:
        note("refused")
        return
    note(source_of(event).name)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    assert REQUEST_LINE.fullmatch(first)
    assert [line for line in lines if not HEADER_LINE.fullmatch(line)] == []
    assert body == made.body


@given(any_events)
def test_translating_any_event_leaves_it_unchanged(event: Any) -> None:
    before = copy.deepcopy(event)

    try:
        request_bytes(translated(event), INVOCATION)
    except InvalidEvent:
        note("refused")

    assert event == before


@given(any_events.filter(lambda event: isinstance(event, dict)) | marked_events)
@example({"version": "1.0", "httpMethod": "GET", "path": "/", "requestContext": {"elb": {}}})
@example({"version": "2.0", "httpMethod": "GET", "requestContext": {"elb": {}, "http": {}}})
def test_at_most_one_source_recognises_an_event(event: dict[str, Any]) -> None:
    assert [source.name for source in SOURCES if source.recognises(event)][1:] == []


@given(gateways, clients)
def test_an_event_is_recognised_by_the_source_that_it_came_from(gateway: str, client: Client) -> None:
    assert source_of(GATEWAYS[gateway](client)).name == gateway.removesuffix("-single").removesuffix("-multi")


@given(gateways, clients)
def test_method_body_and_client_arrive_unchanged(gateway: str, client: Client) -> None:
    made = request_of(gateway, client)

    assert (made.method, made.body, made.client) == (client.method, client.body, ADDRESS)


@given(gateways, clients)
def test_a_path_decoded_once_is_what_the_client_meant(gateway: str, client: Client) -> None:
    assert unquote_to_bytes(request_of(gateway, client).path) == unquote_to_bytes(client.raw_path)


@given(gateways.filter(lambda gateway: gateway != "http-api-v2"), clients)
def test_a_path_that_comes_as_sent_goes_on_as_sent(gateway: str, client: Client) -> None:
    assert request_of(gateway, client).path == client.raw_path


@given(gateways, clients)
def test_query_pairs_are_those_that_the_client_sent(gateway: str, client: Client) -> None:
    found = parse_qsl(request_of(gateway, client).query, keep_blank_values=True)

    expected = query_that_arrives(gateway, client.decoded_query)
    if gateway == "alb-single":  # keys that differ only in how they are encoded are two keys to a load balancer
        assert set(found) <= set(client.decoded_query)
        assert {key for key, _ in found} == expected.keys()
    else:
        assert Counter(found) == Counter(client.decoded_query)
        assert {key: [value for name, value in found if name == key] for key in expected} == expected


@given(st.sampled_from(["http-api-v2", "function-url"]), clients, raw_queries)
def test_a_raw_query_arrives_byte_for_byte(gateway: str, client: Client, query: str) -> None:
    event = GATEWAYS[gateway](client) | {"rawQueryString": query}

    assert translated(event).query == query


@given(st.sampled_from(["alb-single", "alb-multi"]), clients)
def test_a_load_balancers_pairs_arrive_byte_for_byte(gateway: str, client: Client) -> None:
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


@given(json_values)
def test_what_is_no_object_is_passed_through(event: Any) -> None:
    made = to_request(source_of([event]), [event], Settings(), b"verbatim")

    assert made == Request(
        method="POST", path="/events", headers=[("content-type", "application/json")], body=b"verbatim"
    )


@given(clients, st.sampled_from(["", "/shop", "/s/h/o/p"]))
def test_prefix_and_path_together_are_what_came(client: Client, base: str) -> None:
    event = GATEWAYS["function-url"](client) | {"rawPath": base + client.raw_path}

    made = to_request(source_of(event), event, Settings(remove_base_path=base), b"")

    assert (made.prefix, made.path) == (base, client.raw_path)
