"""An event in front of a request: written by the adapter, taken off by our server, read when it is asked for."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.app.request_parser import RawRequest, RequestParser
from lambda_web_adapter.events.reading import read_event
from lambda_web_adapter.http.messages import Invocation
from lambda_web_adapter.ipc import envelope

EVENTS = st.dictionaries(
    st.sampled_from(["requestContext", "path", "né", "half\ud800"]),
    st.none() | st.text() | st.integers(-(2**70), 2**70) | st.lists(st.text(max_size=5), max_size=3),
)


INVOCATION = Invocation(request_id="1", event=b"", deadline_ms=7, trace_id="Root=1", tenant_id="né", identity=b"{}")
ABOUT = ["Root=1", "1", "7", "", "né", "", "{}"]


def received(data: bytes, cuts: list[int]) -> list[RawRequest]:
    """What a server reads when bytes come in these pieces."""
    reader = RequestParser(lambda _: None)
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    found = []
    for start, end in itertools.pairwise(places):
        request = reader.feed(data[start:end])
        while request is not None:
            found.append(request)
            request = reader.next_request()
    return found


def request(body: bytes) -> bytes:
    return b"POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % len(body)


def sent(verbatim: bytes, body: bytes) -> bytes:
    """What the adapter sends for an event whose body the request has."""
    event = read_event(verbatim)
    if isinstance(event, dict) and event.get("body"):
        event["body"] = envelope.BODY_IN_REQUEST
    return envelope.prepend_envelope(request(body), INVOCATION, verbatim, event) + body


def stood_in_front(found: RawRequest) -> bytes:
    """What an invocation keeps of it."""
    assert found.invocation is not None
    return found.invocation._envelope


@given(event=EVENTS, body=st.binary(max_size=100), cuts=st.lists(st.integers(0, 1000), max_size=5), small=st.booleans())
def test_an_event_arrives_as_it_was_however_it_is_cut(
    event: dict[str, Any], body: bytes, cuts: list[int], small: bool
) -> None:
    event = {**event, "body": base64.b64encode(body).decode() or None, "isBase64Encoded": True}
    with mock.patch.object(envelope, "_MAX_VERBATIM_BYTES", 10_000 if small else 0):
        data = sent(json.dumps(event).encode(), body)
    plain = request(b"")

    with_event, without = received(data + plain, cuts)

    assert (with_event.target, with_event.body, without.invocation) == (b"/p", body, None)
    assert with_event.invocation is not None
    assert with_event.invocation.trace_id == b"Root=1"
    assert envelope.parse_context(stood_in_front(with_event)) == ABOUT
    assert with_event.invocation.event == event


@given(text=st.text())
def test_a_text_body_is_the_request_s(text: str) -> None:
    event = {"body": text, "isBase64Encoded": False}
    with mock.patch.object(envelope, "_MAX_VERBATIM_BYTES", 0):
        (found,) = received(sent(json.dumps(event).encode(), text.encode("utf-8", "surrogatepass")), [])

    assert found.invocation is not None
    assert found.invocation.event == event


@pytest.mark.parametrize("event", [{"Records": [1]}, [1, 2], "text", None, 7, True, {"body": True}, {"body": "b"}])
def test_an_event_that_is_the_body_is_read_from_there(event: object) -> None:
    verbatim = json.dumps(event).encode()
    (found,) = received(envelope.prepend_envelope(request(verbatim), INVOCATION, b"", event) + verbatim, [1, 3, 5])

    assert found.body == verbatim
    assert stood_in_front(found).endswith(b"\n{}\n")
    assert found.invocation is not None
    assert found.invocation.event == event


def test_a_large_event_goes_without_its_body() -> None:
    verbatim = json.dumps({"path": "/", "body": "x" * 100_000}).encode()

    assert len(sent(verbatim, b"")) < 1000


def test_a_large_event_is_not_parsed_again_for_what_only_looks_like_a_number() -> None:
    headers = {"x-forwarded-for": "2a02:8071:5ee:9", "etag": "1e5"}
    event = {"sourceIp": "2600:1f18:4e12:1::1", "ratio": 0.5, "headers": headers, "body": "x" * 100_000}
    verbatim = json.dumps(event).encode()

    with mock.patch.object(json, "loads", side_effect=AssertionError("parsed again")):
        assert len(sent(verbatim, b"")) < 1000
