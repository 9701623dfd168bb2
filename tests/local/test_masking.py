"""Secrets in messages, events and replies are masked; all else stays as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.local.records.masking import MASK, Masker, TooDeep

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        pytest.param("Authorization", "Bearer abc", MASK, id="any spelling"),
        pytest.param("x-api-key", "abc", MASK, id="API key"),
        pytest.param("Cookie", "a=1; b=2", f"a={MASK}; b={MASK}", id="the names of cookies stay"),
        pytest.param("Set-Cookie", "a=1; Path=/; HttpOnly", f"a={MASK}; Path=/; HttpOnly", id="attributes stay"),
        pytest.param("x-own", "abc", MASK, id="a name of the user's"),
        pytest.param("accept", "text/html", "text/html", id="no secret"),
    ],
)
def test_a_header_is_masked(name: str, value: str, masked: str) -> None:
    assert Masker(["X-Own"]).headers([(name, value)]) == [(name, masked)]


@pytest.mark.parametrize(
    ("event", "masked"),
    [
        pytest.param({"headers": {"authorization": "x"}}, {"headers": {"authorization": MASK}}, id="header"),
        pytest.param(
            {"multiValueHeaders": {"X-Api-Key": ["a", "b"]}},
            {"multiValueHeaders": {"X-Api-Key": [MASK, MASK]}},
            id="several values",
        ),
        pytest.param({"cookies": ["a=1"]}, {"cookies": [f"a={MASK}"]}, id="cookies of format 2.0"),
        pytest.param(
            {"cookies": ["a=1; Path=/; Secure; b=2"]},
            {"cookies": [f"a={MASK}; Path=/; Secure; b={MASK}"]},
            id="cookies of a reply, whose attributes stay",
        ),
        pytest.param(
            {"requestContext": {"identity": {"apiKey": "k"}}},
            {"requestContext": {"identity": {"apiKey": MASK}}},
            id="API key of a REST API",
        ),
        pytest.param({"headers": {"cookie": None}}, {"headers": {"cookie": None}}, id="null"),
    ],
)
def test_an_event_is_masked(event: Any, masked: Any) -> None:
    assert json.loads(Masker().document(json.dumps(event).encode())) == masked


def test_the_prelude_of_a_stream_is_masked_and_its_body_stays() -> None:
    document = b'{"cookies":["a=1"]}' + b"\0" * 8 + b"cookies"

    assert Masker().document(document) == b'{"cookies":["a=***"]}' + b"\0" * 8 + b"cookies"


@given(JSON)
def test_a_document_without_secrets_stays_as_it_is(value: Any) -> None:
    document = json.dumps({"body": value}).encode()
    if not any(name in document.lower() for name in (b"cookie", b"auth", b"key", b"x-am")):
        assert Masker().document(document) == document


@pytest.mark.parametrize(
    ("start", "end"),
    [(b"[", b"]"), (b'{"a":', b"}"), (b'{"cookie":[', b"]}")],
    ids=["lists", "objects", "below a secret"],
)
def test_a_document_that_is_too_deep_is_an_error(start: bytes, end: bytes) -> None:
    assert Masker().document(start * 60 + b'"x"' + end * 60).startswith(start)
    with pytest.raises(TooDeep):
        Masker().document(start * 300 + b'"x"' + end * 300)


@given(st.binary())
def test_what_is_no_json_stays_as_it_is(data: bytes) -> None:
    assert Masker().document(b"\xff" + data) == b"\xff" + data
