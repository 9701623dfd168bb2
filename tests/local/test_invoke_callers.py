"""Who may call the Invoke API: whoever calls it by its own name, whatever form a request has, and no foreign page."""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING, Any, cast

import pytest
from local.test_invoke_api import FUNCTION, INVOKE, STREAM, Served
from support.processes import SECONDS

from lambda_web_adapter.local.caller_checks import refusal_of_invoke

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uvicorn._types import HTTPScope

CONFIGURATION = f"{FUNCTION}/configuration"
ENDPOINTS = [("POST", INVOKE), ("POST", STREAM), ("GET", CONFIGURATION), ("GET", FUNCTION)]
EVIL = "evil.example:{port}"


@pytest.fixture(scope="module")
def api() -> Iterator[Served]:
    with Served() as served:
        yield served


def send(api: Served, request_line: str, *headers: str) -> tuple[int, dict[str, str], Any]:
    """Sends a request as it stands here, with `{port}` replaced; returns status, headers and document."""
    lines = [request_line, *headers, "content-length: 2", "", "{}"]
    with socket.create_connection((api.host, api.port), SECONDS) as connection:
        connection.sendall("\r\n".join(lines).replace("{port}", str(api.port)).encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        body = response.read()
    is_json = response.headers["content-type"] == "application/json"
    return response.status, dict(response.headers), json.loads(body) if is_json else body


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([f"Host: {EVIL}"], id="DNS rebinding"),
        pytest.param([f"Host: {EVIL}", f"Origin: http://{EVIL}", "Sec-Fetch-Site: same-origin"], id="its own origin"),
        pytest.param(["Host: 127.0.0.1:{port}", "Origin: https://evil.example"], id="another origin"),
        pytest.param(["Host: 127.0.0.1:{port}", "Origin: null"], id="a sandboxed frame"),
        pytest.param(["Host: 127.0.0.1:{port}", "Sec-Fetch-Site: cross-site"], id="an image"),
        pytest.param(["Host: 127.0.0.1:{port}", "Sec-Fetch-Site: same-site"], id="another port of this machine"),
        pytest.param(["Host: 127.0.0.1"], id="a Host without port"),
        pytest.param(["Host: [::1]"], id="an IPv6 Host without port"),
        pytest.param(["Host: localhost:{port}", f"Host: {EVIL}"], id="two Hosts"),
        pytest.param([], id="no Host"),
    ],
)
def test_foreign_callers_are_refused_at_every_endpoint(api: Served, method: str, path: str, headers: list[str]) -> None:
    status, received, document = send(api, f"{method} {path} HTTP/1.0", *headers)

    assert (status, received["x-amzn-errortype"]) == (403, "AccessDeniedException")
    assert document["message"].startswith("The Invoke API was called ")
    assert not any(name.lower().startswith("access-control") for name in received)
    assert api.function.invocations == []


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}"])
def test_programs_may_call_every_endpoint(method: str, path: str, host: str) -> None:
    with Served() as api:
        assert send(api, f"{method} {path} HTTP/1.1", f"Host: {host}")[0] == 200


def test_a_target_with_a_host_of_its_own_is_checked_alike(api: Served) -> None:
    """As a proxy gets it (RFC 9112 §3.2.2); clients send the same host twice."""
    status, _, document = send(api, f"POST http://{EVIL}{INVOKE} HTTP/1.1", f"Host: {EVIL}")

    assert (status, document["Type"]) == (403, "User")
    assert api.function.invocations == []


def test_a_preflight_gets_no_permission(api: Served) -> None:
    status, received, _ = send(
        api,
        f"OPTIONS {INVOKE} HTTP/1.1",
        "Host: 127.0.0.1:{port}",
        "Origin: https://evil.example",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Private-Network: true",
    )

    assert status == 403
    assert not any(name.lower().startswith("access-control") for name in received)


def test_it_is_served_on_ipv6() -> None:
    with Served("::1") as api:
        assert send(api, f"POST {INVOKE} HTTP/1.1", "Host: [::1]:{port}")[0] == 200
        assert send(api, f"POST {INVOKE} HTTP/1.1", f"Host: {EVIL}")[0] == 403


def scope(scheme: str, port: int, **headers: str) -> HTTPScope:
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    parts: dict[str, Any] = {"type": "http", "scheme": scheme, "headers": lines, "server": ("127.0.0.1", port)}
    return cast("HTTPScope", parts)


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_clients_leave_out_the_default_port(scheme: str, port: int, host: str) -> None:
    assert not refusal_of_invoke(scope(scheme, port, host=host), "127.0.0.1")
    assert not refusal_of_invoke(scope(scheme, port, host=host, origin=f"{scheme}://{host}"), "127.0.0.1")
    assert refusal_of_invoke(scope(scheme, port + 1, host=host), "127.0.0.1")


def test_with_tls_the_own_origin_begins_with_https() -> None:
    own = {"host": "localhost:8443", "origin": "https://localhost:8443"}

    assert not refusal_of_invoke(scope("https", 8443, **own), "127.0.0.1")
    assert refusal_of_invoke(scope("http", 8443, **own), "127.0.0.1")
