"""One measurement of one contender: starts its processes, sends events, and returns figures by name."""

from __future__ import annotations

import base64
import random
import re
import socket
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contenders import APPS
from cpu_share import FULL_CORE
from installation import function_environ
from processes import Placement, Process, cpu_microseconds, memory_megabytes
from runtime_api import Failed, RuntimeApi
from sample_events import build_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contenders import Contender
    from runtime_api import Exchange

WARM_UP = 0.2  # of the number of events
AFTER = 500  # events after which memory is measured
WARM_UP_OF_WORKER = 0.05  # of the number of events, for each of several workers, which may be processes
FUNCTION = {
    "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/benchmark",
    "AWS_LAMBDA_LOG_STREAM_NAME": "benchmark",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_REGION": "us-east-1",
    "RUST_LOG": "error",
}


@dataclass(frozen=True)
class Setting:
    """What differs between measurements."""

    events: int = 1000
    workers: int = 1
    size: int = 0  # bytes
    streamed: bool = False
    quick_ack: bool = False
    memory: int = FULL_CORE  # MB, the memory size in the function's environment
    placement: Placement = field(default_factory=Placement)


@dataclass
class Environment:
    """A contender that runs."""

    api: RuntimeApi
    processes: list[Process]
    started_at: float

    def cpu(self) -> float:
        """Return the CPU time of all its processes so far, in microseconds."""
        return sum(cpu_microseconds(process.pid) for process in self.processes)

    def memory(self) -> float:
        """Return the memory of all its processes, in MB."""
        return sum(memory_megabytes(process.pid) for process in self.processes)


@contextmanager
def running(contender: Contender, setting: Setting) -> Iterator[Environment]:
    """Start a contender, and stop it at the end."""
    port = str(free_port())
    api = RuntimeApi(quick_ack=setting.quick_ack)
    environ = function_environ(str(APPS)) | FUNCTION | contender.environ | {"AWS_LAMBDA_RUNTIME_API": api.address}
    environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = str(setting.memory)
    if contender.extension:
        environ["AWS_LWA_PORT"] = port
    if setting.streamed:
        environ["AWS_LWA_INVOKE_MODE"] = "response_stream"
    command = contender.command
    if setting.workers > 1:
        environ["AWS_LAMBDA_MAX_CONCURRENCY"] = str(setting.workers)
        command = contender.workers_command or command
    command = tuple(argument.format(port=port, workers=setting.workers) for argument in command)
    started: list[Process] = []
    environment = Environment(api, started, time.perf_counter())
    try:
        for each in ([str(contender.extension)], command) if contender.extension else (command,):
            started.append(Process(each, environ, APPS, setting.placement))
            api.watch(started[-1].pid)
        yield environment
        if contender.unwanted and contender.unwanted in (output := started[-1].output()):
            raise Failed(output)
    except Failed as failure:
        output = "".join(process.output() for process in started)
        raise Failed(f"{' '.join(command)}: {failure}\n{output}") from failure
    finally:
        for process in started:
            process.stop()
        api.close()


def measure_warm(contender: Contender, setting: Setting) -> dict[str, float]:
    """Return the time for an event, median and 99th percentile, the time until the next, and the CPU time for each."""
    event = build_event("/hello")
    with running(contender, setting) as environment:
        environment.api.wait_for_next()
        environment.api.invoke(event, warm_up_of(setting))
        cpu = environment.cpu()
        exchanges = environment.api.invoke(event, setting.events)
        environment.api.wait_for_next()
        cpu = environment.cpu() - cpu
    check(exchanges, b"lambda")
    times = [exchange.microseconds for exchange in exchanges]
    next_times = [(exchange.next_at - exchange.sent_at) * 1e6 for exchange in exchanges[:-1]]
    return {
        "p50": statistics.median(times),
        "p99": percentile_99(times),
        "next": statistics.median(next_times),
        "cpu": cpu / setting.events,
    }


def measure_cold(contender: Contender, setting: Setting) -> dict[str, float]:
    """Return the time from the start to the last byte of the first reply, and the CPU time of all threads then."""
    with running(contender, setting) as environment:
        exchanges = environment.api.invoke(build_event("/hello"), 1)
        cpu = environment.cpu()
    check(exchanges, b"lambda")
    init = environment.api.first_next_at - environment.started_at
    first_reply = exchanges[0].ended_at - environment.started_at
    return {"first_reply": first_reply * 1000, "cpu": cpu / 1000, "init": init * 1000}


def measure_stream(contender: Contender, setting: Setting) -> dict[str, float]:
    """Return the time to the first byte of a streamed reply's payload: median and 99th percentile."""
    event = build_event("/chunks", query="")
    with running(contender, setting) as environment:
        environment.api.invoke(event, warm_up_of(setting))
        exchanges = environment.api.invoke(event, setting.events)
    check(exchanges, b"chunk 2")
    times = [(exchange.first_byte_at - exchange.sent_at) * 1e6 for exchange in exchanges]
    last_parts = [exchange.ended_at - exchange.first_byte_at for exchange in exchanges]
    if setting.quick_ack and statistics.median(last_parts) < 0.001:  # as the app waits 1 ms between two parts
        raise Failed(f"{contender.name} should send a part as soon as it comes, but sends all of them at the end.")
    return {"p50": statistics.median(times), "p99": percentile_99(times)}


def measure_size(contender: Contender, setting: Setting) -> dict[str, float]:
    """Return the time for a body that is sent and comes back."""
    body = random.Random(setting.size).randbytes(setting.size)  # noqa: S311  # the same in each round
    event = build_event("/echo", query="", body=body)
    with running(contender, setting) as environment:
        environment.api.invoke(event, warm_up_of(setting))
        exchanges = environment.api.invoke(event, setting.events)
    check(exchanges, base64.b64encode(body))
    times = [exchange.microseconds / 1000 for exchange in exchanges]
    return {"p50": statistics.median(times), "p99": percentile_99(times)}


def measure_workers(contender: Contender, setting: Setting) -> dict[str, float]:
    """Return the wall time for each of many concurrent invocations, their CPU time, and the memory."""
    event = build_event("/hello")
    with running(contender, setting) as environment:
        environment.api.wait_for_next(setting.workers)
        environment.api.invoke(event, setting.workers * max(int(setting.events * WARM_UP_OF_WORKER), 2))
        cpu, started_at = environment.cpu(), time.perf_counter()
        exchanges = environment.api.invoke(event, setting.events)
        wall, cpu = time.perf_counter() - started_at, environment.cpu() - cpu
        memory = environment.memory()
    check(exchanges, b"lambda")
    return {"each": wall * 1e6 / setting.events, "cpu": cpu / setting.events, "memory": memory}


def measure_memory(contender: Contender, setting: Setting) -> dict[str, float]:
    """Return the memory of all processes after a number of events."""
    with running(contender, setting) as environment:
        exchanges = environment.api.invoke(build_event("/hello"), AFTER)
        environment.api.wait_for_next()
        memory = environment.memory()
    check(exchanges, b"lambda")
    return {"memory": memory}


def check(exchanges: list[Exchange], content: bytes) -> None:
    """Raise an error unless each reply has status 200 and some content.

    Raises:
        Failed: If one does not.
    """
    for reply in (exchange.body for exchange in exchanges):
        if not re.search(rb'"statusCode": ?200\b', reply) or content not in reply:
            raise Failed(f"Each reply should have status 200 and contain {content[:80]!r}, but one is {reply[:500]!r}")


def warm_up_of(setting: Setting) -> int:
    """Return how many events to send before those that are measured."""
    return max(int(setting.events * WARM_UP), 2)


def percentile_99(values: list[float]) -> float:
    """Return the 99th percentile, or the largest of a few values."""
    return sorted(values)[int(len(values) * 0.99)]


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
