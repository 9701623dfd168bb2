"""Other projects' sample events, from the folder that LWA_EVENT_SAMPLES names: they are no part of this repository.

It holds `voker` (one request captured behind four services), `aws-lambda-dotnet/apigw-request-snapshots` (triples of
one request behind three) and `lambda-events` (an example of each kind of event).
"""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from lambda_web_adapter.events import SOURCES, source_of, to_request
from lambda_web_adapter.forwarding import request_bytes
from lambda_web_adapter.messages import Invocation, Request
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
    return to_request(source_of(event), event, Settings(), path.read_bytes())


def values(request: Request, name: str) -> list[str]:
    """A header's values, taken apart where a gateway has joined them."""
    found = [value for key, value in request.headers if key.lower() == name]
    return [part for value in found for part in value.split(",")] if name == "x-voker-probe" else found


@pytest.mark.parametrize(("name", "source"), CAPTURES)
def test_a_capture_is_recognised(name: str, source: str) -> None:
    event = event_in(VOKER / name)

    assert source_of(event).name == source
    assert [found.name for found in SOURCES if found.recognises(event)] == [source]


@pytest.mark.parametrize(("name", "source"), CAPTURES)
def test_the_four_captures_are_one_request(name: str, source: str) -> None:
    sent = json.loads((VOKER / "expected_request.json").read_bytes())

    made = request_in(VOKER / name)

    assert made.method == sent["method"]
    assert made.path == sent["raw_path"]
    assert unquote(made.path) == sent["decoded_path"]
    assert sorted(parse_qsl(made.query, keep_blank_values=True)) == sorted(map(tuple, sent["query_pairs_decoded"]))
    assert {key: values(made, key) for key in sent["headers"]} == sent["headers"]
    assert made.body == sent["body"].encode()
    assert made.client == sent["client_ip"]
    assert values(made, "x-forwarded-proto") == [sent["scheme"][name]]
    assert f"content-length: {sent['content_length']}".encode() in request_bytes(made, INVOCATION)


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
    first, second, third = (meaning(request_in(SNAPSHOTS / f"{name}.json")) for name in (rest, v1, v2))

    assert first == second
    assert second == third


def meaning(request: Request) -> tuple[Any, ...]:
    """What an app makes of a request, but for what differs by route and gateway."""
    return (
        request.method,
        unquote(request.path).split("/")[2:],
        sorted(parse_qsl(request.query, keep_blank_values=True)),
        sorted(
            (name.lower(), value)
            for name, value in request.headers
            if name.lower() in ("content-type", "cookie", "user-agent", "x-custom-header", "x-forwarded-for")
        ),
        request.body,
    )


@pytest.mark.parametrize("path", [*every_file(EXAMPLES), *every_file(SNAPSHOTS), *every_file(VOKER)])
def test_any_sample_is_translated(path: Path) -> None:
    event = event_in(path)

    made = to_request(source_of(event), event, Settings(), path.read_bytes())

    assert request_bytes(made, INVOCATION).endswith(made.body)
    assert event == event_in(path)


@pytest.mark.parametrize("path", [*every_file(EXAMPLES), *every_file(SNAPSHOTS), *every_file(VOKER)])
def test_any_sample_is_of_one_source_at_most(path: Path) -> None:
    event = event_in(path)

    found = [source.name for source in SOURCES if isinstance(event, dict) and source.recognises(event)]

    assert len(found) <= 1, found


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in every_file(EXAMPLES)
        if not any(mark in path.id for mark in ("-alb-lambda-target-request", "-apigw-"))
        or any(mark in path.id for mark in ("custom-auth", "websocket", "response"))
    ],
)
def test_what_is_no_http_request_is_passed_through(path: Path) -> None:
    assert source_of(event_in(path)).name == "pass-through"
