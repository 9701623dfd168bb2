"""The request of an event: through a gateway once more, it gives the same event."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from local.asking import FULL, event, request
from properties.gateways import Client, Pairs
from properties.strategies import clients

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.local.gateways import GatewayOptions, Request, build_gateway
from lambda_web_adapter.local.inspector.requests_of_events import gateway_of_event, request_of_event

every_gateway = pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in EVENT_SOURCES])
# What no gateway is asked to keep: see the module.
_LOST = ("via", "x-amz-cf-id", "x-amzn-trace-id", "cloudfront-")


def client(headers: Pairs) -> Client:
    """A request with something of everything."""
    query = [("a", "%2B+"), ("b", ""), ("a", "")]
    return Client(method="POST", raw_path="/%2F%25", query=query, headers=headers, cookies=["a=b", "c=d"], body=b"\xff")


def sent(client: Client) -> Request:
    headers = [("Host", "127.0.0.1:8000"), *client.headers]
    headers = [line for line in headers if not line[0].lower().startswith(_LOST)]
    if client.cookies:
        headers.append(("Cookie", "; ".join(client.cookies)))
    if client.body:
        headers.append(("Content-Length", str(len(client.body))))
    query = "&".join(f"{name}={value}" for name, value in client.query)
    return request(client.method, client.raw_path, query, headers, client.body)


def again(name: str, original: Request) -> Request:
    """The request of the event of a request, with its time and ids."""
    derived = request_of_event(event(name, original))
    return replace(derived, request_id=original.request_id, trace_id=original.trace_id, time_ms=original.time_ms)


@every_gateway
def test_it_gives_the_same_event_again(name: str) -> None:
    @given(clients)
    @example(client([("x-forwarded-for", "198.51.100.1, 198.51.100.2")]))
    @example(client([("X-Tag", ""), ("x-tag", "2")]))
    def check(drawn: Client) -> None:
        original = sent(drawn)
        derived = again(name, original)

        assert event(name, derived) == event(name, original)
        assert (derived.method, derived.body) == (original.method, original.body)
        assert (derived.source_ip, derived.port, derived.scheme) == ("203.0.113.7", 8000, "http")

    check()


@every_gateway
def test_the_gateway_is_recognised(name: str) -> None:
    assert gateway_of_event(event(name, FULL)) == name


@every_gateway
def test_nothing_stays_that_the_gateway_has_added(name: str) -> None:
    bare = request("GET", "/a", "b=c", [("host", "localhost:8000"), ("accept", "*/*")])

    derived = request_of_event(event(name, bare))

    assert [(key.lower(), value) for key, value in derived.headers] == bare.headers
    assert (derived.raw_path, derived.query) == ("/a", "b=c")


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", None, id="a trace of the client's"),
        pytest.param("Sampled=1", None, id="no root"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_the_trace_id_of_the_client_stays(own: str, expected: str | None) -> None:
    headers = [("x-amzn-trace-id", own)] if own else []

    derived = request_of_event(event("alb", request(headers=headers)))

    assert (derived.header("x-amzn-trace-id") or "") == (own if expected is None else expected)


@pytest.mark.parametrize(
    ("name", "options", "path"),
    [
        pytest.param("rest-api", {"stage": "prod"}, "/prod/a%2Fb", id="REST API with a stage"),
        pytest.param("rest-api", {"stage": "prod"}, "/prod", id="REST API, only the stage"),
        pytest.param("http-api-v2", {"stage": "prod"}, "/prod/a", id="HTTP API with a stage"),
        pytest.param("http-api-v1", {"base_path": "/shop"}, "/shop/a", id="a base path"),
    ],
)
def test_stage_and_base_path_stay_in_the_path(name: str, options: dict[str, Any], path: str) -> None:
    gateway = build_gateway(name, GatewayOptions(**options))

    derived = request_of_event(json.loads(gateway.event(request(raw_path=path)).to_json()))

    assert derived.raw_path == path


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"Records": [{"eventSource": "aws:sqs"}]}, id="SQS"),
        pytest.param({"requestContext": {"connectionId": "a", "eventType": "MESSAGE"}, "headers": {}}, id="WebSocket"),
        pytest.param({"type": "TOKEN", "methodArn": "arn:…", "httpMethod": "GET", "path": "/"}, id="authorizer"),
        pytest.param(None, id="null"),
        pytest.param([1], id="a list"),
    ],
)
def test_other_events_are_no_requests(document: object) -> None:
    assert gateway_of_event(document) == ""
    with pytest.raises(InvalidEvent, match="no HTTP request"):
        request_of_event(document)
