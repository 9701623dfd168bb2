"""What an app reads of a request's bytes, and what it ought to read: written down here apart from the package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import h11

if TYPE_CHECKING:
    from conformance.cells import Facts
    from lambda_web_adapter.http.messages import Request

# RFC 9110 §7.6.1, RFC 2616 §13.5.1; and what is said anew, or only waited for, on the way to the app.
_LEFT_BEHIND = {
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
# What the app takes the adapter's word for, so that no client's may pass for it.
_NOT_THE_CLIENTS = {
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
_WITH_LENGTH = {"POST", "PUT", "PATCH"}  # RFC 9110 §8.6


@dataclass(frozen=True, kw_only=True)
class Read:
    """A request as an app reads it: header names in lower case, their values in order."""

    method: str
    target: str
    headers: dict[str, list[str]]
    body: bytes

    def fact(self, name: str) -> Any:
        """One fact: a header's values, by its name in lower case, or one of the words below."""
        path, _, query = self.target.partition("?")
        known = {
            "method": self.method,
            "target": self.target,
            "path": unquote(path),  # decoded once, as a server does
            "raw_path": path,
            "query": parse_qsl(query, keep_blank_values=True),
            "raw_query": query,
            "body": self.body,
        }
        return known[name] if name in known else self.headers.get(name, [])

    def facts(self, wanted: Facts) -> dict[str, Any]:
        """Those facts that are wanted."""
        return {name: self.fact(name) for name in wanted}


def read(data: bytes) -> Read:
    """Reads bytes that are one request and nothing more, as a server does."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    request = server.next_event()
    assert isinstance(request, h11.Request)
    body = b""
    while isinstance(event := server.next_event(), h11.Data):
        body += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert server.trailing_data == (b"", False)
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        headers.setdefault(name.decode(), []).append(value.decode())
    return Read(method=request.method.decode(), target=request.target.decode(), headers=headers, body=body)


def expected(request: Request) -> Read:
    """What an app ought to read of a fixture's request, by the rules that hold for every source."""
    sent: dict[str, list[str]] = {}
    for name, value in request.headers:
        sent.setdefault(name.lower(), []).append(value)
    options = {option.strip() for value in sent.get("connection", []) for option in value.lower().split(",")}
    never = _LEFT_BEHIND | _NOT_THE_CLIENTS | options
    # CGI's variables know no difference between `-` and `_` (RFC 3875 §4.1.18).
    headers = {name: values for name, values in sent.items() if name.replace("_", "-") not in never}
    if "cookie" in headers:
        headers["cookie"] = ["; ".join(headers["cookie"])]  # RFC 9113 §8.2.3
    told = {
        "host": sent.get("host", [request.host or "localhost"])[0],
        "x-forwarded-proto": sent.get("x-forwarded-proto", ["https"])[0],
        "x-forwarded-port": sent.get("x-forwarded-port", ["443"])[0],
        "x-real-ip": request.client,
        "x-forwarded-prefix": request.prefix,
        "content-length": str(len(request.body)) if request.body or request.method in _WITH_LENGTH else "",
        **dict(request.reserved_headers),
    }
    headers |= {name: [value] for name, value in told.items() if value}
    target = f"{request.path}?{request.query}" if request.query else request.path
    return Read(method=request.method, target=target, headers=headers, body=request.body)
