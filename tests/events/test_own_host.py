"""API Gateway's own host name, which decides on the stage, where the context does not name it."""

from typing import Any

import pytest
from fixtures.loading import fixture

from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.settings import Settings

OWN = "a1b2c3.execute-api.eu-central-1.amazonaws.com"
MISSING: list[dict[str, Any]] = [{}, {"domainName": None}, {"domainName": ""}]
no_domain = pytest.mark.parametrize("domain", MISSING, ids=["missing", "null", "empty"])


def event_of(folder: str, path: str, context: dict[str, Any], headers: dict[str, Any]) -> dict[str, Any]:
    event = fixture(folder, "simple").event
    kept = {name: value for name, value in event["requestContext"].items() if name not in ("domainName", "path")}
    return {**event, "rawPath": path, "path": path, "requestContext": {**kept, **context}, **headers}


def prefix_and_path(event: dict[str, Any], **variables: str) -> tuple[str, str]:
    settings = Settings.from_environ(variables)
    request = build_request(find_source(event, settings), event, settings, b"")
    return request.prefix, request.path


HOSTS = [
    pytest.param({"headers": {"host": OWN}, "multiValueHeaders": None}, id="a header"),
    pytest.param(
        {"headers": {"Host": OWN.upper() + ":443"}, "multiValueHeaders": {}}, id="in another case, with a port"
    ),
    pytest.param({"headers": None, "multiValueHeaders": {"HOST": [OWN]}}, id="a header of several values"),
]


@no_domain
@pytest.mark.parametrize("headers", HOSTS)
def test_a_rest_api_s_stage_is_known_by_the_host(domain: dict[str, Any], headers: dict[str, Any]) -> None:
    event = event_of("rest_api", "/seeds", {"stage": "prod", "path": "/prod/seeds", **domain}, headers)

    assert prefix_and_path(event) == ("/prod", "/seeds")


@no_domain
@pytest.mark.parametrize("path", [{}, {"path": None}, {"path": ""}], ids=["missing", "null", "empty"])
def test_a_rest_api_s_prefix_is_its_stage_where_the_context_has_no_path(
    domain: dict[str, Any], path: dict[str, Any]
) -> None:
    event = event_of("rest_api", "/seeds", {"stage": "prod", **domain, **path}, {"headers": {"Host": OWN}})
    event.pop("multiValueHeaders")

    assert prefix_and_path(event) == ("/prod", "/seeds")


@no_domain
@pytest.mark.parametrize("headers", HOSTS)
def test_payload_1_s_stage_is_removed_by_the_host(domain: dict[str, Any], headers: dict[str, Any]) -> None:
    event = event_of("http_api_v1", "/prod/seeds", {"stage": "prod", **domain}, headers)

    assert prefix_and_path(event) == ("/prod", "/seeds")


@no_domain
@pytest.mark.parametrize("headers", HOSTS[:2])
def test_payload_2_s_stage_is_removed_by_the_host(domain: dict[str, Any], headers: dict[str, Any]) -> None:
    event = event_of("http_api_v2", "/prod/seeds", {"stage": "prod", **domain}, headers)

    assert prefix_and_path(event) == ("/prod", "/seeds")


@no_domain
def test_a_websocket_s_address_has_the_stage_by_the_host(domain: dict[str, Any]) -> None:
    event = event_of(
        "websocket", "", {"stage": "prod", **domain}, {"headers": {"Host": OWN}, "multiValueHeaders": None}
    )

    assert prefix_and_path(event, AWS_LWA_WEBSOCKET_PATH="/ws")[0] == "/prod"


@pytest.mark.parametrize("folder", ["rest_api", "http_api_v1", "http_api_v2"])
@pytest.mark.parametrize(
    ("domain", "host"),
    [
        pytest.param({"domainName": "shop.example"}, OWN, id="a domain of its own, whatever the host"),
        pytest.param({}, "shop.example", id="another host"),
        pytest.param({}, "execute-api.example", id="a host that only begins like it"),
        pytest.param({}, None, id="no host"),
    ],
)
def test_otherwise_the_path_is_the_app_s(folder: str, domain: dict[str, Any], host: str | None) -> None:
    headers = {"headers": {"Host": host} if host else None, "multiValueHeaders": None}
    event = event_of(folder, "/prod/seeds", {"stage": "prod", "path": "/prod/seeds", **domain}, headers)

    assert prefix_and_path(event) == ("", "/prod/seeds")


@pytest.mark.parametrize(("remove", "expected"), [("never", ("", "/prod/seeds")), ("always", ("/prod", "/seeds"))])
def test_a_setting_decides_before_the_host_does(remove: str, expected: tuple[str, str]) -> None:
    event = event_of("http_api_v2", "/prod/seeds", {"stage": "prod"}, {"headers": {"host": OWN}})

    assert prefix_and_path(event, AWS_LWA_REMOVE_STAGE=remove) == expected
