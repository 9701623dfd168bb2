"""One GET with ?x=1 as each kind of path has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def _rest(path: str, full: str, host: str) -> dict[str, Any]:
    context = {"path": full, "stage": "prod", "domainName": host, "identity": {"sourceIp": "203.0.113.7"}}
    return {
        "resource": "/{proxy+}",
        "httpMethod": "GET",
        "path": path,
        "headers": {"host": host, "accept": "*/*"},
        "multiValueHeaders": {"host": [host], "accept": ["*/*"]},
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
        "headers": {"host": host, "accept": "*/*"},
        "requestContext": {"http": http, "stage": stage, "domainName": host, "domainPrefix": host.partition(".")[0]},
        "isBase64Encoded": False,
    }


API = "abc123.execute-api.eu-west-1.amazonaws.com"
SHOP = "shop.example"
# The event for a path of the app, and the prefix that the path has for clients.
COLUMNS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "function URL": ("", lambda path: _http(path, "$default", "abc123.lambda-url.eu-west-1.on.aws")),
    "REST API's stage": ("/prod", lambda path: _rest(path, f"/prod{path}", API)),
    "HTTP API's named stage": ("/prod", lambda path: _http(f"/prod{path}", "prod", API)),
    "base path": ("/base", lambda path: _rest(f"/base{path}", f"/base{path}", SHOP)),
}
