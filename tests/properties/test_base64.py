"""Base64 is the same bytes, or the same refusal, whichever library reads and writes it."""

from __future__ import annotations

import base64
import json
from binascii import a2b_base64
from unittest import mock

from hypothesis import example, given
from hypothesis import strategies as st

from lambda_web_adapter.events import base64_codec, reply_rules
from lambda_web_adapter.http.messages import Response

AT_ONCE = mock.patch.object(base64_codec, "_MIN_FAST_LENGTH", 0)  # a small body takes the way of a large one

characters = st.sampled_from("AZaz09+/=-_ \t\r\n\0é\udc80") | st.characters()
written = st.binary(max_size=60).map(lambda data: base64.b64encode(data).decode())


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """Base64 with characters put in, taken out, and in the place of others."""
    text = list(draw(written))
    for _ in range(draw(st.integers(0, 3))):
        at, taken = draw(st.integers(0, len(text))), draw(st.integers(0, 1))
        text[at : at + taken] = draw(st.lists(characters, max_size=1))
    return "".join(text)


def read(text: str) -> bytes | None:
    try:
        return base64_codec.decode(text)
    except ValueError:
        return None


def read_by_the_standard_library(text: str) -> bytes | None:
    try:
        return a2b_base64(text, strict_mode=True)
    except ValueError:
        return None


@given(spoilt() | st.text(characters, max_size=12))
@example("")
@example("=")
@example("QQ")
@example("QQ=")
@example("QQ==")
@example("QR==")  # bits behind the end that are not zero
@example("QQ===")
@example("QQ==QQ==")
@example("QUJD\n")
@example("QUI-")
@example("QUJDé")
def test_what_one_library_reads_the_other_reads_alike(text: str) -> None:
    with AT_ONCE:
        assert read(text) == read_by_the_standard_library(text)


@given(st.binary(max_size=200))
def test_what_is_written_is_the_same_and_read_again(data: bytes) -> None:
    small = base64_codec.encode(data)
    with AT_ONCE:
        assert base64_codec.encode(data) == small
        assert base64_codec.decode(small.decode()) == data


@given(
    st.dictionaries(
        st.sampled_from(["statusCode", "headers"]), st.text(st.characters(exclude_categories=[])) | st.integers(0)
    ),
    st.binary(max_size=60),
    st.booleans(),
)
def test_a_reply_that_is_put_together_is_the_same_json(fields: dict[str, str | int], body: bytes, coded: bool) -> None:
    response = Response(status=200, headers=[(b"content-encoding", b"gzip")] if coded else [], body=body)
    text, is_base64 = reply_rules.encode_body(response)

    assert json.loads(reply_rules.encode_reply(fields, response)) == fields | {
        "body": text,
        "isBase64Encoded": is_base64,
    }
