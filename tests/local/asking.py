"""What the tests of the gateways ask with: a request, and an event as the function gets it."""

from __future__ import annotations

import json
from typing import Any

from lambda_web_adapter.local.gateways import GATEWAYS, Request

TIME_MS = 1772366400123
TIME = "01/Mar/2026:12:00:00 +0000"
TRACE = "1-69a42b50-0123456789abcdef01234567"
ID = "11111111-2222-4333-8444-555555555555"


def request(
    method: str = "GET",
    raw_path: str = "/",
    query: str = "",
    headers: list[tuple[str, str]] | None = None,
    body: bytes = b"",
) -> Request:
    return Request(
        method=method,
        raw_path=raw_path,
        query=query,
        headers=headers or [],
        body=body,
        source_ip="203.0.113.7",
        port=8000,
        request_id=ID,
        trace_id=TRACE,
        time_ms=TIME_MS,
    )


def event(name: str, given: Request) -> dict[str, Any]:
    """What the gateway of this name sends for a request, read from JSON."""
    found: dict[str, Any] = json.loads(GATEWAYS[name].event(given).to_json())
    return found


# A request with something of everything, and as many lines of it as there can be.
FULL = request(
    "POST",
    "/caf%C3%A9/a%2Fb/",
    "tag=red&page=2&tag=a%2Bb+c&empty=&bare",
    [
        ("host", "localhost:8000"),
        ("user-agent", "curl/8"),
        ("X-Tag", "one"),
        ("x-tag", "two"),
        ("cookie", "a=1; b=2"),
        ("cookie", "c=3"),
        ("content-type", "application/json"),
        ("content-length", "7"),
        ("connection", "keep-alive"),
        ("x-forwarded-for", "198.51.100.66"),
    ],
    b'{"a":1}',
)
