"""Events as the services send them, cut down to what decides how they are read."""

import base64
from typing import Any

API_HOST = "seeds.execute-api.eu-central-1.amazonaws.com"
URL_HOST = "seeds.lambda-url.eu-central-1.on.aws"
ALB_HOST = "seeds.eu-central-1.elb.amazonaws.com"
TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/seeds/0123456789abcdef"


def payload_2(host: str, method: str, path: str, body: str | bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    binary = isinstance(body, bytes)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": host, "x-forwarded-proto": "https", "x-forwarded-port": "443", **headers},
        "requestContext": {
            "domainName": host,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
            "stage": "$default",
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": binary,
    }


def function_url(method: str, path: str, body: str | bytes | None = None, **headers: str) -> dict[str, Any]:
    return payload_2(URL_HOST, method, path, body, named(headers))


def http_api(method: str, path: str, body: str | bytes | None = None, **headers: str) -> dict[str, Any]:
    return payload_2(API_HOST, method, path, body, named(headers))


def rest_api(method: str, path: str, query: dict[str, str] | None = None) -> dict[str, Any]:
    """A call to the API's own host, where the stage is part of the path that the client asked for."""
    headers = {"Host": API_HOST, "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": query and {name: [value] for name, value in query.items()},
        "requestContext": {
            "domainName": API_HOST,
            "path": "/prod" + path,
            "stage": "prod",
            "identity": {"sourceIp": "203.0.113.7"},
        },
        "body": None,
        "isBase64Encoded": False,
    }


def load_balancer(method: str, path: str, *, multi_value: bool = False) -> dict[str, Any]:
    headers = {"host": ALB_HOST, "x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
    event: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": TARGET_GROUP}},
        "httpMethod": method,
        "path": path,
        "body": "",
        "isBase64Encoded": False,
    }
    if multi_value:
        several = {name: [value] for name, value in headers.items()}
        return event | {"multiValueHeaders": several, "multiValueQueryStringParameters": {}}
    return event | {"headers": headers, "queryStringParameters": {}}


def queue(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"message-{number}", "eventSource": "aws:sqs", "body": body}
            for number, body in enumerate(bodies, 1)
        ]
    }


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
