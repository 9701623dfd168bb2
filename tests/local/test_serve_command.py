"""`lambda-web-adapter serve`: an app on a port without Lambda, by real processes and clients."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from support.processes import Running, accepts, children, free_port, plain_environment, wait_until
from websockets.sync.client import connect

from lambda_web_adapter.local.commands.serve import default_host

PROGRAM = [sys.executable, "-W", "always::DeprecationWarning", "-m", "lambda_web_adapter", "serve"]
HOST = ["--host", "127.0.0.1"]
WSGI = """
import threading, time
from pathlib import Path
from lambda_web_adapter import on_shutdown

on_shutdown(lambda: print("hook", flush=True))


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/wait":
        print("waiting", flush=True)
        while not Path("go").exists():
            time.sleep(0.01)
    if path == "/forever":
        print("waiting", flush=True)
        threading.Event().wait()
    names = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_X_PROBE", "QUERY_STRING")
    body = " ".join([path, *(environ.get(name, "-") for name in names)]).encode() + environ["wsgi.input"].read()
    start_response("200 OK", [("content-type", "text/plain")])
    return [body]
"""
ASGI = """
import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from fastapi import FastAPI, Request, WebSocket
from lambda_web_adapter import on_shutdown


@asynccontextmanager
async def lifespan(app):
    print("started", flush=True)
    yield
    print("stopped", flush=True)


app = FastAPI(lifespan=lifespan)


@on_shutdown
async def hook():
    print("hook", flush=True)


@app.get("/wait")
async def wait():
    print("waiting", flush=True)
    while not Path("go").exists():
        await asyncio.sleep(0.01)
    return "waited"


@app.get("/forever")
async def forever():
    print("waiting", flush=True)
    await asyncio.Event().wait()


@app.get("/client")
async def client(request: Request):
    return [request.client.host, request.url.scheme]


@app.get("/fail")
async def fail():
    raise ValueError("the app's fault")


@app.websocket("/ws")
async def echo(websocket: WebSocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(ASGI)
    (tmp_path / "wsgi_app.py").write_text(WSGI)
    return tmp_path


def serve(folder: Path, *arguments: str, **variables: str) -> Running:
    return Running([*PROGRAM, *HOST, *arguments], cwd=folder, env=plain_environment(variables))


def url_of(run: Running) -> str:
    return run.wait_for(r"Serving .* on (http://127\.0\.0\.1:\d+)\. Ctrl-C stops\.")[1]


def get(url: str, **arguments: object) -> httpx.Response:
    return httpx.get(url, trust_env=False, timeout=30, **arguments)  # type: ignore[arg-type]


def test_an_asgi_app_is_served_with_its_lifespan(folder: Path) -> None:
    with serve(folder, "--port", "0", "main:app") as run:
        assert get(f"{url_of(run)}/client").json() == ["127.0.0.1", "http"]
        assert run.terminate() == 0

    assert re.findall("started|stopped|hook", run.text) == ["started", "stopped", "hook"]


def test_a_wsgi_app_is_served_too(folder: Path) -> None:
    with serve(folder, "--port", "0", "wsgi_app:app") as run:
        response = httpx.post(
            f"{url_of(run)}/a b?x=1", content=b" body", trust_env=False, headers={"x_probe": "forged"}
        )

        assert response.text == "/a b 127.0.0.1 http - x=1 body"
        assert run.terminate() == 0

    assert run.text.count("hook") == 1


def test_many_requests_to_a_wsgi_app_run_at_once(folder: Path) -> None:
    with serve(folder, "--port", "0", "wsgi_app:app") as run, ThreadPoolExecutor(20) as pool:
        url = url_of(run)
        waiting = [pool.submit(get, f"{url}/wait") for _ in range(20)]
        run.wait_for(r"(waiting\n[^w]*){20}")
        (folder / "go").touch()

        assert [each.result().status_code for each in waiting] == [200] * 20


def test_web_sockets_work_by_nothing_that_is_deprecated(folder: Path) -> None:
    with serve(folder, "--port", "0", "--access-log", "main:app") as run:
        with connect(url_of(run).replace("http", "ws") + "/ws", proxy=None) as client:
            client.send("hello")
            assert client.recv(timeout=30) == "hello"

        run.wait_for(r"WebSocket /ws 101 \d+ ms")
        assert "Deprecat" not in run.text


def test_without_an_app_it_is_searched(folder: Path) -> None:
    with serve(folder, "--port", "0") as run:
        assert get(f"{url_of(run)}/client").status_code == 200


def test_the_app_may_be_in_another_folder(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "wsgi_app.py").rename(folder / "deep" / "shop.py")
    with serve(folder, "--port", "0", "--app-dir", "deep", "shop:app") as run:
        assert get(f"{url_of(run)}/x").text.startswith("/x 127.0.0.1")


@pytest.mark.parametrize("app", ["main:app", "wsgi_app:app"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_running_request_is_completed(app: str, number: int, folder: Path) -> None:
    with serve(folder, "--port", "0", app) as run, ThreadPoolExecutor(1) as pool:
        url = url_of(run)
        response = pool.submit(get, f"{url}/wait")
        run.wait_for("waiting")
        os.kill(run.pid, number)
        wait_until(lambda: not accepts(url.removeprefix("http://")), "it takes no more connections")
        (folder / "go").touch()

        assert response.result().status_code == 200
        assert run.wait() == 0
        assert "Traceback" not in run.text
        assert "hook" in run.text


def test_a_request_of_an_asgi_app_that_goes_on_is_broken_off(folder: Path) -> None:
    with serve(folder, "--port", "0", "--stop-timeout", "0.2", "main:app") as run, ThreadPoolExecutor(1) as pool:
        response = pool.submit(get, f"{url_of(run)}/forever")
        run.wait_for("waiting")

        assert run.terminate() == 0
        assert response.result().status_code == 500
        assert "Cancel 1 running task" in run.text
        assert "stopped" in run.text


def test_a_thread_of_a_wsgi_app_that_goes_on_is_ended(folder: Path) -> None:
    with serve(folder, "--port", "0", "--stop-timeout", "0.2", "wsgi_app:app") as run, ThreadPoolExecutor(1) as pool:
        response = pool.submit(get, f"{url_of(run)}/forever")
        run.wait_for("waiting")

        assert run.terminate() == 1
        assert "still running at the end of --stop-timeout" in run.text
        assert response.exception() or response.result().status_code == 500


@pytest.mark.parametrize("source", ["option", "PORT", "LAMBDA_WEB_ADAPTER_PORT", ".env", "pyproject.toml"])
def test_the_port_comes_from_anywhere(source: str, folder: Path) -> None:
    port = free_port()
    if source == ".env":
        (folder / ".env").write_text(f"PORT={port}\n")
    if source == "pyproject.toml":
        (folder / source).write_text(f"[tool.lambda-web-adapter]\nport = {port}\nmemory = 128\n")
    variables = {source: port} if source.isupper() or source == "LAMBDA_WEB_ADAPTER_PORT" else {}
    arguments = ["--port", port] if source == "option" else []
    with serve(folder, *arguments, "main:app", **variables) as run:
        assert url_of(run) == f"http://127.0.0.1:{port}"


def test_the_access_log_has_a_line_for_each_request(folder: Path) -> None:
    with serve(folder, "--port", "0", "--access-log", "main:app") as run:
        url = url_of(run)
        get(f"{url}/client?x=1")
        get(f"{url}/nothing")
        get(f"{url}/fail")

        run.wait_for(r"GET /client\?x=1 200 \d+ ms")
        run.wait_for(r"GET /nothing 404 \d+ ms")
        run.wait_for(r"GET /fail 500 \d+ ms")
        run.wait_for("ValueError: the app's fault")


def test_the_access_log_is_off_without_a_terminal(folder: Path) -> None:
    with serve(folder, "--port", "0", "main:app") as run:
        get(f"{url_of(run)}/client")
        run.terminate()

    assert "GET" not in run.text


@pytest.mark.parametrize(
    ("option", "expected"), [([], ["127.0.0.1", "http"]), (["--proxy-headers"], ["192.0.2.7", "https"])]
)
def test_headers_of_a_proxy_count_if_it_is_said(option: list[str], expected: list[str], folder: Path) -> None:
    headers = {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https"}
    with serve(folder, "--port", "0", *option, "main:app") as run:
        assert get(f"{url_of(run)}/client", headers=headers).json() == expected


def test_only_proxies_that_are_named_are_trusted(folder: Path) -> None:
    with serve(folder, "--port", "0", "--proxy-headers", "main:app", FORWARDED_ALLOW_IPS="192.0.2.1") as run:
        assert get(f"{url_of(run)}/client", headers={"x-forwarded-for": "192.0.2.7"}).json()[0] == "127.0.0.1"


def test_a_command_gets_the_port(folder: Path) -> None:
    with Running([*PROGRAM, "--port", "8123", "--", "sh", "-c", "echo port $PORT; exit 5"], cwd=folder) as run:
        assert run.wait() == 5
        assert run.text == "port 8123\n"


def test_a_command_that_cannot_be_executed_is_one_line(folder: Path) -> None:
    with Running([*PROGRAM, "--", "nosuchcommand"], cwd=folder) as run:
        assert run.wait() == 127
        assert run.text.startswith("lambda-web-adapter serve: nosuchcommand cannot be executed: ")


@pytest.mark.parametrize(
    ("app", "source", "code", "message"),
    [
        pytest.param("nosuch:app", "", 2, "There is no module 'nosuch'", id="no module"),
        pytest.param("other:app", "import nothing_here", 1, "No module named 'nothing_here'", id="a failed import"),
        pytest.param("other:app", "raise SystemExit(3)", 1, "SystemExit: 3", id="an exit"),
        pytest.param("other:app", "app = (", 1, "SyntaxError", id="a syntax error"),
        pytest.param(
            "other:app",
            "from contextlib import asynccontextmanager\nfrom fastapi import FastAPI\n"
            "@asynccontextmanager\nasync def lifespan(app):\n    raise RuntimeError('no database')\n    yield\n"
            "app = FastAPI(lifespan=lifespan)",
            1,
            "no database",
            id="a failed lifespan",
        ),
    ],
)
def test_an_app_that_cannot_be_served_is_explained(
    app: str, source: str, code: int, message: str, folder: Path
) -> None:
    (folder / "other.py").write_text(source)
    with serve(folder, "--port", "0", app) as run:
        assert run.wait() == code
        assert message in run.text
        assert "Serving" not in run.text
        assert "local/plain_server.py" not in run.text
        assert "importlib" not in run.text


def test_a_port_that_is_taken_is_named_before_the_app_is_imported(folder: Path) -> None:
    (folder / "other.py").write_text("print('imported')")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve(folder, "--port", str(port), "other:app") as run:
            assert run.wait() == 2

    assert f"Port {port} of 127.0.0.1 is taken" in run.text
    assert "imported" not in run.text


def test_nobody_is_accepted_before_the_app_is_up(folder: Path) -> None:
    port = free_port()
    (folder / "other.py").write_text(
        "import time\nfrom pathlib import Path\nprint('importing', flush=True)\n"
        "while not Path('go').exists():\n    time.sleep(0.01)\nfrom main import app\n"
    )
    with serve(folder, "--port", port, "other:app") as run:
        run.wait_for("importing")
        with pytest.raises(httpx.ConnectError):
            get(f"http://127.0.0.1:{port}/client")
        (folder / "go").touch()

        assert get(f"{url_of(run)}/client").status_code == 200


def test_a_port_that_is_taken_while_the_app_is_imported_is_named(folder: Path) -> None:
    port = free_port()
    (folder / "other.py").write_text(
        "import time\nfrom pathlib import Path\nprint('importing', flush=True)\n"
        "while not Path('go').exists():\n    time.sleep(0.01)\nfrom main import app\n"
    )
    with serve(folder, "--port", port, "other:app") as late:
        late.wait_for("importing")
        with serve(folder, "--port", port, "main:app") as run:
            url_of(run)
            (folder / "go").touch()

            assert late.wait() == 2
            assert f"Port {port} of 127.0.0.1 is taken" in late.text
            assert "Traceback" not in late.text


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="process 1 takes root, and unshare")
def test_process_1_of_a_container_ends_while_the_app_is_imported(folder: Path) -> None:
    (folder / "other.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(3600)\n")
    command = ["unshare", "--pid", "--fork", *PROGRAM, *HOST, "--port", "0", "other:app"]
    with Running(command, cwd=folder, env=plain_environment()) as run:
        run.wait_for("importing")
        (first,) = children(run.pid)
        os.kill(first, signal.SIGTERM)

        assert run.wait() == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("variables", "pid", "file", "host"),
    [
        pytest.param({}, 70, "", "127.0.0.1", id="a laptop"),
        pytest.param({}, 70, ".dockerenv", "0.0.0.0", id="a container with an init"),
        pytest.param({}, 1, "", "0.0.0.0", id="a container"),
        pytest.param({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, 70, "", "0.0.0.0", id="a pod"),
        pytest.param({"ECS_CONTAINER_METADATA_URI_V4": "http://…"}, 70, "", "0.0.0.0", id="a task"),
    ],
)
def test_in_a_container_everybody_can_connect(
    variables: dict[str, str], pid: int, file: str, host: str, tmp_path: Path
) -> None:
    if file:
        (tmp_path / file).touch()

    assert default_host(variables, pid, (tmp_path / ".dockerenv",)) == host
