"""Streamed responses of real apps through the local run: the client has each part before the app makes another."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from support.processes import SECONDS, Running, plain_environment, wait_until

PROGRAM = [sys.executable, "-m", "lambda_web_adapter", "--port", "0"]
# An app goes on when the test has made the file that it waits for: nothing depends on how long anything takes.
GATE = """
import asyncio, os, time

def wait_for(name):
    while not os.path.exists(name):
        time.sleep(0.005)

def parts():
    for number in range(3):
        wait_for(f"go-{number}")
        yield f"part {number}\\n"
"""
FASTAPI = """
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from gate import *

app = FastAPI()

async def parts_of(form):
    for number in range(3):
        while not os.path.exists(f"go-{number}"):
            await asyncio.sleep(0.005)
        yield form.format(number)

@app.get("/parts")
async def send_parts():
    response = StreamingResponse(parts_of("part {}\\n"), 201, media_type="text/plain", headers={"x-tag": "a"})
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response

@app.get("/events")
async def events():
    return StreamingResponse(parts_of("data: part {}\\n\\n"), media_type="text/event-stream")

async def begun(end):
    yield "begun"
    while not os.path.exists("go-end"):
        await asyncio.sleep(0.005)
    end()
    yield "too late"

def fail():
    raise KeyError("in the middle")

@app.get("/raises")
async def raises():
    return StreamingResponse(begun(fail))

@app.get("/exits")
async def exits():
    return StreamingResponse(begun(lambda: os._exit(7)))

@app.get("/kills")
async def kills():
    return StreamingResponse(begun(lambda: os.kill(os.getppid(), 9)))

async def much():
    for number in range(1024):
        yield bytes(64 * 1024)
        with open("progress.new", "w") as file:
            file.write(str(number))
        os.replace("progress.new", "progress")  # nobody reads half of it

@app.get("/much")
async def send_much():
    return StreamingResponse(much())

@app.head("/head")
async def head():
    return StreamingResponse(iter(()), headers={"x-tag": "a"})

@app.get("/whole")
async def whole():
    return {"pid": os.getpid()}
"""
FLASK = """
from flask import Flask
from gate import *

app = Flask(__name__)

@app.get("/parts")
def send_parts():
    return parts(), 201, {"content-type": "text/plain", "x-tag": "a"}
"""
DJANGO = """
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import StreamingHttpResponse
from django.urls import path
from gate import *

def send_parts(request):
    return StreamingHttpResponse(parts(), status=201, content_type="text/plain", headers={"x-tag": "a"})

urlpatterns = [path("parts", send_parts)]
settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="made up")
app = get_wsgi_application()
"""
COMMAND = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from gate import *

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(201)
        self.send_header("Content-Type", "text/plain")
        self.send_header("X-Tag", "a")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in parts():
            self.wfile.write(b"%x\\r\\n%b\\r\\n" % (len(part), part.encode()))
        self.wfile.write(b"0\\r\\n\\r\\n")

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
NODE = """
const fs = require('fs'), http = require('http')
http.createServer(async (request, response) => {
  response.writeHead(201, { 'content-type': 'text/plain', 'x-tag': 'a' })
  response.flushHeaders()
  for (let number = 0; number < 3; number++) {
    while (!fs.existsSync(`go-${number}`)) await new Promise(go => setTimeout(go, 5))
    response.write(`part ${number}\\n`)
  }
  response.end()
}).listen(process.env.PORT, '127.0.0.1')
"""
APP = ["main:app"]
SCRIPT = ["--", sys.executable, "main.py"]
NODE_ONLY = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")

Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a local run of an app's text."""
    running: list[Running] = []

    def run(text: str, *words: str, streamed: bool = True) -> Running:
        (tmp_path / "gate.py").write_text(GATE)
        (tmp_path / "main.py").write_text(text)
        mode = {"AWS_LWA_INVOKE_MODE": "response_stream"} if streamed else {}
        running.append(Running([*PROGRAM, *words], cwd=tmp_path, env=plain_environment(mode)))
        return running[-1]

    yield run
    for each in running:
        each.close()


def client_of(run: Running) -> httpx.Client:
    url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
    return httpx.Client(base_url=url, trust_env=False, timeout=SECONDS)


def until(parts: Iterator[bytes], end: bytes) -> bytes:
    """Reads until something has come, and nothing behind it."""
    seen = b""
    while not seen.endswith(end):
        seen += next(parts)
    return seen


def check_parts(client: httpx.Client, folder: Path, path: str = "/parts", form: str = "part {}\n") -> httpx.Response:
    """Reads a response whose app waits in front of each part until the test lets it go on.

    Only the first may go beforehand: no WSGI server sends the head without it.
    """
    (folder / "go-0").touch()
    with client.stream("GET", path) as response:
        incoming = response.iter_raw()
        for number in range(3):
            (folder / f"go-{number}").touch()
            expected = form.format(number).encode()
            assert until(incoming, expected) == expected
        assert list(incoming) == []
    return response


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(FASTAPI, APP, id="FastAPI"),
        pytest.param(FASTAPI, ["--event-source", "rest-api", *APP], id="FastAPI behind a REST API"),
        pytest.param(FLASK, APP, id="Flask"),
        pytest.param(FLASK, ["--event-source", "rest-api", *APP], id="Flask behind a REST API"),
        pytest.param(DJANGO, APP, id="Django"),
        pytest.param(COMMAND, SCRIPT, id="a command"),
        pytest.param(NODE, ["--", "node", "main.py"], id="Node", marks=NODE_ONLY),
    ],
)
def test_each_part_reaches_the_client_before_the_app_makes_another(
    text: str, words: list[str], start: Start, tmp_path: Path
) -> None:
    run = start(text, *words)
    with client_of(run) as client:
        response = check_parts(client, tmp_path)

    assert (response.status_code, response.headers["x-tag"]) == (201, "a")
    assert response.headers["content-type"].startswith("text/plain")
    run.wait_for(r"GET /parts 201 \d+ ms, first byte after \d+ ms, 21 bytes, environment 1(, cold start \d+ ms)?\n")


def test_server_sent_events_come_one_by_one(start: Start, tmp_path: Path) -> None:
    with client_of(start(FASTAPI, *APP)) as client:
        response = check_parts(client, tmp_path, "/events", "data: part {}\n\n")

    assert response.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("source", ["function-url", "rest-api"])
def test_cookies_are_a_line_each(source: str, start: Start, tmp_path: Path) -> None:
    with client_of(start(FASTAPI, "--event-source", source, *APP)) as client:
        response = check_parts(client, tmp_path)

    assert [line.split(";")[0] for line in response.headers.get_list("set-cookie")] == ["a=1", "b=2"]


@pytest.mark.parametrize("source", ["alb", "http-api-v2", "vpc-lattice-v2"])
def test_a_gateway_that_cannot_stream_gets_the_response_whole(source: str, start: Start, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"go-{number}").touch()
    with client_of(start(FASTAPI, "--event-source", source, *APP)) as client:
        response = client.get("/parts")

    assert (response.status_code, response.text) == (201, "part 0\npart 1\npart 2\n")


def test_a_response_that_the_app_makes_at_once_comes_as_well(start: Start) -> None:
    with client_of(start(FASTAPI, *APP)) as client:
        assert client.get("/whole").json()["pid"] > 0
        assert client.get("/nowhere").status_code == 404


def test_head_has_headers_and_no_body(start: Start) -> None:
    with client_of(start(FASTAPI, *APP)) as client:
        response = client.head("/head")
        assert client.get("/whole").status_code == 200  # on the same connection

    assert (response.status_code, response.headers["x-tag"], response.content) == (200, "a", b"")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/raises", r"(Function|Runtime)\.\w+", id="by an exception"),
        pytest.param("/exits", r"(Function|Runtime)\.\w+", id="by the end of the app"),
        pytest.param("/kills", r"Runtime\.(ExitError|TruncatedResponse)", id="by the end of the bootstrap"),
    ],
)
def test_a_failure_in_the_middle_breaks_off_and_the_next_request_is_served(
    path: str, expected: str, start: Start, tmp_path: Path
) -> None:
    run = start(FASTAPI, *APP)
    with client_of(run) as client:
        with client.stream("GET", path) as response:
            incoming = response.iter_raw()
            assert until(incoming, b"begun") == b"begun"
            (tmp_path / "go-end").touch()
            with pytest.raises(httpx.RemoteProtocolError):
                next(incoming)
        run.wait_for(
            rf"GET {path} 200 \d+ ms, first byte after \d+ ms, 5 bytes, environment 1.*: broken off: {expected}: .+\n"
        )

        assert client.get("/whole").status_code == 200


def test_a_client_that_stops_reading_stops_the_app(start: Start, tmp_path: Path) -> None:
    def progress() -> str:
        return (tmp_path / "progress").read_text() if (tmp_path / "progress").exists() else ""

    with client_of(start(FASTAPI, *APP)) as client, client.stream("GET", "/much") as response:
        incoming = response.iter_raw()
        received = len(next(incoming))
        seen, since = progress(), time.monotonic()
        while not seen or time.monotonic() < since + 0.5:  # until the app has not come further for so long
            if progress() != seen:
                seen, since = progress(), time.monotonic()
        assert int(seen) < 512  # of 1024; the sockets between hold some megabytes

        received += sum(map(len, incoming))

    assert received == 64 * 1024 * 1024


def test_ctrl_c_ends_a_run_in_the_middle_of_a_stream(start: Start, tmp_path: Path) -> None:
    run = start(FASTAPI, *APP)
    with client_of(run) as client, client.stream("GET", "/raises") as response:
        assert until(response.iter_raw(), b"begun") == b"begun"
        os.kill(run.pid, signal.SIGINT)

        assert run.wait() == 0
    assert "Traceback" not in run.text


def test_without_the_setting_a_response_comes_whole(start: Start, tmp_path: Path) -> None:
    run = start(FASTAPI, *APP, streamed=False)
    for number in range(3):
        (tmp_path / f"go-{number}").touch()
    with client_of(run) as client:
        response = client.get("/parts")

    assert (response.text, response.headers["content-length"]) == ("part 0\npart 1\npart 2\n", "21")
    wait_until(lambda: "GET /parts 201" in run.text, "the line in the log")
    assert "first byte" not in run.text
