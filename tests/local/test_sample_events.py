"""Sample events: valid by the models, and recognised by the adapter as what they stand for."""

from __future__ import annotations

import json
from random import SystemRandom
from typing import Any

import pytest

from lambda_web_adapter.events import build_request, find_source, pass_through_source
from lambda_web_adapter.events.services import find_service
from lambda_web_adapter.local.sample_events import ANY_REQUEST, SAMPLES, SHORT_NAMES, Occasion, SampleRequest
from lambda_web_adapter.local.sample_events.event_checks import find_model, problems
from lambda_web_adapter.settings import Settings

TIME_MS = 1772366400123
REQUEST = SampleRequest(
    method="POST", path="/orders/a%20b", query="page=2&tag=a", headers=[("X-Tag", "one")], body=b'{"order":1}'
)
# What a service may send, or what AWS sends in a list: there is no model for it.
WITHOUT_MODEL = {"appsync-batch", "codedeploy", "iot", "step-functions"}
every_sample = pytest.mark.parametrize("name", SAMPLES)
HTTP = [name for name, sample in SAMPLES.items() if sample.parts == ANY_REQUEST]
REPEATED = [name for name, sample in SAMPLES.items() if sample.repeats]


def build(name: str, count: int = 1, request: SampleRequest | None = None) -> Any:
    occasion = Occasion(time_ms=TIME_MS, random=SystemRandom(), count=count, request=request or SampleRequest())
    return json.loads(json.dumps(SAMPLES[name].build(occasion), allow_nan=False))


@every_sample
def test_an_event_is_of_the_source_that_it_stands_for(name: str) -> None:
    event = build(name)

    source = find_source(event)
    assert SAMPLES[name].source == (find_service(event) if source is pass_through_source() else source.name)


@every_sample
def test_an_event_is_valid_by_its_model(name: str) -> None:
    event = build(name, 3 if SAMPLES[name].repeats else 1)

    assert (find_model(event) is None) == (name in WITHOUT_MODEL)
    assert problems(event) == []


@every_sample
def test_the_adapter_builds_a_request_from_an_event(name: str) -> None:
    event = build(name)
    data = json.dumps(event).encode()

    request = build_request(find_source(event), event, Settings(), data)

    expected = ("GET", "/", b"") if name in HTTP else ("POST", "/events", data)
    assert (request.method, request.path, request.body) == expected


@pytest.mark.parametrize("name", HTTP)
def test_an_http_event_is_about_the_request(name: str) -> None:
    event = build(name, request=REQUEST)

    request = build_request(find_source(event), event, Settings(), b"")
    headers = {key.lower(): value for key, value in request.headers}
    assert (request.method, request.path, request.query, request.body) == (
        "POST",
        "/orders/a%20b",
        "page=2&tag=a",
        b'{"order":1}',
    )
    assert headers.items() >= {"x-tag": "one", "content-type": "application/json", "user-agent": "curl/8.7.1"}.items()
    assert headers.get("x-forwarded-proto", "https") == "https"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"[1]", "application/json", id="JSON"),
        pytest.param(b"hello", "text/plain", id="text"),
        pytest.param(b"\xff", "application/octet-stream", id="bytes"),
    ],
)
def test_a_body_has_the_content_type_that_it_looks_like(body: bytes, content_type: str) -> None:
    event = build("http-api-v2", request=SampleRequest(method="POST", body=body))

    assert event["headers"]["content-type"] == content_type


def test_a_header_replaces_the_one_that_each_request_has() -> None:
    event = build("alb", request=SampleRequest(headers=[("Host", "shop.example.com")]))

    assert event["headers"]["host"] == "shop.example.com"


@pytest.mark.parametrize("name", REPEATED)
def test_an_event_has_as_many_records_as_one_wants(name: str) -> None:
    def longest_list(value: Any) -> int:
        if isinstance(value, dict):
            return max((longest_list(item) for item in value.values()), default=0)
        return max([len(value), *map(longest_list, value)]) if isinstance(value, list) else 0

    if name == "cloudwatch-logs":  # they are compressed: Powertools decodes them in the tests side by side
        assert build(name, 40) != build(name, 1)
    else:
        assert longest_list(build(name, 40)) == 40


@every_sample
def test_two_events_differ_in_their_ids_only(name: str) -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            # Keys of Kafka and RabbitMQ are names of topics and queues.
            return {key: shape(item) for key, item in value.items()}
        return [shape(item) for item in value] if isinstance(value, list) else type(value)

    first, second = build(name), build(name)

    assert shape(first) == shape(second)
    if name not in {"alb", "alb-multi", "authorizer-token", "vpc-lattice-v1", "vpc-lattice-v2", "kafka-self-managed"}:
        assert first != second


def test_a_message_of_a_client_is_what_it_is_given() -> None:
    text = build("websocket-message", request=SampleRequest(body=b"hello"))
    binary = build("websocket-message", request=SampleRequest(body=b"\xff"))

    assert (text["body"], text["isBase64Encoded"]) == ("hello", False)
    assert (binary["body"], binary["isBase64Encoded"]) == ("/w==", True)


def test_an_authorizer_gets_the_token_of_the_request() -> None:
    headers = [("authorization", "Bearer other")]
    event = build("authorizer-http-api", request=SampleRequest(method="PUT", path="/orders", headers=headers))

    assert event["identitySource"] == ["Bearer other"]
    assert event["routeArn"].endswith("/PUT/orders")
    assert "body" not in event


def test_short_names_are_no_names_of_other_events() -> None:
    assert SHORT_NAMES.keys().isdisjoint(SAMPLES)
    assert set(SHORT_NAMES.values()) <= SAMPLES.keys()
