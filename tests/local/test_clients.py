"""Clients that people have, against a local run of an example-like app: what curl, requests and httpx get."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import requests
from support.processes import SECONDS, Running, plain_environment
from urllib3.connection import HTTPConnection

PROGRAM = [sys.executable, "-m", "lambda_web_adapter", "--port", "0", "main:app"]
APP = """
import io, os
from flask import Flask, request, send_file

app = Flask(__name__)
CONTENT = bytes(range(256)) * 64


@app.get("/file")
def file():
    return send_file(io.BytesIO(CONTENT), download_name="file.bin", etag="1", conditional=True)


@app.post("/echo")
def echo():
    return request.get_data(), {"content-type": "text/plain"}


@app.get("/who")
def who():
    return {"pid": os.getpid(), "protocol": request.environ["SERVER_PROTOCOL"]}
"""
CONTENT = bytes(range(256)) * 64
# As text, it stays below Lambda's 6 MiB.
FIVE_MEGABYTES = b"0123456789abcdef" * (5_000_000 // 16)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    (folder / "main.py").write_text(APP)
    with Running(PROGRAM, cwd=folder, env=plain_environment()) as run:
        yield run.wait_for(r"http://127\.0\.0\.1:\d+")[0]


def curl(*arguments: str, content: bytes | None = None) -> bytes:
    program = shutil.which("curl")
    assert program, "curl is needed: every system that this project is developed on has it"
    command = [program, "--silent", "--show-error", "--max-time", str(SECONDS), "--noproxy", "*", *arguments]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout


def test_curl_with_http_1_0_gets_a_response_that_ends_with_its_connection(url: str) -> None:
    text = curl("--http1.0", "--include", f"{url}/file").partition(b"\r\n\r\n")

    assert text[0].startswith(b"HTTP/1.1 200")
    assert b"connection: close" in text[0].lower()
    assert text[2] == CONTENT


def test_curl_waits_for_100_continue_and_gets_it(url: str, tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(FIVE_MEGABYTES)
    headers = ["--header", "Expect: 100-continue", "--header", "content-type: text/plain"]
    text = curl(
        "--include", "--expect100-timeout", str(SECONDS), *headers, "--data-binary", f"@{upload}", f"{url}/echo"
    )

    assert text.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")
    assert text.partition(b"\r\n\r\n")[2].partition(b"\r\n\r\n")[2] == FIVE_MEGABYTES


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("0-9", CONTENT[:10], id="the beginning"),
        pytest.param("16000-", CONTENT[16000:], id="from a place on"),
        pytest.param("-5", CONTENT[-5:], id="the end"),
    ],
)
def test_curl_gets_ranges(url: str, value: str, expected: bytes) -> None:
    head, _, body = curl("--include", "--range", value, f"{url}/file").partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 206")
    assert body == expected


def test_curl_resumes_a_download(url: str, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT[:1000])
    curl("--continue-at", "-", "--output", str(tmp_path / "part"), f"{url}/file")

    assert (tmp_path / "part").read_bytes() == CONTENT


def test_curl_gets_the_head_alone(url: str) -> None:
    head, _, body = curl("--head", f"{url}/file").partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200")
    assert f"content-length: {len(CONTENT)}".encode() in head.lower()
    assert body == b""


def test_curl_sends_chunks_whose_number_nobody_knows(url: str) -> None:
    headers = ["--header", "transfer-encoding: chunked", "--header", "content-type: text/plain"]

    assert curl(*headers, "--data-binary", "@-", f"{url}/echo", content=b"a" * 300_000) == b"a" * 300_000


def test_requests_keeps_its_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connects: list[object] = []
    connect = HTTPConnection.connect

    def counted(connection: HTTPConnection) -> None:
        connects.append(connection)
        connect(connection)

    monkeypatch.setattr(HTTPConnection, "connect", counted)
    with requests.Session() as session:
        session.trust_env = False
        pids = {session.get(f"{url}/who", timeout=SECONDS).json()["pid"] for _ in range(5)}

    assert (len(pids), len(connects)) == (1, 1)


def test_requests_sends_and_gets_five_megabytes(url: str) -> None:
    headers = {"content-type": "text/plain"}
    response = requests.post(f"{url}/echo", FIVE_MEGABYTES, headers=headers, timeout=SECONDS * 2)

    assert hashlib.sha256(response.content).digest() == hashlib.sha256(FIVE_MEGABYTES).digest()


def test_fifty_clients_at_once_get_their_own_responses(url: str) -> None:
    def ask(number: int) -> list[bytes]:
        with httpx.Client(base_url=url, trust_env=False, timeout=SECONDS * 2) as client:
            return [client.post("/echo", content=b"%d/%d" % (number, each)).content for each in range(4)]

    with ThreadPoolExecutor(50) as pool:
        contents = list(pool.map(ask, range(50)))

    assert contents == [[b"%d/%d" % (number, each) for each in range(4)] for number in range(50)]


def test_a_client_that_does_not_wait_for_responses_gets_them_in_order(url: str) -> None:
    """Pipelining (RFC 9112 §9.3.2), as old proxies have it."""
    host, _, port = url.removeprefix("http://").partition(":")
    request = b"POST /echo HTTP/1.1\r\nHost: %s:%s\r\nContent-Length: 1\r\n%s\r\n%d"
    with socket.create_connection((host, int(port)), SECONDS) as client:
        lines = [b"", b"", b"Connection: close\r\n"]
        client.sendall(b"".join(request % (host.encode(), port.encode(), each, n) for n, each in enumerate(lines)))
        with client.makefile("rb") as file:
            text = file.read()

    assert [part[:1] for part in text.split(b"\r\n\r\n")[1:]] == [b"0", b"1", b"2"]
    assert text.startswith(b"HTTP/1.1 200")
