"""The reserved headers, which only the adapter may set, and the headers that the built-in servers trust.

The adapter drops reserved headers from clients' requests before it adds its own (`http/headers`), so the app gets each
at most once, with a true value. A built-in server without an adapter, and so without a control channel, drops them
itself, since clients connect to it directly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Pairs = list[tuple[bytes, bytes]]

# The header that names the source of an event that is no HTTP request.
EVENT_SOURCE_HEADER = "x-amzn-event-source"
# The app gets one value of each or none, but never one that a client made up.
RESERVED_HEADERS = frozenset(
    {
        "x-amz-tenant-id",
        "x-amzn-connection-id",
        EVENT_SOURCE_HEADER,
        "x-amzn-event-type",
        "x-amzn-lambda-context",
        "x-amzn-request-context",
        "x-amzn-route-key",
        "x-forwarded-prefix",
        "x-real-ip",
    }
)
_RESERVED = frozenset(name.encode("ascii") for name in RESERVED_HEADERS)
# Headers that a server may take for its own variables, or for those of a trusted proxy, since the adapter connects from
# loopback: with `SCRIPT_NAME: /a`, gunicorn passes `/a/events` on as `/events`. No gateway sends any of them. Headers
# that servers pass on unchanged (`X-Original-URL`) stay: whether to trust them is up to the app.
SERVER_VARIABLES = frozenset(
    {
        # CGI's variables (RFC 3875 §4.1) except those of the body
        "auth-type",
        "gateway-interface",
        "path-info",
        "path-translated",
        "query-string",
        "remote-addr",
        "remote-host",
        "remote-ident",
        "remote-user",
        "request-method",
        "script-name",
        "server-name",
        "server-port",
        "server-protocol",
        "server-software",
        # variables that servers add to them
        "document-root",
        "document-uri",
        "https",
        "raw-uri",
        "remote-port",
        "request-scheme",
        "request-uri",
        "script-filename",
        "server-addr",
        # the app's root path: Daphne, and a middleware common in Flask apps
        "daphne-root-path",
        "x-script-name",
        # `HTTP_PROXY` and `HTTP_REDIRECT_STATUS` in CGI: a proxy for outgoing requests (httpoxy), a gate of php-cgi
        "proxy",
        "redirect-status",
        # how Rack sends files, and from where
        "x-accel-mapping",
        "x-sendfile-type",
    }
)
# Headers of load balancers, API Gateway, Lattice, CloudFront and other proxies before the function. They have to reach
# the app, even if the client's `Connection` header names them.
_GATEWAY_PREFIXES = ("cf-", "cloudfront-", "x-amz-", "x-amzn-", "x-forwarded-")
_GATEWAY_NAMES = frozenset(
    {"forwarded", "true-client-ip", "via", "x-client-ip", "x-original-forwarded-for", "x-real-ip"}
)


def is_set_by_gateways(name: str) -> bool:
    """Return whether gateways set the header of this name (in lower case), so that no client can have it dropped."""
    return name.startswith(_GATEWAY_PREFIXES) or name in _GATEWAY_NAMES


def without_reserved(headers: Pairs) -> Pairs:
    """Return a client's headers without the reserved ones, spelled with `-` or with `_`, which WSGI treats alike.

    Args:
        headers: names in lower case, with their values.
    """
    return [pair for pair in headers if pair[0].replace(b"_", b"-") not in _RESERVED]


def trusted_client_headers(headers: Pairs) -> Pairs:
    """Return the headers to trust about scheme, host, port, address and prefix if a client sends them: only `host`."""
    return [pair for pair in headers if pair[0] == b"host"]
