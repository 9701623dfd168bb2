"""A hostile page in a real browser can neither invoke the function, nor read of it, nor reach the Runtime API."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.processes import Running, plain_environment

from browser.chromium import REBOUND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from browser.chromium import Chromium

# The app, whose pages are open to everybody. It counts the events that come, and tells even the Runtime API's key.
APP = """
import json, os

events = []


def app(environ, start_response):
    if environ["PATH_INFO"] == "/events":
        length = int(environ.get("CONTENT_LENGTH") or 0)
        events.append(json.loads(environ["wsgi.input"].read(length)))
    state = {"events": events, "runtime_api": os.environ["AWS_LWA_LAMBDA_RUNTIME_API_PROXY"]}
    is_page = environ["PATH_INFO"] == "/page"
    start_response("200 OK", [("content-type", "text/html" if is_page else "application/json")])
    return [b"<title>the app</title>" if is_page else json.dumps(state).encode()]
"""
INVOKE = "/2015-03-31/functions/function/invocations"
STREAM = "/2021-11-15/functions/function/response-streaming-invocations"
CONFIGURATION = "/2015-03-31/functions/function/configuration"

# Everything a page can send without asking first, and what it has to ask for: to a URL, with a mark in the event.
ATTACK = """
const [url, mark] = given;
const results = [];
const attempt = async (name, options) => {
    try {
        const response = await fetch(url, options);
        results.push([name, response.type, response.status, await response.text()]);
    } catch (error) {
        results.push([name, "error", 0, String(error)]);
    }
};
const body = JSON.stringify({mark});
await attempt("post", {method: "POST", body});
await attempt("without cors", {method: "POST", body, mode: "no-cors"});
await attempt("with credentials", {method: "POST", body, credentials: "include", mode: "no-cors"});
await attempt("with a preflight", {method: "POST", body, headers: {"X-Amz-Invocation-Type": "Event"}});
await attempt("json", {method: "POST", body, headers: {"Content-Type": "application/json"}});
await attempt("without referrer", {method: "POST", body, mode: "no-cors", referrerPolicy: "no-referrer"});
await attempt("get", {mode: "no-cors"});
await attempt("get with cors", {});
results.push(["beacon", "", Number(navigator.sendBeacon(url, body)), ""]);
await new Promise(resolve => {
    const frame = Object.assign(document.createElement("iframe"), {name: "target", onload: resolve});
    document.body.append(frame);
    const form = Object.assign(document.createElement("form"), {method: "POST", action: url, target: "target"});
    form.enctype = "text/plain";
    form.append(Object.assign(document.createElement("input"), {name: `{"mark": "${mark}", "form": "`, value: '"}'}));
    document.body.append(form);
    form.submit();
    setTimeout(resolve, 2000);
});
for (const tag of ["img", "script"]) {
    await new Promise(resolve => {
        const element = document.createElement(tag);
        document.body.append(Object.assign(element, {src: url, onload: resolve, onerror: resolve}));
    });
}
return results;
"""


class Page(BaseHTTPRequestHandler):
    """Serves an empty page."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>hostile</title><body></body>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@pytest.fixture(scope="module")
def other_port() -> Iterator[int]:
    """The port of the hostile page's own server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a local run."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "main.py").write_text(APP)
    program = [sys.executable, "-m", "lambda_web_adapter", "--port", "0"]
    with Running(program, cwd=folder, env=plain_environment()) as running:
        yield int(running.wait_for(r"http://127\.0\.0\.1:(\d+)")[1])


def state(port: int) -> dict[str, Any]:
    """What the app tells everybody."""
    found: dict[str, Any] = httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).json()
    return found


def received(port: int, mark: str) -> list[Any]:
    """The events with a mark that have reached the app; those that came before this request have by then."""
    return [event for event in state(port)["events"] if event.get("mark") == mark]


def successes(results: list[list[Any]]) -> list[str]:
    """The attempts whose responses the page could read, and that were no error."""
    return [name for name, kind, status, _ in results if kind in ("basic", "cors") and status < 400]


@pytest.fixture(params=["another port", "another name", "DNS rebinding"])
def origin(request: pytest.FixtureRequest, port: int, other_port: int) -> str:
    """The origin of the hostile page. With DNS rebinding it is, for the browser, that of the local run."""
    return {
        "another port": f"http://127.0.0.1:{other_port}",
        "another name": f"http://{REBOUND}:{other_port}",
        "DNS rebinding": f"http://{REBOUND}:{port}",
    }[request.param]


@pytest.mark.parametrize("path", [INVOKE, STREAM, CONFIGURATION])
def test_a_hostile_page_neither_invokes_nor_reads(browser: Chromium, origin: str, port: int, path: str) -> None:
    host = origin.removeprefix("http://").partition(":")[0]
    target = origin if origin == f"http://{REBOUND}:{port}" else f"http://127.0.0.1:{port}"
    browser.open(f"{origin}/page")
    assert browser.run("return location.hostname") == host

    results = browser.run(ATTACK, f"{target}{path}", "hostile")

    assert successes(results) == []
    assert not any("FunctionArn" in text for *_, text in results)
    assert received(port, "hostile") == []


def test_a_hostile_page_does_not_reach_the_runtime_api(browser: Chromium, origin: str, port: int) -> None:
    """Not even one that knows the key: it gets no event, and ends none."""
    address, _, key = state(port)["runtime_api"].partition("/")
    host = REBOUND if REBOUND in origin else "127.0.0.1"
    browser.open(f"{origin}/page")
    path = f"/{key}/2018-06-01/runtime/invocation/next"

    results = browser.run(ATTACK, f"http://{host}:{address.rpartition(':')[2]}{path}", "hostile")

    assert successes(results) == []
    response = httpx.post(f"http://127.0.0.1:{port}{INVOKE}", content=b'{"Records": []}', trust_env=False)
    assert response.status_code == 200  # the environment got it, since the page did not


def test_a_page_of_the_apps_own_invokes(browser: Chromium, port: int) -> None:
    """What the tests above would see if their requests came through."""
    browser.open(f"http://127.0.0.1:{port}/page")

    results = browser.run(ATTACK, f"http://127.0.0.1:{port}{INVOKE}", "own")

    assert {"post", "without cors", "with a preflight", "json"} <= set(successes(results))
    assert len(received(port, "own")) >= len(successes(results))
