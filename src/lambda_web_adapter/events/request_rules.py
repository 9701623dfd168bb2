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
# The same for an encoded query (RFC 3986 §3.4): only what would end the request line or start another part.
_NOT_IN_RAW_QUERY = re.compile(r"[^!$-;=?-~]+")
# All that needs an escape in a decoded path: not unreserved, sub-delims, ":", "@" or "/" (RFC 3986 §3.3).
_NOT_IN_DECODED_PATH = re.compile(r"[^!$&-;=@A-Z_a-z~]+")
# All that needs an escape in a decoded key or value of a query: not unreserved (RFC 3986 §2.3).
_NOT_UNRESERVED = re.compile(r"[^-.0-9A-Z_a-z~]+")


def _escape(match: re.Match[str]) -> str:
    return "".join([f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass")])


def _rooted(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def encoded_path(path: Any) -> str:
    """Return an encoded path, valid in a request line; its escapes stay as they are."""
    return _rooted(_NOT_IN_ENCODED_PATH.sub(_escape, to_text(path)))


def percent_encode_path(text: str) -> str:
    """Return a decoded text percent-encoded for a path; slashes stay."""
    return _NOT_IN_DECODED_PATH.sub(_escape, text)


def percent_encode_segment(text: str) -> str:
    """Return a decoded text percent-encoded as one segment of a path."""
    escaped = _NOT_UNRESERVED.sub(_escape, text)
    return escaped.replace(".", "%2E") if escaped in (".", "..") else escaped


def decoded_path(path: Any) -> str:
    """Return a decoded path percent-encoded; `%` too, so that the app, which decodes once, gets the same path."""
    return _rooted(percent_encode_path(to_text(path)))


def raw_query(query: Any) -> str:
    """Return a query as the client sent it, valid in a request line; nothing else in it changes."""
    return _NOT_IN_RAW_QUERY.sub(_escape, to_text(query))


def decoded_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a query of decoded keys and values."""
    return "&".join(
        [f"{_NOT_UNRESERVED.sub(_escape, key)}={_NOT_UNRESERVED.sub(_escape, value)}" for key, value in pairs]
    )


def encoded_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a query of percent-encoded keys and values."""
    return raw_query("&".join([f"{key}={value}" for key, value in pairs]))


def remove_prefix(path: str, prefix: str) -> tuple[str, str]:
    """Remove a prefix of whole segments from a path.

    Returns:
        The removed prefix, or an empty text, and the remaining path.
    """
    if prefix and path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/"):
        return prefix, path[len(prefix) :] or "/"
    return "", path


def to_text(value: Any) -> str:
    """Return a value of the event as text: empty for null, which AWS sends, digits for a number of a hand-made event.

    Raises:
        InvalidEvent: the value is a list or a map.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        raise InvalidEvent(f"The event has a {type(value).__name__} where a text is expected.")
    return "" if value is None else str(value)


def to_text_or_empty(value: Any) -> str:
    """Return a text of the event; empty for any other value."""
    return value if isinstance(value, str) else ""


def to_mapping(value: Any) -> dict[str, Any]:
    """Return a map of the event; empty for any other value."""
    return value if isinstance(value, dict) else {}


def pairs(single: Any, multi: Any, *, names_fold: bool = True) -> Pairs:
    """Return the ordered pairs of a single-value and a multi-value map.

    Values come from the multi-value map; names that only the single-value map has (events of emulators) are added.

    Args:
        single: the event's map with one value for each name, or null.
        multi: the event's map with a list for each name, or null.
        names_fold: whether names that differ only in case are the same, as those of headers are.
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
    """Return the ordered pairs of a map whose values are lists or single values."""
    return [(name, to_text(value)) for name, items in to_mapping(values).items() for value in _as_list(items)]


def forwarded_client(headers: Pairs, trusted_hops: int) -> str:
    """Return the caller's address from `X-Forwarded-For`, for sources whose events have no other.

    Each proxy appends the address of its peer, so what a client made up comes first. The last `trusted_hops` entries
    are those of trusted proxies; the first of them is the caller.
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
        base64_flag: the key of the flag whether the body is base64.

    Raises:
        InvalidEvent: the flag is set, but the body is not base64.
    """
    body = event.get("body")
    if not body:
        return b""
    is_apart = isinstance(body, (bytes, memoryview))  # a large one, from `reading.read_event`
    if event.get(base64_flag) is True:
        try:
            return base64_codec.decode(body if is_apart else to_text(body))
        except ValueError as error:  # binascii.Error, or a UnicodeEncodeError
            raise InvalidEvent(f"The event's {base64_flag} is true, but its body is not base64: {error}.") from None
    return bytes(body) if is_apart else to_text(body).encode("utf-8", "surrogatepass")


def is_api_gateway_host(event: dict[str, Any]) -> bool:
    """Return whether the caller used API Gateway's own host name, with the stage as the first segment of the path.

    The host name is in the context; if not (older events, emulators), in the `Host` header.
    """
    domain = to_text_or_empty(to_mapping(event.get("requestContext")).get("domainName"))
    return ".execute-api." in (domain or _host(event))


def _host(event: dict[str, Any]) -> str:
    headers = pairs(event.get("headers"), event.get("multiValueHeaders"))
    return next((value.lower() for name, value in headers if name.lower() == "host"), "")


def remove_stage(path: str, event: dict[str, Any], remove_stage: str) -> tuple[str, str]:
    """Remove the stage from an HTTP API's path, depending on `AWS_LWA_REMOVE_STAGE`.

    Payload 2.0's `rawPath` and 1.0's `path` begin with a named stage on the API's own host. For custom domains, reports
    contradict each other, and an app may have a route of that name: there the stage stays, unless `always` is set.

    Returns:
        The removed prefix, or an empty text, and the remaining path.
    """
    stage = to_text_or_empty(to_mapping(event.get("requestContext")).get("stage"))
    if stage in ("", "$default") or remove_stage == "never":
        return "", path
    if remove_stage == "auto" and not is_api_gateway_host(event):
        return "", path
    return remove_prefix(path, f"/{stage}")
