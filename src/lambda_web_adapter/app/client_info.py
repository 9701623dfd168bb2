"""The client of a request, read from the headers in which the adapter passes on what the event says about it.

The server itself sees only the adapter on loopback. `http/trusted_headers.py` decides which headers count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from lambda_web_adapter.http.name_cache import NameCache
from lambda_web_adapter.http.trusted_headers import trusted_client_headers

if TYPE_CHECKING:
    Pairs = list[tuple[bytes, bytes]]

_DEFAULT_PORTS = {"http": 80, "https": 443}


class ClientInfo:
    """The client's address, and the parts of the URL that it called.

    Attributes:
        client: the client's IP address; empty if the event has none.
        scheme: `http` or `https`.
        host: the name in the Host header, without the port; an IPv6 address without brackets.
        port: the port that the client used.
        prefix: the removed part of the path, decoded; empty, or with a leading slash.
        raw_prefix: the same, percent-encoded.
    """

    __slots__ = ("client", "host", "port", "prefix", "raw_prefix", "scheme")

    def __init__(self, headers: Pairs, *, from_adapter: bool) -> None:
        """Read the headers.

        Args:
            headers: names in lower case, with their values.
            from_adapter: whether the adapter sent them.
        """
        get = dict(headers if from_adapter else trusted_client_headers(headers)).get
        self.client = get(b"x-real-ip", b"").decode("latin-1")
        self.raw_prefix = get(b"x-forwarded-prefix", b"")
        self.prefix = unquote(self.raw_prefix.decode("latin-1")) if self.raw_prefix else ""
        values = get(b"x-forwarded-proto", b""), get(b"x-forwarded-port", b""), get(b"host", b"localhost")
        self.scheme, self.host, self.port = _SERVERS[b"\n".join(values)]


def _parse_server(key: bytes) -> tuple[str, str, int]:
    """Return scheme, name and port; the key has the forwarded scheme and port and the Host header as lines."""
    proto, forwarded_port, host = key.decode("latin-1").split("\n", 2)
    scheme = "https" if proto == "https" else "http"
    name, port = _split_host(host)
    return scheme, name, _parse_port(port) or _parse_port(forwarded_port) or _DEFAULT_PORTS[scheme]


_SERVERS: NameCache[bytes, tuple[str, str, int]] = NameCache(_parse_server)


def _split_host(host: str) -> tuple[str, str]:
    """Return name and port of a Host header (RFC 9110 §7.2)."""
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        return name or "localhost", rest.removeprefix(":")
    name, _, port = host.partition(":")
    return name or "localhost", port


def _parse_port(text: str) -> int:
    """Return the port as a number; 0 if it is invalid."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536 else 0
