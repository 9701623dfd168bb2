"""What the event says of where a request came from, read from the headers that the adapter sends with it.

The server itself sees only the loopback hop. Whose headers are believed is said in `trusted_headers`.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_HOST = 262  # bytes: a name (RFC 1035 §2.3.4), and `:65535`
_LONGEST_PORT = 6  # bytes of what is looked at: one more than a port has


class ClientInfo:
    """Where a request came from, and what it was sent to.

    Attributes:
        client: the caller's address, or empty when the event has none.
        scheme: `http` or `https`.
        host: the name in the Host header, without the port; an IPv6 address without brackets.
        port: the port that the caller used.
        prefix: the removed part of the path, decoded; empty or beginning with a slash.
        raw_prefix: the same, percent-encoded.
    """

    __slots__ = ("client", "host", "port", "prefix", "raw_prefix", "scheme")

    def __init__(self, headers: Mapping[bytes, bytes]) -> None:
        """Reads the headers.

        Args:
            headers: value by name in lower case.
        """
        get = headers.get
        self.client = get(b"x-real-ip", b"").decode("latin-1")
        self.raw_prefix = get(b"x-forwarded-prefix", b"")
        self.prefix = unquote(self.raw_prefix.decode("latin-1")) if self.raw_prefix else ""
        host = get(b"host", b"localhost")
        # Clients can make names up, also long ones.
        server = _server if len(host) <= _LONGEST_HOST else _server.__wrapped__
        is_https = get(b"x-forwarded-proto") == b"https"
        self.scheme, self.host, self.port = server(is_https, host, get(b"x-forwarded-port", b"")[:_LONGEST_PORT])


@lru_cache(maxsize=64)  # a function has few names
def _server(is_https: bool, host: bytes, forwarded_port: bytes) -> tuple[str, str, int]:
    scheme = "https" if is_https else "http"
    name, port = _split(host.decode("latin-1"))
    return scheme, name, _port(port) or _port(forwarded_port.decode("latin-1")) or _DEFAULT_PORTS[scheme]


def _split(host: str) -> tuple[str, str]:
    """Splits a Host header into name and port (RFC 9110 §7.2)."""
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        return name or "localhost", rest.removeprefix(":")
    name, _, port = host.partition(":")
    return name or "localhost", port


def _port(text: str) -> int:
    """Reads a port; 0 when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536 else 0
