"""Compression for all responses, clients and ways to cut a body into parts, read by the libraries' own decoders."""

import copy

from hypothesis import event as note
from hypothesis import given
from hypothesis import strategies as st
from support.decoding import CODINGS, decoder, read

from lambda_web_adapter.http.compression import compress, compress_stream
from lambda_web_adapter.http.content_codings import accepted_codings, choose_coding
from lambda_web_adapter.http.messages import Response
from properties.strategies import methods, response_headers

codings = st.sampled_from(CODINGS)
# Bodies that become smaller and bodies that do not; hypothesis itself seldom makes one that does.
bodies = st.one_of(
    st.binary(max_size=200),
    st.binary(min_size=1, max_size=20).map(lambda unit: unit * 40),
    st.binary(min_size=1, max_size=20).map(lambda unit: unit * 100),
)

# What clients accept, by weights in thousandths, and every way to write that.
weights = st.dictionaries(
    st.sampled_from([*CODINGS, "identity", "*", "deflate"]),
    st.sampled_from([0, 1, 500, 999, 1000]) | st.integers(0, 1000),
)
_spaces = st.sampled_from(["", " ", "\t", "  "])


@st.composite
def written(draw: st.DrawFn, found: dict[str, int]) -> str:
    """Writes weights as an `accept-encoding` header."""
    items = []
    for name, weight in draw(st.permutations(list(found.items()))):
        spelled = draw(st.sampled_from([name, name.upper(), f"x-{name}" if name == "gzip" else name]))
        number = f"{weight / 1000:.3f}"
        number = draw(st.sampled_from([number, number.rstrip("0"), number.rstrip("0").rstrip(".")]))
        spaces = [draw(_spaces) for _ in range(4)]
        said = f"{spelled}{spaces[0]};{spaces[1]}q={number}" if weight < 1000 or draw(st.booleans()) else spelled
        items.append(f"{spaces[2]}{said}{spaces[3]}")
    return ",".join(items)


accept_encodings = st.one_of(
    weights.flatmap(written),
    st.sampled_from(["gzip", "br;q=0.5", "gzip, deflate, br, zstd"]),
    st.sampled_from(["*", ""]),
)

_headers_that_matter = st.lists(
    st.sampled_from(
        [
            (b"content-type", b"text/html"),
            (b"Content-Type", b"application/json"),
            (b"content-length", b"1000"),
            (b"etag", b'"1"'),
            (b"ETag", b'W/"1"'),
            (b"accept-ranges", b"bytes"),
            (b"cache-control", b"no-transform"),
            (b"vary", b"Origin"),
            (b"Vary", b"*"),
            (b"vary", b"Accept-Encoding"),
        ]
    ),
    max_size=4,
)
_no_others: list[tuple[bytes, bytes]] = []
any_responses = st.builds(
    Response,
    status=st.sampled_from([200, 201, 404]) | st.sampled_from([200, 204, 206, 304]),
    headers=st.builds(
        lambda headers, more: [(b"content-type", b"text/plain"), *headers, *more],
        _headers_that_matter,
        st.just(_no_others) | response_headers,
    ),
    body=bodies,
)


@given(weights.flatmap(lambda found: st.tuples(st.just(found), written(found))))
def test_a_client_is_taken_at_its_word(said: tuple[dict[str, int], str]) -> None:
    found, accept_encoding = said
    weight = {name: found.get(name, found.get("*", 0)) for name in CODINGS}

    order = accepted_codings(accept_encoding)

    assert set(order) == {name for name in CODINGS if weight[name] and weight[name] >= found.get("identity", 0)}
    assert order == sorted(order, key=lambda name: (-weight[name], CODINGS.index(name)))


@given(st.text() | st.lists(st.sampled_from([*"gzipbrstdx*;=q,. 019-", "gzip", ";q=0", "identity"])).map("".join))
def test_no_header_is_too_odd(accept_encoding: str) -> None:
    order = accepted_codings(accept_encoding)

    assert len(set(order)) == len(order)
    assert set(order) <= set(CODINGS)
    if not any(name in accept_encoding.lower() for name in (*CODINGS, "*")):
        assert order == []


@given(any_responses, accept_encodings, methods)
def test_a_client_reads_the_body_that_the_app_sent(response: Response, accept_encoding: str, method: str) -> None:
    before = copy.deepcopy(response)

    found = compress(response, accept_encoding, method)

    assert response == before
    assert found.status == response.status
    coding = next(
        (v.decode() for n, v in found.headers if (n, v) not in response.headers and n == b"content-encoding"), ""
    )
    note(coding or ("as it is" if found == response else "as it is, varying"))
    if coding:
        assert coding in accepted_codings(accept_encoding)
        assert read(found) == response.body
        assert len(found.body) < len(response.body)
    else:
        assert found.body == response.body


# What compression may change; whatever else the app says is kept as it is and where it is.
_OURS = {b"accept-ranges", b"content-encoding", b"content-length", b"etag", b"vary"}


@given(any_responses, accept_encodings, methods)
def test_other_headers_are_kept_in_order(response: Response, accept_encoding: str, method: str) -> None:
    for found in (compress(response, accept_encoding, method), compress_stream(response, accept_encoding, method)[0]):
        sent = [pair for pair in response.headers if pair[0].lower() not in _OURS]
        assert [pair for pair in found.headers if pair[0].lower() not in _OURS] == sent


@given(any_responses, accept_encodings, methods)
def test_to_compress_once_more_changes_nothing(response: Response, accept_encoding: str, method: str) -> None:
    """What has a coding is left alone, and `vary` names each header once."""
    once = compress(response, accept_encoding, method)
    head, _ = compress_stream(response, accept_encoding, method)

    assert compress(once, accept_encoding, method) == once
    assert compress_stream(head, accept_encoding, method)[0] == head


@given(any_responses, accept_encodings)
def test_caches_know_of_every_response_that_another_client_gets_otherwise(
    response: Response, accept_encoding: str
) -> None:
    plain, coded = compress(response, "", "GET"), compress(response, accept_encoding, "GET")

    if plain.headers != coded.headers:
        for found in (plain, coded):
            named = b",".join(value for name, value in found.headers if name.lower() == b"vary").lower()
            assert {item.strip() for item in named.split(b",")} & {b"*", b"accept-encoding"}


@given(codings, st.lists(bodies, max_size=8))
def test_every_part_can_be_read_as_soon_as_it_is_out(coding: str, parts: list[bytes]) -> None:
    head, compressor = compress_stream(Response(status=200, headers=[(b"content-type", b"text/plain")]), coding, "GET")
    assert compressor
    arrives = decoder(coding)

    sent = []
    for part in parts:
        sent.append(compressor.feed(part))
        assert arrives(sent[-1]) == part
        assert bool(sent[-1]) == bool(part)
    sent.append(compressor.end())

    assert arrives(sent[-1]) == b""
    head.body = b"".join(sent)
    assert read(head) == b"".join(parts)


@given(codings, bodies)
def test_a_whole_body_can_be_read_also_if_it_did_not_become_smaller(coding: str, body: bytes) -> None:
    chosen = choose_coding(coding)

    assert chosen
    assert decoder(coding)(chosen.whole(body)) == body
