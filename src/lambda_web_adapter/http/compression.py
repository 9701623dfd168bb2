"""Compression of responses for clients that accept it: which responses, and how their headers change.

The same rules hold for whole and for streamed bodies. The module is pure: no sockets, clock, environ or log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.http.content_codings import choose_coding
from lambda_web_adapter.http.messages import Response

if TYPE_CHECKING:
    from lambda_web_adapter.http.content_codings import Coding, Compressor

    Headers = list[tuple[bytes, bytes]]

_MIN_BYTES = 32  # no shorter body would become smaller

_COMPRESSIBLE = frozenset(
    {
        b"application/ecmascript",
        b"application/graphql",
        b"application/javascript",
        b"application/json",
        b"application/jsonl",
        b"application/ndjson",
        b"application/rtf",
        b"application/toml",
        b"application/vnd.ms-fontobject",
        b"application/wasm",
        b"application/x-font-otf",
        b"application/x-font-ttf",
        b"application/x-javascript",
        b"application/x-ndjson",
        b"application/x-www-form-urlencoded",
        b"application/x-yaml",
        b"application/xml",
        b"application/xml-dtd",
        b"application/yaml",
        b"font/otf",
        b"font/ttf",
        b"image/bmp",
        b"image/vnd.microsoft.icon",
        b"image/x-icon",
        b"image/x-ms-bmp",
    }
)
_COMPRESSIBLE_SUFFIXES = (b"+json", b"+json-seq", b"+text", b"+xml", b"+yaml")  # RFC 6838 §4.2.8
# Server-sent events are small, and some proxies and clients delay compressed ones; gRPC compresses its own messages.
_NEVER = (b"text/event-stream", b"application/grpc")

_BODILESS = frozenset({204, 205})  # and all below 200
# Checksums of the uncompressed bytes, which the caller compares (RFC 9530, RFC 3230, RFC 1864).
_DIGESTS = frozenset({b"content-digest", b"content-md5", b"digest", b"repr-digest"})
# Headers that describe the uncompressed bytes; a range of these is no range of the compressed ones (RFC 9110 §14.3).
_REPRESENTATION_HEADERS = frozenset({b"accept-ranges", b"content-encoding", b"content-length"})


def compress(response: Response, accept_encoding: str, method: str) -> Response:
    """Return a response compressed, if its type allows it and the client accepts it.

    Args:
        response: the app's response; it is not changed.
        accept_encoding: the request's header, lines joined by commas; empty if there is none.
        method: the request's method.

    Returns:
        The response to send. If the body would not become smaller, only `vary` is added, even if the client refuses
        `identity`: it has to accept uncompressed images too.
    """
    if method == "HEAD" or response.status == 304:
        return compress_stream(response, accept_encoding, method)[0]
    fields = _fields(response)
    if len(response.body) < _MIN_BYTES or not _is_compressible(response.status, fields):
        return response
    if coding := _coding_for(response.status, fields, accept_encoding):
        body = coding.whole(response.body)
        if len(body) < len(response.body):
            return Response(response.status, _coded_headers(response.headers, coding.name), body)
    return Response(response.status, _with_vary(response.headers), response.body)


def compress_stream(head: Response, accept_encoding: str, method: str) -> tuple[Response, Compressor | None]:
    """Return the head and the compressor of a response whose body is streamed.

    Args:
        head: the app's response; it is not changed. Its `content-length` shows whether the body is too short.
        accept_encoding: the request's header, lines joined by commas; empty if there is none.
        method: the request's method.

    Returns:
        The head to send, and the compressor for the chunks; None if they are sent uncompressed. A response without a
        body, to HEAD or of status 304, gets only the headers that are certain (RFC 9110 §9.3.2, §15.4.5).
    """
    fields = _fields(head)
    if _is_short(fields.get(b"content-length", b"")) or not _is_compressible(head.status, fields):
        return head, None
    coding = _coding_for(head.status, fields, accept_encoding)
    if coding is None:
        return Response(head.status, _with_vary(head.headers), head.body), None
    if method == "HEAD" or head.status == 304:  # whether a body would have become smaller is not known
        return Response(head.status, _coded_headers(head.headers), head.body), None
    return Response(head.status, _coded_headers(head.headers, coding.name), head.body), coding.stream()


# Which responses


def _fields(head: Response) -> dict[bytes, bytes]:
    """Return the headers by their names in lower case, repeated ones joined by commas (RFC 9110 §5.3)."""
    joined: dict[bytes, bytes] = {}
    for name, value in head.headers:
        lower = name.lower()
        joined[lower] = joined[lower] + b"," + value if lower in joined else value
    return joined


def _members(value: bytes) -> set[bytes]:
    """Return the items of a comma-separated header in lower case."""
    return {item.strip().lower() for item in value.split(b",")}


def _is_short(length: bytes) -> bool:
    return length.isdigit() and len(length) < 3 and int(length) < _MIN_BYTES


def _is_compressible(status: int, fields: dict[bytes, bytes]) -> bool:
    """Return whether the response depends on `accept-encoding`: clients that accept a coding get it compressed."""
    if status < 200 or status in _BODILESS or not _DIGESTS.isdisjoint(fields):
        return False
    if _members(fields.get(b"content-encoding", b"")) - {b"", b"identity"}:
        return False
    if b"no-transform" in _members(fields.get(b"cache-control", b"")):  # RFC 9111 §5.2.2.6
        return False
    media_type = fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if not media_type:
        return status == 304  # it lacks the page's media type (RFC 9110 §15.4.5), which may well be text
    if media_type.startswith(_NEVER):
        return False
    return media_type.startswith(b"text/") or media_type in _COMPRESSIBLE or media_type.endswith(_COMPRESSIBLE_SUFFIXES)


def _coding_for(status: int, fields: dict[bytes, bytes], accept_encoding: str) -> Coding | None:
    """Return the coding to use; None for a range, since it counts bytes of the uncompressed body."""
    if status == 206 or b"content-range" in fields:
        return None
    return choose_coding(accept_encoding)


# Their headers


def _coded_headers(headers: Headers, coding: str = "") -> Headers:
    """Return the headers for a compressed body, or, without a coding, for one that may or may not be compressed.

    A strong `etag` becomes weak: it promises the same bytes, which two codings do not have (RFC 9110 §8.8.3.3).
    """
    kept = []
    for name, value in headers:
        lower = name.lower()
        if lower == b"etag" and value.startswith(b'"'):
            kept.append((name, b"W/" + value))
        elif lower not in _REPRESENTATION_HEADERS:
            kept.append((name, value))
    if coding:
        kept.append((b"content-encoding", coding.encode()))
    return _with_vary(kept)


def _with_vary(headers: Headers) -> Headers:
    """Return the headers with `vary`, so that caches keep a response for each `accept-encoding` (RFC 9110 §12.5.5)."""
    last = -1
    for index, (name, value) in enumerate(headers):
        if name.lower() == b"vary":
            if _members(value) & {b"*", b"accept-encoding"}:
                return headers
            last = index
    if last < 0:
        return [*headers, (b"vary", b"accept-encoding")]
    name, value = headers[last]
    line = (name, value + b", accept-encoding" if value.strip() else b"accept-encoding")
    return [*headers[:last], line, *headers[last + 1 :]]
