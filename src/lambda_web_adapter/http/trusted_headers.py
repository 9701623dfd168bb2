"""The reserved headers, which only the adapter may set, and the headers that the built-in servers trust.

The adapter drops reserved headers from clients' requests before it adds its own (`http/headers`), so the app gets each
at most once, with a true value. A built-in server that runs without an adapter (it has no control channel then) drops
them itself, since it is connected to clients directly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Pairs = list[tuple[bytes, bytes]]

# Only the adapter sets them: the app gets one value or none, but never one that a client made up.
RESERVED_HEADERS = frozenset(
    {
        "x-amz-tenant-id",
        "x-amzn-connection-id",
        "x-amzn-event-source",
        "x-amzn-event-type",
        "x-amzn-lambda-context",
        "x-amzn-request-context",
        "x-amzn-route-key",
        "x-forwarded-prefix",
        "x-real-ip",
    }
)
_RESERVED = frozenset(name.encode("ascii") for name in RESERVED_HEADERS)
# Headers that a server may take for its own variables, or for those of a trusted proxy on loopback, where the adapter
# is: with `SCRIPT_NAME: /a`, gunicorn passes `/a/events` on as `/events`. No gateway sends any of them. Headers that
# servers pass on unchanged (`X-Original-URL`, `X-HTTP-Method-Override`) stay: whether to trust them is up to the app.
OF_SERVERS = frozenset(
    {
        # CGI's variables (RFC 3875 §4.1), but for those of the body
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
# Load balancers, API Gateway, Lattice, CloudFront and other proxies before the function set them: they have to reach
# the app, even if the client's `Connection` header names them.
_GATEWAYS = ("cf-", "cloudfront-", "x-amz-", "x-amzn-", "x-forwarded-")
_GATEWAY = frozenset({"forwarded", "true-client-ip", "via", "x-client-ip", "x-original-forwarded-for", "x-real-ip"})


def is_gateways(name: str) -> bool:
    """Return whether gateways set the header of this name (in lower case), so that no client can have it removed."""
    return name.startswith(_GATEWAYS) or name in _GATEWAY


def without_reserved(headers: Pairs) -> Pairs:
    """Return a client's headers without the reserved ones, also those with `_` for `-`, as in CGI and WSGI.

    Args:
        headers: names in lower case, with their values.
    """
    return [pair for pair in headers if pair[0].replace(b"_", b"-") not in _RESERVED]


def trusted_client_headers(headers: Pairs) -> Pairs:
    """Return what to believe of a client's own request about scheme, host, port, address and prefix: only `host`."""
    return [pair for pair in headers if pair[0] == b"host"]
