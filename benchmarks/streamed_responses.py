"""Time streamed responses: `PYTHONPATH=tests python benchmarks/streamed_responses.py`.

Three apps yield three chunks each, and the Runtime API records when they come; the first byte is timed from the moment
at which the event was sent. The adapter and, with `--lwa PATH`, the Rust adapter as an external extension beside
uvicorn, gunicorn or node, take turns. `--megabytes 200` streams that much instead, and prints the largest growth of the
adapter's own process.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from support.processes import Running, free_port, plain_environment

from lambda_web_adapter.testing.runtime_api import Answer, Call, Reading, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.testing.runtime_api import ReplyStream

FASTAPI = """
import asyncio
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()

@app.get("/chunks")
async def chunks(gap: float):
    async def parts():
        for number in range(3):
            if number:
                await asyncio.sleep(gap)
            yield f"chunk {number}\\n"
    return StreamingResponse(parts(), media_type="text/plain")

@app.get("/bulk")
async def bulk(megabytes: int):
    async def parts():
        for _ in range(16 * megabytes):
            yield bytes(65536)
    return StreamingResponse(parts(), media_type="application/octet-stream")
"""
FLASK = """
import time
from flask import Flask, Response, request

app = Flask(__name__)

@app.get("/chunks")
def chunks():
    gap = float(request.args["gap"])
    def parts():
        for number in range(3):
            if number:
                time.sleep(gap)
            yield f"chunk {number}\\n"
    return Response(parts(), mimetype="text/plain")

@app.get("/bulk")
def bulk():
    megabytes = int(request.args["megabytes"])
    return Response((bytes(65536) for _ in range(16 * megabytes)), mimetype="application/octet-stream")
"""
NODE = """
const http = require("http");
const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
http.createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  if (pathname === "/chunks") {
    response.writeHead(200, { "content-type": "text/plain" });
    for (let number = 0; number < 3; number++) {
      if (number) await wait(Number(searchParams.get("gap")));
      response.write(`chunk ${number}\\n`);
    }
  } else if (pathname === "/bulk") {
    response.writeHead(200, { "content-type": "application/octet-stream" });
    for (let number = 0; number < 16 * Number(searchParams.get("megabytes")); number++) {
      if (!response.write(Buffer.alloc(65536))) await new Promise((resolve) => response.once("drain", resolve));
    }
  }
  response.end();
}).listen(Number(process.env.PORT), "127.0.0.1");
"""
OURS, THEIRS = "this adapter", "Rust adapter"
FUNCTION = {
    "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048",
    "AWS_LWA_INVOKE_MODE": "response_stream",
}


@dataclass(frozen=True)
class App:
    """An app: its file, its arguments for this adapter, and the command that serves it without."""

    name: str
    file: str
    text: str
    arguments: list[str]
    server: list[str]
    python: bool = True


SERVED = ["main:app", "--log-level", "warning"]
APPS = [
    App(
        "FastAPI",
        "main.py",
        FASTAPI,
        ["main:app"],
        ["uvicorn", "main:app", "--port", "{port}", "--log-level", "warning"],
    ),
    App(
        "Flask",
        "main.py",
        FLASK,
        ["main:app"],
        ["gunicorn", *SERVED, "-b", "127.0.0.1:{port}", "--threads", "4"],
    ),
    App("node", "main.js", NODE, ["--", "node", "main.js"], ["node", "main.js"], python=False),
]


class TimedRuntimeApi(RuntimeApi):
    """The Runtime API for tests, which also records when the last event was sent."""

    sent_at: float = 0

    def answer(self, call: Call) -> Answer:
        """Return the response to a call."""
        answer = super().answer(call)
        if call.name == "next":
            self.sent_at = time.time()
        return answer


@dataclass
class Environment:
    """A running adapter, and its process."""

    api: TimedRuntimeApi
    pid: int

    def invoke(self, path: str, query: str) -> tuple[float, ReplyStream]:
        """Return when an event was sent, and the stream that came for it."""
        http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"}
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"host": "abc.lambda-url.eu-central-1.on.aws", "accept": "*/*"},
            "requestContext": {"domainName": "abc.lambda-url.eu-central-1.on.aws", "http": http},
            "isBase64Encoded": False,
        }
        request_id = self.api.queue_event(event, timeout=600)
        stream = self.api.wait_for_stream(request_id, timeout=60).wait_for_end(600)
        if not stream.is_complete or stream.prelude["statusCode"] != 200:
            raise SystemExit(f"{path} should give a complete response with 200, but gave: {stream}")
        return self.api.sent_at, stream


@contextmanager
def ours(app: App, folder: str) -> Iterator[Environment]:
    """Start this adapter with an app."""
    with TimedRuntimeApi() as api:
        env = plain_environment({**FUNCTION, "AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LWA_PORT": free_port()})
        command = [sys.executable, "-m", "lambda_web_adapter", *app.arguments]
        with Running(command, env=env, cwd=folder, at_end=api.set_runtime_ended) as process:
            api.wait_for_call("next", timeout=30)
            yield Environment(api, process.pid)


@contextmanager
def theirs(app: App, folder: str, program: Path, python: str) -> Iterator[Environment]:
    """Start the Rust adapter, and beside it the server of an app."""
    port = free_port()
    server = [argument.format(port=port) for argument in app.server]
    command = [python, "-m", *server] if app.python else server
    with TimedRuntimeApi() as api, Running(command, env=plain_environment({"PORT": port}), cwd=folder):
        env = plain_environment({**FUNCTION, "AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LWA_PORT": port})
        with Running([program], env=env, at_end=api.set_runtime_ended) as process:
            api.wait_for_call("next", timeout=30)
            yield Environment(api, process.pid)
            process.kill()  # it only waits for an event


@contextmanager
def adapters(app: App, options: argparse.Namespace) -> Iterator[dict[str, Environment]]:
    """Start the adapters to compare, each with its own app process."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        Path(folder, app.file).write_text(app.text)
        environments = {}
        if not options.peer_only:
            environments[OURS] = stack.enter_context(ours(app, folder))
        if options.lwa:
            environments[THEIRS] = stack.enter_context(theirs(app, folder, options.lwa, options.peer_python))
        yield environments


def first_bytes(environments: dict[str, Environment], rounds: int) -> dict[str, list[float]]:
    """Return for each adapter the milliseconds until the first byte of the payload; they take turns."""
    all_times: dict[str, list[float]] = {name: [] for name in environments}
    for _ in range(rounds + 5):
        for name, environment in environments.items():
            sent_at, stream = environment.invoke("/chunks", "gap=0.001")
            all_times[name].append((stream.payload_chunks[0].at - sent_at) * 1000)
    return {name: times[5:] for name, times in all_times.items()}


def time_chunks(app: App, options: argparse.Namespace) -> None:
    """Print a line for each adapter."""
    with adapters(app, options) as environments:
        for environment in environments.values():
            environment.api.reading = Reading(quick_ack=options.quick_ack)
        first = first_bytes(environments, options.n)
        for name, environment in environments.items():
            sent_at, stream = environment.invoke("/chunks", f"gap={options.gap}")
            times = [sent_at, *(chunk.at for chunk in stream.payload_chunks)]
            gaps = " ".join(f"{after - before:.3f}" for before, after in pairwise(times[1:]))
            median, worst = statistics.median(first[name]), statistics.quantiles(first[name], n=10)[-1]
            print(
                f"{app.name:8} {name:13} first byte {median:6.2f} ms (p90 {worst:6.2f}), "
                f"gaps {gaps} s, total {times[-1] - sent_at:.3f} s"
            )
    if len(first) == 2:
        ratios = [mine / other for mine, other in zip(first[OURS], first[THEIRS], strict=True)]
        print(f"{app.name:8} time to first byte: {statistics.median(ratios):.2f} of the Rust adapter's, turn by turn")


def memory_of(pid: int) -> dict[str, float]:
    """Return the memory of a process now (VmRSS) and its peak (VmHWM), in MiB."""
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {fields[0].rstrip(":"): int(fields[1]) / 1024 for fields in lines if fields[0] in ("VmRSS:", "VmHWM:")}


def time_bulk(app: App, options: argparse.Namespace) -> None:
    """Print the throughput of a large stream, and the growth of the adapter meanwhile."""
    rate = options.rate and options.rate * 2**20
    reading = Reading(limit=2**40, is_kept=False, is_hashed=False, burst=6 * 2**20, per_second=rate)
    with adapters(app, options) as environments:
        for name, environment in environments.items():
            environment.invoke("/chunks", "gap=0.001")
            environment.api.reading = reading
            before = memory_of(environment.pid)["VmRSS"]
            Path(f"/proc/{environment.pid}/clear_refs").write_text("5")  # resets the peak, which the start has set
            _, stream = environment.invoke("/bulk", f"megabytes={options.megabytes}")
            if stream.payload_size != options.megabytes * 2**20:
                raise SystemExit(f"{options.megabytes} MiB should have come, but this came: {stream}")
            seconds = stream.times[-1] - stream.began
            growth = memory_of(environment.pid)["VmHWM"] - before
            print(
                f"{app.name:8} {name:13} {options.megabytes} MiB in {seconds:.2f} s: "
                f"{options.megabytes / seconds:.0f} a second; grew by {growth:.1f} MiB, from {before:.1f} MiB"
            )


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=200, help="rounds with a small gap, for the time to the first byte")
    parser.add_argument("--gap", type=float, default=1.0, help="seconds between the chunks, in the printed round")
    parser.add_argument("--megabytes", type=int, help="stream that much instead")
    parser.add_argument(
        "--rate", type=float, help="MiB a second that the Runtime API reads after the first 6 (Lambda: 2)"
    )
    parser.add_argument(
        "--quick-ack", action="store_true", help="acknowledge at once, so that Nagle's algorithm does not delay"
    )
    parser.add_argument("--app", choices=[app.name for app in APPS], action="append", help="measure only this app")
    parser.add_argument("--lwa", type=Path, help="the Rust adapter's program")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python with the apps' packages and gunicorn")
    parser.add_argument("--peer-only", action="store_true", help="the Rust adapter alone")
    options = parser.parse_args()
    for app in APPS:
        if app.name not in (options.app or [app.name for app in APPS]):
            continue
        if not app.python and not shutil.which("node"):
            print(f"{app.name}: there is no node here")
            continue
        (time_bulk if options.megabytes else time_chunks)(app, options)


if __name__ == "__main__":
    main()
