"""Whatever comes for /next ends in one posted reply or one posted error in words, and the loop goes on.

LWA_FUZZ_SECONDS=600 pytest tests/fuzz -s looks for ten minutes.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import event as note
from hypothesis import example, given
from hypothesis import strategies as st
from properties.strategies import EVERYTHING_ON
from properties.strategies import settings as any_settings
from properties.test_response_bytes import response_like
from properties.translating import assert_is_one_request
from support.streamed_format import StreamedReply, read_streamed

from fuzz.campaign import TIMEOUT, repeat, thorough
from fuzz.environment import Broken, Lived, Outcome, live, unchunked
from fuzz.inputs import (
    AN_ID,
    DEADLINE,
    NONCE,
    REQUEST_ID,
    Answer,
    answers,
    app_failures,
    app_responses,
    streamed_answers,
)
from lambda_web_adapter.errors import AppTimeout
from lambda_web_adapter.http.messages import Response

RUNTIME_API_FAILED = 2
ERROR_TYPE = re.compile(r"(Runtime|Function)\.[A-Z][A-Za-z]+")
OK = Response(status=200, headers=[(b"content-type", b"text/plain")], body=b"hello")
STREAM = {"AWS_LWA_INVOKE_MODE": "response_stream"}
# Variables that change what is posted.
more_settings = st.fixed_dictionaries(
    {},
    optional={
        "AWS_LWA_EVENT_ERRORS": st.just("return"),
        "AWS_LWA_ERROR_STATUS_CODES": st.just("400,500-599"),
        "AWS_LWA_EXCLUDE_RESPONSE_HEADERS": st.just("vary,content-type"),
        "AWS_LWA_AUTHORIZATION_SOURCE": st.just("x-tag"),
        "AWS_LWA_INVOKE_MODE": st.just("response_stream"),
        "AWS_LWA_ENABLE_COMPRESSION": st.just("true"),
    },
)
app_breaks = st.builds(Broken, app_responses, app_failures)


def answer(event: object, **headers: bytes) -> Answer:
    """An answer with an event; `deadline`, `nonce` and `request_id` are its odd headers."""
    names = {"deadline": DEADLINE, "nonce": NONCE, "request_id": REQUEST_ID}
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return Answer(body=body, headers=[(REQUEST_ID, AN_ID), *((names[name], value) for name, value in headers.items())])


REST = {"httpMethod": "GET", "path": "/"}
AGENT = {"apiPath": "/", "httpMethod": "GET"}
# Inputs that have found something, by what it was: all but the last have ended the bootstrap.
FOUND = {
    "a deadline that is no float": answer(REST, deadline=b"9" * 400),
    "a deadline that Python reads no number of": answer(REST, deadline=b"9" * 5000),
    "half of a surrogate pair in an action group": answer({**AGENT, "actionGroup": "\ud800"}),
    "an action group that is nested too deeply to be written": answer(
        b'{"apiPath":"/","httpMethod":"GET","actionGroup":' + b"[" * 300 + b"]" * 300 + b"}"
    ),
    "an agent's number beyond 64 bits": answer(
        {**AGENT, "actionGroup": "", "parameters": [{"name": "a", "type": "integer", "value": "9" * 20}]}
    ),
}
# Bodies that are near to what a reader may stumble over.
STUMBLES = {
    "nothing": b"",
    "nested without end": b"[" * 100_000,
    "nested as deep as the reader goes": b"[" * 1000 + b"]" * 1000,
    "nested deeper": b"[" * 1100 + b"]" * 1100,
    "a number of 5000 digits": b'{"a":' + b"9" * 5000 + b"}",
    "no number": b'{"httpMethod":"GET","path":"/","headers":{"x-tag":NaN,"x-more":-Infinity}}',
    "half of a surrogate pair": b'{"httpMethod":"\\ud800","path":"\\ud800"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"httpMethod":"GET","path":"/"}'.encode("utf-16"),
    "no UTF-8": b'{"a":"\xff"}',
    "more behind it": b"{} {}",
    "a key twice": b'{"httpMethod":"GET","httpMethod":[],"path":"/","path":7}',
}


def posted(lived: Lived) -> tuple[str, dict[bytes, bytes], Any]:
    """The one thing that was posted: response or error, its headers, its JSON."""
    [(line, headers, body)] = lived.posted
    found = re.fullmatch(rb"POST /2018-06-01/runtime/invocation/(.*)/(response|error) HTTP/1\.1", line)
    assert found, line
    if AN_ID in line:
        assert found[1] == AN_ID
    if b"transfer-encoding" in headers:
        assert found[2] == b"response"
        return "stream", headers, streamed(body)
    return found[2].decode(), headers, json.loads(body, parse_constant=_no_constant)


def streamed(raw: bytes) -> tuple[StreamedReply, str]:
    """The streamed reply, and the error's type in its trailers."""
    found = unchunked(raw)
    assert found
    data, trailers = found
    error = re.match(rb"Lambda-Runtime-Function-Error-Type: (.*)\r\n", trailers)
    assert error or trailers == b"\r\n"
    return read_streamed(data), error[1].decode() if error else ""


def _no_constant(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON (RFC 8259 §6)")


def assert_answered(one: Answer, outcome: Outcome, variables: dict[str, str]) -> str:
    """Lives a life with this answer to /next, and sees that it is in order; says what was posted."""
    lived = live(one.raw, outcome, variables)

    assert lived.code == RUNTIME_API_FAILED, "the 500 for the next event ends the loop, and nothing before"
    assert "/next with 500" in lived.log
    assert "bug" not in lived.log, lived.log
    if one.status != 200 or not one.said(REQUEST_ID):
        assert (lived.posted, lived.requests) == ([], [])
        return "nothing"
    kind, headers, document = posted(lived)
    assert headers.get(b"lambda-runtime-invocation-id", b"") == _as_text(one.said(NONCE))
    if kind == "error":
        assert_is_an_error_in_words(headers, document)
    if kind == "stream":
        assert_is_streamed(outcome if lived.requests else None, *document)
    if lived.requests:
        [request] = lived.requests
        body = assert_is_one_request(request)
        assert body == one.body or not _is_passed_through(request)
    if lived.requests and isinstance(outcome, Response) and 200 <= outcome.status < 300:
        assert kind in ("response", "stream")
    return kind


def assert_is_streamed(outcome: Outcome | None, reply: StreamedReply, error_type: str) -> None:
    """Holds a stream to what the app made of the request, or to an error in words; one in the middle is behind it."""
    if isinstance(outcome, Broken) and error_type:
        assert error_type == outcome.failure.error_type
        assert_is_of_the_app(outcome.response, reply)
        return
    assert not error_type
    if isinstance(outcome, Response):
        assert_is_of_the_app(outcome, reply)
        return
    failure = outcome.failure if isinstance(outcome, Broken) else outcome
    said = json.loads(reply.body)
    assert said.keys() == {"message", "errorType"}
    assert failure is None or (said["errorType"], reply.status) == (failure.error_type, failure.status)


def assert_is_of_the_app(response: Response, reply: StreamedReply) -> None:
    assert reply.status == response.status
    if "content-encoding" not in {name.lower() for name in reply.headers}:
        assert reply.body == response.body


def _is_passed_through(request: bytes) -> bool:
    """Says whether the app was told that this is an event; no client can write this header."""
    found = re.search(rb"\r\nx-amzn-event-source: ([^\r]*)", request.partition(b"\r\n\r\n")[0])
    return found is not None and found[1] not in (b"websocket", b"bedrock-agent")


def assert_is_an_error_in_words(headers: dict[bytes, bytes], document: Any) -> None:
    assert document.keys() == {"errorMessage", "errorType", "stackTrace"}
    assert document["errorMessage"] or document["errorType"]
    assert ERROR_TYPE.fullmatch(headers[b"lambda-runtime-function-error-type"].decode())


def _as_text(value: bytes) -> bytes:
    return value.decode("utf-8", "replace").encode()


@pytest.mark.timeout(TIMEOUT)
def test_any_answer_to_next_ends_in_one_reply_or_one_error() -> None:
    @thorough
    @given(answers, app_responses | app_failures | app_breaks, any_settings, more_settings)
    def check(one: Answer, outcome: Outcome, variables: dict[str, str], more: dict[str, str]) -> None:
        note(assert_answered(one, outcome, {**variables, **more}))

    repeat(check, share=0.4)


@pytest.mark.timeout(TIMEOUT)
def test_any_response_to_one_who_takes_a_stream_ends_in_one_stream_or_one_error() -> None:
    @thorough
    @given(streamed_answers, app_responses | app_failures | app_breaks, any_settings, more_settings)
    def check(one: Answer, outcome: Outcome, variables: dict[str, str], more: dict[str, str]) -> None:
        note(assert_answered(one, outcome, {**variables, **more, **STREAM}))

    repeat(check, share=0.1)


@pytest.mark.parametrize("outcome", [pytest.param(OK, id="app answers"), pytest.param(AppTimeout("b"), id="app fails")])
@pytest.mark.parametrize("one", [pytest.param(one, id=name) for name, one in FOUND.items()])
def test_what_was_found_stays_mended(one: Answer, outcome: Outcome) -> None:
    assert_answered(one, outcome, EVERYTHING_ON)


@pytest.mark.parametrize("variables", [pytest.param({}, id="defaults"), pytest.param(EVERYTHING_ON, id="all on")])
@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in STUMBLES.items()])
def test_what_a_reader_may_stumble_over_is_answered(body: bytes, variables: dict[str, str]) -> None:
    assert_answered(answer(body), OK, variables)


@pytest.mark.timeout(TIMEOUT)
def test_any_bytes_from_the_runtime_api_leave_the_loop_in_order() -> None:
    @thorough
    @given(response_like | st.binary(max_size=64), st.binary(max_size=8))
    @example(b"HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: \x01\r\ncontent-length: 2\r\n\r\n{}", b"")
    @example(b"HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: a\r\n b\r\ncontent-length: 2\r\n\r\n{}", b"")
    def check(raw: bytes, value: bytes) -> None:
        header = b"\r\nLambda-Runtime-Aws-Request-Id: " + value
        for data in (raw, raw.replace(b"\r\n", header + b"\r\n", 1)):
            lived = live(data, OK, {})
            assert lived.code == RUNTIME_API_FAILED
            assert "ERROR" in lived.log
            assert len(lived.posted) <= 1
            for line, _, _ in lived.posted:
                assert line.startswith(b"POST /2018-06-01/runtime/invocation/")

    repeat(check, share=0.1)
