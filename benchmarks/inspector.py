"""Measure what records cost a local run: `python benchmarks/inspector.py --installed`.

Runs with the inspector and one without take turns, of few requests each. Then many requests show whether the memory of
the run stays bounded. It runs on Linux.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from http_load import Client
from installation import PROJECT, install_packages, use_installed
from local_run import APPS, all_running, as_markdown, request_times
from local_servers import Local, end_servers_on_signals, local_environ
from processes import cpu_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_run import Rows

PATH = "/hello"
REQUESTS = 8  # of one client in a turn: few, since the load of the machine changes


def measure_requests(local: Local, title: str, rounds: int) -> Rows:
    """Return the time of requests that one client sends one after the other, and the CPU time for each."""
    servers = [local.server("--no-inspector"), local.server(), local.server("--record=/dev/null")]
    with all_running(servers, local, APPS[title]) as started:
        clients = [Client(server.port) for server in started]
        times: list[list[float]] = [[] for _ in started]
        cpu = [0.0] * len(started)
        for index in _turns(len(started), rounds):
            request_times(clients[index], 1)  # which finds the environment frozen
            before = cpu_microseconds(started[index].process.pid)
            times[index] += request_times(clients[index], REQUESTS)
            cpu[index] += cpu_microseconds(started[index].process.pid) - before
    first = statistics.median(times[0])
    return {
        server.name: {
            "p50 ms": statistics.median(each),
            "ratio": statistics.median(each) / first,
            "p95 ms": statistics.quantiles(each, n=20)[18],
            "CPU µs": microseconds / len(each),
        }
        for server, each, microseconds in zip(started, times, cpu, strict=True)
    }


def _turns(number: int, rounds: int) -> Iterator[int]:
    """Yield whose turn it is: in each round all of them, in any order, so that none is always after another."""
    order, generator = list(range(number)), random.Random(number)  # noqa: S311  # the same in each run
    for _ in range(rounds):
        generator.shuffle(order)
        yield from order


def measure_memory(local: Local, title: str, requests: int) -> Rows:
    """Return the resident memory of the local run alone, in MB, before, in the middle of and after many requests."""
    rows: Rows = {}
    with all_running([local.server("--no-inspector"), local.server()], local, APPS[title]) as started:
        for server in started:
            client = Client(server.port)
            figures = {"before MB": resident_megabytes(server.process.pid)}
            for part in ("half MB", "after MB"):
                for _ in range(requests // 2):
                    client.get(PATH)
                figures[part] = resident_megabytes(server.process.pid)
            rows[server.name] = figures
    return rows


def resident_megabytes(pid: int) -> float:
    """Return the resident memory of one process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def main() -> None:
    """Parse the arguments, measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300, help="turns of each run (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=10_000, help="for the memory (default: %(default)s)")
    parser.add_argument("--only", choices=("requests", "memory"), help="measure only this")
    parser.add_argument("--venv", type=Path, default=PROJECT / ".venv-benchmark", help="the environment to make")
    parser.add_argument("--installed", action="store_true", help="install nothing: measure what this Python has")
    options = parser.parse_args()
    if sys.platform != "linux":
        parser.error("it needs Linux: /proc")
    found = use_installed() if options.installed else install_packages(options.venv.absolute(), keep=False)
    local = Local(found.python, local_environ(None))
    for title in APPS:
        if options.only != "memory":
            rows = measure_requests(local, title, options.rounds)
            print(f"{as_markdown(f'{title}, one request after the other', rows)}\n", flush=True)
        if options.only != "requests":
            rows = measure_memory(local, title, options.requests)
            print(f"{as_markdown(f'{title}, memory of the run, {options.requests} requests', rows)}\n", flush=True)


if __name__ == "__main__":
    end_servers_on_signals()
    main()
