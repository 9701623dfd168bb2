"""Which responses are compressed, and what becomes of their headers. Bodies are read by the libraries' own decoders."""

from __future__ import annotations

import copy
import os

import pytest
from support.decoding import CODINGS, decoder, read

from lambda_web_adapter.http.compression import compress, compress_stream
from lambda_web_adapter.http.messages import Response

Headers = list[tuple[bytes, bytes]]
TEXT = b'{"name": "a seed"}' * 100
NOISE = os.urandom(500)  # nothing makes it smaller
JSON = (b"content-type", b"application/json")
VARY = (b"vary", b"accept-encoding")
GZIP = (b"content-encoding", b"gzip")


def response(*headers: tuple[bytes, bytes], status: int = 200, body: bytes = TEXT) -> Response:
    return Response(status=status, headers=list(headers), body=body)


def compressed(*headers: tuple[bytes, bytes]) -> Headers:
    """The headers of a whole response that has been compressed."""
    found = compress(response(*headers), "gzip", "GET")
    assert read(found) == TEXT
    assert len(found.body) < len(TEXT)
    return found.headers


# The whole


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_is_compressed_by_the_coding_that_the_client_accepts(coding: str) -> None:
    given = response((b"Content-Type", b"application/json; charset=utf-8"), (b"set-cookie", b"a=1"), status=404)

    found = compress(given, coding, "POST")

    assert (found.status, found.headers) == (404, [*given.headers, (b"content-encoding", coding.encode()), VARY])
    assert read(found) == TEXT
    assert len(found.body) < len(TEXT) / 10


@pytest.mark.parametrize("coding", CODINGS)
def test_a_stream_is_compressed_part_by_part(coding: str) -> None:
    given = response(JSON, body=b"")
    parts = [b"[1", b"", b", 2", TEXT, NOISE, b"]"]

    head, compressor = compress_stream(given, coding, "GET")

    assert (head.status, head.headers) == (200, [JSON, (b"content-encoding", coding.encode()), VARY])
    assert compressor
    arrives = decoder(coding)
    sent = [compressor.feed(part) for part in parts]
    assert [arrives(part) for part in sent] == parts
    head.body = b"".join(sent) + compressor.end()
    assert read(head) == b"".join(parts)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("accept_encoding", ["gzip", ""])
def test_what_the_app_sent_is_left_as_it_was(accept_encoding: str, method: str) -> None:
    given = response(JSON, (b"etag", b'"1"'), (b"vary", b"origin"), (b"content-length", b"1800"))
    before = copy.deepcopy(given)

    compress(given, accept_encoding, method)
    compress_stream(given, accept_encoding, method)

    assert given == before


# Which bodies


@pytest.mark.parametrize(
    "media_type",
    [
        b"text/html",
        b"text/plain; charset=utf-8",
        b"TEXT/CSS",
        b"text/x-whatever",
        b"application/json",
        b"application/problem+json ; charset=utf-8",
        b"application/manifest+json",
        b"application/geo+json-seq",
        b"application/javascript",
        b"application/xml",
        b"application/atom+xml",
        b"application/vnd.oai.openapi+yaml",
        b"application/x.log+text",
        b"application/yaml",
        b"application/x-ndjson",
        b"application/wasm",
        b"application/graphql",
        b"application/toml",
        b"application/x-www-form-urlencoded",
        b"application/rtf",
        b"application/vnd.ms-fontobject",
        b"font/ttf",
        b"font/otf",
        b"image/svg+xml",
        b"image/bmp",
        b"image/x-icon",
        b"image/vnd.microsoft.icon",
    ],
    ids=bytes.decode,
)
def test_a_type_that_becomes_smaller_is_compressed(media_type: bytes) -> None:
    assert GZIP in compressed((b"content-type", media_type))


LEFT_ALONE = [
    *(
        pytest.param(response((b"content-type", media_type)), id=media_type.decode() or "empty type")
        for media_type in [
            b"",
            b"image/png",
            b"image/jpeg",
            b"video/mp4",
            b"audio/mpeg",
            b"font/woff2",
            b"application/zip",
            b"application/gzip",
            b"application/pdf",
            b"application/octet-stream",
            b"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            b"application/epub+zip",
            b"multipart/byteranges; boundary=text/html",
            b"x-text/html",
            b"application/x; profile=a+json",
            b"text/event-stream",
            b"Text/Event-Stream; charset=utf-8",
            b"application/grpc",
            b"application/grpc+json",
            b"application/grpc-web+json",
        ]
    ),
    pytest.param(response(), id="no type"),
    pytest.param(response(JSON, (b"Content-Encoding", b"br")), id="compressed by the app"),
    pytest.param(response(JSON, (b"content-encoding", b"identity, br")), id="compressed, in a list"),
    pytest.param(response(JSON, (b"content-encoding", b"identity"), (b"content-encoding", b"x")), id="in two lines"),
    pytest.param(response(JSON, (b"Cache-Control", b"no-transform")), id="not to be transformed"),
    pytest.param(response(JSON, (b"cache-control", b"max-age=1, No-Transform")), id="not to be, among others"),
    pytest.param(
        response(JSON, (b"cache-control", b"private"), (b"cache-control", b"no-transform")),
        id="not to be, in two lines",
    ),
    pytest.param(response(JSON, (b"Content-MD5", b"Q2hlY2sgSW50ZWdyaXR5IQ==")), id="content-md5"),
    pytest.param(response(JSON, (b"digest", b"sha-256=x")), id="digest"),
    pytest.param(response(JSON, (b"content-digest", b"sha-256=:x:")), id="content-digest"),
    pytest.param(response(JSON, (b"Repr-Digest", b"sha-256=:x:")), id="repr-digest"),
    *(pytest.param(response(JSON, status=status), id=str(status)) for status in (101, 103, 204, 205)),
]


@pytest.mark.parametrize("given", LEFT_ALONE)
@pytest.mark.parametrize("accept_encoding", ["gzip", ""])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_response_that_nobody_gets_compressed_is_left_as_it_is(
    given: Response, accept_encoding: str, method: str
) -> None:
    assert compress(given, accept_encoding, method) == given
    assert compress_stream(given, accept_encoding, method) == (given, None)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(response(JSON, (b"content-range", b"bytes 0-1799/9999"), status=206), id="a part"),
        pytest.param(response(JSON, status=206), id="a part without its range"),
        pytest.param(response(JSON, (b"Content-Range", b"bytes */9999"), status=416), id="no part"),
    ],
)
def test_a_part_of_a_body_is_never_compressed_but_the_whole_may_be(given: Response) -> None:
    expected = response(*given.headers, VARY, status=given.status)

    assert compress(given, "gzip", "GET") == expected
    assert compress_stream(given, "gzip", "GET") == (expected, None)


@pytest.mark.parametrize(("length", "smaller"), [(0, False), (31, False), (32, True), (33, True)])
def test_a_body_of_a_few_bytes_is_left_as_it_is(length: int, smaller: bool) -> None:
    given = response(JSON, body=b"a" * length)

    assert (len(compress(given, "gzip", "GET").body) < length) is smaller


@pytest.mark.parametrize(
    ("length", "coded"),
    [
        pytest.param(b"0", False, id="0"),
        pytest.param(b"31", False, id="31"),
        pytest.param(b"32", True, id="32"),
        pytest.param(b"99", True, id="99"),
        pytest.param(b"1" * 5000, True, id="endless"),
        pytest.param(b"x", True, id="no number"),
        pytest.param(b"", True, id="empty"),
    ],
)
def test_a_stream_that_is_known_to_have_a_few_bytes_is_left_as_it_is(length: bytes, coded: bool) -> None:
    given = response(JSON, (b"Content-Length", length), body=b"")

    head, compressor = compress_stream(given, "gzip", "GET")

    assert (compressor is not None, head != given) == (coded, coded)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_would_not_become_smaller_is_sent_as_it_is(coding: str) -> None:
    given = response(JSON, (b"etag", b'"1"'), (b"accept-ranges", b"bytes"), body=NOISE)

    found = compress(given, f"{coding}, identity;q=0", "GET")

    assert found == response(*given.headers, VARY, body=NOISE)


@pytest.mark.parametrize("accept_encoding", ["", "deflate", "gzip;q=0", "identity;q=1, gzip;q=0.5"])
def test_a_client_that_accepts_no_coding_gets_the_body_as_it_is(accept_encoding: str) -> None:
    given = response(JSON, (b"content-length", b"1800"), (b"etag", b'"1"'))
    expected = response(*given.headers, VARY)

    assert compress(given, accept_encoding, "GET") == expected
    assert compress_stream(given, accept_encoding, "GET") == (expected, None)


# Headers


@pytest.mark.parametrize(
    ("vary", "expected"),
    [
        pytest.param([], [b"accept-encoding"], id="none"),
        pytest.param([b"Origin"], [b"Origin, accept-encoding"], id="another"),
        pytest.param([b"Origin", b"Cookie"], [b"Origin", b"Cookie, accept-encoding"], id="two lines"),
        pytest.param([b""], [b"accept-encoding"], id="empty"),
        pytest.param([b"accept-encoding"], [b"accept-encoding"], id="named"),
        pytest.param([b"Cookie,Accept-Encoding , Origin"], [b"Cookie,Accept-Encoding , Origin"], id="among others"),
        pytest.param([b"ACCEPT-ENCODING", b"Origin"], [b"ACCEPT-ENCODING", b"Origin"], id="in the first line"),
        pytest.param([b"Origin", b"accept-Encoding"], [b"Origin", b"accept-Encoding"], id="in the second"),
        pytest.param([b"*"], [b"*"], id="any"),
        pytest.param([b"Origin", b" * "], [b"Origin", b" * "], id="any, in the second"),
        pytest.param([b"x-accept-encoding"], [b"x-accept-encoding, accept-encoding"], id="a similar name"),
    ],
)
@pytest.mark.parametrize("accept_encoding", ["gzip", ""])
def test_vary_names_accept_encoding_once(vary: list[bytes], expected: list[bytes], accept_encoding: str) -> None:
    given = response(JSON, *((b"Vary", value) for value in vary), (b"x-a", b"1"))

    found = compress(given, accept_encoding, "GET")

    assert [value for name, value in found.headers if name.lower() == b"vary"] == expected


@pytest.mark.parametrize(
    ("etag", "expected"),
    [
        pytest.param(b'"abc"', b'W/"abc"', id="strong"),
        pytest.param(b'W/"abc"', b'W/"abc"', id="weak"),
        pytest.param(b'""', b'W/""', id="empty"),
        pytest.param(b"abc", b"abc", id="not one"),
    ],
)
def test_a_strong_etag_becomes_weak(etag: bytes, expected: bytes) -> None:
    assert compressed(JSON, (b"ETag", etag)) == [JSON, (b"ETag", expected), GZIP, VARY]


@pytest.mark.parametrize("name", [b"Content-Length", b"ACCEPT-RANGES", b"content-length", b"accept-ranges"])
def test_what_holds_for_the_bytes_as_they_were_is_not_said(name: bytes) -> None:
    assert compressed((b"a", b"1"), (name, b"x"), JSON) == [(b"a", b"1"), JSON, GZIP, VARY]


def test_identity_gives_way_to_the_coding() -> None:
    assert compressed((b"Content-Encoding", b"Identity"), JSON, (b"content-encoding", b"")) == [JSON, GZIP, VARY]


# Responses without a body


@pytest.mark.parametrize("whole", [pytest.param(True, id="whole"), pytest.param(False, id="stream")])
@pytest.mark.parametrize(
    ("status", "method", "headers", "accept_encoding", "expected"),
    [
        pytest.param(200, "HEAD", [JSON], "gzip", [JSON, VARY], id="HEAD"),
        pytest.param(
            200,
            "HEAD",
            [JSON, (b"content-length", b"1800"), (b"etag", b'"1"'), (b"accept-ranges", b"bytes")],
            "gzip",
            [JSON, (b"etag", b'W/"1"'), VARY],
            id="HEAD: what may not hold for the body of a GET",
        ),
        pytest.param(
            200,
            "HEAD",
            [JSON, (b"content-length", b"1800"), (b"etag", b'"1"')],
            "",
            [JSON, (b"content-length", b"1800"), (b"etag", b'"1"'), VARY],
            id="HEAD: as it is",
        ),
        pytest.param(
            200,
            "HEAD",
            [JSON, (b"content-length", b"31")],
            "gzip",
            [JSON, (b"content-length", b"31")],
            id="HEAD: small",
        ),
        pytest.param(304, "GET", [JSON, (b"etag", b'"1"')], "gzip", [JSON, (b"etag", b'W/"1"'), VARY], id="304"),
        pytest.param(304, "GET", [(b"etag", b'"1"')], "gzip", [(b"etag", b'W/"1"'), VARY], id="304: no type"),
        pytest.param(304, "GET", [(b"etag", b'"1"')], "", [(b"etag", b'"1"'), VARY], id="304: as it is"),
        pytest.param(
            304, "GET", [(b"content-type", b"image/png")], "gzip", [(b"content-type", b"image/png")], id="304: an image"
        ),
    ],
)
def test_without_a_body_the_headers_say_what_is_known(
    status: int, method: str, headers: Headers, accept_encoding: str, expected: Headers, whole: bool
) -> None:
    given = response(*headers, status=status, body=b"")

    if whole:
        found = compress(given, accept_encoding, method)
    else:
        found, compressor = compress_stream(given, accept_encoding, method)
        assert compressor is None

    assert found == response(*expected, status=status, body=b"")
