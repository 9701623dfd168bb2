"""The coding rules that sources share on the way to the app: paths, queries, header maps, bodies, addresses.

Each rule stands here once; a source picks those that hold for it. Nothing is ever decoded on the way to the app: the
server decodes once, as it would have without Lambda in between.
"""

from __future__ import annotations

import re

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import base64_codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

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
    return _rooted(_NOT_IN_ENCODED_PATH.sub(_escape, to_text(path)))


def percent_encode_path(text: str) -> str:
    """Percent-encodes what comes decoded; slashes stay."""
    return _NOT_IN_DECODED_PATH.sub(_escape, text)


def percent_encode_segment(text: str) -> str:
    """Percent-encodes what comes decoded and is one segment of a path."""
    escaped = _NOT_UNRESERVED.sub(_escape, text)
    return escaped.replace(".", "%2E") if escaped in (".", "..") else escaped


def decoded_path(path: Any) -> str:
    """Percent-encodes a path that comes decoded; `%` too, so that the app, decoding once, gets what came."""
    return _rooted(percent_encode_path(to_text(path)))


def raw_query(query: Any) -> str:
    """Makes a query that comes as sent fit for a request line; nothing else in it changes."""
    return _NOT_IN_RAW_QUERY.sub(_escape, to_text(query))


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


def to_text(value: Any) -> str:
    """Takes what the event has: AWS sends null, and hand-made events numbers, where text belongs.

    Raises:
        InvalidEvent: it is a list or a map, whose Python spelling would be sent otherwise.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        raise InvalidEvent(f"The event has a {type(value).__name__} where text belongs.")
    return "" if value is None else str(value)


def to_text_or_empty(value: Any) -> str:
    """Takes a text of the event; anything else counts as empty."""
    return value if isinstance(value, str) else ""


def to_mapping(value: Any) -> dict[str, Any]:
    """Takes a map of the event; null, or anything else that is not a map, counts as an empty one."""
    return value if isinstance(value, dict) else {}


def pairs(single: Any, multi: Any, *, names_fold: bool = True) -> Pairs:
    """Reads a pair of maps, single- and multi-value, as ordered pairs.

    The multi-value map wins; names that only the single-value map has (emulators send such events) are kept.
    """
    single = single if isinstance(single, dict) else {}
    if not multi or not isinstance(multi, dict):
        return [(name, value if isinstance(value, str) else to_text(value)) for name, value in single.items()]
    merged = [(name, to_text(value)) for name, values in multi.items() for value in _as_list(values)]
    if len(single) > len(multi) or not single.keys() <= multi.keys():
        fold = str.lower if names_fold else str
        multi_names = {fold(name) for name in multi}
        merged += [(name, to_text(value)) for name, value in single.items() if fold(name) not in multi_names]
    return merged


def lines(values: Any) -> Pairs:
    """Reads a map whose values are lists, or single values, as ordered pairs."""
    return [(name, to_text(value)) for name, items in to_mapping(values).items() for value in _as_list(items)]


def forwarded_client(headers: Pairs, trusted_hops: int) -> str:
    """Reads the caller's address from `X-Forwarded-For`, for sources that have no other.

    Each proxy appends the peer it saw, so what a client claims comes first, and is not to be trusted: counted is from
    the end, as many entries as there are proxies of our own.
    """
    hops = [hop for name, value in headers if name.lower() == "x-forwarded-for" for hop in value.split(",")]
    return _without_port(hops[-min(trusted_hops, len(hops))].strip()) if hops else ""


def _without_port(hop: str) -> str:
    """Leaves out the port that a load balancer with client port preservation adds: `1.2.3.4:5`, `[::1]:5`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _as_list(values: Any) -> list[Any]:
    if isinstance(values, list):
        return values
    return [] if values is None else [values]


def decode_body(event: dict[str, Any], base64_flag: str = "isBase64Encoded") -> bytes:
    """Reads the event's body.

    Args:
        event: the event.
        base64_flag: the key that says whether the body is base64.

    Raises:
        InvalidEvent: the body is said to be base64, and is not.
    """
    body = event.get("body")
    if not body:
        return b""
    is_apart = isinstance(body, (bytes, memoryview))  # see `reading.read_event`
    if event.get(base64_flag) is True:
        try:
            return base64_codec.decode(body if is_apart else to_text(body))
        except ValueError as error:  # binascii.Error is one; so is what a character outside ASCII raises
            raise InvalidEvent(f"The event's body is marked {base64_flag}, but is not base64: {error}.") from None
    return bytes(body) if is_apart else to_text(body).encode("utf-8", "surrogatepass")


def is_api_gateway_host(event: dict[str, Any]) -> bool:
    """Return whether the caller used API Gateway's own host name, where the stage is the first part of the path.

    The context names it; where it does not (older events, emulators), the Host header does.
    """
    domain = to_text_or_empty(to_mapping(event.get("requestContext")).get("domainName"))
    return ".execute-api." in (domain or _host(event))


def _host(event: dict[str, Any]) -> str:
    headers = pairs(event.get("headers"), event.get("multiValueHeaders"))
    return next((value.lower() for name, value in headers if name.lower() == "host"), "")


def remove_stage(path: str, event: dict[str, Any], remove_stage: str) -> tuple[str, str]:
    """Takes the stage off an HTTP API's path, where `AWS_LWA_REMOVE_STAGE` says so.

    Payload 2.0's rawPath and 1.0's path begin with a named stage on the API's own host. On a custom domain reports
    contradict each other, and an app may really have a route of that name: there it stays, unless `always` is set.

    Returns:
        What was taken off, and the path that is left.
    """
    stage = to_text_or_empty(to_mapping(event.get("requestContext")).get("stage"))
    if stage in ("", "$default") or remove_stage == "never":
        return "", path
    if remove_stage == "auto" and not is_api_gateway_host(event):
        return "", path
    return remove_prefix(path, f"/{stage}")
