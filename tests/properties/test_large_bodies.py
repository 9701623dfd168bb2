"""Large bodies are read and written piece by piece; the limits are small here, so that short ones count as large."""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import base64_codec, large_bodies, reading, reply_rules, request_rules
from lambda_web_adapter.http.messages import Response

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXTS = st.text(max_size=200) | st.text(alphabet='"\\\\/{}é世😀\n\0\x7f ', max_size=200)
KINDS = st.sampled_from(
    [b"", b"text/plain", b"application/json", b"application/x-unknown", b"image/png", b"image/svg+xml"]
)


@pytest.fixture(autouse=True, scope="module")
def small_limits() -> Iterator[None]:
    with ExitStack() as stack:
        for module, limits in (
            (reading, {"LARGE_BODY": 4}),
            (reply_rules, {"LARGE_BODY": 1}),
            (large_bodies, {"LARGE_BODY": 4, "CODING_CHUNK": 13, "_CUT_RANGE": 24}),
            (base64_codec, {"_MIN_FAST_LENGTH": 4, "_CHUNK": 9}),
        ):
            for name, limit in limits.items():
                stack.enter_context(mock.patch.object(module, name, limit))
        yield


def body_of(event: bytes) -> bytes:
    return request_rules.decode_body(reading.read_event(event))


def written(event: dict[str, Any], *, escapes: bool, spaces: bool) -> bytes:
    return json.dumps(event, ensure_ascii=escapes, separators=None if spaces else (",", ":")).encode()


@given(text=TEXTS, escapes=st.booleans(), spaces=st.booleans(), last=st.booleans())
def test_a_text_is_read_as_it_was_written(text: str, escapes: bool, spaces: bool, last: bool) -> None:
    event: dict[str, Any] = {"headers": {"x": text}, "body": text, "isBase64Encoded": False}
    if last:
        event["stageVariables"] = {"y": text}

    assert body_of(written(event, escapes=escapes, spaces=spaces)) == text.encode()


@given(data=st.binary(max_size=200), spaces=st.booleans(), slashes=st.booleans())
def test_base64_is_read_as_it_was_written(data: bytes, spaces: bool, slashes: bool) -> None:
    event = {"body": base64.b64encode(data).decode(), "isBase64Encoded": True}
    raw = written(event, escapes=True, spaces=spaces)

    assert body_of(raw.replace(b"/", b"\\/") if slashes else raw) == data


NAMES = st.sampled_from(["body", "isBase64Encoded", 'x"body', "x"])
NESTED = st.recursive(
    st.none() | st.booleans() | TEXTS | st.just(large_bodies._PLACEHOLDER),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(event=st.dictionaries(NAMES, NESTED, max_size=4), spaces=st.booleans())
@example(event={"x": {"body": "another one"}, "body": large_bodies._PLACEHOLDER}, spaces=False)
@example(event={"x": {"body": "another one"}}, spaces=False)
def test_no_other_body_is_taken_for_the_event_s_own(event: dict[str, Any], spaces: bool) -> None:
    read = reading.read_event(written(event, escapes=False, spaces=spaces))

    assert {name: value for name, value in read.items() if name != "body"} == {
        name: value for name, value in event.items() if name != "body"
    }
    found = read.get("body")
    if isinstance(found, (bytes, memoryview)):
        found = bytes(found).decode()
    assert found == event.get("body")


@given(event=st.binary(max_size=80).map(lambda data: b'{"body":"' + data + b'","isBase64Encoded":false}'))
def test_what_is_no_json_is_none_with_a_large_body_either(event: bytes) -> None:
    try:
        expected = json.loads(event)["body"].encode("utf-8", "surrogatepass")
    except ValueError:
        with pytest.raises(InvalidEvent):
            body_of(event)
    else:
        assert body_of(event) == expected


@given(body=TEXTS.map(str.encode) | st.binary(max_size=200), kind=KINDS, coding=st.sampled_from([b"", b"gzip"]))
def test_a_reply_is_the_same_however_large_its_body(body: bytes, kind: bytes, coding: bytes) -> None:
    response = Response(status=200, headers=[(b"content-type", kind), (b"content-encoding", coding)], body=body)
    text, is_base64 = reply_rules.encode_body(response)

    reply = json.loads(reply_rules.encode_reply({"statusCode": 200, "headers": {"a": "é"}}, response))

    assert reply == {"statusCode": 200, "headers": {"a": "é"}, "body": text, "isBase64Encoded": is_base64}
