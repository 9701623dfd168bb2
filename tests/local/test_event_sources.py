"""The local run behind each gateway, as a process: what the app sees, and what the client gets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.processes import Running, plain_environment

from lambda_web_adapter.local.event_sources import EVENT_SOURCES

PROGRAM = [sys.executable, "-m", "lambda_web_adapter", "--port", "0"]
APP = """
import json, os


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/exit":
        os._exit(7)
    if path == "/large":
        start_response("200 OK", [("content-type", "text/plain")])
        return [b"a" * 1_500_000]
    if path == "/echo":
        headers = [("content-type", environ["CONTENT_TYPE"]), ("x-tag", "a"), ("set-cookie", "b=1")]
        start_response("201 Created", headers)
        return [environ["wsgi.input"].read()]
    if path == "/cookies":
        start_response("200 OK", [("content-type", "text/plain"), ("set-cookie", "a=1"), ("set-cookie", "b=2")])
        return [b""]
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps({key: value for key, value in environ.items() if isinstance(value, str)}).encode()]
"""

JOINED = {"function-url": "one,two", "http-api-v2": "one,two", "vpc-lattice-v1": "one, two", "alb": "two"}
DECODED = {"rest-api", "http-api-v1"}


@pytest.fixture(scope="module", params=EVENT_SOURCES)
def source(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def client(source: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a local run, which is the same for all tests of a source."""
    folder = app_in(tmp_path_factory.mktemp(source))
    with Running([*PROGRAM, "--event-source", source], cwd=folder, env=plain_environment()) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        with httpx.Client(base_url=url, trust_env=False) as found:
            yield found


def app_in(folder: Path) -> Path:
    (folder / "main.py").write_text(APP)
    return folder


def test_the_app_sees_the_request(source: str, client: httpx.Client) -> None:
    headers = [("x-tag", "one"), ("x-tag", "two"), ("cookie", "a=1; b=2")]

    environ = client.get("/caf%C3%A9?tag=a%2Bb&n=1&tag=c+d", headers=headers).json()

    query = "tag=a%2Bb&tag=c%20d&n=1" if source in DECODED else "tag=a%2Bb&n=1&tag=c+d"
    query = {"alb": "tag=c+d&n=1", "alb-multi": "tag=a%2Bb&tag=c+d&n=1"}.get(source, query)
    assert (environ["PATH_INFO"].encode("latin-1").decode(), environ["QUERY_STRING"]) == ("/café", query)
    assert environ["SCRIPT_NAME"] == ""
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["HTTP_X_TAG"] == JOINED.get(source, "one,two")
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert f"http://{environ['HTTP_HOST']}" == str(client.base_url).rstrip("/")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("application/octet-stream", bytes(range(256)), id="binary"),
        pytest.param("text/plain", "héllo ☕".encode(), id="text"),
    ],
)
def test_a_body_comes_back_byte_for_byte(client: httpx.Client, kind: str, body: bytes) -> None:
    response = client.post("/echo", content=body, headers={"content-type": kind})

    assert (response.status_code, response.content) == (201, body)
    assert (response.headers["content-type"], response.headers["x-tag"]) == (kind, "a")
    assert response.headers["set-cookie"] == "b=1"


def test_each_cookie_is_a_line_of_its_own(client: httpx.Client) -> None:
    assert client.get("/cookies").headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_a_reply_beyond_a_load_balancers_limit_is_refused_and_explained(tmp_path: Path) -> None:
    words = [*PROGRAM, "--event-source", "alb"]
    with Running(words, cwd=app_in(tmp_path), env=plain_environment()) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        response = httpx.get(f"{url}/large", trust_env=False)
        run.wait_for(r"ERROR.*Function\.ResponseSizeTooLarge.*GET /large")

    assert response.status_code == 502
    assert "a load balancer takes 1048576" in response.json()["message"]


def test_an_app_that_cannot_be_imported_is_a_500_behind_an_http_api(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import nothing_of_this_name\n")
    words = [*PROGRAM, "--event-source", "http-api-v2", "main:app"]
    with Running(words, cwd=tmp_path, env=plain_environment()) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        response = httpx.get(url, trust_env=False)

    assert response.status_code == 500
    assert "No module named 'nothing_of_this_name'" in response.text


def test_the_first_line_says_what_the_run_stands_for(tmp_path: Path) -> None:
    words = [*PROGRAM, "--event-source", "alb-multi", "main:app"]
    with Running(words, cwd=app_in(tmp_path), env=plain_environment()) as run:
        run.wait_for(
            r"Serving main:app on http://127\.0\.0\.1:\d+ through an embedded Lambda "
            r"behind a load balancer with multi-value headers\. Ctrl-C stops\."
        )


def test_a_source_that_there_is_not_is_answered_with_those_that_there_are(tmp_path: Path) -> None:
    words = [*PROGRAM, "--event-source", "elb", "main:app"]
    with Running(words, cwd=app_in(tmp_path), env=plain_environment()) as run:
        assert run.wait() == 2
        assert "'--event-source': 'elb' is not one of" in run.text
        assert "function-url" in run.text
        assert "vpc-lattice-v2" in run.text


def test_the_help_names_each_source(tmp_path: Path) -> None:
    with Running([*PROGRAM, "run", "--help"], cwd=tmp_path, env=plain_environment()) as run:
        assert run.wait() == 0
        text = "".join(run.text.split())  # without the breaks of its lines
        assert f"Gatewaybeforethefunction:{','.join(EVENT_SOURCES)},websocket." in text
