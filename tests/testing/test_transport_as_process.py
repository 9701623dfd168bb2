"""LambdaTransport with the app in a process: what stops, ends and starts there does so for real."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from flask import Flask
from support.processes import runs, wait_until
from testing.sample import app

from lambda_web_adapter.errors import AppNotFound, AppStartFailed
from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE
from lambda_web_adapter.testing import InvocationFailed, LambdaTransport
from lambda_web_adapter.testing.app_name import find_app

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "https://test"
TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def shared() -> Iterator[LambdaTransport]:
    with LambdaTransport(app, "function-url", as_process=True, environ={"TABLE": "orders"}) as transport:
        yield transport


@pytest.fixture
def transport() -> Iterator[LambdaTransport]:
    with LambdaTransport(app, "function-url", as_process=True) as made:
        yield made


def client_of(transport: LambdaTransport) -> httpx.Client:
    return httpx.Client(transport=transport.with_authorizer(None), base_url=BASE)  # closing it does nothing


def test_the_app_is_another_process(shared: LambdaTransport) -> None:
    about = client_of(shared).get("/").json()

    assert about["pid"] != os.getpid()
    assert about["table"] == "orders"


def test_the_last_invocation_has_the_log_and_the_memory(shared: LambdaTransport) -> None:
    client_of(shared).get("/")

    last = shared.last
    assert "about the process" in last.log
    assert last.event["rawPath"] == "/"
    assert last.reply["statusCode"] == 200
    assert last.memory_mb > 10
    assert last.request is not None
    assert last.request.method == "GET"
    assert last.response is not None
    assert last.response.json()["pid"]
    assert (last.error, last.source) == (None, "function-url")


def test_a_freeze_stops_the_process(shared: LambdaTransport) -> None:
    pid = client_of(shared).get("/").json()["pid"]
    shared.freeze()

    wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, "the kernel stops the process")
    assert client_of(shared).get("/").json()["pid"] == pid


def test_a_crash_kills_the_process_in_the_middle_of_a_request(shared: LambdaTransport) -> None:
    client = client_of(shared)
    pid = client.get("/").json()["pid"]
    shared.crash()
    crashed = client.get("/")

    assert (crashed.status_code, crashed.json()["errorType"]) == (502, "Runtime.AppExited")
    assert isinstance(shared.last.error, InvocationFailed)
    assert str(shared.last.error) == "Runtime.AppExited: The app ended (signal SIGKILL) before it responded."
    assert not runs(pid)
    assert client.get("/").json()["pid"] != pid


def test_the_first_request_can_crash_as_well(transport: LambdaTransport) -> None:
    transport.crash()

    assert client_of(transport).get("/").status_code == 502
    assert client_of(transport).get("/").status_code == 200


def test_a_cold_start_is_another_environment(shared: LambdaTransport) -> None:
    client = client_of(shared)
    pid = client.get("/").json()["pid"]
    shared.cold()

    assert client.get("/").json()["pid"] != pid
    assert shared.last.is_cold
    assert shared.last.init_ms > 0


def test_a_timeout_ends_an_app_that_blocks_its_event_loop(shared: LambdaTransport) -> None:
    client = client_of(shared)
    client.get("/")
    with shared.timeout_after(2):
        late = client.get("/block")

    assert (late.status_code, late.json()["errorType"]) == (504, "Function.AppTimeout")
    assert "it is killed" in shared.last.log


def test_parts_are_streamed(shared: LambdaTransport) -> None:
    with shared.stream(), client_of(shared).stream("GET", "/parts") as response:
        assert b"".join(response.iter_raw()) == b"0\n1\n2\n"


def test_requests_meet_where_several_reach_the_app(shared: LambdaTransport) -> None:
    met: list[int] = []
    client = client_of(shared)
    threads = [threading.Thread(target=lambda: met.append(client.get("/meet").status_code)) for _ in range(2)]
    with shared.concurrent(2):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert met == [200, 200]


def test_an_event_has_a_reply(shared: LambdaTransport) -> None:
    assert shared.invoke({"Records": [{"eventSource": "aws:sqs", "body": "x"}]}).keys() == {"at"}


def test_an_invocation_that_fails_raises(shared: LambdaTransport) -> None:
    with pytest.raises(InvocationFailed, match=r"Runtime\.InvalidEvent"):
        shared.invoke(b"no JSON")

    assert isinstance(shared.last.error, InvocationFailed)


def test_an_async_client_runs_it_in_its_event_loop() -> None:
    async def send() -> int:
        transport = LambdaTransport("testing.sample:app", as_process=True, environ={"AWS_LWA_APP_DIR": str(TESTS)})
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return int((await client.get("/")).json()["pid"])

    pid = asyncio.run(send())

    wait_until(lambda: not runs(pid), "the app ends with the transport")


def test_an_app_is_found_by_the_module_that_makes_it() -> None:
    assert find_app(app) == ("testing.sample:app", str(TESTS))


STARTUP_FAILS = """
async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
"""
RAISES = "raise ZeroDivisionError('at import')"


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        pytest.param(None, AppNotFound, "There is no module 'unstartable'", id="no module"),
        pytest.param("app = 1", AppNotFound, "1 is neither a WSGI nor an ASGI app", id="no app"),
        pytest.param(RAISES, AppStartFailed, "ZeroDivisionError: at import", id="import"),
        pytest.param(STARTUP_FAILS, AppStartFailed, "no database", id="lifespan"),
    ],
)
def test_an_app_that_cannot_be_started_is_raised(
    source: str | None, kind: type[Exception], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    if source is not None:
        (tmp_path / "unstartable.py").write_text(source)
    with LambdaTransport("unstartable:app", as_process=True) as transport:
        with pytest.raises(kind, match=message):
            client_of(transport).get("/")
        assert isinstance(transport.last.error, kind)


def test_exceptions_of_a_process_cannot_be_raised() -> None:
    with pytest.raises(ValueError, match="raise_app_exceptions has no effect with as_process"):
        LambdaTransport(app, as_process=True, raise_app_exceptions=True)


def test_an_app_that_no_process_can_find_is_an_error() -> None:
    with pytest.raises(ValueError, match="no global of a module"):
        LambdaTransport(Flask("of_no_module"), as_process=True)


def test_a_process_does_not_start_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOCAL_RUN_VARIABLE, "1")

    with pytest.raises(RuntimeError, match="would start itself again"):
        LambdaTransport(app, as_process=True)
