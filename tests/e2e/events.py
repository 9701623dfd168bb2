"""Events as the services send them, for one request that is the same for all of them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

API_HOST = "abc123.execute-api.eu-central-1.amazonaws.com"
URL_HOST = "abc123.lambda-url.eu-central-1.on.aws"
ALB_HOST = "things.eu-central-1.elb.amazonaws.com"
TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/things/0123456789abcdef"
CLIENT = "203.0.113.7"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a client sends: the path percent-encoded, the query of values that need no escape."""

    method: str = "GET"
    path: str = "/"
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    body: str | bytes | None = None

    def at(self, host: str) -> dict[str, str]:
        """The headers as a gateway passes them on."""
        named = {"host": host, "x-forwarded-for": CLIENT, "x-forwarded-proto": "https", "x-forwarded-port": "443"}
        return {**named, **self.headers, **({"cookie": "; ".join(self.cookies)} if self.cookies else {})}

    @property
    def content(self) -> dict[str, Any]:
        if isinstance(self.body, bytes):
            return {"body": base64.b64encode(self.body).decode(), "isBase64Encoded": True}
        return {"body": self.body, "isBase64Encoded": False}

    @property
    def last_values(self) -> dict[str, str] | None:
        return {name: values[-1] for name, values in self.query.items()} or None


def rest_api(request: Request) -> dict[str, Any]:
    """API Gateway, REST API, called by its own host name, which has the stage in the path."""
    headers = request.at(API_HOST)
    return {
        "resource": "/{proxy+}",
        "path": request.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": request.last_values,
        "multiValueQueryStringParameters": request.query or None,
        "pathParameters": {"proxy": request.path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "domainName": API_HOST,
            "httpMethod": request.method,
            "identity": {"sourceIp": CLIENT, "userAgent": "test"},
            "path": f"/prod{request.path}",
            "requestId": "5e63-0001",
            "resourcePath": "/{proxy+}",
            "stage": "prod",
        },
        **request.content,
    }


def http_api_1(request: Request) -> dict[str, Any]:
    """API Gateway, HTTP API with payload format 1.0, on the stage $default."""
    event = rest_api(request)
    event["requestContext"] |= {"path": request.path, "stage": "$default"}
    return {"version": "1.0", **event}


def payload_2(host: str, request: Request) -> dict[str, Any]:
    headers = request.at(host)
    headers.pop("cookie", None)
    query = "&".join(f"{name}={value}" for name, values in request.query.items() for value in values)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": query,
        **({"cookies": request.cookies} if request.cookies else {}),
        "headers": headers,
        **({"queryStringParameters": {k: ",".join(v) for k, v in request.query.items()}} if request.query else {}),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "domainName": host,
            "domainPrefix": "abc123",
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": CLIENT,
                "userAgent": "test",
            },
            "requestId": "5e63-0002",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795348800000,
        },
        **request.content,
    }


def http_api_2(request: Request) -> dict[str, Any]:
    """API Gateway, HTTP API with payload format 2.0, whose path comes decoded."""
    return payload_2(API_HOST, replace(request, path=unquote(request.path)))


def function_url(request: Request) -> dict[str, Any]:
    """A function URL."""
    return payload_2(URL_HOST, request)


def alb(request: Request) -> dict[str, Any]:
    """A load balancer's target group, with one value for each header."""
    return {
        "requestContext": {"elb": {"targetGroupArn": TARGET_GROUP}},
        "httpMethod": request.method,
        "path": request.path,
        "queryStringParameters": request.last_values or {},
        "headers": request.at(ALB_HOST),
        **request.content,
        "body": request.content["body"] or "",
    }


def alb_multi(request: Request) -> dict[str, Any]:
    """A load balancer's target group with multi-value headers."""
    event = alb(request)
    del event["queryStringParameters"]
    headers = event.pop("headers")
    return event | {
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "multiValueQueryStringParameters": request.query,
    }


def sqs(*bodies: str) -> dict[str, Any]:
    """A batch of a queue."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "abc",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:things",
                "awsRegion": "eu-central-1",
            }
            for number, body in enumerate(bodies, 1)
        ]
    }


HTTP_SOURCES: dict[str, Callable[[Request], dict[str, Any]]] = {
    "rest-api": rest_api,
    "http-api-1.0": http_api_1,
    "http-api-2.0": http_api_2,
    "function-url": function_url,
    "alb": alb,
    "alb-multi": alb_multi,
}
