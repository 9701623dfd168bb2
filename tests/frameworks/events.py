"""One GET of /hello/world?x=1 as each kind of path has it."""

from __future__ import annotations

from typing import Any


def _rest(path: str, full: str, host: str) -> dict[str, Any]:
    context = {"path": full, "stage": "prod", "domainName": host, "identity": {"sourceIp": "203.0.113.7"}}
    return {
        "resource": "/{proxy+}",
        "httpMethod": "GET",
        "path": path,
        "headers": {"host": host},
        "multiValueHeaders": {"host": [host]},
        "queryStringParameters": {"x": "1"},
        "multiValueQueryStringParameters": {"x": ["1"]},
        "requestContext": context,
        "body": None,
        "isBase64Encoded": False,
    }


def _http(path: str, stage: str, host: str) -> dict[str, Any]:
    http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "test"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "x=1",
        "headers": {"host": host},
        "requestContext": {"http": http, "stage": stage, "domainName": host, "domainPrefix": host.partition(".")[0]},
        "isBase64Encoded": False,
    }


API = "abc123.execute-api.eu-west-1.amazonaws.com"
COLUMNS = {
    "function URL": _http("/hello/world", "$default", "abc123.lambda-url.eu-west-1.on.aws"),
    "REST API's stage": _rest("/hello/world", "/prod/hello/world", API),
    "HTTP API's named stage": _http("/prod/hello/world", "prod", API),
    "base path": _rest("/base/hello/world", "/base/hello/world", "shop.example"),
}
