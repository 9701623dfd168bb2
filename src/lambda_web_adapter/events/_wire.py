"""The coding rules that event sources share: paths, queries, header maps, bodies, replies.

Each rule stands here once; a source picks those that hold for it. Nothing is ever decoded on the way to the app: the
server decodes once, as it would have without Lambda in between.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64

import orjson

from lambda_web_adapter.errors import InvalidEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from lambda_web_adapter.messages import Response

    Pairs = list[tuple[str, str]]

# What may not stand in a path that is percent-encoded already (RFC 3986 §3.3, with what browsers send raw let through):
# controls, space, non-ASCII, " # < > ? \ ^ ` { | }, and a percent sign that begins no escape.
_NOT_IN_ENCODED_PATH = re.compile(r"[^!$&-;=@-\[\]_a-z~%]+|%(?![0-9A-Fa-f]{2})")
# The same for a query (RFC 3986 §3.4): only what would end the request line or start another part is escaped.
_NOT_IN_RAW_QUERY = re.compile(r"[^!$-;=?-~]+")
# What needs no escape in a path that came decoded: unreserved, sub-delims, ":", "@" and "/" (RFC 3986 §3.3).
_NOT_IN_DECODED_PATH = re.compile(r"[^!$&-;=@A-Z_a-z~]+")
# What needs no escape in a query's key or value that came decoded: unreserved (RFC 3986 §2.3).
_NOT_UNRESERVED = re.compile(r"[^-.0-9A-Z_a-z~]+")


def _escape(match: re.Match[str]) -> str:
    return "".join([f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass")])


def _rooted(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def encoded_path(path: Any) -> str:
    """Makes a path that comes percent-encoded fit for a request line; its escapes stay as they are."""
    return _rooted(_NOT_IN_ENCODED_PATH.sub(_escape, text_of(path)))


def decoded_path(path: Any) -> str:
    """Percent-encodes a path that comes decoded; `%` too, so that the app, decoding once, gets what came."""
    return _rooted(_NOT_IN_DECODED_PATH.sub(_escape, text_of(path)))


def raw_query(query: Any) -> str:
    """Makes a query that comes as sent fit for a request line; nothing else in it changes."""
    return _NOT_IN_RAW_QUERY.sub(_escape, text_of(query))


def decoded_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Writes keys and values that come decoded as a query."""
    return "&".join(
        [f"{_NOT_UNRESERVED.sub(_escape, key)}={_NOT_UNRESERVED.sub(_escape, value)}" for key, value in pairs]
    )


def encoded_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Writes keys and values that come as sent, still percent-encoded, as a query."""
    return raw_query("&".join([f"{key}={value}" for key, value in pairs]))


def remove_prefix(path: str, prefix: str) -> tuple[str, str]:
    """Takes a prefix off a path, by whole segments.

    Returns:
        What was taken off (the prefix, or nothing) and the path that is left.
    """
    if prefix and path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/"):
        return prefix, path[len(prefix) :] or "/"
    return "", path


def text_of(value: Any) -> str:
    """Takes what the event has: AWS sends null, and hand-made events numbers, where text belongs.

    Raises:
        InvalidEvent: it is a list or a map, whose Python spelling would be sent otherwise.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        raise InvalidEvent(f"The event has a {type(value).__name__} where text belongs.")
    return "" if value is None else str(value)


def text_or_empty(value: Any) -> str:
    """Takes a text of the event; anything else counts as empty."""
    return value if isinstance(value, str) else ""


def mapping(value: Any) -> dict[str, Any]:
    """Takes a map of the event; null, or anything else that is not a map, counts as an empty one."""
    return value if isinstance(value, dict) else {}


def pairs(single: Any, multi: Any, *, names_fold: bool = True) -> Pairs:
    """Reads a pair of maps, single- and multi-value, as ordered pairs.

    The multi-value map wins; names that only the single-value map has (emulators send such events) are kept.
    """
    single = single if isinstance(single, dict) else {}
    if not multi or not isinstance(multi, dict):
        return [(name, value if isinstance(value, str) else text_of(value)) for name, value in single.items()]
    found = [(name, text_of(value)) for name, values in multi.items() for value in _several(values)]
    if len(single) > len(multi) or not single.keys() <= multi.keys():
        fold = str.lower if names_fold else str
        known = {fold(name) for name in multi}
        found += [(name, text_of(value)) for name, value in single.items() if fold(name) not in known]
    return found


def _several(values: Any) -> list[Any]:
    if isinstance(values, list):
        return values
    return [] if values is None else [values]


def body_bytes(event: dict[str, Any]) -> bytes:
    """Reads the event's body.

    Raises:
        InvalidEvent: the body is said to be base64, and is not.
    """
    body = event.get("body")
    if not body:
        return b""
    if event.get("isBase64Encoded") is True:
        try:
            return a2b_base64(text_of(body), strict_mode=True)
        except ValueError as error:  # binascii.Error is one; so is what a character outside ASCII raises
            raise InvalidEvent(f"The event's body is marked isBase64Encoded, but is not base64: {error}.") from None
    return text_of(body).encode("utf-8", "surrogatepass")


# Media types whose bytes are never text, by their beginning; checked before looking at the bytes, since a short binary
# file can be valid UTF-8 by chance, and a client is better off when one type always travels the same way.
_BINARY = (
    "audio/",
    "font/",
    "image/",
    "video/",
    "application/gzip",
    "application/grpc",
    "application/msword",
    "application/octet-stream",
    "application/pdf",
    "application/protobuf",
    "application/vnd.ms-",
    "application/vnd.openxmlformats",
    "application/vnd.msgpack",
    "application/wasm",
    "application/x-msgpack",
    "application/x-protobuf",
    "application/zip",
)
_TEXT = ("image/svg+xml",)
# C0 controls other than TAB, LF and CR: JSON writes each as six bytes, base64 as one and a third.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_KNOWN_TEXT = ("text/", "application/json", "application/javascript", "application/xml")


def body_text(response: Response) -> tuple[str, bool]:
    """Writes a response body for JSON without changing a byte: as text where that is lossless, else as base64.

    Returns:
        The text, and whether it is base64.
    """
    if not response.body:
        return "", False
    text = _lossless_text(response)
    if text is None:
        return b2a_base64(response.body, newline=False).decode("ascii"), True
    return text, False


def _lossless_text(response: Response) -> str | None:
    coding = _token_of(response, b"content-encoding")
    media_type = _token_of(response, b"content-type")
    if coding not in ("", "identity") or (media_type.startswith(_BINARY) and media_type not in _TEXT):
        return None
    try:
        text = response.body.decode()
    except UnicodeDecodeError:
        return None
    if media_type.startswith(_KNOWN_TEXT) or not _CONTROLS.search(text):
        return text
    return None


def _token_of(response: Response, header: bytes) -> str:
    """Reads a header's value in lower case, without parameters; empty when there is no such header."""
    for name, value in response.headers:
        if len(name) == len(header) and name.lower() == header:
            return value.partition(b";")[0].strip().lower().decode("latin-1")
    return ""


def header_text(value: bytes) -> str:
    """Decodes a header's name or value: UTF-8, or Latin-1 when it is not (RFC 9110 §5.5); this never fails."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def header_lines(response: Response) -> Iterator[tuple[str, str, str]]:
    """Yields each header's name in lower case, as the app wrote it, and its value."""
    for name, value in response.headers:
        spelled = header_text(name)
        yield spelled.lower(), spelled, header_text(value)


def multi_value_headers(response: Response) -> dict[str, list[str]]:
    """Writes the headers as a multi-value map, each name as the app first wrote it."""
    names: dict[str, list[str]] = {}
    found: dict[str, list[str]] = {}
    for lower, spelled, value in header_lines(response):
        values = names.get(lower)
        if values is None:
            found[spelled] = names[lower] = [value]
        else:
            values.append(value)
    return found


def single_value_headers(response: Response) -> dict[str, str]:
    """Writes the headers as a map of one value each, repeats joined by commas (RFC 9110 §5.3).

    Cookies cannot be joined: each further `set-cookie` takes another spelling of the name, which is another key of the
    map and the same header to a client. There are 512 spellings; what is over is dropped.
    """
    names: dict[str, str] = {}
    found: dict[str, str] = {}
    spellings = _spellings("set-cookie")
    for lower, spelled, value in header_lines(response):
        if lower == "set-cookie":
            if name := next(spellings, None):
                found[name] = value
        elif lower in names:
            found[names[lower]] += f", {value}"
        else:
            names[lower] = spelled
            found[spelled] = value
    return found


def _spellings(name: str) -> Iterator[str]:
    """Yields a name in all its spellings, beginning with the given one."""
    letters = [index for index, char in enumerate(name) if char.isalpha()]
    for number in range(2 ** len(letters)):
        raised = {index for bit, index in enumerate(letters) if number >> bit & 1}
        yield "".join([char.upper() if index in raised else char for index, char in enumerate(name)])


def on_own_host(context: dict[str, Any]) -> bool:
    """Says whether the caller used API Gateway's own host name, where the stage is the first part of the path."""
    return ".execute-api." in text_or_empty(context.get("domainName"))


def stage_removed(path: str, context: dict[str, Any], remove_stage: str) -> tuple[str, str]:
    """Takes the stage off an HTTP API's path, where `AWS_LWA_REMOVE_STAGE` says so.

    Payload 2.0's rawPath and 1.0's path begin with a named stage on the API's own host. On a custom domain reports
    contradict each other, and an app may really have a route of that name: there it stays, unless `always` is set.

    Returns:
        What was taken off, and the path that is left.
    """
    stage = text_or_empty(context.get("stage"))
    if stage in ("", "$default") or remove_stage == "never":
        return "", path
    if remove_stage == "auto" and not on_own_host(context):
        return "", path
    return remove_prefix(path, f"/{stage}")


def json_bytes(reply: dict[str, Any]) -> bytes:
    """Writes a reply as JSON."""
    return orjson.dumps(reply)
