"""Check who calls the APIs of a local run: programs and the app's own pages may, other pages in a browser may not.

A page may send requests to any address, including this machine's, and can do harm without reading the response. Such
requests are recognised by headers that a page cannot set: `Host` has a foreign name if the page's own name resolves to
this machine (DNS rebinding); `Origin` and `Sec-Fetch-Site` ("Fetch Metadata Request Headers") show all the others.
The app's own routes are not checked: the app decides who may call them.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Clients omit them from `Host` (RFC 9110 §7.2).
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ADVICE = "Pages of other origins may not call it; use a program, such as lambda-web-adapter invoke."


def refusal_of_invoke(scope: HTTPScope, bound: str, title: str = "The Invoke API") -> str:
    """Return why a request may not call the Invoke API, or another one of the run; empty if it may.

    Args:
        scope: the request.
        bound: the host that the local run listens on. If it is not a loopback address, any IP address in `Host` counts
            as the run's own: the address that other machines use (that of a container's host, for instance) is not
            known here, and DNS rebinding needs a name.
        title: the API's name in messages.
    """
    hosts = _values(scope, b"host")
    own = scope["server"] or ("", 0)
    if len(hosts) != 1 or not _is_own(scope["scheme"], hosts[0], bound, own[1] or 0):
        return (
            f"{title} was called as {_format_values(hosts)}, which is not a name of this local run. "
            f"Call it as 127.0.0.1:{own[1]} or localhost:{own[1]}, or with such a Host header."
        )
    origins = [
        value for value in _values(scope, b"origin") if value.lower() != f"{scope['scheme']}://{hosts[0]}".lower()
    ]
    if origins:
        return f"{title} was called by a page of another origin ({_format_values(origins)}). {_ADVICE}"
    sites = [site for site in _values(scope, b"sec-fetch-site") if site not in ("same-origin", "none")]
    if sites:
        return f"{title} was called by a page of another origin (Sec-Fetch-Site: {_format_values(sites)}). {_ADVICE}"
    return ""


def refusal_of_runtime_call(scope: HTTPScope, address: str) -> str:
    """Return why a request may not call the Runtime API; empty if it may.

    Args:
        scope: the request.
        address: `host:port` of the Runtime API, which the bootstrap sends as `Host`.
    """
    hosts = _values(scope, b"host")
    if hosts != [address]:
        return f"The Runtime API was called as {_format_values(hosts)}, but it is {address}."
    if any(name == b"origin" or name.startswith(b"sec-fetch-") for name, _ in scope["headers"]):
        return "The Runtime API was called by a page in a browser; it is for the environment's own processes only."
    return ""


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server on this host."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _is_own(scheme: str, host: str, bound: str, own_port: int) -> bool:
    name, port = _split(host.lower(), _DEFAULT_PORTS[scheme])
    if is_loopback(bound):
        return name in (*_LOOPBACK, bound.lower()) and port == own_port
    return name in ("localhost", bound.lower()) or _is_address(name)


def _split(host: str, default_port: int) -> tuple[str, int]:
    """Return the name and the port in a `Host` header; an invalid port becomes -1."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host, str(default_port)
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else -1
    return name.removeprefix("[").removesuffix("]"), number


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _values(scope: HTTPScope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _format_values(values: list[str]) -> str:
    return " and ".join(map(ascii, values)) or "nothing (no Host)"
