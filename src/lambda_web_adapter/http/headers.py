"""Build the head of a request to the app: tables of the headers that are added or dropped, and the bytes.

These rules hold for all event sources (RFC 9110 §7.6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.errors import ForbiddenMethod, InvalidEvent
from lambda_web_adapter.http.messages import Response
from lambda_web_adapter.http.name_cache import NameCache
from lambda_web_adapter.http.trusted_headers import RESERVED_HEADERS, SERVER_VARIABLES, is_set_by_gateways

if TYPE_CHECKING:
    from lambda_web_adapter.http.messages import Invocation, Request

# Headers that concern one connection and are not forwarded (RFC 9110 §7.6.1; RFC 2616 §13.5.1 for the older ones).
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# The event has the whole body, so no client waits for a `100 Continue`, and the length is counted here.
BODY_HEADERS = frozenset({"content-length", "expect"})
_DROPPED = HOP_BY_HOP | BODY_HEADERS | RESERVED_HEADERS | SERVER_VARIABLES

# RFC 9110 §5.6.2
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})  # they have a length even if it is zero (RFC 9110 §8.6)
_METHODS = BODY_METHODS | {"GET", "HEAD", "DELETE", "OPTIONS"}  # valid without a check
# A body after them could be parsed as another protocol (RFC 9110 §9.3.6) or as another version of HTTP (RFC 9113 §3.4).
_ENDS_HTTP = frozenset({"CONNECT", "PRI"})

# Invalid in a value (RFC 9110 §5.5): some servers also end a line at other controls than CR and LF.
_CONTROLS = bytes(code for code in range(32) if code != 9) + b"\x7f"

# Headers with a meaning for the request as a whole.
_SPECIAL = frozenset({"host", "cookie", "connection", "x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id"})
# CGI and WSGI do not distinguish `-` and `_` (RFC 3875 §4.1.18), and some servers treat every other non-alphanumeric
# character the same way: `x_real_ip` could pass for `x-real-ip`. So these are accepted only in their own spelling.
_ONLY_WITH_HYPHENS = _DROPPED | _SPECIAL | {"content-type"}
# The separators that join repeated special headers; of the other special headers, the last value counts.
_JOINED = {"cookie": "; ", "connection": ", "}


def _line_prefix(name: str) -> str | None:
    """Return how the line for a header of this name begins, "" to drop the header, or None if it is special.

    Raises:
        InvalidEvent: the name is invalid.
    """
    if not name or not _TOKEN.issuperset(name):
        raise InvalidEvent(f"The event has an invalid header name (RFC 9110 §5.1): {name!r:.100}.")
    lower = name.lower()
    if lower in _SPECIAL:
        return None
    hyphenated = "".join([char if char.isalnum() else "-" for char in lower])
    forged = hyphenated != lower and (hyphenated in _ONLY_WITH_HYPHENS or is_set_by_gateways(hyphenated))
    return "" if lower in _DROPPED or forged else f"{name}: "


_LINE_PREFIXES: NameCache[str, str | None] = NameCache(_line_prefix)


def build_request_head(request: Request, invocation: Invocation, extra_lines: bytes = b"") -> bytes:
    """Return the head of the HTTP request to the app.

    Args:
        request: the request that the event source built.
        invocation: the invocation, whose trace id and tenant id are added.
        extra_lines: header lines to add, each with its line break.

    Raises:
        InvalidEvent: the request has something that no HTTP request can carry, such as a line break in a header.
        ForbiddenMethod: after this method, a server could take the body for another protocol or another request.
    """
    lines, special = _sort_headers(request)
    body = request.body
    target = f"{request.path}?{request.query}" if request.query else request.path
    head = [
        f"{request.method} {target} HTTP/1.1",
        f"host: {special.get('host') or request.host or 'localhost'}",
        f"x-forwarded-proto: {special.get('x-forwarded-proto') or 'https'}",
        f"x-forwarded-port: {special.get('x-forwarded-port') or '443'}",
        *lines,
    ]
    if request.client:
        head.append(f"x-real-ip: {request.client}")
    if request.prefix:
        head.append(f"x-forwarded-prefix: {request.prefix}")
    if cookie := special.get("cookie"):
        head.append(f"cookie: {cookie}")
    if trace_id := invocation.trace_id or special.get("x-amzn-trace-id"):
        head.append(f"x-amzn-trace-id: {trace_id}")
    if request.reserved_headers:
        head += [f"{name}: {value}" for name, value in request.reserved_headers]
    if invocation.tenant_id:
        head.append(f"x-amz-tenant-id: {invocation.tenant_id}")
    if body or request.method in BODY_METHODS:
        head.append(f"content-length: {len(body)}")
    data = "\r\n".join(head).encode("utf-8", "surrogatepass")
    _check_head(request, data, len(head) - 1)
    return b"%b\r\n%b\r\n" % (data, extra_lines)


def restore_authorization(request: Request, header_name: str) -> bool:
    """Move a header's value to `Authorization`, which carries the SigV4 signature on the way to the function.

    Args:
        request: the request, which is changed.
        header_name: the header with the credentials for the app, in lower case.

    Returns:
        Whether the request has that header; without it, nothing changes.
    """
    credentials = next((value for name, value in request.headers if name.lower() == header_name), None)
    if credentials is None:
        return False
    headers = [pair for pair in request.headers if pair[0].lower() not in ("authorization", header_name)]
    request.headers = [*headers, ("authorization", credentials)]
    return True


def _sort_headers(request: Request) -> tuple[list[str], dict[str, str]]:
    """Return the header lines to send, and the values of the special headers by name."""
    lines: list[str] = []
    special: dict[str, str] = {}
    for name, value in request.headers:
        prefix = _LINE_PREFIXES[name]
        if prefix:
            lines.append(prefix + value)
        elif prefix is None:
            lower = name.lower()
            separator = _JOINED.get(lower) if lower in special else None
            special[lower] = f"{special[lower]}{separator}{value}" if separator else value
    if "connection" in special:
        lines = _remove_connection_headers(lines, special["connection"])
    return lines, special


def _check_head(request: Request, head: bytes, breaks: int) -> None:
    """Raise InvalidEvent for a control character or an invalid method, ForbiddenMethod for one that ends HTTP."""
    if len(head) - len(head.translate(None, _CONTROLS)) != 2 * breaks:
        raise InvalidEvent("The event has a control character in a header value or the method (RFC 9110 §5.5).")
    if request.method not in _METHODS:
        _check_method(request.method, request.body)


def _check_method(method: str, body: bytes) -> None:
    if not (method and _TOKEN.issuperset(method)):
        raise InvalidEvent(f"The event has an invalid method (RFC 9110 §9.1): {method!r:.100}.")
    upper = method.upper()  # some servers ignore the case
    if upper in _ENDS_HTTP:
        raise ForbiddenMethod(f"The method {upper} would switch to another protocol; the app is sent HTTP/1.1 only.")
    if upper == "TRACE" and body:
        raise ForbiddenMethod("A TRACE request must not have a body (RFC 9110 §9.3.8).")


def _remove_connection_headers(lines: list[str], connection: str) -> list[str]:
    """Return the lines without the headers that `Connection` names, except those that gateways set."""
    named = {option.strip().lower() for option in connection.split(",")}
    named = {name for name in named if not is_set_by_gateways(name)}
    return [line for line in lines if line.partition(":")[0].lower() not in named]


_RESPONSE_DROPPED = frozenset(name.encode() for name in HOP_BY_HOP)


def end_to_end(response: Response, method: str, excluded: frozenset[bytes] = frozenset()) -> Response:
    """Return a response without the headers that concern only the connection to the app.

    `content-length` is dropped too: the gateway sets its own, and would return the app's as
    `x-amzn-remapped-content-length`. In response to HEAD it stays, since there is no body to count, unless the status
    is 204, which has no length (RFC 9110 §8.6).

    Args:
        response: the app's response.
        method: the request's method.
        excluded: names of further headers to drop, in lower case.
    """
    headers = []
    keeps_length = method == "HEAD" and response.status != 204
    connection = b""
    for pair in response.headers:
        lower = pair[0].lower()
        if lower == b"connection":
            connection += pair[1] + b","
        elif lower not in _RESPONSE_DROPPED and (lower != b"content-length" or keeps_length):
            headers.append(pair)
    if excluded:
        headers = [pair for pair in headers if pair[0].lower() not in excluded]
    if connection:
        named = {option.strip().lower() for option in connection.split(b",")}
        headers = [pair for pair in headers if pair[0].lower() not in named]
    return Response(response.status, headers, response.body)
