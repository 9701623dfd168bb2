"""Compare versions of this project with the same app, to one percent where separate runs differ by ten.

    python benchmarks/paired.py main:app --cwd examples/fastapi_app before=../old/src after=src

The versions' environments get an event in turn, in random order, so that whatever slows the machine down slows them
all. Their processes are restarted several times, since their memory layout makes a difference. A time is from the
event's first byte to the reply's last; the slowest 40 % are ignored, since other processes interfered with them.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from runtime_api import ACCEPTED, Connection, head_of_event
from sample_events import build_event

WARM_UP = 300  # events


class Environment:
    """A bootstrap of one version, and the Runtime API on its one connection."""

    def __init__(self, source: Path, app: str, folder: str, event: bytes) -> None:
        """Start the bootstrap, and wait until it requests an event."""
        self.times: list[float] = []
        self._event = event
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = "{}:{}".format(*listener.getsockname())
            variables = {"PYTHONPATH": str(source), "AWS_LAMBDA_RUNTIME_API": address, "PYTHONHASHSEED": "0"}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lambda_web_adapter", app],
                env={**os.environ, **variables, "AWS_LWA_REGISTER_EXTENSION": "false"},
                cwd=folder,
            )
            listener.settimeout(30)
            self._connection = Connection(listener.accept()[0])
        self._read()

    def handle(self, number: int) -> float:
        """Return the time to handle an event, in microseconds."""
        event = head_of_event(number, len(self._event)) + self._event
        started_at = time.perf_counter()
        self._connection.sock.sendall(event)
        path = self._read()
        duration = (self._connection.received_at - started_at) * 1e6
        reply = bytes(self._connection.body)
        if not path.endswith("/response") or b'"statusCode":200' not in reply:
            raise SystemExit(f"The app should respond to GET with 200, but the reply is: {path} {reply!r:.500}")
        self._connection.sock.sendall(ACCEPTED)
        self._read()  # the request for the next event: all work for this one is done
        return duration

    def _read(self) -> str:
        """Wait for the next request of the bootstrap, and return its path."""
        while (path := self._connection.take_request()) is None:
            if not self._connection.receive():
                raise SystemExit("The bootstrap has ended. Its output shows the reason.")
        return path

    def stop(self) -> None:
        """Stop the bootstrap."""
        self._process.terminate()
        self._process.wait()
        self._connection.sock.close()


def typical(times: list[float]) -> float:
    """Return the mean of the fastest 60 %, without the fastest 5 %."""
    ordered = sorted(times)
    return statistics.fmean(ordered[len(ordered) // 20 : len(ordered) * 6 // 10])


def main() -> None:
    """Print a line for each version, with its ratio to the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app", help="such as main:app")
    parser.add_argument("versions", nargs="+", metavar="NAME=SRC", help="a name, and the folder to import from")
    parser.add_argument("--cwd", default=".", help="the app's folder")
    parser.add_argument("--path", default="/hello", help="path to request (default: %(default)s)")
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--events", type=int, default=500, help="after each start")
    options = parser.parse_args()
    versions = [version.partition("=")[::2] for version in options.versions]
    all_times: dict[str, list[float]] = {name: [] for name, _ in versions}
    for _ in range(options.starts):
        environments = {
            name: Environment(Path(source).resolve(), options.app, options.cwd, build_event(options.path))
            for name, source in random.sample(versions, len(versions))
        }
        for number in range(WARM_UP + options.events):
            for environment in random.sample(list(environments.values()), len(environments)):
                environment.times.append(environment.handle(number))
        for name, environment in environments.items():
            environment.stop()
            all_times[name].append(typical(environment.times[WARM_UP:]))
    first = next(iter(all_times.values()))
    for name, times in all_times.items():
        ratios = [time / base for time, base in zip(times, first, strict=True)]
        error = statistics.stdev(ratios) / len(ratios) ** 0.5 if len(ratios) > 1 else 0.0
        print(f"{name:12} {statistics.median(times):7.1f} us   ratio {statistics.fmean(ratios):.4f} ± {error:.4f}")


if __name__ == "__main__":
    main()
