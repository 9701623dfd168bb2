"""Rules for requests that several sources share: paths, queries, header maps, bodies, addresses.

Paths and queries are never decoded here: the app's server decodes them once, as it would without Lambda.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import base64_codec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Pairs = list[tuple[str, str]]

# Invalid in an encoded path (RFC 3986 §3.3, except for what browsers do not encode): controls, space, non-ASCII,
# " # < > ? \ ^ ` { | }, and a percent sign that begins no escape.
_NOT_IN_ENCODED_PATH = re.compile(r"[^!$&-;=@-\[\]_a-z~%]+|%(?![0-9A-Fa-f]{2})")
# Invalid in a raw query (RFC 3986 §3.4): controls, space, non-ASCII, and " # < >.
_NOT_IN_RAW_QUERY = re.compile(r"[^!$-;=?-~]+")
# What needs an escape in a decoded path: all but unreserved, sub-delims, ":", "@" and "/" (RFC 3986 §3.3).
_NOT_IN_DECODED_PATH = re.compile(r"[^!$&-;=@A-Z_a-z~]+")
# What needs an escape in a decoded key or value of a query: all but unreserved characters (RFC 3986 §2.3).
_NOT_UNRESERVED = re.compile(r"[^-.0-9A-Z_a-z~]+")


def _escape(match: re.Match[str]) -> str:
    return "".join([f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass")])


def _rooted(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def path_from_encoded(path: Any) -> str:
    """Return a path that is already encoded, escaping only what a request line cannot hold."""
    return _rooted(_NOT_IN_ENCODED_PATH.sub(_escape, to_text(path)))


def percent_encode_path(text: str) -> str:
    """Percent-encode text for a path; slashes stay."""
    return _NOT_IN_DECODED_PATH.sub(_escape, text)


def percent_encode_segment(text: str) -> str:
    """Percent-encode text as one segment of a path."""
    escaped = _NOT_UNRESERVED.sub(_escape, text)
    return escaped.replace(".", "%2E") if escaped in (".", "..") else escaped


def path_from_decoded(path: Any) -> str:
    """Percent-encode a decoded path, `%` included, so that the app, which decodes once, gets the same path."""
    return _rooted(percent_encode_path(to_text(path)))


def query_from_raw(query: Any) -> str:
    """Return a query as the client sent it, escaping only what a request line cannot hold."""
    return _NOT_IN_RAW_QUERY.sub(_escape, to_text(query))


def query_from_decoded(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the query for decoded keys and values."""
    return "&".join(
        [f"{_NOT_UNRESERVED.sub(_escape, key)}={_NOT_UNRESERVED.sub(_escape, value)}" for key, value in pairs]
    )


def query_from_encoded(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the query for percent-encoded keys and values."""
    return query_from_raw("&".join([f"{key}={value}" for key, value in pairs]))


def remove_prefix(path: str, prefix: str) -> tuple[str, str]:
    """Remove a prefix of whole segments from a path.

    Returns:
        The removed prefix, empty if there was none, and the remaining path.
    """
    if prefix and path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/"):
        return prefix, path[len(prefix) :] or "/"
    return "", path


def to_text(value: Any) -> str:
    """Return a value of the event as a string: empty for null, which AWS sends; digits for a hand-made event's number.

    Raises:
        InvalidEvent: the value is a list or a map.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        raise InvalidEvent(f"The event has a {type(value).__name__} where a string is expected.")
    return "" if value is None else str(value)


def to_text_or_empty(value: Any) -> str:
    """Return a string of the event; empty for any other value."""
    return value if isinstance(value, str) else ""


def to_mapping(value: Any) -> dict[str, Any]:
    """Return a map of the event; empty for any other value."""
    return value if isinstance(value, dict) else {}


def merge_maps(single: Any, multi: Any, *, ignore_case: bool = True) -> Pairs:
    """Return the ordered pairs of a single-value and a multi-value map.

    Values come from the multi-value map; names that only the single-value map has (events of emulators) are added.

    Args:
        single: the event's map with one value for each name, or null.
        multi: the event's map with a list for each name, or null.
        ignore_case: whether names that differ only in case are equal, as header names are.
    """
    single = single if isinstance(single, dict) else {}
    if not multi or not isinstance(multi, dict):
        return [(name, value if isinstance(value, str) else to_text(value)) for name, value in single.items()]
    merged = [(name, to_text(value)) for name, values in multi.items() for value in _as_list(values)]
    if len(single) > len(multi) or not single.keys() <= multi.keys():
        fold = str.lower if ignore_case else str
        multi_names = {fold(name) for name in multi}
        merged += [(name, to_text(value)) for name, value in single.items() if fold(name) not in multi_names]
    return merged


def pairs_from_map(values: Any) -> Pairs:
    """Return the ordered pairs of a map whose values are lists or single values."""
    return [(name, to_text(value)) for name, items in to_mapping(values).items() for value in _as_list(items)]


def forwarded_client(headers: Pairs, trusted_hops: int) -> str:
    """Return the caller's address from `X-Forwarded-For`, for sources whose events have no other.

    Each proxy appends the address of its peer, so what a client made up comes first. Trusted proxies appended the last
    `trusted_hops` entries; the first of these is the caller's address.
    """
    hops = [hop for name, value in headers if name.lower() == "x-forwarded-for" for hop in value.split(",")]
    return _without_port(hops[-min(trusted_hops, len(hops))].strip()) if hops else ""


def _without_port(hop: str) -> str:
    """Return an address without a port, which a load balancer may add (client port preservation): `1.2.3.4:5`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _as_list(values: Any) -> list[Any]:
    if isinstance(values, list):
        return values
    return [] if values is None else [values]


def decode_body(event: dict[str, Any], base64_flag: str = "isBase64Encoded") -> bytes:
    """Return the event's body as bytes.

    Args:
        event: the event.
        base64_flag: the key of the flag that says whether the body is base64.

    Raises:
        InvalidEvent: the flag is set, but the body is not base64.
    """
    body = event.get("body")
    if not body:
        return b""
    is_bytes = isinstance(body, (bytes, memoryview))  # a large one, from `reading.read_event`
    if event.get(base64_flag) is True:
        try:
            return base64_codec.decode(body if is_bytes else to_text(body))
        except ValueError as error:  # binascii.Error, or a UnicodeEncodeError
            raise InvalidEvent(f"The event's {base64_flag} is true, but its body is not base64: {error}.") from None
    return bytes(body) if is_bytes else to_text(body).encode("utf-8", "surrogatepass")


def is_api_gateway_host(event: dict[str, Any]) -> bool:
    """Return whether the caller used API Gateway's own host name, with the stage as the first segment of the path.

    It is in the request context, or in the `Host` header in older events and those of emulators.
    """
    domain = to_text_or_empty(to_mapping(event.get("requestContext")).get("domainName"))
    return ".execute-api." in (domain or _host(event))


def _host(event: dict[str, Any]) -> str:
    headers = merge_maps(event.get("headers"), event.get("multiValueHeaders"))
    return next((value.lower() for name, value in headers if name.lower() == "host"), "")


def remove_stage(path: str, event: dict[str, Any], mode: str) -> tuple[str, str]:
    """Remove the stage from an HTTP API's path, depending on `AWS_LWA_REMOVE_STAGE`.

    Payload 2.0's `rawPath` and 1.0's `path` begin with a named stage on the API's own host. For custom domains, reports
    differ, and an app may have a route named like the stage. So there the stage stays, unless `mode` is `always`.

    Returns:
        The removed prefix, empty if there was none, and the remaining path.
    """
    stage = to_text_or_empty(to_mapping(event.get("requestContext")).get("stage"))
    if stage in ("", "$default") or mode == "never":
        return "", path
    if mode == "auto" and not is_api_gateway_host(event):
        return "", path
    return remove_prefix(path, f"/{stage}")
