"""Concurrent invocations, as on Lambda Managed Instances: a worker for each, on one event loop, over the same app.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances.html. With a thread for each worker, passing the
interpreter's lock between threads would take more time than the invocations.
"""

from __future__ import annotations

import asyncio
import signal
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.io.asyncio_backend import AsyncioBackend
from lambda_web_adapter.adapter.lambda_api.runtime_api import RuntimeApi
from lambda_web_adapter.adapter.process.stop import stop
from lambda_web_adapter.adapter.timeouts import CancelRequest
from lambda_web_adapter.adapter.worker import NextFailures, Worker

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.process.supervisor import Supervisor
    from lambda_web_adapter.settings import Settings


def serve(address: str, supervisors: list[Supervisor], settings: Settings, max_concurrency: int) -> int:
    """Serve invocations concurrently until SIGTERM, or until the Runtime API gives no more events.

    Args:
        address: `host:port` of the Runtime API.
        supervisors: the app's processes, over which the workers are spread evenly.
        settings: the settings.
        max_concurrency: the number of workers.

    Returns:
        The exit code.

    Raises:
        RuntimeApiError: the environment cannot continue.
    """
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(_serve(address, supervisors, settings, max_concurrency))


def _new_loop() -> asyncio.AbstractEventLoop:
    if find_spec("uvloop") is None:
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


async def _serve(address: str, supervisors: list[Supervisor], settings: Settings, max_concurrency: int) -> int:
    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _stop, stopped)
    workers_per_app = -(-max_concurrency // len(supervisors))  # rounded up
    for supervisor in supervisors:
        backend = AsyncioBackend()
        supervisor.switch_to(backend, CancelRequest(backend, workers_per_app))
    failures = NextFailures(max_concurrency)
    tasks: set[asyncio.Future[int]] = set()
    for number in range(max_concurrency):
        supervisor = supervisors[number % len(supervisors)]
        runtime = RuntimeApi(address, supervisor.backend, proxy=settings.runtime_api_proxy)
        worker = Worker(runtime, supervisor, settings, failures)
        tasks.add(asyncio.create_task(worker.serve(), name=f"worker {number}"))
    try:
        done, _ = await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    finally:
        for task in tasks:
            task.cancel()  # no worker may request another event
        # The event loop waits for its threads, and a thread may wait for an app. So the apps end first.
        stop([supervisor.app for supervisor in supervisors])


def _stop(stopped: asyncio.Future[int]) -> None:
    if not stopped.done():
        stopped.set_result(0)
