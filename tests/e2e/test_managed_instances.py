"""Several invocations at once under both emulators, where they play Lambda Managed Instances."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from adapter.test_loop import get

if TYPE_CHECKING:
    from e2e.conftest import AnyEmulator, Manage

WORKERS = 8
# Each request waits for all the others: they are answered only if they are all there at once.
ASGI = f"""
import asyncio, json, os

everybody = asyncio.Barrier({WORKERS})

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    headers = dict(scope["headers"])
    if scope["path"] == "/together":
        await everybody.wait()
    if scope["path"] == "/exit":
        os._exit(3)
    seen = {{name: headers[name.encode()].decode() for name in ("x-marker", "x-amzn-trace-id")}}
    seen["pid"] = os.getpid()
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}})
    await send({{"type": "http.response.body", "body": json.dumps(seen).encode()}})
"""


@pytest.fixture
def managed(manage: Manage) -> AnyEmulator:
    return manage(ASGI, workers=WORKERS)


def invoke(emulator: AnyEmulator, path: str, marker: str, trace: str = "Root=1") -> dict[str, Any]:
    """Invokes, and returns the reply."""
    response = emulator.invoke(get(path, x_marker=marker), X_Amzn_RequestId=str(uuid.uuid4()), X_Amzn_Trace_Id=trace)
    found: dict[str, Any] = response.json()
    return found


def seen(emulator: AnyEmulator, path: str, marker: str) -> dict[str, Any]:
    """Invokes, and returns what the app saw."""
    trace = f"Root=1-5bef4de7-{marker}"
    found: dict[str, Any] = json.loads(invoke(emulator, path, marker, trace)["body"])
    assert (found["x-marker"], found["x-amzn-trace-id"]) == (marker, trace)
    return found


def test_many_invocations_are_handled_at_once_and_none_is_mixed_up(managed: AnyEmulator) -> None:
    with ThreadPoolExecutor(WORKERS) as callers:
        together = list(callers.map(lambda number: seen(managed, "/together", f"together-{number}"), range(WORKERS)))
    with ThreadPoolExecutor(WORKERS // 2) as callers:
        others = list(callers.map(lambda number: seen(managed, "/", f"other-{number}"), range(400)))

    assert len({found["pid"] for found in together + others}) == 1


def test_an_app_that_ends_is_started_again_while_the_emulator_waits(managed: AnyEmulator) -> None:
    before = seen(managed, "/", "before")["pid"]

    failed = invoke(managed, "/exit", "exit")

    assert failed["statusCode"] == 502
    assert seen(managed, "/", "after")["pid"] != before
