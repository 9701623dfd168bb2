"""The events that benchmarks send: those of a function URL."""

from __future__ import annotations

import base64
import json


def build_event(path: str, query: str = "name=lambda", body: bytes | None = None) -> bytes:
    """Return the event for a GET, or for a POST if there is a body."""
    headers = {
        "accept": "application/json",
        "host": "id.lambda-url.us-east-1.on.aws",
        "user-agent": "benchmark/1.0",
        "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    http = {
        "method": "GET",
        "path": path,
        "protocol": "HTTP/1.1",
        "sourceIp": "203.0.113.7",
        "userAgent": "benchmark/1.0",
    }
    event: dict[str, object] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "queryStringParameters": dict(pair.split("=", 1) for pair in query.split("&") if pair),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "id",
            "domainName": "id.lambda-url.us-east-1.on.aws",
            "domainPrefix": "id",
            "http": http,
            "requestId": "request",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1773342238000,
        },
        "isBase64Encoded": body is not None,
    }
    if body is not None:
        http["method"] = "POST"
        headers |= {"content-type": "application/octet-stream", "content-length": str(len(body))}
        event["body"] = base64.b64encode(body).decode()
    return json.dumps(event).encode()
