"""One invocation with an app that is not there: what needs no process to be seen."""

from __future__ import annotations

import gc
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, cast

import pytest
from adapter.test_loop import QUEUE, get

from lambda_web_adapter.adapter.invocation import Invoker
from lambda_web_adapter.adapter.io.blocking_backend import run_blocking
from lambda_web_adapter.adapter.lambda_api.response_stream import StreamedReply
from lambda_web_adapter.adapter.worker import deadline_from_invocation
from lambda_web_adapter.errors import AdapterError, AppUnreachable, InvalidEvent
from lambda_web_adapter.events.reading import read_event
from lambda_web_adapter.events.source import LAMBDA_PAYLOAD_LIMIT
from lambda_web_adapter.http.messages import Invocation, Response
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.app_client import AppClient


class Raising:
    """Stands for the connection to the app."""

    accepts_envelope = False
    complete = True

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def exchange(self, head: bytes, body: bytes, method: str, deadline: float, limit: int | None) -> NoReturn:
        raise self._error


def invoker(error: Exception) -> Invoker:
    return Invoker(Settings(), cast("AppClient", Raising(error)))


def invocation(event: object, *, deadline_ms: int = 0) -> Invocation:
    return Invocation(request_id="the-id", event=json.dumps(event).encode(), deadline_ms=deadline_ms)


def replied(invoker: Invoker, event: object) -> Any:
    reply = run_blocking(invoker.reply_to(invocation(event), 0))
    assert isinstance(reply, bytes)
    return json.loads(reply)


def test_a_bug_of_the_adapter_is_an_answer_with_a_trace_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    reply = replied(invoker(KeyError("a bug")), get("/"))

    assert reply["statusCode"] == 500
    assert json.loads(reply["body"])["errorType"] == "Runtime.AdapterError"
    assert "bug" in json.loads(reply["body"])["message"]
    logged = capfd.readouterr().err
    assert "the-id" in logged
    assert "Traceback" in logged
    assert "KeyError: 'a bug'" in logged


def test_a_bug_of_the_adapter_fails_an_event_that_is_no_request() -> None:
    with pytest.raises(AdapterError, match="bug"):
        run_blocking(invoker(KeyError("a bug")).reply_to(invocation(QUEUE), 0))


def test_an_exchange_that_fails_is_the_caller_s_502() -> None:
    reply = replied(invoker(AppUnreachable("nobody there")), get("/"))

    assert reply == {
        "statusCode": 502,
        "headers": {"content-type": "application/json"},
        "body": '{"message":"nobody there","errorType":"Function.AppUnreachable"}',
        "isBase64Encoded": False,
    }


class Verbose:
    """Stands for the connection to an app whose responses are too large."""

    accepts_envelope = False
    complete = True

    async def exchange(self, head: bytes, body: bytes, method: str, deadline: float, limit: int | None) -> Response:
        return Response(status=200, headers=[], body=b"x" * LAMBDA_PAYLOAD_LIMIT)


class Unfinished:
    """Stands for a connection on which a response that no one can make sense of has begun."""

    accepts_envelope = False
    complete = False
    closed = False

    async def exchange(self, head: bytes, body: bytes, method: str, deadline: float, limit: int | None) -> Response:
        return Response(status=200, headers=cast("list[tuple[bytes, bytes]]", [()]), body=b"")

    def discard_body(self) -> None:
        self.closed = True


def test_the_rest_of_a_response_that_cannot_be_streamed_does_not_come_before_the_next() -> None:
    connection = Unfinished()
    streaming = Invoker(Settings(invoke_mode="response_stream"), cast("AppClient", connection))

    reply = run_blocking(streaming.reply_to(invocation(get("/")), 0))

    assert isinstance(reply, StreamedReply)
    assert b'"statusCode":500' in reply.prelude
    assert connection.closed


@pytest.mark.parametrize("event", [get("/"), QUEUE], ids=["request", "message"])
def test_an_invocation_that_failed_leaves_nothing_to_the_garbage_collector(event: object) -> None:
    """It comes by after hundreds of invocations, and each could keep a reply of megabytes until then."""
    failing = Invoker(Settings(), cast("AppClient", Verbose()))
    gc.collect()
    gc.disable()
    try:
        with suppress(AdapterError):
            run_blocking(failing.reply_to(invocation(event), 0))
        found = gc.collect()
    finally:
        gc.enable()

    assert found == 0


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        pytest.param(30.0, 29.5, id="a margin is kept back"),
        pytest.param(0.1, 0.0, id="less than the margin"),
        pytest.param(-10.0, 0.0, id="passed"),
        pytest.param(1e9, 900.0, id="a clock that is wrong"),
        pytest.param(None, 900.0, id="none"),
    ],
)
def test_the_deadline_is_a_little_before_lambda_s(left: float | None, expected: float) -> None:
    deadline_ms = 0 if left is None else int((time.time() + left) * 1000)

    found = deadline_from_invocation(invocation(None, deadline_ms=deadline_ms), 0.5) - time.monotonic()

    assert found == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(
    ("event", "value"),
    [
        pytest.param(b'{"a": [1, 2.5, null, "\xc3\xb6"]}', {"a": [1, 2.5, None, "ö"]}, id="JSON"),
        pytest.param(b'{"a": "\\ud83d"}', {"a": "\ud83d"}, id="half a surrogate pair"),
        pytest.param(b"Infinity", float("inf"), id="Infinity"),
    ],
)
def test_an_event_is_read(event: bytes, value: object) -> None:
    assert read_event(event) == value


@pytest.mark.parametrize("event", [b"", b"{", b"\xff", b"{'a': 1}", b"[" * 200_000, b"1" * 10_000])
def test_an_event_that_cannot_be_read_is_said_to_be(event: bytes) -> None:
    with pytest.raises(InvalidEvent, match="not JSON"):
        read_event(event)
