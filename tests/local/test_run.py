"""The local run, as a process: what a browser gets, and what happens when the app cannot be run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.processes import Running, accepts, free_addresses, free_port, plain_environment, wait_until

PROGRAM = [sys.executable, "-m", "lambda_web_adapter"]
APP = """
import atexit, json, os
from urllib.parse import parse_qsl

atexit.register(print, "the app has stopped", flush=True)


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/exit":
        os._exit(7)
    if path == "/environ":
        shown = {key: value for key, value in environ.items() if isinstance(value, str)}
        start_response("200 OK", [("content-type", "application/json")])
        return [json.dumps(shown).encode()]
    if path == "/events":
        start_response("500 Oops", [("content-type", "text/plain")])
        return [b"no"]
    if path == "/empty":
        start_response("204 No Content", [])
        return []
    if path == "/made":
        start_response("200 OK", [("content-type", "text/plain")])
        return iter([b"ma", b"de"])
    if path == "/headers":
        start_response("200 OK", [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("vary", "x"), ("vary", "y")])
        return [b""]
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("content-type", environ.get("CONTENT_TYPE") or "application/octet-stream")])
    return [body]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(APP)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Iterator[Running]:
    with Running([*PROGRAM, "--port", "0"], cwd=folder, env=plain_environment()) as running:
        yield running


@pytest.fixture
def client(run: Running) -> Iterator[httpx.Client]:
    url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
    with httpx.Client(base_url=url, trust_env=False) as started:
        yield started


def test_a_variable_port_that_means_the_run_is_not_the_app_s(folder: Path) -> None:
    """`make run PORT=…` exports it, as whoever keeps it in a shell does."""
    port = free_port()
    with Running([*PROGRAM, "--port", port], cwd=folder, env=plain_environment({"PORT": port})) as run:
        run.wait_for(rf"http://127\.0\.0\.1:{port}")

        assert httpx.get(f"http://127.0.0.1:{port}/empty", trust_env=False).status_code == 204


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("application/octet-stream", bytes(range(256)) * 40, id="binary"),
        pytest.param("text/plain; charset=utf-8", "héllo ☕".encode(), id="text"),
        pytest.param("text/plain", b"\xff\xfe not UTF-8", id="text that is not UTF-8"),
        pytest.param("application/json", b'{"a": [1, 2, 3]}', id="JSON"),
        pytest.param("application/x-thing", b"\x00\x01control", id="controls"),
        pytest.param("image/png", b"plain letters", id="letters that say they are an image"),
        pytest.param("application/octet-stream", b"x" * 3_000_000, id="three megabytes"),
    ],
)
def test_bodies_come_back_byte_for_byte(client: httpx.Client, kind: str, body: bytes) -> None:
    response = client.post("/echo", content=body, headers={"content-type": kind})

    assert (response.status_code, response.content) == (200, body)
    assert response.headers["content-type"] == kind


def test_the_app_sees_the_local_address(client: httpx.Client) -> None:
    environ = client.get("/environ", params={"q": "a b"}, headers={"x-probe": "1"}).json()

    assert environ["QUERY_STRING"] == "q=a+b"
    assert environ["HTTP_X_PROBE"] == "1"
    assert environ["wsgi.url_scheme"] == "http"
    assert f"http://{environ['HTTP_HOST']}" == str(client.base_url).rstrip("/")
    assert environ["SERVER_PORT"] == str(client.base_url.port)
    assert environ["REMOTE_ADDR"] == "127.0.0.1"


def test_cookies_and_repeated_headers_come_out(client: httpx.Client) -> None:
    response = client.get("/headers")

    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert response.headers["vary"] == "x, y"


def test_a_response_without_body_has_none(client: httpx.Client) -> None:
    response = client.get("/empty")

    assert (response.status_code, response.content) == (204, b"")
    assert "content-length" not in response.headers


def test_head_says_the_length_and_sends_nothing(client: httpx.Client) -> None:
    response = client.head("/environ")

    assert response.status_code == 200
    assert int(response.headers["content-length"]) > 0
    assert response.content == b""


def test_head_gets_no_length_that_the_app_has_not_said(client: httpx.Client) -> None:
    """Of a body that an app makes on its way, which it leaves out for HEAD, nobody knows one."""
    responses = [client.head("/made"), client.get("/made")]

    assert [response.headers.get("content-length") for response in responses] == [None, "4"]
    assert "transfer-encoding" not in responses[0].headers


def test_a_body_beyond_what_lambda_takes_is_refused(client: httpx.Client) -> None:
    response = client.post("/echo", content=b"\0" * 5_000_000)

    assert response.status_code == 413
    assert "6291456" in response.text


def test_ctrl_c_stops_the_app_in_order(run: Running, client: httpx.Client) -> None:
    client.get("/empty")
    os.kill(run.pid, signal.SIGINT)

    assert run.wait() == 0
    assert "the app has stopped" in run.text
    assert "Traceback" not in run.text


HOOK = """
import atexit
from lambda_web_adapter import on_shutdown

atexit.register(print, "third", flush=True)


@on_shutdown
async def second():
    print("second", flush=True)


@on_shutdown
def first():
    print("first", flush=True)


def app(environ, start_response):
    start_response("204 No Content", [])
    return []


async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
"""


@pytest.mark.parametrize("app", ["main:app", "main:asgi"], ids=["wsgi", "asgi"])
@pytest.mark.parametrize("through", ["an embedded Lambda", "nothing"])
def test_ctrl_c_calls_what_the_app_has_for_its_end(app: str, through: str, folder: Path) -> None:
    (folder / "main.py").write_text(HOOK)
    (address,) = free_addresses(1)
    variables = {"AWS_LAMBDA_HTTP_ENDPOINT": address} if through == "nothing" else {}
    options = [] if variables else ["--port", "0"]
    with Running([*PROGRAM, app, *options], cwd=folder, env=plain_environment(variables)) as run:
        if variables:
            wait_until(lambda: accepts(address), "the server listens")
        url = f"http://{address}" if variables else run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        assert httpx.get(url, trust_env=False).status_code == 204

        os.kill(run.pid, signal.SIGINT)

        assert run.wait() == 0
        called = re.findall("first|second|third", run.text)
        # A machine may be so busy that the 0.3 s of Lambda do not suffice.
        assert called == ["first", "second", "third"][: len(called) if "after SIGTERM" in run.text else 3]
        assert "Traceback" not in run.text


def test_it_does_not_import_what_invoke_needs(folder: Path) -> None:
    variables = plain_environment({"PYTHONPROFILEIMPORTTIME": "1"})
    with Running([*PROGRAM, "main:app", "--port", "0"], cwd=folder, env=variables) as run:
        run.wait_for(r"http://127\.0\.0\.1:\d+")
        imported = set(re.findall(r"(?m)^import time:.*\| +([\w.]+)$", run.text))

    assert "lambda_web_adapter.local.run" in imported
    assert imported.isdisjoint({"httpx", "lambda_web_adapter.local.invoke_api.invoke_client"})


def test_an_app_that_dies_costs_its_own_request_and_no_more(client: httpx.Client) -> None:
    died = client.get("/exit")
    after = client.get("/empty")

    assert died.status_code == 502
    assert "exit code 7" in died.text
    assert after.status_code == 204


def test_an_app_that_cannot_be_imported_is_explained_on_the_page_and_fixed_without_a_restart(folder: Path) -> None:
    (folder / "main.py").write_text("import nothing_of_this_name\n")
    with Running([*PROGRAM, "main:app", "--port", "0"], cwd=folder, env=plain_environment()) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        with httpx.Client(base_url=url, trust_env=False) as client:
            broken = client.get("/")
            (folder / "main.py").write_text(APP)
            fixed = client.get("/empty")

    assert broken.status_code == 502
    assert "ModuleNotFoundError: No module named 'nothing_of_this_name'" in broken.text
    assert fixed.status_code == 204


def test_requests_at_the_same_time_are_served_one_after_the_other(client: httpx.Client) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(lambda number: client.post("/echo", content=b"%d" % number).content, range(24)))

    assert bodies == [b"%d" % number for number in range(24)]


def test_it_goes_on_when_nobody_reads_its_log_any_more(folder: Path) -> None:
    """As in `lambda-web-adapter 2>&1 | head -1`."""
    command = [*PROGRAM, "main:app", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=plain_environment(), stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            url = next(match for line in process.stderr if (match := re.search(r"http://127\.0\.0\.1:\d+", line)))[0]
            process.stderr.close()
            with httpx.Client(base_url=url, trust_env=False) as client:
                responses = [client.post("/echo", content=b"hello").text for _ in range(3)]
        finally:
            process.terminate()

    assert responses == ["hello"] * 3


def test_under_nohup_it_goes_on_when_the_terminal_is_closed(folder: Path) -> None:
    command = ["nohup", *PROGRAM, "main:app", "--port", "0"]
    with Running(command, cwd=folder, env=plain_environment()) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        assert httpx.get(f"{url}/empty", trust_env=False).status_code == 204
        os.kill(run.pid, signal.SIGHUP)
        os.kill(run.pid, signal.SIGHUP)

        assert httpx.get(f"{url}/empty", trust_env=False).status_code == 204
        assert run.terminate() == 0
        assert "GET /empty 204" in run.text


def test_nothing_is_left_when_the_bootstrap_is_stuck_at_the_end(folder: Path) -> None:
    """A bootstrap that ignores SIGTERM is killed with all that it started."""
    (folder / "main.py").write_text(
        "import os, signal, time\n"
        "print('pid', os.getppid(), flush=True)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
        "os.kill(os.getppid(), signal.SIGSTOP)\n"
        "time.sleep(60)\n"
    )
    with Running([*PROGRAM, "main:app", "--port", "0"], cwd=folder, env=plain_environment()) as run:
        pid = int(run.wait_for(r"pid (\d+)")[1])
        wait_until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", "it is stopped")

        assert run.terminate() == 0
