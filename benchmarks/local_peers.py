"""Measure what else runs a function or an app on a laptop: `python benchmarks/local_peers.py --rie PROGRAM`.

Each serves the same FastAPI app. `fastapi` is found beside the Python that runs this, as is `ministack`, which is left
out where it is not installed; `python tests/support/rie.py` fetches AWS's Runtime Interface Emulator. It prints the
time from the start to the first answer, the median of requests one after the other, and how long eight requests of a
second take that are sent at once. It runs on Linux.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_run import as_markdown
from local_servers import Local, Server, end_servers_on_signals, local_environ
from measure import free_port
from processes import Placement, Process
from sample_events import build_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

APP = """
import asyncio
from fastapi import FastAPI

app = FastAPI()

@app.get("/hello")
async def hello(name: str = "nobody"):
    return {"hello": name}

@app.get("/slow")
async def slow():
    await asyncio.sleep(1)
    return {}
"""
REQUESTS, SLOW_REQUESTS = 300, 8
REQUESTS_SECONDS = 20
START_SECONDS = 60
RIE_PATH = "/2015-03-31/functions/function/invocations"
# Starts this interpreter with the packages that it has: what a function's package would contain.
BOOTSTRAP = """#!/bin/sh
cd "$LAMBDA_TASK_ROOT" && exec env PYTHONPATH={paths} {python} -m lambda_web_adapter main:app
"""


def send(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Return the body of a response.

    Raises:
        OSError: The server does not respond, or not with 200.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise OSError(f"{method} {path} should get 200, but got {response.status}: {content[:300]!r}")
    return content


def measure(request: Callable[[str], bytes], process: Process, started_at: float) -> dict[str, float]:
    """Return the figures of a server, given a function that requests a path of the app."""
    first = wait_for_first(request, process) - started_at
    times: list[float] = []
    while len(times) < REQUESTS and sum(times) < REQUESTS_SECONDS * 1000:
        sent_at = time.perf_counter()
        request("/hello")
        times.append((time.perf_counter() - sent_at) * 1000)
    with ThreadPoolExecutor(SLOW_REQUESTS) as pool:
        sent_at = time.perf_counter()
        try:
            list(pool.map(request, ["/slow"] * SLOW_REQUESTS))
            slow = time.perf_counter() - sent_at
        except OSError as error:
            print(f"Eight at once failed: {error}", file=sys.stderr)
            slow = float("nan")
    return {"first answer s": first, "request p50 ms": statistics.median(times), "8 of 1 s at once, s": slow}


def wait_for_first(request: Callable[[str], bytes], process: Process) -> float:
    """Wait for the first response; return when it came."""
    deadline = time.perf_counter() + START_SECONDS
    while True:
        try:
            request("/hello")
            return time.perf_counter()
        except OSError as error:
            if time.perf_counter() > deadline:
                raise SystemExit(f"There is no response: {error}\n{process.output()}") from error
            time.sleep(0.005)


@contextmanager
def started(command: list[str], environ: dict[str, str], folder: Path) -> Iterator[tuple[Process, float]]:
    """Start a program, and stop it at the end."""
    started_at = time.perf_counter()
    process = Process(command, environ, folder, Placement())
    try:
        yield process, started_at
    finally:
        process.stop()


def measure_server(server: Server, local: Local, folder: Path) -> dict[str, float]:
    """Measure what serves HTTP."""
    port = free_port()
    with started(server.command(local.python, "main:app", port), local.environ, folder) as (process, started_at):
        return measure(lambda path: send(port, "GET", path), process, started_at)


def measure_rie(program: Path, local: Local, folder: Path) -> dict[str, float]:
    """Measure AWS's emulator with this project's bootstrap. Requests side by side end it, so they are sent in turn."""
    port, runtime = free_port(), free_port()
    addresses = [f"--runtime-interface-emulator-address=127.0.0.1:{port}", f"--runtime-api-address=127.0.0.1:{runtime}"]
    command = [str(program), *addresses, str(local.python), "-m", "lambda_web_adapter", "main:app"]
    with started(command, {**local.environ, "LAMBDA_TASK_ROOT": str(folder)}, folder) as (process, started_at):
        return measure(lambda path: send(port, "POST", RIE_PATH, build_event(path)), process, started_at)


def measure_ministack(program: Path, local: Local, folder: Path) -> dict[str, float]:
    """Measure MiniStack with this project's bootstrap behind a function URL."""
    import boto3

    port = free_port()
    environ = {**local.environ, "GATEWAY_PORT": str(port), "LAMBDA_EXECUTOR": "local"}
    with started([str(program)], environ, folder) as (process, started_at):
        client = boto3.client(
            "lambda",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106  # any will do
        )
        wait_for_first(lambda _: send(port, "GET", "/_ministack/health"), process)
        ready_at = time.perf_counter()
        bootstrap = BOOTSTRAP.format(paths=local.environ["PYTHONPATH"], python=local.python)
        client.create_function(
            FunctionName="app",
            Runtime="provided.al2023",
            Role="arn:aws:iam::000000000000:role/app",
            Handler="main.app",
            Code={"ZipFile": build_zip(folder / "main.py", bootstrap)},
            Timeout=30,
            MemorySize=1769,
        )

        def invoke(path: str) -> bytes:
            response: dict[str, Any] = client.invoke(FunctionName="app", Payload=build_event(path))
            content: bytes = response["Payload"].read()
            if json.loads(content).get("statusCode") != 200:
                raise OSError(f"The app should respond with 200, but this came: {content[:500]!r}")
            return content

        figures = measure(invoke, process, started_at)
        return figures | {"of which its own start s": ready_at - started_at}


def build_zip(app: Path, bootstrap: str) -> bytes:
    """Return a function's package."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("main.py", app.read_text())
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, bootstrap)
    return content.getvalue()


def main() -> None:
    """Parse the arguments, measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rie", type=Path, help="the program of the Runtime Interface Emulator")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="the Python of the apps and servers")
    parser.add_argument("--source", type=Path, help="this project's source, such as src")
    parser.add_argument("--only", action="append", help="measure only those with this in their name; may be repeated")
    options = parser.parse_args()
    local = Local(options.python, local_environ(options.source))
    ministack = shutil.which("ministack", path=f"{Path(sys.executable).parent}")
    fastapi = Server("fastapi dev", "fastapi", ("dev", "--port", "{port}", "main.py"))
    measurements: dict[str, Callable[[Path], dict[str, float]]] = {
        "local run": lambda folder: measure_server(local.server(), local, folder),
        "fastapi dev": lambda folder: measure_server(fastapi, local, folder),
    }
    if options.rie:
        measurements["RIE"] = lambda folder: measure_rie(options.rie.absolute(), local, folder)
    if ministack:
        measurements["MiniStack"] = lambda folder: measure_ministack(Path(ministack), local, folder)
    for name, measure_one in measurements.items():
        if options.only and not any(text in name for text in options.only):
            continue
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "main.py").write_text(APP)
            print(as_markdown(name, {name: measure_one(Path(folder))}), flush=True)


if __name__ == "__main__":
    end_servers_on_signals()
    main()
