"""What apps keep from one request to the next, and find again after a freeze: connections, locks, processes."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from support.freezing import family, state
from support.local_run import bootstraps
from support.processes import SECONDS, Running, plain_environment, wait_until

APP = """
import http.client, json, multiprocessing, os, subprocess, sys, threading, time
from flask import Flask
import httpx, requests

PEER = os.environ["PEER"]
app = Flask(__name__)
clients = {"httpx": httpx.Client(trust_env=False), "requests": requests.Session()}
clients["requests"].trust_env = False
plain = http.client.HTTPConnection(PEER.removeprefix("http://"))
lock = threading.Lock()
kept = {}


def read_plainly():
    try:
        plain.request("GET", "/")
        return plain.getresponse().read().decode()
    except http.client.HTTPException as error:
        return type(error).__name__


@app.get("/connections")
def connections():
    return {**{name: client.get(PEER).text for name, client in clients.items()}, "http.client": read_plainly()}


@app.get("/hold")
def hold():
    held = threading.Event()

    def work():
        with lock:
            held.set()
            for _ in range(30):
                time.sleep(0.01)

    threading.Thread(target=work, daemon=True).start()
    held.wait()
    return {}


@app.get("/lock")
def acquire():
    with lock:
        return {"acquired": True}


@app.get("/pool/<method>")
def pool(method):
    if method not in kept:
        kept[method] = multiprocessing.get_context(method).Pool(2)
    results = kept[method].map_async(abs, range(-100, 0)).get(20)
    return {"sum": sum(results), "pids": sorted(each.pid for each in multiprocessing.active_children())}


HELPER = "import sys\\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"


@app.get("/helper")
def helper():
    if "helper" not in kept:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        kept["helper"] = subprocess.Popen([sys.executable, "-c", HELPER], start_new_session=True, text=True, **pipes)
    kept["helper"].stdin.write("hello\\n")
    kept["helper"].stdin.flush()
    return {"pid": kept["helper"].pid, "line": kept["helper"].stdout.readline()}


@app.get("/database")
def database():
    import sqlite3
    if "database" not in kept:
        kept["database"] = sqlite3.connect("app.db", check_same_thread=False, isolation_level=None)
        kept["database"].execute("create table if not exists visits (number)")
    kept["database"].execute("insert into visits values (1)")
    return {"visits": kept["database"].execute("select count(*) from visits").fetchone()[0]}
"""


class Peer(ThreadingHTTPServer):
    """A server that keeps connections open, until it is told to close all that there are."""

    def __init__(self) -> None:
        """Begins to listen."""
        super().__init__(("127.0.0.1", 0), PeerConnection)
        self.connections: list[socket.socket] = []

    def close_connections(self) -> None:
        """Closes them, as servers do with those that are idle."""
        while self.connections:
            with suppress(OSError):  # the client was first
                self.connections.pop().shutdown(socket.SHUT_RDWR)


class PeerConnection(BaseHTTPRequestHandler):
    """Responds to each request with the connection's name."""

    server: Peer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.connections.append(self.connection)

    def do_GET(self) -> None:
        body = str(self.client_address[1]).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def run(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("app")
    (folder / "main.py").write_text(APP)
    environ = plain_environment({"PEER": f"http://127.0.0.1:{peer.server_address[1]}"})
    program = [sys.executable, "-m", "lambda_web_adapter", "--port", "0", "--environments", "1", "main:app"]
    with Running(program, cwd=folder, env=environ) as running:
        yield running


def get(run: Running, path: str) -> dict[str, Any]:
    url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
    response = httpx.get(url + path, trust_env=False, timeout=SECONDS * 2)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def wait_for_freeze(run: Running) -> None:
    """Waits until each process of the environment is stopped."""
    wait_until(lambda: {state(pid) for each in bootstraps(run) for pid in family(each)} == {"T"}, "all are frozen")


def test_connections_that_a_peer_closes_during_the_freeze_are_opened_again_by_pools_only(
    run: Running, peer: Peer
) -> None:
    """As on Lambda: a connection without a pool fails once."""
    first = get(run, "/connections")
    assert get(run, "/connections") == first
    wait_for_freeze(run)
    peer.close_connections()

    after = get(run, "/connections")

    assert after.pop("http.client") == "RemoteDisconnected"
    assert all(after[name].isdecimal() and after[name] != first[name] for name in ("httpx", "requests"))
    assert get(run, "/connections")["http.client"].isdecimal()


def test_connections_that_stay_open_are_used_again(run: Running) -> None:
    first = get(run, "/connections")
    wait_for_freeze(run)

    assert get(run, "/connections") == first


def test_a_lock_that_a_frozen_thread_holds_is_released_after_the_thaw(run: Running) -> None:
    get(run, "/hold")
    wait_for_freeze(run)

    assert get(run, "/lock") == {"acquired": True}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_pool_of_processes_works_on(method: str, run: Running) -> None:
    first = get(run, f"/pool/{method}")
    wait_for_freeze(run)

    assert get(run, f"/pool/{method}") == first
    assert first["sum"] == 5050


def test_a_helper_in_a_session_of_its_own_works_on(run: Running) -> None:
    first = get(run, "/helper")
    wait_for_freeze(run)

    assert get(run, "/helper") == first
    assert first["line"] == "HELLO\n"


def test_a_database_stays_open(run: Running) -> None:
    first = get(run, "/database")["visits"]
    wait_for_freeze(run)

    assert get(run, "/database") == {"visits": first + 1}
