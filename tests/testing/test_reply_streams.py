"""What the Runtime API for tests shows of a streamed reply, and how tests stand in its way."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from support.uploading import ERROR_TYPE, PRELUDE, Upload

from lambda_web_adapter.testing.runtime_api import RESET, Answer, Reading, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.testing.runtime_api import ReplyStream

MEGABYTE = bytes(1024 * 1024)


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    with RuntimeApi() as api:
        yield api


@pytest.fixture
def request_id(api: RuntimeApi) -> str:
    """An event that was handed out."""
    request_id = api.queue_event({})
    ask_for_next(api)
    return request_id


def ask_for_next(api: RuntimeApi) -> int:
    """Asks for an event, and returns the status."""
    url = f"http://{api.address}/2018-06-01/runtime/invocation/next"
    return httpx.get(url, trust_env=False).status_code


@pytest.fixture
def upload(api: RuntimeApi, request_id: str) -> Iterator[Upload]:
    with Upload(api.address, request_id) as upload:
        yield upload


@pytest.fixture
def streamed(api: RuntimeApi, request_id: str, upload: Upload) -> ReplyStream:
    return api.wait_for_stream(request_id)


def test_chunks_are_there_while_others_are_still_to_come(
    upload: Upload, streamed: ReplyStream, api: RuntimeApi
) -> None:
    upload.send(PRELUDE, b"one")
    first = streamed.wait_for_chunks(2)
    between = time.time()
    assert (streamed.prelude["statusCode"], streamed.payload, streamed.is_over) == (200, b"one", False)
    assert "response" not in api.call_names

    upload.send(b"two")
    upload.end()

    streamed.wait_for_end()
    assert streamed.chunks[:2] == first
    assert [chunk.data for chunk in streamed.payload_chunks] == [b"one", b"two"]
    assert streamed.began <= first[1].at <= between <= streamed.chunks[2].at


def test_the_call_has_all_of_it(api: RuntimeApi, request_id: str, upload: Upload) -> None:
    upload.send(PRELUDE, b"one")
    upload.end({ERROR_TYPE: "Runtime.E"})

    call = api.wait_for_reply(request_id)
    assert (call.name, call.body) == ("response", PRELUDE + b"one")
    assert [chunk.data for chunk in call.chunks] == [PRELUDE, b"one"]
    assert call.trailers == {ERROR_TYPE.lower(): "Runtime.E"}
    assert not call.is_truncated


def test_a_prelude_in_parts_and_with_the_body_in_its_last_chunk_is_told_from_it(
    upload: Upload, streamed: ReplyStream
) -> None:
    upload.send(PRELUDE[:10], PRELUDE[10:-3], PRELUDE[-3:] + b"one", b"two")

    streamed.wait_for_payload(6)

    assert streamed.prelude["statusCode"] == 200
    assert [chunk.data for chunk in streamed.payload_chunks] == [b"one", b"two"]


def test_a_part_of_a_chunk_counts(upload: Upload, streamed: ReplyStream) -> None:
    upload.send(PRELUDE).send_raw(b"5\r\nab")

    streamed.wait_for_payload(2)

    assert (streamed.payload, len(streamed.chunks)) == (b"ab", 1)


@pytest.mark.parametrize("way", ["break_off", "reset"])
def test_a_body_without_its_end_is_truncated(
    way: str, upload: Upload, streamed: ReplyStream, request_id: str, api: RuntimeApi
) -> None:
    upload.send(PRELUDE, b"one")
    streamed.wait_for_chunks(2)

    getattr(upload, way)()

    assert streamed.wait_for_end().is_truncated
    assert not streamed.is_complete
    assert api.wait_for_reply(request_id).is_truncated


def test_to_wait_for_chunks_that_cannot_come_fails_at_once(upload: Upload, streamed: ReplyStream) -> None:
    upload.send(PRELUDE)
    upload.end()

    with pytest.raises(AssertionError, match="2 chunks"):
        streamed.wait_for_chunks(2)


def test_a_reader_that_stands_still_has_the_sender_wait(api: RuntimeApi, request_id: str) -> None:
    api.reading = Reading(limit=2**40, buffer=65536)
    api.hold("reading")
    with Upload(api.address, request_id) as upload:
        sent = upload.send_what_is_taken(MEGABYTE, 0.2)
        streamed = api.wait_for_stream(request_id)
        assert (streamed.size, streamed.is_over) == (0, False)

        api.release("reading")
        streamed.wait_for(lambda: streamed.size > sent - 2 * len(MEGABYTE), "what was sent")


def test_a_slow_reader_takes_its_time(api: RuntimeApi, request_id: str) -> None:
    api.reading = Reading(burst=100_000, per_second=1_000_000)
    with Upload(api.address, request_id) as upload:
        began = time.monotonic()
        upload.send(*[bytes(50_000)] * 8)
        upload.end()

    assert 0.2 < time.monotonic() - began < 5


def test_what_is_not_kept_is_counted_and_hashed(api: RuntimeApi, request_id: str) -> None:
    api.reading = Reading(limit=2**40, is_kept=False)
    with Upload(api.address, request_id) as upload:
        upload.send(PRELUDE, *[MEGABYTE] * 20)
        status, _ = upload.end()

    streamed = api.wait_for_stream(request_id)
    assert (status, streamed.prelude["statusCode"], len(streamed.times)) == (202, 200, 21)
    assert streamed.payload_size == 20 * len(MEGABYTE)
    assert streamed.payload_sha256 == hashlib.sha256(MEGABYTE * 20).hexdigest()
    assert api.wait_for_reply(request_id).body == b""


@pytest.mark.parametrize("status", [410, 413])
def test_an_answer_can_come_before_the_end(status: int, api: RuntimeApi, request_id: str) -> None:
    api.script("response", Answer(status, after=len(PRELUDE) + 2))
    with Upload(api.address, request_id) as upload:
        upload.send(PRELUDE, b"one")

        assert upload.answer() == (status, {"errorMessage": "scripted", "errorType": "Scripted"})

    assert api.wait_for_stream(request_id).body == PRELUDE + b"on"
    api.queue_event({})
    assert ask_for_next(api) == 200


def test_a_connection_can_break_after_some_bytes(api: RuntimeApi, request_id: str) -> None:
    api.script("response", Answer(reset=True, after=len(PRELUDE)))
    with Upload(api.address, request_id) as upload:
        upload.send(PRELUDE, b"one")

        with pytest.raises(ConnectionResetError):
            upload.answer()

    assert api.wait_for_stream(request_id).cut


def test_a_test_can_end_it_at_any_moment(
    upload: Upload, streamed: ReplyStream, request_id: str, api: RuntimeApi
) -> None:
    upload.send(PRELUDE, b"one")
    streamed.wait_for_chunks(2)

    streamed.end_with(RESET)

    with pytest.raises(ConnectionResetError):
        upload.answer()
    assert api.wait_for_reply(request_id).body == PRELUDE + b"one"


def test_a_test_can_answer_while_the_reading_stands_still(
    upload: Upload, streamed: ReplyStream, api: RuntimeApi
) -> None:
    api.hold("reading")
    upload.send(PRELUDE)

    streamed.end_with(Answer(413))

    assert upload.answer()[0] == 413


def test_an_answer_that_was_to_come_early_comes_at_the_end_of_a_short_body(api: RuntimeApi, request_id: str) -> None:
    api.script("response", Answer(413, after=1000))
    with Upload(api.address, request_id) as upload:
        upload.send(PRELUDE)

        assert upload.end()[0] == 413

    assert api.wait_for_stream(request_id).is_complete
