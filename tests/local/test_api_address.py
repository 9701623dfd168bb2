"""The local API Gateway's stages, base paths and custom domains, and what the adapter makes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from local.asking import request

from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.http.messages import Request as AppRequest
from lambda_web_adapter.local.gateways import GatewayOptions, build_gateway
from lambda_web_adapter.settings import Settings

STAGE = GatewayOptions(stage="prod")
BASE_PATH = GatewayOptions(base_path="/shop")
DOMAIN = GatewayOptions(custom_domain="api.example.com")

every_api = pytest.mark.parametrize("name", ["rest-api", "http-api-v1", "http-api-v2"])


def event(name: str, options: GatewayOptions, raw_path: str = "/", host: str = "127.0.0.1:8000") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        build_gateway(name, options).event(request(raw_path=raw_path, headers=[("host", host)])).to_json()
    )
    return found


def app_request(found: dict[str, Any], **variables: str) -> AppRequest:
    settings = Settings.from_environ(variables)
    return build_request(find_source(found, settings), found, settings, b"")


def host_of(found: dict[str, Any]) -> str:
    headers: dict[str, str] = found["headers"]
    return next(value for name, value in headers.items() if name.lower() == "host")


def test_a_rest_api_has_the_stage_in_the_context_only() -> None:
    found = event("rest-api", STAGE, "/prod/a%2Fb/")

    context = found["requestContext"]
    assert (found["path"], found["pathParameters"]) == ("/a%2Fb/", {"proxy": "a%2Fb/"})
    assert (context["path"], context["stage"]) == ("/prod/a%2Fb/", "prod")
    assert context["domainName"] == "local.execute-api.us-east-1.amazonaws.com"


@pytest.mark.parametrize(("name", "key"), [("http-api-v1", "path"), ("http-api-v2", "rawPath")])
def test_an_http_api_has_the_stage_in_its_path(name: str, key: str) -> None:
    found = event(name, STAGE, "/prod/a/")

    assert (found[key], found["requestContext"]["stage"]) == ("/prod/a/", "prod")


@every_api
@pytest.mark.parametrize(
    ("raw_path", "path"),
    [
        pytest.param("/prod/a/", "/a/", id="below the stage"),
        pytest.param("/prod", "/", id="the stage alone"),
        pytest.param("/prod/", "/", id="the stage with a slash"),
        pytest.param("/prod/prod/a", "/prod/a", id="a route named like the stage"),
        pytest.param("/prod//a", "//a", id="an empty segment"),
    ],
)
def test_the_app_gets_the_path_without_the_stage_and_the_stage_as_prefix(name: str, raw_path: str, path: str) -> None:
    found = app_request(event(name, STAGE, raw_path))

    assert (found.path, found.prefix) == (path, "/prod")
    assert dict(found.headers)["host" if name == "http-api-v2" else "Host"] == "127.0.0.1:8000"


@pytest.mark.parametrize("name", ["http-api-v1", "http-api-v2"])
def test_the_default_stage_is_in_no_path(name: str) -> None:
    options = GatewayOptions(stage="$default")

    assert event(name, options, "/prod/a") == event(name, GatewayOptions(), "/prod/a")
    assert build_gateway(name, options).prefix == ""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("rest-api", (403, b'{"message":"Forbidden"}'), id="REST API"),
        pytest.param("http-api-v1", (404, b'{"message":"Not Found"}'), id="HTTP API 1.0"),
        pytest.param("http-api-v2", (404, b'{"message":"Not Found"}'), id="HTTP API 2.0"),
    ],
)
@pytest.mark.parametrize(
    ("options", "what"),
    [pytest.param(STAGE, "stage /prod", id="stage"), pytest.param(BASE_PATH, "base path /shop", id="base path")],
)
def test_a_path_beside_the_prefix_does_not_reach_the_function(
    name: str, expected: tuple[int, bytes], options: GatewayOptions, what: str
) -> None:
    own = build_gateway(name, options).own_response(request(raw_path="/produce"))

    assert own is not None
    assert (own.response.status, own.response.body) == expected
    assert own.reason.startswith(f"URLs begin with the {what}, as on AWS; call ")


@every_api
def test_a_path_below_the_prefix_reaches_the_function(name: str) -> None:
    assert build_gateway(name, STAGE).own_response(request(raw_path="/prod")) is None
    assert build_gateway(name, BASE_PATH).own_response(request(raw_path="/shop/a")) is None
    assert build_gateway(name, GatewayOptions()).own_response(request(raw_path="/a")) is None


@every_api
def test_a_base_path_stays_in_the_path_unless_the_app_is_set_to_remove_it(name: str) -> None:
    found = event(name, BASE_PATH, "/shop/a")

    assert (app_request(found).path, app_request(found).prefix) == ("/shop/a", "")
    removed = app_request(found, AWS_LWA_REMOVE_BASE_PATH="/shop")
    assert (removed.path, removed.prefix) == ("/a", "/shop")
    assert found["requestContext"]["domainName"] == "local.example.com"
    assert host_of(found) == "127.0.0.1:8000"


@every_api
def test_a_custom_domain_is_the_host_and_has_no_stage_in_its_paths(name: str) -> None:
    found = event(name, GatewayOptions(custom_domain="api.example.com", stage="live"), "/a")

    context = found["requestContext"]
    assert (context["domainName"], context["domainPrefix"], context["stage"]) == ("api.example.com", "api", "live")
    assert host_of(found) == "api.example.com"
    assert (app_request(found).path, app_request(found).prefix) == ("/a", "")


@every_api
def test_a_client_that_uses_the_custom_domain_keeps_its_port(name: str) -> None:
    """So the links that the app makes lead back to the local run."""
    assert host_of(event(name, DOMAIN, host="API.example.com:8000")) == "API.example.com:8000"
