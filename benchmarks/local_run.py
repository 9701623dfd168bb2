"""Compare the local run with uvicorn on this machine: `python benchmarks/local_run.py`, or `--only sequential`.

Servers with the same app take turns, and a ratio is the median of the turns' ratios, so that it holds even where single
figures vary. Options that a version of the local run does not have are left out. It runs on Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edits import measure_edits
from http_load import Client, get_all, keep_busy_from_outside
from installation import PROJECT, install_packages, use_installed
from local_servers import (
    EXAMPLE,
    UVICORN,
    UVICORN_RELOAD,
    Local,
    Running,
    Server,
    end_servers_on_signals,
    local_environ,
    running,
    write_page_app,
)
from processes import cpu_microseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

APPS = {"FastAPI": "fastapi_app:app", "Flask": "page_app:app"}
CLIENTS = 50
BROWSER = 6  # connections that browsers open to one host
SLOW_SECONDS, SLOW_REQUESTS = 1, 8
WARM_UP = 100  # requests
REQUESTS = 60  # of one client in a turn
Rows = dict[str, dict[str, float]]


@contextmanager
def all_running(servers: list[Server], local: Local, app: str, path: str = "/hello") -> Iterator[list[Running]]:
    """Start servers side by side, and wait until each has responded to some requests."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        write_page_app(Path(folder))
        shutil.copy(Path(__file__).parent / "apps" / "fastapi_app.py", folder)
        started = [stack.enter_context(running(server, local, app, Path(folder))) for server in servers]
        for each in started:
            each.first_answer(path)
            client = Client(each.port)
            for _ in range(WARM_UP):
                client.get(path)
            client.close()
        yield started


def sequential(local: Local, rounds: int) -> Iterator[tuple[str, Rows]]:
    """Measure requests that one client sends one after the other: the median, and how much more than uvicorn's."""
    servers = [UVICORN, local.server("--no-freeze"), local.server()]
    servers = list({server.name: server for server in servers}.values())
    for title, app in APPS.items():
        with all_running(servers, local, app) as started:
            clients = [Client(server.port) for server in started]
            medians: list[list[float]] = [[] for _ in clients]
            cpu = [0.0] * len(started)
            for _ in range(rounds):
                for index, (server, client) in enumerate(zip(started, clients, strict=True)):
                    before = cpu_microseconds(server.process.pid)
                    medians[index].append(statistics.median(request_times(client, REQUESTS)))
                    cpu[index] += cpu_microseconds(server.process.pid) - before
        rows = {}
        for server, values, microseconds in zip(started, medians, cpu, strict=True):
            more = [value - other for value, other in zip(values, medians[0], strict=True)]
            rows[server.name] = {
                "p50 ms": statistics.median(values),
                "more ms": statistics.median(more),
                "CPU µs": microseconds / (REQUESTS * rounds),
            }
        yield f"{title}, one request after the other", rows


def request_times(client: Client, number: int) -> list[float]:
    """Return the milliseconds of some requests."""
    times = []
    for _ in range(number):
        sent_at = time.perf_counter()
        client.get("/hello")
        times.append((time.perf_counter() - sent_at) * 1000)
        if client.status != 200:
            raise SystemExit(f"A response has status {client.status}: {client.body!r}")
    return times


def throughput(local: Local, rounds: int) -> Iterator[tuple[str, Rows]]:
    """Measure how many requests fifty clients get through in a second."""
    servers = [UVICORN, local.server("--environments=4", "--no-freeze"), local.server("--environments=4")]
    servers = list({server.name: server for server in servers}.values())
    for title, app in APPS.items():
        with all_running(servers, local, app) as started:
            for server in started:  # so that all environments have started
                keep_busy_from_outside(server.port, "/hello", CLIENTS, 2)
            loads = [
                [keep_busy_from_outside(server.port, "/hello", CLIENTS, 2) for server in started]
                for _ in range(max(rounds // 4, 1))
            ]
        rows = {}
        for index, server in enumerate(started):
            rows[server.name] = {
                "requests/s": statistics.median(turn[index].per_second for turn in loads),
                "ratio": statistics.median(turn[index].per_second / turn[0].per_second for turn in loads),
                "p50 ms": statistics.median(turn[index].p50 for turn in loads),
                "p99 ms": statistics.median(turn[index].p99 for turn in loads),
                "failed": sum(turn[index].failed for turn in loads),
            }
        yield f"{title}, {CLIENTS} clients at once", rows


def page(local: Local, rounds: int) -> Iterator[tuple[str, Rows]]:
    """Measure a page with twenty assets, as soon as the server listens and later, over few connections and many."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_page_app(folder)
        for title, connections in (("a browser's 6 connections", BROWSER), ("all assets at once", len(paths))):
            rows: dict[str, dict[str, list[float]]] = {}
            for _ in range(max(rounds // 8, 2)):
                for server in (UVICORN, local.server()):
                    with running(server, local, APPS["Flask"], folder) as started:
                        started.wait_for_port()
                        times = [load_page(started.port, paths, connections) for _ in range(11)]
                    row = rows.setdefault(server.name, {"first ms": [], "later ms": []})
                    row["first ms"].append(times[0])
                    row["later ms"].append(statistics.median(times[1:]))
            yield f"Flask, a page with 20 assets, {title}", with_ratios(rows)


def load_page(port: int, paths: list[str], connections: int) -> float:
    """Return the milliseconds from the request of the page to the last byte of its assets."""
    return (get_all(port, ["/"], 1) + get_all(port, paths, connections)) * 1000


def start(local: Local, rounds: int) -> Iterator[tuple[str, Rows]]:
    """Measure the time from the start of the program to the first response."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_page_app(folder)
        shutil.copy(Path(__file__).parent / "apps" / "fastapi_app.py", folder)
        for title, app in APPS.items():
            rows: dict[str, dict[str, list[float]]] = {}
            for _ in range(max(rounds // 4, 3)):
                for server in (UVICORN, local.server()):
                    with running(server, local, app, folder) as started:
                        seconds = started.first_answer("/hello")
                    rows.setdefault(server.name, {"first answer ms": []})["first answer ms"].append(seconds * 1000)
            yield f"{title}, from the start to the first answer", with_ratios(rows)


def slow(local: Local, rounds: int) -> Iterator[tuple[str, Rows]]:
    """Measure eight requests of a second that are sent at once: the first time, and later."""
    rows: dict[str, dict[str, list[float]]] = {}
    with all_running([UVICORN, local.server()], local, APPS["Flask"]) as started:
        for server in started:
            times = [get_all(server.port, ["/slow"] * SLOW_REQUESTS, SLOW_REQUESTS) for _ in range(3)]
            rows[server.name] = {"first s": [times[0]], "later s": [min(times[1:])]}
    yield f"Flask, {SLOW_REQUESTS} requests of {SLOW_SECONDS} s at once", with_ratios(rows)


def edits(local: Local, rounds: int) -> Iterator[tuple[str, Rows]]:
    """Measure the time from a save to the new answer, and the requests that are lost meanwhile."""
    servers = [UVICORN_RELOAD]
    if "--reload" in local.help:
        servers.append(local.server("--reload"))
    rows = {}
    for server in servers:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "app")
            shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
            with running(server, local, "main:app", folder) as started:
                started.first_answer("/")
                rows[server.name] = measure_edits(started.port, folder / "main.py", 5 * rounds)
    yield "FastAPI example, from a save to the new answer", rows


def with_ratios(rows: dict[str, dict[str, list[float]]]) -> Rows:
    """Return medians, and of each the ratio to the first row's: the median of the turns' ratios."""
    first = next(iter(rows.values()))
    result: Rows = {}
    for name, figures in rows.items():
        result[name] = {}
        for title, values in figures.items():
            ratios = [value / other for value, other in zip(values, first[title], strict=True)]
            result[name] |= {
                title: statistics.median(values),
                f"ratio of {title.split()[0]}": statistics.median(ratios),
            }
    return result


def as_markdown(title: str, rows: Rows) -> str:
    """Return a table."""
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = [f"| {title} | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    lines += [f"| {name} | {' | '.join(f'{row[column]:.2f}' for column in columns)} |" for name, row in rows.items()]
    return "\n".join(lines)


MEASUREMENTS: dict[str, Callable[[Local, int], Iterator[tuple[str, Rows]]]] = {
    "sequential": sequential,
    "throughput": throughput,
    "page": page,
    "start": start,
    "slow": slow,
    "edits": edits,
}


def main() -> None:
    """Parse the arguments, measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, help="measure only this; may be repeated")
    parser.add_argument("--rounds", type=int, default=20, help="turns of each server (default: %(default)s)")
    parser.add_argument("--venv", type=Path, default=PROJECT / ".venv-benchmark", help="the environment to make")
    parser.add_argument("--keep", action="store_true", help="measure this project as the last run has installed it")
    parser.add_argument("--installed", action="store_true", help="install nothing: measure what this Python has")
    parser.add_argument("--source", type=Path, help="measure this project's source in a folder, such as another src")
    parser.add_argument("--save", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    if sys.platform != "linux":
        parser.error("it needs Linux: epoll and /proc")
    found = use_installed() if options.installed else install_packages(options.venv.absolute(), keep=options.keep)
    local = Local(found.python, local_environ(options.source))
    tables: dict[str, Rows] = {}
    for name in options.only or MEASUREMENTS:
        for title, rows in MEASUREMENTS[name](local, options.rounds):
            tables[title] = rows
            print(f"{as_markdown(title, rows)}\nload average {os.getloadavg()[0]:.1f}\n", flush=True)
    if options.save:
        options.save.write_text(json.dumps(tables, indent=1))


if __name__ == "__main__":
    end_servers_on_signals()
    main()
