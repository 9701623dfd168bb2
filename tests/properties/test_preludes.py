"""Preludes of streamed replies, in parts of any size."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.local.gateways import MalformedReply
from lambda_web_adapter.local.gateways.prelude import SEPARATOR, PreludeParser

preludes = st.dictionaries(st.text(), st.text()).map(lambda found: json.dumps(found).encode())
bodies = st.lists(st.sampled_from([b"", b"\0", b"a", SEPARATOR, b"body"])).map(b"".join) | st.binary()


def parts_of(payload: bytes, cuts: list[int]) -> list[bytes]:
    """Cuts a payload in parts, some of them empty."""
    places = [0, *sorted(cut % (len(payload) + 1) for cut in cuts), len(payload)]
    return [payload[begin:end] for begin, end in pairwise(places)]


@given(preludes, bodies, st.lists(st.integers(min_value=0)))
def test_wherever_a_stream_is_split_prelude_and_body_are_the_same(prelude: bytes, body: bytes, cuts: list[int]) -> None:
    parts = iter(parts_of(prelude + SEPARATOR + body, cuts))
    reader = PreludeParser(1_000_000)

    found = next(found for part in parts if (found := reader.feed(part)) is not None)

    assert (found[0], found[1] + b"".join(parts)) == (prelude, body)


@given(st.binary().filter(lambda payload: SEPARATOR not in payload), st.lists(st.integers(min_value=0)))
def test_a_stream_without_the_separator_is_all_prelude(payload: bytes, cuts: list[int]) -> None:
    reader = PreludeParser(1_000_000)

    assert {reader.feed(part) for part in parts_of(payload, cuts)} == {None}
    assert f"after {len(payload)} bytes" in str(reader.missing())


@given(preludes, st.integers(1, 200), st.lists(st.integers(min_value=0)))
def test_the_limit_is_the_same_wherever_a_stream_is_split(prelude: bytes, most: int, cuts: list[int]) -> None:
    reader = PreludeParser(most)
    try:
        fits = any(reader.feed(part) for part in parts_of(prelude + SEPARATOR, cuts))
    except MalformedReply:
        fits = False

    assert fits == (len(prelude) + len(SEPARATOR) <= most)
