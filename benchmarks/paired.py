"""Compares versions of this project over the same app, event by event, to a percent where others see ten.

    python benchmarks/paired.py main:app --cwd examples/fastapi_app before=../old/src after=src

Each version's environment gets an event in turn, in an order that changes, so that whatever slows the machine down
slows them all. Their processes are started anew several times, since where their memory lies makes a difference of its
own. A time is from the event's first byte to the reply's last; the upper four tenths, in which others interfered, do
not count.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

WARM_UP = 300  # events


def event_for(path: str) -> bytes:
    """A function URL's event."""
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "name=lambda",
        "headers": {
            "accept": "application/json",
            "host": "id.lambda-url.us-east-1.on.aws",
            "user-agent": "paired/1.0",
            "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "domainName": "id.lambda-url.us-east-1.on.aws",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
            "requestId": "request",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    return json.dumps(event).encode()


class Environment:
    """A bootstrap of one version, and the Runtime API on its one connection."""

    def __init__(self, source: Path, app: str, folder: str, event: bytes) -> None:
        """Starts it, and waits until it asks for an event."""
        self.times: list[float] = []
        self._event = event
        self._rest = b""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = "{}:{}".format(*listener.getsockname())
            variables = {"PYTHONPATH": str(source), "AWS_LAMBDA_RUNTIME_API": address, "PYTHONHASHSEED": "0"}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lambda_web_adapter", app],
                env={**os.environ, **variables, "AWS_LWA_REGISTER_EXTENSION": "false"},
                cwd=folder,
            )
            listener.settimeout(30)
            self._connection = listener.accept()[0]
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read()

    def handle(self, number: int) -> float:
        """Has it handle an event; returns the time in microseconds."""
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: 8d8ac8e9-7fd9-4a54-96d7-{number:012}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {int(time.time() * 1000) + 60_000}\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:paired\r\n"
            "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1\r\n"
            f"Content-Length: {len(self._event)}\r\n\r\n"
        )
        event = head.encode() + self._event
        begun = time.perf_counter()
        self._connection.sendall(event)
        reply = self._read()
        took = (time.perf_counter() - begun) * 1e6
        if b"/response " not in reply or b'"statusCode":200' not in reply:
            raise SystemExit(f"The app was to answer GET with 200, but this came: {reply!r:.500}")
        self._connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        self._read()  # it asks for the next event: all work for this one is done
        return took

    def _read(self) -> bytes:
        """Reads a request."""
        while True:
            head, end, rest = self._rest.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            size = int(length[1]) if length else 0
            if end and len(rest) >= size:
                self._rest = rest[size:]
                return head + rest[:size]
            data = self._connection.recv(65536)
            if not data:
                raise SystemExit("The bootstrap has ended; its output says why.")
            self._rest += data

    def end(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait()
        self._connection.close()


def usual(times: list[float]) -> float:
    """The mean of the lower six tenths, without the very lowest."""
    ordered = sorted(times)
    return statistics.fmean(ordered[len(ordered) // 20 : len(ordered) * 6 // 10])


def main() -> None:
    """Prints a line for each version; the first is what the others are compared with."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app", help="such as main:app")
    parser.add_argument("versions", nargs="+", metavar="NAME=SRC", help="a name, and the folder to import from")
    parser.add_argument("--cwd", default=".", help="the app's folder")
    parser.add_argument("--path", default="/hello", help="what is asked for (default: %(default)s)")
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--events", type=int, default=500, help="after each start")
    found = parser.parse_args()
    versions = [version.partition("=")[::2] for version in found.versions]
    all_times: dict[str, list[float]] = {name: [] for name, _ in versions}
    for _ in range(found.starts):
        environments = {
            name: Environment(Path(source).resolve(), found.app, found.cwd, event_for(found.path))
            for name, source in random.sample(versions, len(versions))
        }
        for number in range(WARM_UP + found.events):
            for environment in random.sample(list(environments.values()), len(environments)):
                environment.times.append(environment.handle(number))
        for name, environment in environments.items():
            environment.end()
            all_times[name].append(usual(environment.times[WARM_UP:]))
    first = next(iter(all_times.values()))
    for name, times in all_times.items():
        ratios = [time / base for time, base in zip(times, first, strict=True)]
        error = statistics.stdev(ratios) / len(ratios) ** 0.5 if len(ratios) > 1 else 0.0
        print(f"{name:12} {statistics.median(times):7.1f} us   ratio {statistics.fmean(ratios):.4f} ± {error:.4f}")


if __name__ == "__main__":
    main()
