"""Who may call a local run: no page of another origin sends events to it, and nobody takes those of its environment."""

from __future__ import annotations

import http.client
import json
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest
from local.streaming import Local, OneSession
from support.processes import SECONDS, Running, plain_environment

from lambda_web_adapter.local.caller_checks import refusal_of_invoke
from lambda_web_adapter.local.environments.runtime_session import RuntimeSession
from lambda_web_adapter.local.invoke_api.invoke_client import INVOKE_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from uvicorn._types import HTTPScope

APP = """
import json, os


def app(environ, start_response):
    if environ["PATH_INFO"] == "/events":
        print("an event came", flush=True)
    shown = {
        "runtime_api": os.environ["AWS_LAMBDA_RUNTIME_API"],
        "proxy": os.environ["AWS_LWA_LAMBDA_RUNTIME_API_PROXY"],
        "headers": {key: value for key, value in environ.items() if key.startswith("HTTP_")},
    }
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps(shown).encode()]
"""
EVENT = json.dumps({"Records": [{"messageId": "1", "body": "forged", "eventSource": "aws:sqs"}]})
NEXT = "/2018-06-01/runtime/invocation/next"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("app")
    (folder / "main.py").write_text(APP)
    program = [sys.executable, "-m", "lambda_web_adapter", "--port", "0"]
    with Running(program, cwd=folder, env=plain_environment()) as running:
        yield running


@pytest.fixture(scope="module")
def port(run: Running) -> int:
    return int(run.wait_for(r"http://127\.0\.0\.1:(\d+)")[1])


def ask(
    port: int, method: str, path: str, headers: dict[str, str] | list[tuple[str, str]], body: str = ""
) -> tuple[int, bytes]:
    """Sends a request with these headers and no others but its length."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items() if isinstance(headers, dict) else headers:
            connection.putheader(name, value.format(port=port))
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(body.encode())
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


OWN = "127.0.0.1:{port}"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"host": OWN, "origin": "https://evil.example", "content-type": "text/plain"}, id="simple POST"),
        pytest.param({"host": OWN, "sec-fetch-site": "cross-site"}, id="a form without Origin"),
        pytest.param({"host": OWN, "origin": "null"}, id="a sandboxed frame, or a file"),
        pytest.param({"host": OWN, "origin": "http://127.0.0.1:3000"}, id="another local port"),
        pytest.param({"host": OWN, "sec-fetch-site": "same-site"}, id="another local port, without Origin"),
        pytest.param({"host": OWN, "origin": "http://localhost:{port}"}, id="a local name that is another origin"),
        pytest.param({"host": OWN, "origin": "https://127.0.0.1:{port}"}, id="another scheme"),
        pytest.param({"host": "evil.example:{port}", "origin": "http://evil.example:{port}"}, id="DNS rebinding"),
        pytest.param({"host": "evil.example:{port}"}, id="DNS rebinding, without Origin"),
        pytest.param({"host": "127.0.0.1.evil.example:{port}"}, id="a name that begins like an address"),
        pytest.param({"host": "localhost:1"}, id="another port"),
        pytest.param({"host": "localhost"}, id="the default port"),
        pytest.param({"host": "0.0.0.0:{port}"}, id="the address of all addresses"),
        pytest.param({"host": ""}, id="an empty Host"),
        pytest.param({}, id="no Host"),
        pytest.param([("host", OWN), ("host", "evil.example:{port}")], id="two Hosts"),
        pytest.param([("host", OWN), ("origin", "http://" + OWN), ("origin", "null")], id="two Origins"),
    ],
)
@pytest.mark.parametrize("path", [INVOKE_PATH, INVOKE_PATH.replace("inv", "%69nv")])
def test_no_page_of_another_origin_sends_events(
    run: Running, port: int, headers: dict[str, str] | list[tuple[str, str]], path: str
) -> None:
    status, body = ask(port, "POST", path, headers, EVENT)

    assert status == 403
    assert json.loads(body)["message"].startswith("The Invoke API was called ")
    run.wait_for(r"POST \S+ 403 \d+ ms: The Invoke API was called ")
    assert "an event came" not in run.text


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"host": OWN}, id="a program"),
        pytest.param({"host": "localhost:{port}"}, id="a program that calls it localhost"),
        pytest.param({"host": "LOCALHOST:{port}"}, id="in capital letters"),
        pytest.param({"host": "[::1]:{port}"}, id="a program that calls it by IPv6"),
        pytest.param(
            {"host": OWN, "origin": "http://" + OWN, "sec-fetch-site": "same-origin"}, id="a page of the app's own"
        ),
    ],
)
def test_programs_and_the_apps_own_pages_send_events(port: int, headers: dict[str, str], tmp_path: Path) -> None:
    event = {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/", "headers": {}}

    status, body = ask(port, "POST", INVOKE_PATH, headers, json.dumps(event))

    assert (status, json.loads(body)["statusCode"]) == (200, 200)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"host": "evil.example:{port}"}, id="DNS rebinding"),
        pytest.param({"host": "localhost:{port}"}, id="another local name"),
        pytest.param({"host": OWN, "sec-fetch-site": "cross-site"}, id="a page's GET"),
        pytest.param({"host": OWN, "sec-fetch-mode": "no-cors"}, id="an image of a page"),
        pytest.param({"host": OWN, "origin": "http://" + OWN}, id="an Origin of the API's own"),
        pytest.param({}, id="no Host"),
    ],
)
def test_no_page_takes_the_environments_events(port: int, headers: dict[str, str]) -> None:
    """Not even one that knows the key, which the app may have passed on."""
    shown = json.loads(ask(port, "GET", "/", {"host": OWN})[1])
    address, _, key = shown["proxy"].partition("/")
    runtime_port = int(address.rpartition(":")[2])

    refusals = [ask(runtime_port, "GET", f"{prefix}{NEXT}", headers) for prefix in ("", f"/{key}")]

    assert [(status, json.loads(body)["errorType"]) for status, body in refusals] == [(403, "AccessDenied")] * 2


def test_another_program_takes_no_events(port: int) -> None:
    address = json.loads(ask(port, "GET", "/", {"host": OWN})[1])["runtime_api"]

    status, body = ask(int(address.rpartition(":")[2]), "GET", NEXT, {"host": OWN})

    assert (status, json.loads(body)["errorType"]) == (403, "AccessDenied")


def test_others_in_the_environment_find_a_plain_address(port: int) -> None:
    """Extensions and libraries split it at the colon."""
    address = json.loads(ask(port, "GET", "/", {"host": OWN})[1])["runtime_api"]

    assert address == f"127.0.0.1:{address.rpartition(':')[2]}"


def test_what_a_dead_environment_has_left_behind_takes_no_events() -> None:
    with Local("function-url") as local:
        old = local.api.session.key
        local.api.session = RuntimeSession(OneSession())
        port = int(local.api.address.rpartition(":")[2])

        status, _ = ask(port, "GET", f"/{old}{NEXT}", {"host": OWN})

    assert status == 404


def test_the_apps_own_routes_get_every_host_and_origin(port: int) -> None:
    """What they mean is the app's to say: a front end on another port is let in by its CORS, a name by its own list."""
    headers = {"host": "shop.example", "origin": "http://localhost:3000", "sec-fetch-site": "cross-site"}

    status, body = ask(port, "GET", "/", headers)

    seen = json.loads(body)["headers"]
    assert status == 200
    assert seen["HTTP_HOST"] == "shop.example"
    assert (seen["HTTP_ORIGIN"], seen["HTTP_SEC_FETCH_SITE"]) == ("http://localhost:3000", "cross-site")


def scope(**headers: str) -> HTTPScope:
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    parsed: dict[str, Any] = {"type": "http", "scheme": "http", "headers": lines, "server": ("172.17.0.2", 8000)}
    return cast("HTTPScope", parsed)


@pytest.mark.parametrize("bound", ["0.0.0.0", "::", "172.17.0.2", "laptop.example"])
@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:8000", "192.168.1.5:9000", "[fd00::5]:9000", "10.1.2.3"])
def test_where_others_may_call_any_address_is_its_own(bound: str, host: str) -> None:
    """A container is called by the addresses and ports of its host, which it does not know."""
    assert not refusal_of_invoke(scope(host=host), bound)


@pytest.mark.parametrize("host", ["evil.example:8000", "0x7f000001:8000", "1.2.3.4.evil.example", "", "[evil]:8000"])
def test_where_others_may_call_a_name_is_not_its_own(host: str) -> None:
    assert refusal_of_invoke(scope(host=host), "0.0.0.0")


def test_a_name_to_listen_on_is_its_own() -> None:
    assert not refusal_of_invoke(scope(host="laptop.example:8000"), "laptop.example")
    assert refusal_of_invoke(scope(host="laptop.example:8000"), "0.0.0.0")


def test_where_others_may_call_pages_are_refused_too() -> None:
    assert refusal_of_invoke(scope(host="192.168.1.5:9000", origin="http://evil.example"), "0.0.0.0")
    assert refusal_of_invoke(scope(host="192.168.1.5:9000", sec_fetch_site="cross-site"), "0.0.0.0")
