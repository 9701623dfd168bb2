"""Whose word counts: which headers only the adapter may set, and what an app's server believes of whom.

The adapter drops these headers from what a client sent before it adds its own (`forwarding`), so that behind it each is
there once, and true. A server that has no adapter in front of it, which its control channel tells, drops them itself:
whoever connects to it is a client.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Pairs = list[tuple[bytes, bytes]]

# Set by the adapter alone: exactly one value reaches the app, or none, but never one that the client made up.
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
# What an app's server takes for its own variables, or for the word of a proxy that it believes on loopback, where the
# adapter is: with `SCRIPT_NAME: /a`, gunicorn hands on `/a/events` as `/events`. No gateway sends any of them. Headers
# that a server hands on as they are (`X-Original-URL`, `X-HTTP-Method-Override`) are for the app to believe or not.
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
        # what servers add to them
        "document-root",
        "document-uri",
        "https",
        "raw-uri",
        "remote-port",
        "request-scheme",
        "request-uri",
        "script-filename",
        "server-addr",
        # where the app's root is: Daphne, and a middleware that many Flask apps have
        "daphne-root-path",
        "x-script-name",
        # `HTTP_PROXY` and `HTTP_REDIRECT_STATUS` in CGI: a proxy for what the app sends (httpoxy), leave for php-cgi
        "proxy",
        "redirect-status",
        # how Rack sends files, and where from
        "x-accel-mapping",
        "x-sendfile-type",
    }
)
# Set by load balancers, API Gateway, Lattice, CloudFront and other proxies in front of the function: what they say of a
# caller has to reach the app, whatever the caller asks for.
_GATEWAYS = ("cf-", "cloudfront-", "x-amz-", "x-amzn-", "x-forwarded-")
_GATEWAY = frozenset({"forwarded", "true-client-ip", "via", "x-client-ip", "x-original-forwarded-for", "x-real-ip"})


def is_gateways(name: str) -> bool:
    """Return whether a header of this name, in lower case, is a gateway's to set, and not the client's to take away."""
    return name.startswith(_GATEWAYS) or name in _GATEWAY


def without_reserved(headers: Pairs) -> Pairs:
    """Return the headers of a client's request that may reach the app, however the reserved ones are spelled.

    Args:
        headers: names in lower case, with their values. CGI and WSGI write `-` and `_` alike.
    """
    return [pair for pair in headers if pair[0].replace(b"_", b"-") not in _RESERVED]


def client_headers(headers: Pairs, *, from_adapter: bool) -> Mapping[bytes, bytes]:
    """Return the headers that are believed about where a request came from.

    Of a client that is the host which it asked for; scheme, port, address and prefix are the adapter's to say.
    """
    values = dict(headers)
    if from_adapter:
        return values
    return {b"host": values[b"host"]} if b"host" in values else {}
