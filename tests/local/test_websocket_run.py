"""A chat behind the WebSocket API of the real local run: apps that find `@connections` by their own URL."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from support.processes import SECONDS, Running, plain_environment
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = [sys.executable, "-m", "lambda_web_adapter", "main:app", "--port", "0"]
FLASK = """
import os, pathlib, signal
import httpx
from flask import Flask, request

app = Flask(__name__)
MEMBERS = pathlib.Path("members")
MEMBERS.mkdir(exist_ok=True)


@app.post("/ws/connect")
def join():
    if request.args.get("name") == "nobody":
        return "who?", 401
    (MEMBERS / request.headers["x-amzn-connection-id"]).touch()
    return ""


@app.post("/ws/disconnect")
def leave():
    (MEMBERS / request.headers["x-amzn-connection-id"]).unlink()
    return ""


@app.post("/ws/say")
def say():
    text = request.get_data(as_text=True)
    for member in MEMBERS.iterdir():
        httpx.post(f"{request.url_root}@connections/{member.name}", content=text, trust_env=False).raise_for_status()
    return {"sent": True}


@app.post("/ws/default")
def other():
    return f"{request.scheme} {request.host}"


@app.post("/ws/fail")
def fail():
    os.kill(os.getppid(), signal.SIGKILL)  # the bootstrap, and with it the environment
"""
FASTAPI = """
import os, pathlib, signal
import httpx
from fastapi import FastAPI, Request, Response

app = FastAPI()
MEMBERS = pathlib.Path("members")
MEMBERS.mkdir(exist_ok=True)


@app.post("/ws/connect")
def join(request: Request):
    if request.query_params.get("name") == "nobody":
        return Response("who?", 401)
    (MEMBERS / request.headers["x-amzn-connection-id"]).touch()


@app.post("/ws/disconnect")
def leave(request: Request):
    (MEMBERS / request.headers["x-amzn-connection-id"]).unlink()


@app.post("/ws/say")
async def say(request: Request):
    text = await request.body()
    async with httpx.AsyncClient(trust_env=False) as client:
        for member in MEMBERS.iterdir():
            (await client.post(f"{request.base_url}@connections/{member.name}", content=text)).raise_for_status()
    return {"sent": True}


@app.post("/ws/default")
def other(request: Request):
    return Response(f"{request.url.scheme} {request.url.netloc}")


@app.post("/ws/fail")
def fail():
    os.kill(os.getppid(), signal.SIGKILL)  # the bootstrap, and with it the environment
"""


SHOWS_CONTEXT = """
import json
from lambda_web_adapter import current_event


def app(environ, start_response):
    print(f"context={json.dumps(current_event()['requestContext'])}", flush=True)
    start_response("200 OK", [])
    return []
"""


@pytest.fixture(params=[pytest.param(FLASK, id="flask"), pytest.param(FASTAPI, id="fastapi")])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(request.param)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Iterator[Running]:
    program = [*PROGRAM, "--event-source", "websocket", "--route-responses"]
    with Running(program, cwd=folder, env=plain_environment()) as running:
        yield running


@pytest.fixture
def url(run: Running) -> str:
    return run.wait_for(r"ws://127\.0\.0\.1:\d+")[0]


def test_clients_chat_through_the_app(run: Running, url: str, folder: Path) -> None:
    with connect(f"{url}/?name=ann", proxy=None) as ann, connect(f"{url}/prod", proxy=None) as bob:
        message = json.dumps({"action": "say", "text": "héllo"})
        ann.send(message)

        assert bob.recv(SECONDS) == message
        received = [json.loads(ann.recv(SECONDS)) for _ in range(2)]
        assert json.loads(message) in received
        assert {"sent": True} in received, "which is the response of the route"
    run.wait_for(r"(?s)WebSocket \$disconnect 200.*WebSocket \$disconnect 200")

    assert list((folder / "members").iterdir()) == []


def test_the_app_refuses_a_client(url: str) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(f"{url}/?name=nobody", proxy=None):
        pass

    assert refused.value.response.status_code == 401


def test_the_app_sees_the_run_s_own_url(url: str) -> None:
    with connect(url, proxy=None) as client:
        client.send("who am I?")

        assert client.recv(SECONDS) == url.replace("ws://", "http ")


def test_connections_outlive_an_environment(run: Running, url: str) -> None:
    with connect(url, proxy=None) as client:
        client.send('{"action": "fail"}')
        error = json.loads(client.recv(SECONDS))
        client.send("still there?")
        answer = client.recv(SECONDS)

    assert error["message"] == "Internal server error"
    assert answer == url.replace("ws://", "http ")
    assert "WebSocket fail error" in run.text


def test_the_end_of_the_run_ends_connections(run: Running, url: str, folder: Path) -> None:
    with connect(url, proxy=None) as client:
        code = run.terminate()
        with pytest.raises(Exception, match="Going away"):
            client.recv(SECONDS)

    assert code == 0
    assert list((folder / "members").iterdir()) == []


def test_the_log_says_which_path_the_app_gets(run: Running, url: str) -> None:
    assert "AWS_LWA_WEBSOCKET_PATH=/ws" in run.text


def test_an_app_may_choose_another_path(folder: Path) -> None:
    variables = plain_environment({"AWS_LWA_WEBSOCKET_PATH": "/other"})
    with Running([*PROGRAM, "--event-source", "websocket"], cwd=folder, env=variables) as run:
        url = run.wait_for(r"ws://127\.0\.0\.1:\d+")[0]
        with pytest.raises(InvalidStatus) as refused, connect(url, proxy=None):
            pass

    assert refused.value.response.status_code == 404
    assert "AWS_LWA_WEBSOCKET_PATH=/ws" not in run.text


@pytest.mark.parametrize("name", ["function-url", "rest-api"])
def test_a_handshake_at_another_gateway_is_told_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / "main.py").write_text(FLASK)
    with Running([*PROGRAM, "--event-source", name], cwd=tmp_path, env=plain_environment()) as run:
        address = run.wait_for(r"http://(127\.0\.0\.1:\d+)")[1]
        with pytest.raises(InvalidStatus) as refused, connect(f"ws://{address}/socket", proxy=None):
            pass
        upgrade = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAMAAABkAAQAAP__"}
        plain = httpx.get(f"http://{address}/nothing", headers=upgrade, trust_env=False)

    response = refused.value.response
    assert response.status_code == 501
    assert b"--event-source websocket" in (response.body or b"")
    assert plain.status_code == 404, "another protocol that is offered changes nothing"
    assert re.findall(r"WebSocket /socket 501 .*--event-source websocket", run.text)
    assert "upgrade request" not in run.text
    assert "uvicorn" not in run.text


def test_the_runtime_api_takes_no_handshake(tmp_path: Path) -> None:
    app = "import os\nprint('Runtime API:', os.environ['AWS_LAMBDA_RUNTIME_API'], flush=True)\n"
    (tmp_path / "main.py").write_text(app + FLASK)
    with Running(PROGRAM, cwd=tmp_path, env=plain_environment()) as run:
        address = run.wait_for(r"Runtime API: (\S+)")[1]
        with pytest.raises(InvalidStatus) as refused, connect(f"ws://{address}/2018-06-01/runtime", proxy=None):
            pass

    assert refused.value.response.status_code == 403
    assert "WebSocket" not in run.text


def test_the_caller_of_the_command_line_is_in_the_events(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(SHOWS_CONTEXT)
    (tmp_path / "caller.json").write_text('{"context": {"tenant": 7}}')
    options = ["--event-source", "websocket", "--authorizer", "caller.json"]
    with (
        Running([*PROGRAM, *options], cwd=tmp_path, env=plain_environment()) as run,
        connect(run.wait_for(r"ws://127\.0\.0\.1:\d+")[0], proxy=None),
    ):
        context = json.loads(run.wait_for(r"context=(\{.*\})\n")[1])

    assert context["authorizer"] == {"tenant": "7"}


def test_a_wrong_expression_is_explained(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(FLASK)
    options = ["--event-source", "websocket", "--route-selection", "action"]
    with Running([*PROGRAM, *options], cwd=tmp_path, env=plain_environment()) as run:
        assert run.wait() == 2

    assert re.search(r"--route-selection.*\$request\.body\.action", run.text, re.DOTALL)
