"""Time the pure parts of an invocation, each alone: `python benchmarks/translation.py`.

Everything but the sockets: read the event, find its source, build the request, build the reply.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import orjson

from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.events.reading import read_event
from lambda_web_adapter.http.headers import build_request_head, end_to_end
from lambda_web_adapter.http.messages import Invocation, Response
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 20_000
EVENT = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/hello",
    "rawQueryString": "name=world&x=1",
    "cookies": ["a=1", "b=2"],
    "headers": {
        "accept": "*/*",
        "host": "abc123.lambda-url.us-east-1.on.aws",
        "user-agent": "curl/8.5.0",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    },
    "requestContext": {
        "domainName": "abc123.lambda-url.us-east-1.on.aws",
        "http": {"method": "GET", "path": "/hello", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
        "stage": "$default",
    },
    "isBase64Encoded": False,
}


def timed(name: str, work: Callable[[], object]) -> float:
    """Print and return the mean time of a call, in microseconds."""
    for _ in range(ROUNDS // 10):
        work()
    started_at = time.perf_counter()
    for _ in range(ROUNDS):
        work()
    duration = (time.perf_counter() - started_at) / ROUNDS * 1e6
    print(f"{name:20}{duration:8.2f} µs")
    return duration


def main() -> None:
    """Print the time of each part and their sum."""
    settings = Settings()
    raw = orjson.dumps(EVENT)
    invocation = Invocation(request_id="1", event=raw, trace_id="Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
    event = read_event(raw)
    source = find_source(event)
    request = build_request(source, event, settings, raw)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"17")]
    response = Response(status=200, headers=headers, body=b'{"hello":"world"}')
    total = sum(
        [
            timed("read the event", lambda: read_event(raw)),
            timed("find its source", lambda: find_source(event)),
            timed("build the request", lambda: build_request(source, event, settings, raw)),
            timed("build its head", lambda: build_request_head(request, invocation)),
            timed("clean the response", lambda: end_to_end(response, "GET")),
            timed("build the reply", lambda: source.build_reply(response, event)),
        ]
    )
    print(f"{'together':20}{total:8.2f} µs")


if __name__ == "__main__":
    main()
