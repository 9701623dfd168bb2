"""What the adapter adds and removes between event and app, in tables, and the request's bytes (RFC 9110 §7.6).

These rules hold for every event source and are applied once, to the value in the middle.
"""

from __future__ import annotations

from lambda_web_adapter.errors import ForbiddenMethod, InvalidEvent
from lambda_web_adapter.http.messages import Response
from lambda_web_adapter.http.trusted_headers import OF_SERVERS, RESERVED_HEADERS, is_gateways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.http.messages import Invocation, Request

# Meant for one connection only, never for the next (RFC 9110 §7.6.1, and RFC 2616 §13.5.1 for the older ones).
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
# The gateway has the whole body already: it is never awaited piece by piece, and its length is counted here.
BODY_HEADERS = frozenset({"content-length", "expect"})
_DROPPED = HOP_BY_HOP | BODY_HEADERS | RESERVED_HEADERS | OF_SERVERS

# RFC 9110 §5.6.2
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})  # a length of zero is said for these (RFC 9110 §8.6)
_METHODS = BODY_METHODS | {"GET", "HEAD", "DELETE", "OPTIONS"}  # need no look at their letters
# What follows is no HTTP (RFC 9110 §9.3.6), or another version of it (RFC 9113 §3.4): the body would be taken for that.
_ENDS_HTTP = frozenset({"CONNECT", "PRI"})

# May not stand in a value (RFC 9110 §5.5): some servers take more than one of them for the end of a line.
_CONTROLS = bytes(code for code in range(32) if code != 9) + b"\x7f"

# What to do with a header, by its name as spelled: the beginning of its line, or "" to drop it.
# Names repeat from request to request, so each is looked at once; the bound keeps made-up names from filling memory.
_LINES: dict[str, str] = {}
_MAX_CACHED_NAMES = 2000
_MAX_NAME_LENGTH = 64  # characters; longer than any registered name
# Names with a meaning for the request as a whole are not in _LINES.
_SPECIAL = frozenset({"host", "cookie", "connection", "x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id"})
# Their usual spellings.
_SPECIAL_SPELLED = {spelled: name for name in _SPECIAL for spelled in (name, name.title())}
# CGI and WSGI write `-` and `_` alike (RFC 3875 §4.1.18), and some servers all that is no letter or digit, so that a
# name with another character could pass for one of these.
_ONLY_WITH_HYPHENS = _DROPPED | _SPECIAL | {"content-type"}
# Lines by which several values of such a name become one.
_JOINED = {"cookie": "; ", "connection": ", "}


def _line(name: str) -> str:
    """Decides once what becomes of headers of this name.

    Raises:
        InvalidEvent: this is not a header's name.
    """
    if not name or not _TOKEN.issuperset(name):
        raise InvalidEvent(f"The event has a header whose name is not one (RFC 9110 §5.1): {name!r:.100}.")
    lower = name.lower()
    variable = "".join([char if char.isalnum() else "-" for char in lower])
    forged = variable != lower and (variable in _ONLY_WITH_HYPHENS or is_gateways(variable))
    line = "" if lower in _DROPPED or forged else f"{name}: "
    if len(_LINES) < _MAX_CACHED_NAMES and len(name) < _MAX_NAME_LENGTH:
        _LINES[name] = line
    return line


def build_request_head(request: Request, invocation: Invocation, extra_lines: bytes = b"") -> bytes:
    """Writes the head of the request as the app gets it; the body goes as it is.

    Args:
        request: what the event means.
        invocation: whose trace and tenant go along.
        extra_lines: lines to add.

    Raises:
        InvalidEvent: something in it cannot stand in an HTTP request; it is never sent, nor split in two.
        ForbiddenMethod: a server could take what follows the head for something else than the body.
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
    _check_injection(request, data, len(head) - 1)
    return b"%b\r\n%b\r\n" % (data, extra_lines)


def authorize(request: Request, source: str) -> bool:
    """Takes the credentials from another header, whose own name goes: SigV4 occupies `Authorization` on the way here.

    Args:
        request: the request, which is changed.
        source: that header's name in lower case.

    Returns:
        Whether the header is there; without it, nothing changes.
    """
    credentials = next((value for name, value in request.headers if name.lower() == source), None)
    if credentials is None:
        return False
    headers = [pair for pair in request.headers if pair[0].lower() not in ("authorization", source)]
    request.headers = [*headers, ("authorization", credentials)]
    return True


def _sort_headers(request: Request) -> tuple[list[str], dict[str, str]]:
    """Sorts the headers into lines to send and values that matter for the request as a whole, by name."""
    lines: list[str] = []
    special: dict[str, str] = {}
    for name, value in request.headers:
        line = _LINES.get(name)
        if line is None:
            lower = _SPECIAL_SPELLED.get(name) or _special(name)
            if lower:
                joint = _JOINED.get(lower) if lower in special else None
                special[lower] = f"{special[lower]}{joint}{value}" if joint else value
                continue
            line = _line(name)
        if line:
            lines.append(line + value)
    if "connection" in special:
        lines = _remove_connection_headers(lines, special["connection"])
    return lines, special


def _special(name: str) -> str:
    lower = name.lower()
    return lower if lower in _SPECIAL and name.isascii() else ""


def _check_injection(request: Request, head: bytes, breaks: int) -> None:
    """Refuse what could end a line early or confuse who reads it: a head has its line breaks and no other controls."""
    if len(head) - len(head.translate(None, _CONTROLS)) != 2 * breaks:
        raise InvalidEvent("The event has a header value with a control character in it (RFC 9110 §5.5).")
    if request.method not in _METHODS:
        _check_method(request.method, request.body)


def _check_method(method: str, body: bytes) -> None:
    if not (method and _TOKEN.issuperset(method)):
        raise InvalidEvent(f"The event's method is not one (RFC 9110 §9.1): {method!r:.100}.")
    upper = method.upper()  # some servers do not tell them apart
    if upper in _ENDS_HTTP:
        raise ForbiddenMethod(f"{upper} asks for another protocol on the connection to the app, which has HTTP only.")
    if upper == "TRACE" and body:
        raise ForbiddenMethod("TRACE has a body, which it must not have (RFC 9110 §9.3.8).")


def _remove_connection_headers(lines: list[str], connection: str) -> list[str]:
    """Drops the headers that a `Connection` header names; what the gateway added is not the client's to take away."""
    named = {option.strip().lower() for option in connection.split(",")}
    named = {name for name in named if not is_gateways(name)}
    return [line for line in lines if line.partition(":")[0].lower() not in named]


_RESPONSE_DROPPED = frozenset(name.encode() for name in HOP_BY_HOP)


def end_to_end(response: Response, method: str, excluded: frozenset[bytes] = frozenset()) -> Response:
    """Leaves out of a response what was meant for the loopback hop, and the headers that are excluded by setting.

    `content-length` goes too, since the gateway counts for itself, and shows the integration's own as
    `x-amzn-remapped-content-length`; but for HEAD it is all there is to say how long the body would be, unless there
    would be none (204, RFC 9110 §8.6).
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
