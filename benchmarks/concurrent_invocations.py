"""Send concurrent invocations to one environment, and check each reply: `python benchmarks/concurrent_invocations.py`.

It plays the Runtime API of Lambda Managed Instances. Each event has its own path, header, body, trace and tenant, and
its reply must have the same. At the end it prints the memory of all processes; `-- COMMAND` measures another runtime,
such as one that forks a process for each worker.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from pathlib import Path

from processes import memory_megabytes, process_tree

HERE = Path(__file__).parent


class RuntimeApi:
    """Hands out a number of events, and collects wrong replies."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.sent = self.replied = 0
        self.wrong: list[str] = []
        self.open = self.most_open = 0
        self.started_at = 0.0
        self.done = asyncio.Event()
        self.closing = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        while head := await self._head(reader):
            line, *lines = head.decode().split("\r\n")
            fields = dict(field.lower().split(": ", 1) for field in lines if field)
            body = await reader.readexactly(int(fields.get("content-length", 0)))
            method, path, _ = line.split(" ")
            writer.write(await self._answer(method, path, body))
            await writer.drain()

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    async def _answer(self, method: str, path: str, body: bytes) -> bytes:
        if path.endswith("/register"):
            return _response(200, b"{}", {"Lambda-Extension-Identifier": "0"})
        if method == "GET" and path.endswith("/event/next"):
            await self.closing.wait()
            return b""
        if method == "GET":
            if self.sent == self.number:
                await self.closing.wait()
                return b""
            return self._next()
        self._check(path.split("/")[-2], path.rpartition("/")[2], body)
        return _response(202, b'{"status":"OK"}')

    def _next(self) -> bytes:
        self.started_at = self.started_at or time.monotonic()
        self.sent += 1
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        marker = f"m{self.sent}"
        event = {
            "version": "2.0",
            "rawPath": f"/{marker}",
            "rawQueryString": "",
            "headers": {"host": "example.com", "x-marker": marker, "content-type": "text/plain"},
            "requestContext": {
                "http": {"method": "POST", "path": f"/{marker}", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"}
            },
            "body": marker,
            "isBase64Encoded": False,
        }
        headers = {
            "Lambda-Runtime-Aws-Request-Id": marker,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 60) * 1000)),
            "Lambda-Runtime-Trace-Id": marker,
            "Lambda-Runtime-Aws-Tenant-Id": marker,
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:benchmark",
        }
        return _response(200, json.dumps(event).encode(), headers)

    def _check(self, marker: str, kind: str, body: bytes) -> None:
        self.open -= 1
        self.replied += 1
        expected = {"path": f"/{marker}", "body": marker, "x-marker": marker}
        document = json.loads(json.loads(body)["body"]) if kind == "response" else {}
        if any(document.get(name) != value for name, value in expected.items()):
            self.wrong.append(f"{marker}: {body[:200]!r}")
        for name in ("x-amzn-trace-id", "x-amz-tenant-id"):  # not every runtime passes them on
            if document.get(name) not in (marker, ""):
                self.wrong.append(f"{marker} has the {name} of another event: {body[:200]!r}")
        if self.replied == self.number:
            self.done.set()


def _response(status: int, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in (headers or {}).items()]
    return f"HTTP/1.1 {status} -\r\n{''.join(lines)}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def measure(concurrency: int, number: int, command: list[str]) -> int:
    """Run the benchmark, print the figures, and return the exit code."""
    api = RuntimeApi(number)
    server = await asyncio.start_server(api.serve, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    variables = {"AWS_LAMBDA_RUNTIME_API": address, "AWS_LAMBDA_MAX_CONCURRENCY": str(concurrency)}
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **variables}, cwd=HERE)
    ended = asyncio.create_task(process.wait())
    try:
        await asyncio.wait({ended, asyncio.create_task(api.done.wait())}, timeout=300, return_when="FIRST_COMPLETED")
        seconds = time.monotonic() - api.started_at
        processes = [] if ended.done() else process_tree(process.pid)
        megabytes = memory_megabytes(process.pid)
    finally:
        if not ended.done():
            process.terminate()
            await ended
        api.closing.set()
    print(
        f"{api.replied} of {number} replies, {len(api.wrong)} wrong; {api.most_open} concurrent; "
        f"{1e6 * seconds / max(api.replied, 1):.0f} µs each; {len(processes)} processes, {megabytes:.0f} MB"
    )
    for line in api.wrong[:5]:
        print(line)
    return 0 if api.replied == number and not api.wrong else 1


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("-n", type=int, default=20_000)
    parser.add_argument("command", nargs="*", help="by default the adapter, with benchmarks/echo_app.py")
    options = parser.parse_args()
    command = options.command or [sys.executable, "-m", "lambda_web_adapter", "echo_app:app"]
    sys.exit(asyncio.run(measure(options.concurrency, options.n, command)))


if __name__ == "__main__":
    main()
