"""The local gateway between HTTP and a function: how it responds, and what it logs."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
from lambda_web_adapter.local.gateway_app import GatewayApp, request_from_scope
from lambda_web_adapter.local.gateways import GATEWAYS
from lambda_web_adapter.local.log import Log

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent, ASGISendEvent, HTTPScope

Answer = tuple[int, dict[str, str], bytes]


def scope(method: str = "GET", raw_path: bytes = b"/", query: bytes = b"", **others: Any) -> HTTPScope:
    return cast(
        "HTTPScope",
        {
            "type": "http",
            "scheme": "http",
            "method": method,
            "path": "/",
            "raw_path": raw_path,
            "query_string": query,
            "headers": [],
            "client": ("203.0.113.7", 50000),
            "server": ("127.0.0.1", 8000),
            **others,
        },
    )


def ask(
    name: str, reply: object, received: HTTPScope | None = None, *, failed: bool = False, body: bytes = b""
) -> Answer:
    """Sends a request through the gateway of this name, to a function that always gives the same reply."""
    payload = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    sent: list[Any] = []

    class Function:
        def submit(self, event: bytes, **others: Any) -> Invocation:
            outcome = asyncio.get_running_loop().create_future()
            outcome.set_result(Outcome(payload=payload, failed=failed))
            return Invocation(event=event, outcome=outcome, **others)

    async def receive() -> ASGIReceiveEvent:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: ASGISendEvent) -> None:
        sent.append(message)

    gateway = GatewayApp(GATEWAYS[name], cast("Any", Function()), Log())
    asyncio.run(gateway(received or scope(), receive, send))
    start, content = sent
    headers = {key.decode(): value.decode() for key, value in start["headers"]}
    return start["status"], headers, content["body"]


def test_a_malformed_reply_is_explained_to_the_caller_and_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    status, headers, body = ask("rest-api", {"statusCode": 200, "cookies": []}, scope(raw_path=b"/a", query=b"b=c"))

    problem = "A REST API would respond with 502: the reply is malformed: cookies: Extra inputs are not permitted."
    assert (status, headers["content-type"]) == (502, "text/plain; charset=utf-8")
    assert body.decode() == f"{problem}\n"
    log = capsys.readouterr().err
    assert log.startswith("GET /a?b=c 502 ")
    assert log.endswith(f" ms: {problem}\n")


def test_an_http_api_answers_500_where_others_answer_502() -> None:
    status, _, body = ask("http-api-v1", {"statusCode": 0})

    assert status == 500
    assert body.startswith(b"An HTTP API with payload 1.0 would respond with 500: the reply is malformed: statusCode: ")


@pytest.mark.parametrize(
    ("name", "expected"),
    [pytest.param("alb", 502, id="load balancer"), pytest.param("http-api-v2", 500, id="HTTP API")],
)
def test_a_failed_function_is_shown_with_the_gateways_own_status(name: str, expected: int) -> None:
    document = {"errorType": "Oops", "errorMessage": "no", "stackTrace": ["line 1\n", "line 2\n"]}

    status, _, body = ask(name, document, failed=True)

    assert (status, body) == (expected, b"Oops: no\n\nline 1\nline 2\n")


def test_a_failure_that_is_no_document_is_shown_as_it_is() -> None:
    assert ask("alb", b"not JSON", failed=True)[2] == b"not JSON\n"


def test_a_body_beyond_the_gateways_own_limit_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, body = ask("alb", {"statusCode": 200}, scope("POST"), body=b"a" * (1024 * 1024 + 1))

    problem = (
        "The body has more than the 1048576 bytes that a load balancer takes. Have clients upload large content to"
    )
    assert status == 413
    assert body.decode().startswith(problem)
    assert f" ms: {problem}" in capsys.readouterr().err


def test_an_event_beyond_lambdas_limit_is_refused() -> None:
    status, _, body = ask("rest-api", {"statusCode": 200}, scope("POST"), body=b"a" * 5_000_000)

    assert status == 413
    assert b"but Lambda takes 6291456." in body


@pytest.mark.parametrize(
    ("method", "expected"),
    [pytest.param("GET", ("3", b"abc"), id="GET"), pytest.param("HEAD", ("7", b""), id="HEAD")],
)
def test_the_length_that_the_app_says_counts_for_head_only(method: str, expected: tuple[str, bytes]) -> None:
    _, headers, body = ask("alb", {"statusCode": 200, "headers": {"Content-Length": "7"}, "body": "abc"}, scope(method))

    assert (headers["content-length"], body) == expected


def test_head_has_the_length_of_the_body_that_it_leaves_out() -> None:
    _, headers, body = ask("alb", {"statusCode": 200, "body": "abc"}, scope("HEAD"))

    assert (headers["content-length"], body) == ("3", b"")


def test_head_gets_no_length_that_nobody_knows() -> None:
    _, headers, body = ask("alb", {"statusCode": 200, "headers": {"etag": "1"}}, scope("HEAD"))

    assert (headers, body) == ({"etag": "1"}, b"")


@pytest.mark.parametrize("name", ["function-url", "http-api-v2", "http-api-v1", "rest-api", "alb", "vpc-lattice-v2"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize(
    "length", [{}, {"Content-Length": "0"}, {"content-length": "3"}], ids=["none", "zero", "three"]
)
def test_a_204_never_has_a_length(name: str, method: str, length: dict[str, str]) -> None:
    status, headers, body = ask(name, {"statusCode": 204, "headers": {"etag": "1", **length}}, scope(method))

    assert (status, body) == (204, b"")
    assert "content-length" not in headers


def test_what_a_client_asks_for_cannot_break_a_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    ask("alb", {"statusCode": 204}, scope(path="/a\nGET / 200", raw_path=b"/a%0AGET%20/%20200"))

    assert capsys.readouterr().err.startswith("GET /a%0AGET%20/%20200 204 ")


def test_a_request_is_read_with_a_time_and_an_id_of_its_own() -> None:
    first, second = request_from_scope(scope(), b""), request_from_scope(scope(), b"")

    assert first.request_id != second.request_id
    assert first.time_ms > 1_700_000_000_000
    assert (first.source_ip, first.port) == ("203.0.113.7", 8000)


def test_a_caller_without_an_address_is_this_machine() -> None:
    parsed = request_from_scope(scope(client=None, server=None), b"")

    assert (parsed.source_ip, parsed.port) == ("127.0.0.1", 0)


def test_path_query_and_header_values_are_read_as_utf_8() -> None:
    headers = [(b"x-a", "ö".encode()), (b"x-b", b"\xf6")]

    parsed = request_from_scope(scope(raw_path="/ö".encode(), query="ö=%C3".encode(), headers=headers), b"body")

    assert (parsed.raw_path, parsed.query, parsed.body) == ("/ö", "ö=%C3", b"body")
    assert parsed.headers == [("x-a", "ö"), ("x-b", "\ufffd")]
