"""Samples of HTTP requests, built by the local run's gateways, and of the authorizers that are asked before them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.local.sample_events.base import ANY_REQUEST, CLIENT_ADDRESS, REGION, SampleEvent, arn

if TYPE_CHECKING:
    from lambda_web_adapter.local.sample_events.base import Occasion, SampleRequest

# By gateway: a line about it, and the host name that a client of it calls.
_GATEWAYS = {
    "function-url": ("a request to a function URL", f"local.lambda-url.{REGION}.on.aws"),
    "http-api-v2": ("a request to an HTTP API, payload 2.0", f"local.execute-api.{REGION}.amazonaws.com"),
    "http-api-v1": ("a request to an HTTP API, payload 1.0", f"local.execute-api.{REGION}.amazonaws.com"),
    "rest-api": ("a request to a REST API", "local.example.com"),
    "alb": ("a request to a load balancer", f"local-1234567890.{REGION}.elb.amazonaws.com"),
    "alb-multi": (
        "a request to a load balancer with multi-value headers",
        f"local-1234567890.{REGION}.elb.amazonaws.com",
    ),
    "vpc-lattice-v1": (
        "a request to VPC Lattice, event version 1",
        f"local-0123456789abcdef0.7d67968.vpc-lattice-svcs.{REGION}.on.aws",
    ),
    "vpc-lattice-v2": (
        "a request to VPC Lattice, event version 2",
        f"local-0123456789abcdef0.7d67968.vpc-lattice-svcs.{REGION}.on.aws",
    ),
}
_TOKEN = "Bearer a-token"  # noqa: S105  # made up
_HTTPS_PORT = 443


def build_http_event(gateway: str, occasion: Occasion) -> dict[str, Any]:
    """Return the event that a gateway sends for the request, which came by HTTPS."""
    from lambda_web_adapter.local.gateways import GATEWAYS, Request  # imports pydantic, which other events do not need

    sample = occasion.request
    request = Request(
        method=sample.method,
        raw_path=sample.path,
        query=sample.query,
        headers=_headers(sample, _GATEWAYS[gateway][1]),
        body=sample.body,
        source_ip=CLIENT_ADDRESS,
        port=_HTTPS_PORT,
        request_id=occasion.uuid(),
        time_ms=occasion.time_ms,
    )
    event: dict[str, Any] = json.loads(GATEWAYS[gateway].event(request).to_json())
    maps: list[dict[str, Any]] = [event.get("headers") or {}, event.get("multiValueHeaders") or {}]
    for headers in maps:
        for name in headers:
            if name.lower() == "x-forwarded-proto":  # the gateways of the local run have no TLS
                headers[name] = ["https"] if isinstance(headers[name], list) else "https"
    return event


def _headers(sample: SampleRequest, host: str) -> list[tuple[str, str]]:
    """Return the headers that clients send with each request, replaced and followed by those of the sample."""
    headers = {"host": host, "accept": "*/*", "user-agent": "curl/8.7.1"}
    if sample.body:
        headers["content-type"] = _content_type(sample.body)
    for name, _ in sample.headers:
        headers.pop(name.lower(), None)
    return [*headers.items(), *sample.headers]


def _content_type(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    try:
        json.loads(text)
    except ValueError:
        return "text/plain"
    return "application/json"


def _by_token(occasion: Occasion) -> dict[str, Any]:
    return {"type": "TOKEN", "methodArn": _method_arn(occasion), "authorizationToken": _TOKEN}


def _by_request(occasion: Occasion) -> dict[str, Any]:
    """The authorizer of a REST API gets no body."""
    event = build_http_event("rest-api", occasion)
    event.pop("body", None)
    del event["isBase64Encoded"]
    return {"type": "REQUEST", "methodArn": _method_arn(occasion), **_with_token(event, "Authorization")}


def _by_http_api(occasion: Occasion) -> dict[str, Any]:
    event = _with_token(build_http_event("http-api-v2", occasion), "authorization")
    event.pop("body", None)
    del event["isBase64Encoded"]
    route = {
        "version": event.pop("version"),
        "type": "REQUEST",
        "routeArn": f"{_api_arn('$default')}/{occasion.request.method}{occasion.request.path}",
        "identitySource": [event["headers"]["authorization"]],
    }
    return {**route, **event}


def _with_token(event: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the event with a token, unless the request has one."""
    if any(key.lower() == "authorization" for key in event["headers"]):
        return event
    event["headers"][name] = _TOKEN
    if "multiValueHeaders" in event:
        event["multiValueHeaders"][name] = [_TOKEN]
    return event


def _method_arn(occasion: Occasion) -> str:
    return f"{_api_arn('prod')}/{occasion.request.method}{occasion.request.path}"


def _api_arn(stage: str) -> str:
    return arn("execute-api", f"local/{stage}")


_ABOUT_A_REQUEST = ANY_REQUEST - {"body"}
SAMPLES = (
    *(
        SampleEvent(
            name=name,
            title=title,
            build=partial(build_http_event, name),
            source=name.removesuffix("-multi"),
            parts=ANY_REQUEST,
        )
        for name, (title, _) in _GATEWAYS.items()
    ),
    SampleEvent(
        name="authorizer-token",
        title="an authorizer of a REST API, by token",
        build=_by_token,
        source="authorizer",
        parts=frozenset({"method", "path"}),
    ),
    SampleEvent(
        name="authorizer-request",
        title="an authorizer of a REST API, by request",
        build=_by_request,
        source="authorizer",
        parts=_ABOUT_A_REQUEST,
    ),
    SampleEvent(
        name="authorizer-http-api",
        title="an authorizer of an HTTP API, payload 2.0",
        build=_by_http_api,
        source="authorizer",
        parts=_ABOUT_A_REQUEST,
    ),
)
