"""Compressed responses, as callers get them, whole and streamed; `test_compression.py` has the rules."""

from __future__ import annotations

import base64
import zlib
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import bootstrap
from adapter.test_loop import get
from adapter.test_streamed_replies import APPS, BLOCK, STREAM, Environment, rest, url
from support.decoding import CODINGS, decoder
from support.streamed_format import read_streamed

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.testing.runtime_api import ReplyStream

COMPRESSING = {"AWS_LWA_ENABLE_COMPRESSION": "true"}


@pytest.fixture(scope="module", params=[{}, STREAM], ids=["whole", "streamed"])
def environment(request: pytest.FixtureRequest) -> Iterator[Environment]:
    with ExitStack() as stack:
        api = stack.enter_context(RuntimeApi())
        process = stack.enter_context(bootstrap(api, *APPS["asgi"], **COMPRESSING, **request.param))
        yield Environment(api, process, APPS["asgi"])


def accepting(event: dict[str, Any], coding: str) -> dict[str, Any]:
    return event | {"headers": event["headers"] | {"Accept-Encoding": coding}}


def response(environment: Environment, event: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """The headers and the body that the caller gets."""
    outcome = environment.api.invoke(event)
    if outcome.stream:
        found = read_streamed(outcome.body)
        return found.headers, found.body
    reply = outcome.json
    headers = reply.get("headers") or {name: ", ".join(values) for name, values in reply["multiValueHeaders"].items()}
    return headers, base64.b64decode(reply["body"]) if reply["isBase64Encoded"] else reply["body"].encode()


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("event", [url("/blocks/3"), rest("/blocks/3")], ids=["function-url", "rest-api"])
def test_a_response_is_compressed_for_who_accepts_it(environment: Environment, event: Any, coding: str) -> None:
    headers, body = response(environment, accepting(event, coding))

    assert headers["content-encoding"] == coding
    assert headers["vary"] == "accept-encoding"
    assert len(body) < len(BLOCK)
    assert decoder(coding)(body) == BLOCK * 3


def test_a_response_is_not_compressed_for_who_does_not_accept_it(environment: Environment) -> None:
    headers, body = response(environment, url("/blocks/3"))

    assert "content-encoding" not in headers
    assert headers["vary"] == "accept-encoding"
    assert body == BLOCK * 3


@pytest.mark.parametrize("kind", ["image/png", "text/event-stream"])
def test_what_is_not_to_be_compressed_is_not(environment: Environment, kind: str) -> None:
    event = accepting(url("/blocks/3", f"content-type={kind}"), "gzip")

    headers, body = response(environment, event)

    assert "content-encoding" not in headers
    assert body == BLOCK * 3


@pytest.mark.parametrize("coding", CODINGS)
def test_each_part_of_a_stream_can_be_read_before_the_app_makes_the_next(coding: str) -> None:
    with RuntimeApi() as api, bootstrap(api, *APPS["asgi"], **COMPRESSING, **STREAM):
        api.hold("two")
        api.hold("three")
        stream = api.wait_for_stream(api.queue_event(accepting(url("/parts"), coding)))
        decode = decoder(coding)

        assert stream.prelude["headers"]["content-encoding"] == coding
        assert readable(stream, decode, 1) == b"one"
        api.release("two")
        assert readable(stream, decode, 2) == b"two"
        api.release("three")
        assert readable(stream, decode, 3) == b"three"
        assert stream.wait_for_end().is_complete


def readable(stream: ReplyStream, decode: Any, number: int) -> Any:
    stream.wait_for(lambda: len(stream.payload_chunks) >= number, f"part {number}")
    return decode(stream.payload_chunks[number - 1].data)


def test_a_compressed_stream_that_breaks_off_does_not_look_whole() -> None:
    with RuntimeApi() as api, bootstrap(api, *APPS["asgi"], **COMPRESSING, **STREAM):
        stream = api.wait_for_stream(api.queue_event(accepting(url("/raises"), "gzip"))).wait_for_end()

        assert stream.trailers["lambda-runtime-function-error-type"] == "Function.InvalidResponse"
        reading = zlib.decompressobj(31)
        assert reading.decompress(stream.payload) == b"one"
        assert not reading.eof


def test_without_the_setting_nothing_is_compressed(served: RuntimeApi) -> None:
    outcome = served.invoke(accepting(get("/bytes/1000"), "gzip"))

    assert outcome.json["body"] == "x" * 1000
    assert {name.lower() for name in outcome.json["headers"]} == {"content-type"}
