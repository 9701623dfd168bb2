"""Transports that nobody closes: they end in order, and a warning names their place."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI
from support.processes import plain_environment, wait_until
from testing.apps import fastapi_site

from lambda_web_adapter.testing import LambdaTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BASE = "https://test"
NOT_CLOSED = r"LambdaTransport\(FastAPI\) was not closed; use it in \"with httpx\.Client"


def collect(*references: list[httpx.AsyncClient] | list[LambdaTransport] | list[httpx.Client]) -> None:
    """Forget what is in these lists, and collect what is garbage then."""
    for each in references:
        each.clear()
    gc.collect()


def test_one_without_references_ends_in_order() -> None:
    site = fastapi_site()
    clients = [httpx.Client(transport=LambdaTransport(site.app), base_url=BASE)]
    clients[0].get("/work")
    with pytest.warns(ResourceWarning, match=NOT_CLOSED) as warned:
        collect(clients)

    assert [each.filename for each in warned] == [__file__]
    wait_until(lambda: site.done == ["startup", "work", "shutdown", "released"], "the app's shutdown")


def test_one_of_a_running_event_loop_ends_in_order() -> None:
    site = fastapi_site()

    async def use() -> None:
        clients = [httpx.AsyncClient(transport=LambdaTransport(site.app), base_url=BASE)]
        await clients[0].get("/work")
        collect(clients)
        await asyncio.to_thread(wait_until, lambda: "released" in site.done, "the app's shutdown")

    with pytest.warns(ResourceWarning, match=NOT_CLOSED):
        asyncio.run(use())
    assert site.done == ["startup", "work", "shutdown", "released"]


def test_one_of_an_event_loop_that_has_ended_is_released(caplog: pytest.LogCaptureFixture) -> None:
    site = fastapi_site()
    clients = [httpx.AsyncClient(transport=LambdaTransport(site.app), base_url=BASE)]
    asyncio.run(clients[0].get("/work"))
    with pytest.warns(ResourceWarning, match=NOT_CLOSED):
        collect(clients)

    assert site.done == ["startup", "work", "released"]
    assert caplog.records == []


def test_a_derived_transport_keeps_the_environment() -> None:
    site = fastapi_site()
    derived = LambdaTransport(site.app).with_authorizer({"sub": "ann"})
    clients = [httpx.Client(transport=derived, base_url=BASE)]
    del derived
    clients[0].get("/work")
    gc.collect()
    clients[0].get("/work")
    assert site.done == ["startup", "work", "work"]
    with pytest.warns(ResourceWarning, match=NOT_CLOSED):
        collect(clients)


def test_one_that_is_closed_and_used_again_is_another_start() -> None:
    site = fastapi_site()
    transport = LambdaTransport(site.app)
    for _ in range(2):
        with httpx.Client(transport=transport, base_url=BASE) as client:
            client.get("/work")

    assert site.done == ["startup", "work", "shutdown", "released"] * 2


AT_EXIT = """
import httpx
from contextlib import asynccontextmanager
from fastapi import FastAPI
from lambda_web_adapter.testing import LambdaTransport

@asynccontextmanager
async def lifespan(app):
    yield
    print("shutdown", flush=True)

client = httpx.Client(transport=LambdaTransport(FastAPI(lifespan=lifespan)), base_url="https://test")
print(client.get("/").status_code)
"""


def test_one_at_the_end_of_the_process_ends_in_order(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(AT_EXIT)

    run = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.stdout, run.stderr, run.returncode) == ("404\nshutdown\n", "", 0)


def test_an_environment_that_is_killed_has_no_failed_lifespan(caplog: pytest.LogCaptureFixture) -> None:
    site = fastapi_site()
    transport = LambdaTransport(site.app)
    with httpx.Client(transport=transport, base_url=BASE) as client, transport.timeout_after(0.1):
        assert client.get("/hang").status_code == 504

    assert site.done == ["startup", "cancelled", "released"]
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []


def test_a_lifespan_that_fails_while_it_is_killed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            raise ZeroDivisionError("the release has failed")

    transport = LambdaTransport(FastAPI(lifespan=lifespan))
    with httpx.Client(transport=transport, base_url=BASE) as client:
        transport.crash()
        client.get("/work")

    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert record.exc_info
    assert isinstance(record.exc_info[1], ZeroDivisionError)
