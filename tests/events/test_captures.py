"""Other projects' sample events, from the folder that LWA_EVENT_SAMPLES names: they are no part of this repository.

It holds `voker` (one request captured behind four services), `aws-lambda-dotnet/apigw-request-snapshots` (triples of
one request behind three) and `lambda-events` (an example of each kind of event).
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from conformance.wire import Read, read
from support.whole_request import request_bytes

from events.odd import SWITCHED_ON
from lambda_web_adapter.events import build_request, find_source, import_sources
from lambda_web_adapter.http.messages import Invocation, Request
from lambda_web_adapter.settings import Settings

SAMPLES = Path(os.environ.get("LWA_EVENT_SAMPLES", ""))
VOKER = SAMPLES / "voker"
SNAPSHOTS = SAMPLES / "aws-lambda-dotnet" / "apigw-request-snapshots"
EXAMPLES = SAMPLES / "lambda-events"
INVOCATION = Invocation(request_id="1", event=b"")
CAPTURES = [
    pytest.param("apigwv1-request.json", "rest-api", id="REST API"),
    pytest.param("apigwv2-request.json", "http-api-v2", id="HTTP API"),
    pytest.param("functionurl-request.json", "function-url", id="function URL"),
    pytest.param("alb-request.json", "alb", id="load balancer"),
]


def every_file(folder: Path) -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted(folder.glob("*.json"))]


def event_in(path: Path) -> Any:
    return json.loads(path.read_bytes())


def request_in(path: Path) -> Request:
    event = event_in(path)
    return build_request(find_source(event), event, Settings(), path.read_bytes())


def read_in(path: Path) -> Read:
    """What the app reads of the request that an event becomes."""
    return read(request_bytes(request_in(path), INVOCATION))


def values(request: Read, name: str) -> list[str]:
    """A header's values, taken apart where a gateway has joined them."""
    found = request.headers.get(name, [])
    return [part for value in found for part in value.split(",")] if name == "x-voker-probe" else found


@pytest.mark.parametrize(("name", "source"), CAPTURES)
def test_a_capture_is_recognised(name: str, source: str) -> None:
    event = event_in(VOKER / name)

    assert find_source(event).name == source
    assert [found.name for found in import_sources() if found.matches(event)] == [source]


@pytest.mark.parametrize(("name", "source"), CAPTURES)
def test_the_four_captures_are_one_request_at_the_app(name: str, source: str) -> None:
    sent = json.loads((VOKER / "expected_request.json").read_bytes())

    made = read_in(VOKER / name)

    assert made.method == sent["method"]
    assert made.fact("raw_path") == sent["raw_path"]
    assert made.fact("path") == sent["decoded_path"]
    assert sorted(made.fact("query")) == sorted(map(tuple, sent["query_pairs_decoded"]))
    assert {key: values(made, key) for key in sent["headers"]} == sent["headers"]
    assert made.body == sent["body"].encode()
    assert made.headers["content-length"] == [str(sent["content_length"])]
    assert made.headers["x-real-ip"] == [sent["client_ip"]]
    assert made.headers["x-forwarded-proto"] == [sent["scheme"][name]]


def test_the_app_cannot_tell_the_four_captures_apart_but_by_what_their_services_add() -> None:
    """Whatever header only some of the four have is one that a service has added, and none that the client sent."""
    sent = json.loads((VOKER / "expected_request.json").read_bytes())

    found = [read_in(VOKER / f"{name}-request.json") for name in ("apigwv1", "apigwv2", "functionurl", "alb")]

    differing = {name for made in found for name in made.headers if any(name not in other.headers for other in found)}
    assert differing & {*sent["headers"], "content-length", "host", "x-real-ip", "x-forwarded-for"} == set()
    assert {name for name in differing if not name.startswith(("x-amzn-", "x-forwarded-"))} == set()


@pytest.mark.parametrize(
    "name",
    [pytest.param("apigwv2-request.json", id="HTTP API"), pytest.param("functionurl-request.json", id="function URL")],
)
def test_payload_2_keeps_the_query_byte_for_byte(name: str) -> None:
    sent = json.loads((VOKER / "expected_request.json").read_bytes())

    assert request_in(VOKER / name).query == sent["raw_query_as_sent"]


# Each snapshot was taken on a route of its own, such as /test3/…
@pytest.mark.parametrize(
    ("rest", "v1", "v2"),
    [
        pytest.param("BinaryContentRest", "BinaryContentHttpV1", "V2_BinaryContent", id="a binary body"),
        pytest.param(
            "V1_SimpleGetRequestRest", "V1_SimpleGetRequestHttpV1", "V2_SimpleGetRequest", id="a simple request"
        ),
        pytest.param(
            "V1_SpecialCharactersInPathRest",
            "V1_SpecialCharactersInPathHttpV1",
            "V2_SpecialCharactersInPath",
            id="special characters in the path",
        ),
        pytest.param(
            "V1_UnicodeCharactersInPathRest",
            "V1_UnicodeCharactersInPathHttpV1",
            "V2_UnicodeCharactersInPath",
            id="Unicode in the path",
        ),
        pytest.param(
            "V1_UrlEncodedQueryStringRest",
            "V1_UrlEncodedQueryStringHttpV1",
            "V2_UrlEncodedQueryString",
            id="an encoded query",
        ),
    ],
)
def test_the_three_snapshots_are_one_request(rest: str, v1: str, v2: str) -> None:
    first, second, third = (meaning(read_in(SNAPSHOTS / f"{name}.json")) for name in (rest, v1, v2))

    assert first == second
    assert second == third


def meaning(request: Read) -> tuple[Any, ...]:
    """What an app makes of a request, but for what differs by route and gateway."""
    compared = (
        "content-type",
        "content-length",
        "cookie",
        "user-agent",
        "x-custom-header",
        "x-forwarded-for",
        "x-real-ip",
    )
    return (
        request.method,
        request.fact("path").split("/")[2:],
        sorted(request.fact("query")),
        {name: request.headers.get(name) for name in compared},
        request.body,
    )


@pytest.mark.parametrize("path", [*every_file(EXAMPLES), *every_file(SNAPSHOTS), *every_file(VOKER)])
def test_any_sample_is_translated(path: Path) -> None:
    event = event_in(path)

    made = build_request(find_source(event), event, Settings(), path.read_bytes())

    assert request_bytes(made, INVOCATION).endswith(made.body)
    assert event == event_in(path)


@pytest.mark.parametrize("path", [*every_file(EXAMPLES), *every_file(SNAPSHOTS), *every_file(VOKER)])
def test_any_sample_is_of_one_source_at_most(path: Path) -> None:
    event = event_in(path)

    found = [source.name for source in import_sources() if isinstance(event, dict) and source.matches(event)]

    assert len(found) <= 1, found


def source_in_the_name(name: str) -> str:
    """The source that the name of an example tells, with every source switched on."""
    if "custom-auth" in name or "response" in name:
        return "pass-through"
    marks = {
        "apigw-websocket-": "websocket",
        "apigw-v2-request": "http-api-v2",
        "apigw-sam-http-": "http-api-v2",
        "apigw-sam-rest-": "http-api-v1",  # the emulator says version 1.0, which a REST API does not
        "apigw-": "rest-api",
        "alb-lambda-target-request": "alb",
        "vpc-lattice-v1-": "vpc-lattice-v1",
        "vpc-lattice-v2-": "vpc-lattice-v2",
        "bedrock-agent-": "bedrock-agent",
    }
    return next((source for mark, source in marks.items() if f"example-{mark}" in name), "pass-through")


@pytest.mark.parametrize("path", every_file(EXAMPLES))
def test_an_example_is_of_the_source_that_its_name_tells(path: Path) -> None:
    assert find_source(event_in(path), SWITCHED_ON).name == source_in_the_name(path.stem)


@pytest.mark.parametrize("path", every_file(EXAMPLES))
def test_without_switches_the_same_but_for_those_that_need_one(path: Path) -> None:
    name = source_in_the_name(path.stem)

    assert find_source(event_in(path)).name == ("pass-through" if name in ("websocket", "bedrock-agent") else name)
