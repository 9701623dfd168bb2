"""Compresses responses for clients that accept it: which ones, and what becomes of their headers.

A whole body and a stream go by the same rules. No socket, clock, environment or log is used here.
"""

from __future__ import annotations

from dataclasses import replace

from lambda_web_adapter.http.content_codings import choose_coding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.http.content_codings import Coding, Compressor
    from lambda_web_adapter.http.messages import Response

    Headers = list[tuple[bytes, bytes]]

_MIN_BYTES = 32  # bytes; a shorter body would not become smaller, whatever it is

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
# Events are small, and some proxies and clients hold compressed ones back; gRPC compresses its own messages.
_NEVER = (b"text/event-stream", b"application/grpc")

_BODILESS = frozenset({204, 205})  # and all below 200
# A checksum of these very bytes, which the caller compares (RFC 9530, RFC 3230, RFC 1864).
_DIGESTS = frozenset({b"content-digest", b"content-md5", b"digest", b"repr-digest"})
# What is said of the bytes as they were: a range of them is not a range of the compressed ones (RFC 9110 §14.3).
_REPRESENTATION_HEADERS = frozenset({b"accept-ranges", b"content-encoding", b"content-length"})


def compress(response: Response, accept_encoding: str, method: str) -> Response:
    """Compresses a whole response, if it is worth it and the client accepts it.

    Args:
        response: what the app sent; it is not changed.
        accept_encoding: the request's header, lines joined by commas; empty when there is none.
        method: the request's method.

    Returns:
        The response to send. Where the body would not become smaller, it is the app's own but for `vary`, even if the
        client refuses `identity`: it would have to take an image as it is, too.
    """
    if method == "HEAD" or response.status == 304:
        return compress_stream(response, accept_encoding, method)[0]
    fields = _fields(response)
    if len(response.body) < _MIN_BYTES or not _is_compressible(response.status, fields):
        return response
    if coding := _coding_for(response.status, fields, accept_encoding):
        body = coding.whole(response.body)
        if len(body) < len(response.body):
            return replace(response, headers=_coded_headers(response.headers, coding.name), body=body)
    return replace(response, headers=_with_vary(response.headers))


def compress_stream(head: Response, accept_encoding: str, method: str) -> tuple[Response, Compressor | None]:
    """Begins a response whose body comes in parts.

    Args:
        head: what the app sent; it is not changed. A `content-length` tells a body too short to compress.
        accept_encoding: the request's header, lines joined by commas; empty when there is none.
        method: the request's method.

    Returns:
        The head to send, and what compresses the parts; None when they are sent as they are. A response that has no
        body, to HEAD or of status 304, gets the headers that are sure to be right (RFC 9110 §9.3.2, §15.4.5).
    """
    fields = _fields(head)
    if _is_short(fields.get(b"content-length", b"")) or not _is_compressible(head.status, fields):
        return head, None
    coding = _coding_for(head.status, fields, accept_encoding)
    if coding is None:
        return replace(head, headers=_with_vary(head.headers)), None
    if method == "HEAD" or head.status == 304:  # whether a body would have become smaller is not known
        return replace(head, headers=_coded_headers(head.headers)), None
    return replace(head, headers=_coded_headers(head.headers, coding.name)), coding.stream()


# What is compressed


def _fields(head: Response) -> dict[bytes, bytes]:
    """Makes a map of the headers by their names in lower case; several lines are joined (RFC 9110 §5.3)."""
    joined: dict[bytes, bytes] = {}
    for name, value in head.headers:
        lower = name.lower()
        joined[lower] = joined[lower] + b"," + value if lower in joined else value
    return joined


def _members(value: bytes) -> set[bytes]:
    """Reads a comma-separated header in lower case."""
    return {item.strip().lower() for item in value.split(b",")}


def _is_short(length: bytes) -> bool:
    return length.isdigit() and len(length) < 3 and int(length) < _MIN_BYTES


def _is_compressible(status: int, fields: dict[bytes, bytes]) -> bool:
    """Says whether a response is compressed for those who accept it, so that caches have to tell clients apart."""
    if status < 200 or status in _BODILESS or not _DIGESTS.isdisjoint(fields):
        return False
    if _members(fields.get(b"content-encoding", b"")) - {b"", b"identity"}:
        return False
    if b"no-transform" in _members(fields.get(b"cache-control", b"")):  # RFC 9111 §5.2.2.6
        return False
    media_type = fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if not media_type:
        return status == 304  # it leaves out the type of what it speaks of (RFC 9110 §15.4.5), which may well be text
    if media_type.startswith(_NEVER):
        return False
    return media_type.startswith(b"text/") or media_type in _COMPRESSIBLE or media_type.endswith(_COMPRESSIBLE_SUFFIXES)


def _coding_for(status: int, fields: dict[bytes, bytes], accept_encoding: str) -> Coding | None:
    """Chooses the coding; none for a part of a body, since its range counts bytes of the body as it is."""
    if status == 206 or b"content-range" in fields:
        return None
    return choose_coding(accept_encoding)


# What becomes of the headers


def _coded_headers(headers: Headers, coding: str = "") -> Headers:
    """Writes the headers for a compressed body; without a coding, for one of which it is not known whether it is.

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
    """Has caches keep the response for those who accept the same codings (RFC 9110 §12.5.5)."""
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
