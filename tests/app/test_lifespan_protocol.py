"""The lifespan protocol: whatever an app sends, in any order, is judged as uvicorn judges it."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from uvicorn.config import Config
from uvicorn.lifespan.on import LifespanOn

from lambda_web_adapter.app.asgi.lifespan import LifespanTask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Send = Callable[[dict[str, Any]], Awaitable[None]]
    Receive = Callable[[], Awaitable[dict[str, Any]]]

PHASES = ("startup", "shutdown")
SENT = [f"{phase}.{outcome}" for phase in PHASES for outcome in ("complete", "failed")]
SEQUENCES = [sent for length in range(4) for sent in itertools.product([*SENT, "receive", "other"], repeat=length)]


class App:
    """An app that sends messages one after the other, and then returns or raises; it records what became of each."""

    def __init__(self, steps: tuple[str, ...], end: str) -> None:
        self._steps = steps
        self._end = end
        self.log: list[str] = []

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        scope["state"]["store"] = "open"
        self.log.append(f"{scope['type']} {scope['asgi']['version']} {scope['asgi']['spec_version']}")
        for step in self._steps:
            if step == "receive":
                self.log.append((await receive())["type"])
                continue
            try:
                await send({"type": f"lifespan.{step}", "message": "no database"})
            except (AssertionError, RuntimeError):
                self.log.append(f"{step} is refused")
        if self._end == "raise":
            raise LookupError("no database")


class Uvicorn:
    """Uvicorn's lifespan, called as ours is."""

    def __init__(self, app: App) -> None:
        self._lifespan = LifespanOn(Config(app, lifespan="auto", interface="asgi3", log_config=None))
        self.state = self._lifespan.state

    async def startup(self) -> bool:
        await self._lifespan.startup()
        return not self._lifespan.should_exit

    async def shutdown(self) -> None:
        await self._lifespan.shutdown()


async def outcome(kind: Any, steps: tuple[str, ...], end: str) -> list[Any]:
    """What is seen of a lifespan: what became of each step, whether the app is served, and the state."""
    app = App(steps, end)
    lifespan = kind(app)
    served = await _within_turns(lifespan.startup())
    stopped = await _within_turns(lifespan.shutdown()) if served else None
    found = [*app.log, served, stopped, lifespan.state]
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    return found


async def _within_turns(call: Any) -> Any:
    """The result of a call; `waits` if a hundred turns of the event loop, on which all else depends, do not end it."""
    task = asyncio.ensure_future(call)
    for _ in range(100):
        if task.done():
            return task.result()
        await asyncio.sleep(0)
    task.cancel()
    return "waits"


@pytest.mark.parametrize("end", ["return", "raise"])
def test_any_sequence_is_judged_as_by_uvicorn(end: str) -> None:
    for steps in SEQUENCES:
        ours, theirs = (asyncio.run(outcome(kind, steps, end)) for kind in (LifespanTask, Uvicorn))

        assert ours == theirs, steps


def test_the_usual_sequence() -> None:
    steps = ("receive", "startup.complete", "receive", "shutdown.complete")

    assert asyncio.run(outcome(LifespanTask, steps, "return")) == [
        "lifespan 3.0 2.0",
        "lifespan.startup",
        "lifespan.shutdown",
        True,
        None,
        {"store": "open"},
    ]
