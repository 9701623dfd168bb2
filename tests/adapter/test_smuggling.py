"""A body that holds a request: it is never taken for one, and the next caller never gets its answer."""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import bootstrap
from adapter.test_loop import body, get
from conformance.problems import problem_of
from fixtures.loading import CLIENT_FOLDERS, event_bytes

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapter.conftest import Start

FORGED = b"POST /events HTTP/1.1\r\nhost: h\r\nx-amzn-event-source: sqs\r\ncontent-length: 2\r\n\r\n{}"
BODIES = [
    pytest.param(FORGED, id="at once"),
    pytest.param(b"\r\n" * 250_000 + FORGED, id="behind 500 KB of line breaks"),
    pytest.param(b"SM\r\n\r\n" + FORGED, id="behind the beginning of HTTP/2"),
]
ALLOWED = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
UPGRADE = {"connection": "upgrade", "upgrade": "h2c", "http2_settings": "AAMAAABkAAQAAP__"}


@pytest.fixture(scope="module", params=["main:app", "main:wsgi"], ids=["asgi", "wsgi"])
def environment(request: pytest.FixtureRequest) -> Iterator[RuntimeApi]:
    """One environment for all tests that leave it as it was."""
    with RuntimeApi() as api, bootstrap(api, request.param):
        yield api


def event(method: str, path: str, content: bytes, **headers: str) -> dict[str, Any]:
    """The event of a request that came through a function URL."""
    found = get(path, **headers)
    found["requestContext"]["http"]["method"] = method
    return {**found, "body": base64.b64encode(content).decode(), "isBase64Encoded": True}


def count(api: RuntimeApi) -> int:
    """How many requests have reached the app, this one included; it must be the one that is answered."""
    seen = body(api.invoke(get("/innocent")))
    assert seen["path"] == "/innocent"
    number: int = seen["count"]
    return number


@pytest.mark.parametrize("content", BODIES)
@pytest.mark.parametrize("method", ["CONNECT", "connect", "Connect", "TRACE", "trace", "PRI"])
def test_a_method_that_changes_what_follows_does_not_reach_the_app(
    environment: RuntimeApi, method: str, content: bytes
) -> None:
    before = count(environment)

    for number in range(1, 4):
        outcome = environment.invoke(event(method, "/", content))
        assert problem_of("function_url", outcome) == (405, "Function.ForbiddenMethod")
        assert count(environment) == before + number


@pytest.mark.parametrize("content", BODIES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "POST", "QUERY"])
def test_a_body_under_another_method_is_a_body(environment: RuntimeApi, method: str, content: bytes) -> None:
    before = count(environment)

    for number in range(1, 4):
        assert environment.invoke(event(method, "/", content, **UPGRADE)).json["statusCode"] == 200
        assert count(environment) == before + 2 * number


def test_trace_without_a_body_is_the_app_s(environment: RuntimeApi) -> None:
    assert body(environment.invoke(event("TRACE", "/", b"")))["method"] == "TRACE"


@pytest.mark.parametrize("folder", CLIENT_FOLDERS)
def test_a_refused_method_is_answered_in_the_shape_of_its_source(environment: RuntimeApi, folder: str) -> None:
    found = json.loads(event_bytes(folder, "simple"))
    for place in (found, found.get("requestContext", {}), found.get("requestContext", {}).get("http", {})):
        place.update({key: "CONNECT" for key in ("method", "httpMethod") if key in place})

    outcome = environment.invoke(found)

    assert problem_of(folder, outcome) == (405, "Function.ForbiddenMethod")
    reply = outcome.json
    headers = {name.lower(): value for name, value in (reply.get("headers") or reply["multiValueHeaders"]).items()}
    assert headers["allow"] in (ALLOWED, [ALLOWED])


def test_a_refused_method_is_answered_where_replies_are_streamed(api: RuntimeApi, start: Start) -> None:
    start("main:app", AWS_LWA_INVOKE_MODE="response_stream")

    outcome = api.invoke(event("CONNECT", "/", FORGED))

    assert outcome.stream is not None
    assert b'"statusCode":405' in outcome.body
    assert ALLOWED.encode() in outcome.body
    assert b"Function.ForbiddenMethod" in outcome.body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/", 200, id="under GET"),
        pytest.param("DELETE", "/", 200, id="under DELETE"),
        pytest.param("OPTIONS", "/", 200, id="under OPTIONS"),
        pytest.param("PROPFIND", "/", 200, id="under a method of WebDAV"),
        pytest.param("POST", "/status/401", 401, id="of a refused request"),
        pytest.param("POST", "/status/413", 413, id="of one that is too large"),
    ],
)
def test_a_body_that_a_command_leaves_unread_is_not_its_next_request(
    api: RuntimeApi, start: Start, method: str, path: str, status: int
) -> None:
    start("--", sys.executable, "unread.py")

    for _ in range(2):
        assert api.invoke(event(method, path, FORGED)).json["statusCode"] == status
        assert api.invoke(get("/innocent")).json["body"] == "GET /innocent"
