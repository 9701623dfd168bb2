"""The datagram in which the adapter reports an exchange with the app."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.ipc.exchange_frame import Exchange, decode, encode

_EXCHANGES = st.builds(
    Exchange,
    request_id=st.text(),
    source=st.text(),
    request_head=st.binary(),
    request_body=st.binary(),
    request_size=st.integers(0, 2**40),
    requested_at=st.floats(0, 1e9),
    response_head=st.binary(),
    response_body=st.binary(),
    response_size=st.integers(0, 2**40),
    responded_at=st.floats(0, 1e9),
    error_type=st.text(),
)


@given(_EXCHANGES)
def test_an_exchange_survives_the_way(exchange: Exchange) -> None:
    assert decode(encode(exchange)) == exchange


@pytest.mark.parametrize(
    "field",
    [{"request_id": ["a"]}, {"source": None}, {"request_size": "1"}, {"responded_at": "now"}, {"more": 1}],
    ids=lambda field: next(iter(field)),
)
def test_a_field_of_another_type_is_an_error(field: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"not an exchange: .*{next(iter(field))}"):
        decode(orjson.dumps({"lengths": [0, 0, 0, 0], **field}))


@given(st.binary())
@pytest.mark.parametrize("start", [pytest.param(b"", id="anything"), pytest.param(b"{}\n", id="JSON without lengths")])
def test_what_is_no_exchange_is_an_error(start: bytes, data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode(start + data)
