"""What a real environment reports of its exchanges with the app, and what the records of a run have of it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from local.recorded_run import RecordedRun, until, within_run

from lambda_web_adapter.ipc.exchange_frame import MAX_BODY, Exchange
from lambda_web_adapter.local.records.conversion import parse_head
from lambda_web_adapter.local.records.records import Record

WSGI = """
import os, subprocess, sys, time

COUNT = '''
import os, socket, stat
count = 0
for name in os.listdir("/proc/self/fd"):
    try:
        if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
            count += socket.socket(fileno=os.dup(int(name))).type == socket.SOCK_DGRAM
    except OSError:
        pass
print(count, os.environ.get("_LWA_EXCHANGES_TO"))
'''


def app(environ, start_response):
    path, body = environ["PATH_INFO"], environ["wsgi.input"].read()
    if path == "/exit":
        os._exit(3)
    elif path == "/hang":
        time.sleep(600)
    elif path == "/descriptors":  # of a process that inherits all that it can
        read, write = os.pipe()
        if os.fork() == 0:
            os.dup2(write, 1)
            os.execv(sys.executable, [sys.executable, "-c", COUNT])
        os.close(write)
        os.wait()
        body = os.read(read, 1000)
    start_response("201 Created", [("content-type", "text/plain"), ("x-of-the-app", "é".encode().decode("latin-1"))])
    return [body]
"""
ASGI = """
import asyncio


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for part in (b"data: 1\\n\\n", b"data: 2\\n\\n"):
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b""})
"""
COMMAND = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = f"{os.environ.get('_LWA_EXCHANGES_TO')}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(WSGI)
    return tmp_path


def exchange_of(record: Record) -> Exchange:
    assert record.exchange
    return record.exchange


def assert_in_order(record: Record) -> None:
    """Assert that all moments of a complete record are there, one after the other."""
    exchange = exchange_of(record)
    moments = {
        "received": record.received_at,
        "started": record.started_at,
        "requested": exchange.requested_at,
        "responded": exchange.responded_at,
        "replied": record.replied_at,
        "ended": record.ended_at,
        "frozen": record.frozen_at,
    }
    assert all(moments.values()), moments
    assert list(moments.values()) == sorted(moments.values()), moments


async def reported(run: RecordedRun, path: str, **request: Any) -> Record:
    """Return the record of a request once its exchange has come as well."""
    record = await run.record(path, **request)
    await until(lambda: record.exchange)
    return record


def test_a_buffered_response(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        record = await reported(run, "/a%2Fb?q=%20", method="POST", content=b"\xff body", headers={"X-Mine": "yes"})
        exchange = exchange_of(record)
        line, headers = parse_head(exchange.request_head)
        assert line == "POST /a%2Fb?q=%20 HTTP/1.1"
        assert ("x-mine", "yes") in [(name.lower(), value) for name, value in headers]
        assert (exchange.request_body, exchange.request_size) == (b"\xff body", 6)
        line, headers = parse_head(exchange.response_head)
        assert line.split()[:2] == ["HTTP/1.1", "201"]
        assert ("x-of-the-app", "é") in headers
        assert (exchange.response_body, exchange.response_size) == (b"\xff body", 6)
        assert (exchange.source, exchange.error_type) == ("function-url", "")
        assert_in_order(record)
        assert_in_order(await reported(run, "/"))  # the next one, of an environment that was frozen

    within_run(folder, test)


def test_a_streamed_response(folder: Path) -> None:
    (folder / "main.py").write_text(ASGI)

    async def test(run: RecordedRun) -> None:
        record = await reported(run, "/")
        exchange = exchange_of(record)
        assert record.is_streamed
        assert ("content-type", "text/event-stream") in parse_head(exchange.response_head)[1]
        assert exchange.responded_at <= record.first_byte_at <= record.replied_at
        assert_in_order(record)

    within_run(folder, test, environ={"AWS_LWA_INVOKE_MODE": "response_stream"})


def test_an_external_command(folder: Path) -> None:
    (folder / "server.py").write_text(COMMAND)

    async def test(run: RecordedRun) -> None:
        record = await reported(run, "/x?y=1")
        exchange = exchange_of(record)
        assert parse_head(exchange.request_head)[0] == "GET /x?y=1 HTTP/1.1"
        assert exchange.response_body == b"None"  # it knows of no descriptor
        assert_in_order(record)

    within_run(folder, test, ["--", sys.executable, str(folder / "server.py")])


def test_concurrent_invocations_have_their_own_exchanges(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        await run.record("/")
        bodies = [f"body {number}".encode() for number in range(12)]
        await asyncio.gather(*(run.client.post(f"/{index}", content=each) for index, each in enumerate(bodies)))
        records = run.recorder.records.last(12)
        await until(lambda: all(record.exchange and record.is_complete for record in records))
        for record in records:
            assert record.client_request
            assert exchange_of(record).request_body == record.client_request.body
            line = parse_head(exchange_of(record).request_head)[0]
            assert line == f"POST {record.client_request.raw_path} HTTP/1.1"

    within_run(folder, test, concurrency=4, environments=1)


def test_a_large_body_is_reported_as_far_as_it_goes(folder: Path) -> None:
    body = b"0123456789abcdef" * (5 * 2**20 // 16)

    async def test(run: RecordedRun) -> None:
        headers = {"content-type": "text/plain"}  # else base64 makes the event too large
        exchange = exchange_of(await reported(run, "/", method="POST", content=body, headers=headers))
        assert (exchange.request_size, exchange.response_size) == (len(body), len(body))
        assert exchange.request_body == exchange.response_body == body[:MAX_BODY]

    within_run(folder, test)


def test_a_datagram_that_is_too_large_goes_without_bodies(folder: Path) -> None:
    """The heads alone are less than Linux takes at once with its defaults; with the bodies, they are more."""
    (folder / "main.py").write_text(WSGI.replace('[("content-type"', '[("x-large", "y" * 395_000), ("content-type"'))

    async def test(run: RecordedRun) -> None:
        exchange = exchange_of(await reported(run, "/", method="POST", content=b"x" * MAX_BODY))
        assert (exchange.request_size, exchange.request_body, exchange.response_body) == (MAX_BODY, b"", b"")
        assert dict(parse_head(exchange.response_head)[1])["x-large"] == "y" * 395_000

    within_run(folder, test, environ={"AWS_LWA_EXCLUDE_RESPONSE_HEADERS": "x-large"})


def test_an_app_that_hangs_has_a_request_and_no_response(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        record = await reported(run, "/hang", is_frozen=False)
        exchange = exchange_of(record)
        assert record.status == 504
        assert parse_head(exchange.request_head)[0] == "GET /hang HTTP/1.1"
        assert (exchange.response_head, exchange.responded_at) == (b"", 0.0)
        assert record.started_at <= exchange.requested_at <= record.replied_at

    within_run(folder, test, timeout=1.0)


def test_an_app_that_dies_has_a_request_and_an_error(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        record = await reported(run, "/exit")
        exchange = exchange_of(record)
        assert record.status == 502
        assert parse_head(exchange.request_head)[0] == "GET /exit HTTP/1.1"
        assert exchange.response_head == b""
        after = await reported(run, "/after")
        assert (after.environment, after.status) == (1, 201)
        assert_in_order(after)

    within_run(folder, test)


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
@pytest.mark.parametrize("is_second_run", [False, True], ids=["the first run", "after the app has died"])
def test_no_process_of_the_app_has_the_descriptor(folder: Path, is_second_run: bool) -> None:
    async def test(run: RecordedRun) -> None:
        if is_second_run:
            await run.record("/exit")
        record = await reported(run, "/descriptors")
        assert exchange_of(record).response_body == b"0 None\n"

    within_run(folder, test)


def test_without_reports_there_is_no_exchange(folder: Path) -> None:
    async def test(run: RecordedRun) -> None:
        record = await run.record("/", method="POST", content=b"body")
        assert (record.exchange, record.status, record.reply_bytes > 0) == (None, 201, True)

    within_run(folder, test, reports_exchanges=False)
