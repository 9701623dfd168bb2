"""The options of gateways in the local run, as a process, with real clients."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from support.processes import SECONDS, Running, plain_environment

PROGRAM = [sys.executable, "-m", "lambda_web_adapter"]
APP = """
from flask import Flask, Response, redirect, request, url_for
from lambda_web_adapter import current_event

app = Flask(__name__)


@app.route("/a")
def a():
    return {"path": request.path, "root": request.script_root, "url": request.url, "host": request.host,
            "trace": request.headers.get("x-amzn-trace-id"), "user": request.headers.get("x-amzn-oidc-identity")}


@app.route("/to-a")
def to_a():
    return redirect(url_for("a", _external=True))


@app.route("/png")
def png():
    return Response(b"\\x89PNG\\xff", content_type="image/png")


@app.route("/context")
def context():
    return current_event()["requestContext"]


@app.route("/error")
def error():
    raise RuntimeError("no")
"""


@contextmanager
def serving(folder: Path, *words: str, variables: dict[str, str] | None = None) -> Iterator[tuple[Running, str]]:
    """A local run with these words, and its URL."""
    (folder / "main.py").write_text(APP)
    environ = plain_environment({"XDG_CACHE_HOME": str(folder), **(variables or {})})
    port = [] if "--listen" in words else ["--port", "0"]
    with Running([*PROGRAM, *port, *words], cwd=folder, env=environ) as run:
        yield run, run.wait_for(r"https?://\S+:\d+\S*")[0]


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=folder / "lambda-web-adapter" / "tls" / "localhost.pem")


@pytest.mark.parametrize("source", ["rest-api", "http-api-v1", "http-api-v2"])
def test_links_of_an_app_below_a_stage_lead_back(tmp_path: Path, source: str) -> None:
    with serving(tmp_path, "--event-source", source, "--stage", "prod") as (run, url):
        assert url.endswith("/prod")
        response = httpx.get(f"{url}/to-a", trust_env=False, follow_redirects=True)
        outside = httpx.get(url.removesuffix("/prod") + "/a", trust_env=False)
        run.wait_for(rf"GET /a {outside.status_code} .*URLs begin with the stage /prod, as on AWS; call /prod/a")

    assert response.json().items() >= {"path": "/a", "root": "/prod", "url": f"{url}/a"}.items()
    assert (outside.status_code, outside.text) == {
        "rest-api": (403, '{"message":"Forbidden"}'),
    }.get(source, (404, '{"message":"Not Found"}'))


def test_several_gateways_call_one_function(tmp_path: Path) -> None:
    words = ["--listen", "alb:0", "--listen", "http-api-v2:0", "--stage", "prod"]
    with serving(tmp_path, *words) as (run, balancer):
        api = run.wait_for(r"(http://127\.0\.0\.1:\d+/prod) through an embedded Lambda behind an HTTP API")[1]
        responses = [httpx.get(f"{url}/a", trust_env=False).json() for url in (balancer, api)]

    assert [response["url"] for response in responses] == [f"{balancer}/a", f"{api}/a"]


def test_a_port_that_two_gateways_want_is_named(tmp_path: Path) -> None:
    with Running([*PROGRAM, "--listen", "alb:8001", "--listen", "rest-api:8001"], cwd=tmp_path) as run:
        run.wait_for("Error: --listen has port 8001 of 127.0.0.1 for both alb and rest-api")
        assert run.wait() == 2


@pytest.mark.parametrize(
    ("option", "advice"),
    [
        pytest.param(["--port", "9000"], "Name each gateway's port in --listen", id="port"),
        pytest.param(["--event-source", "alb"], "Name all gateways by --listen", id="event source"),
    ],
)
def test_an_option_that_listen_overrides_is_an_error(tmp_path: Path, option: list[str], advice: str) -> None:
    with Running([*PROGRAM, "--listen", "alb:0", *option], cwd=tmp_path) as run:
        assert run.wait() == 2
        assert f"Error: {advice}" in run.text


def test_the_invocation_has_the_trace_of_the_client(tmp_path: Path) -> None:
    sent = "Root=1-67891233-abcdef012345678912345678;Sampled=1"
    with serving(tmp_path) as (_, url):
        own, continued = (
            httpx.get(f"{url}/a", headers=headers, trust_env=False).json()["trace"]
            for headers in ({}, {"x-amzn-trace-id": sent})
        )

    assert re.fullmatch("Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", own)
    assert re.fullmatch("Root=1-67891233-abcdef012345678912345678;Parent=[0-9a-f]{16};Sampled=1", continued)


def test_links_of_an_app_below_a_base_path_lead_back(tmp_path: Path) -> None:
    words = ["--event-source", "rest-api", "--base-path", "/shop"]
    with serving(tmp_path, *words, variables={"AWS_LWA_REMOVE_BASE_PATH": "/shop"}) as (_, url):
        response = httpx.get(f"{url}/to-a", trust_env=False, follow_redirects=True)

    assert response.json().items() >= {"path": "/a", "root": "/shop", "url": f"{url}/a"}.items()


def test_a_custom_domain_is_the_host_that_the_app_sees(tmp_path: Path) -> None:
    with serving(tmp_path, "--event-source", "http-api-v2", "--custom-domain", "shop.localhost") as (_, url):
        by_address = httpx.get(f"{url}/a", trust_env=False).json()
        port = url.rpartition(":")[2]
        by_name = httpx.get(f"{url}/a", headers={"host": f"shop.localhost:{port}"}, trust_env=False).json()

    assert (by_address["host"], by_name["host"]) == ("shop.localhost", f"shop.localhost:{port}")


def test_a_rest_api_without_binary_types_sends_base64(tmp_path: Path) -> None:
    with serving(tmp_path, "--event-source", "rest-api", "--binary-media-types", "none") as (_, url):
        assert httpx.get(f"{url}/png", trust_env=False).text == "iVBOR/8="


def test_a_rest_api_decodes_the_types_in_its_list(tmp_path: Path) -> None:
    with serving(tmp_path, "--event-source", "rest-api", "--binary-media-types", "image/png") as (_, url):
        image = httpx.get(f"{url}/png", headers={"accept": "image/png"}, trust_env=False)

    assert image.content == b"\x89PNG\xff"


def test_a_front_end_on_another_port_may_call_a_function_url(tmp_path: Path) -> None:
    page = "http://localhost:5173"
    settings = json.dumps({"AllowOrigins": [page], "AllowMethods": ["PUT"], "MaxAge": 60})
    asks = {"origin": page, "access-control-request-method": "PUT"}
    with serving(tmp_path, "--cors", settings) as (run, url), httpx.Client(base_url=url, trust_env=False) as client:
        preflight = client.options("/a", headers=asks)
        response = client.get("/a", headers={"origin": page})
        failed = client.get("/error", headers={"origin": page})
        too_large = client.post("/a", headers={"origin": page}, content=b"\0" * 5_000_000)
        other = client.get("/a", headers={"origin": "http://evil.example"})
        run.wait_for("OPTIONS /a 200 .* ms: a preflight request, which --cors answers: the origin is allowed")

    assert (preflight.status_code, preflight.headers["access-control-allow-methods"]) == (200, "PUT")
    assert preflight.headers["access-control-max-age"] == "60"
    for found in (preflight, response, failed, too_large):
        assert found.headers["access-control-allow-origin"] == page
    assert (failed.status_code, too_large.status_code) == (500, 413)
    assert "access-control-allow-origin" not in other.headers


def test_a_streamed_response_gets_cors_headers_too(tmp_path: Path) -> None:
    with serving(tmp_path, "--cors", "*", variables={"AWS_LWA_INVOKE_MODE": "response_stream"}) as (_, url):
        response = httpx.get(f"{url}/a", headers={"origin": "http://localhost:5173"}, trust_env=False)

    assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, "*")


def test_the_caller_of_the_file_is_in_the_events(tmp_path: Path) -> None:
    (tmp_path / "claims.json").write_text('{"sub": "alice", "admin": true}')
    with serving(tmp_path, "--event-source", "http-api-v2", "--authorizer", "claims.json") as (_, url):
        context = httpx.get(f"{url}/context", trust_env=False).json()
    with serving(tmp_path, "--event-source", "alb", "--authorizer", "claims.json") as (_, url):
        user = httpx.get(f"{url}/a", trust_env=False).json()["user"]

    assert context["authorizer"]["jwt"]["claims"] == {"sub": "alice", "admin": "true"}
    assert user == "alice"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param(
            ["--stage", "prod"], "--stage is for rest-api, http-api-v1, .* but function-url is served", id="stage"
        ),
        pytest.param(["--cors", "{}}"], "--cors has no valid CORS settings", id="CORS"),
        pytest.param(["--authorizer", "no.json"], "--authorizer names the file no.json, which cannot", id="a file"),
        pytest.param(["--tls-cert", "no.pem"], "--tls-key is missing", id="half a pair"),
    ],
)
def test_a_wrong_option_ends_the_program(tmp_path: Path, words: list[str], error: str) -> None:
    (tmp_path / "main.py").write_text(APP)
    with Running([*PROGRAM, "--port", "0", *words], cwd=tmp_path, env=plain_environment()) as run:
        run.wait_for(f"(?m)^Error: {error}")
        assert run.wait() == 2
        assert "Traceback" not in run.text


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_clients_that_trust_the_certificate_use_https(tmp_path: Path, name: str) -> None:
    with serving(tmp_path, "--tls") as (_, url):
        assert url.startswith("https://127.0.0.1:")
        own = url.replace("127.0.0.1", name)
        response = httpx.get(f"{own}/to-a", trust_env=False, verify=trusting(tmp_path), follow_redirects=True)

    assert response.json()["url"] == f"{own}/a"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_uses_https_with_the_certificate(tmp_path: Path) -> None:
    with serving(tmp_path, "--tls", "--host", "::1") as (_, url):
        made = tmp_path / "lambda-web-adapter" / "tls" / "localhost.pem"
        command = ["curl", "-sS", "-g", "--noproxy", "*", "--cacert", str(made), f"{url}/a"]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert json.loads(output)["url"] == f"{url}/a"


def test_a_client_that_does_not_trust_the_certificate_is_warned(tmp_path: Path) -> None:
    with serving(tmp_path, "--tls") as (_, url), pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(url, trust_env=False)


def test_a_certificate_of_ones_own_is_served(tmp_path: Path) -> None:
    arguments = ["-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=shop.test"]
    command = ["openssl", "req", "-x509", *arguments, "-addext", "subjectAltName=DNS:shop.test"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    with serving(tmp_path, "--tls-cert", "cert.pem", "--tls-key", "key.pem") as (_, url):
        context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        with (
            socket.create_connection(address, SECONDS) as plain,
            context.wrap_socket(plain, server_hostname="shop.test") as client,
        ):
            assert client.version() == "TLSv1.3"


def test_the_invoke_api_answers_over_tls(tmp_path: Path) -> None:
    event = {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/a", "headers": {}}
    with serving(tmp_path, "--tls") as (_, url):
        path = "/2015-03-31/functions/function/invocations"
        headers = {"origin": url}
        with httpx.Client(base_url=url, trust_env=False, verify=trusting(tmp_path), headers=headers) as client:
            own = client.post(path, json=event)
            foreign = client.post(path, json=event, headers={"origin": url.replace("https", "http")})

    assert (own.status_code, own.json()["statusCode"], foreign.status_code) == (200, 200, 403)
