"""The control API on a real socket: what it returns, and to whom."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from lambda_web_adapter.local.log import Log, RequestLine
from lambda_web_adapter.local.records.control_api import serve_control_api
from lambda_web_adapter.local.records.recorder import Recorder
from lambda_web_adapter.local.records.run_file import RunFile, read_runs, runs_folder

SECONDS = 15.0


class Served:
    """A control API, its records, and the file that leads to it."""

    def __init__(self, recorder: Recorder, run: RunFile, client: httpx.AsyncClient) -> None:
        self.recorder = recorder
        self.run = run
        self.client = client

    def record(self, title: str) -> None:
        """Make a record that is complete at once."""
        self.recorder.respond(RequestLine(title=title, status=413, seconds=0.001))

    async def titles(self, query: str) -> list[str]:
        response = await self.client.get(f"/invocations{query}")
        return [record["title"] for record in response.raise_for_status().json()["invocations"]]


@asynccontextmanager
async def served(folder: Path, log: Log | None = None) -> AsyncIterator[Served]:
    recorder = Recorder()
    environ = {"XDG_RUNTIME_DIR": str(folder)}
    async with serve_control_api(recorder, log or Log(), environ, ports=[8000], title="main:app"):
        (run,) = read_runs(runs_folder(environ))
        headers = {"authorization": f"Bearer {run.token}"}
        async with httpx.AsyncClient(base_url=run.url, headers=headers, trust_env=False, timeout=SECONDS) as client:
            yield Served(recorder, run, client)


def run(folder: Path, steps: Callable[[Served], Awaitable[None]]) -> None:
    async def within_a_loop() -> None:
        async with served(folder) as api:
            await steps(api)

    asyncio.run(within_a_loop())


def test_it_returns_the_last_records(tmp_path: Path) -> None:
    async def steps(api: Served) -> None:
        for number in range(12):
            api.record(f"GET /{number}")

        assert await api.titles("?last=2") == ["GET /10", "GET /11"]
        assert len(await api.titles("")) == 10
        assert await api.titles("?last=0") == []

    run(tmp_path, steps)


def test_the_file_names_the_run(tmp_path: Path) -> None:
    async def steps(api: Served) -> None:
        assert (api.run.pid, api.run.ports, api.run.title) == (os.getpid(), [8000], "main:app")
        assert len(api.run.token) >= 32

    run(tmp_path, steps)
    assert list(tmp_path.glob("**/*.json")) == []


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        pytest.param({"authorization": ""}, "needs the token", id="no token"),
        pytest.param({"authorization": "Bearer wrong"}, "needs the token", id="another token"),
        pytest.param({"host": "evil.example"}, "not a name of this local run", id="another host"),
        pytest.param({"host": "127.0.0.1:1"}, "not a name of this local run", id="another port"),
        pytest.param({"origin": "http://evil.example"}, "a page of another origin", id="another origin"),
        pytest.param({"sec-fetch-site": "cross-site"}, "a page of another origin", id="another site"),
    ],
)
@pytest.mark.parametrize("query", ["", "?follow=1"])
def test_others_get_nothing(headers: dict[str, str], reason: str, query: str, tmp_path: Path) -> None:
    async def steps(api: Served) -> None:
        api.record("GET /secret")

        response = await api.client.get(f"/invocations{query}", headers=headers)

        assert response.status_code == 403
        assert reason in response.json()["message"]
        assert "secret" not in response.text

    run(tmp_path, steps)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/invocations", 404),
        ("GET", "/invocations?last=all", 400),
        ("GET", "/invocations?last=-1", 400),
        ("GET", "/invocations?last=9999999999", 400),
    ],
)
def test_what_there_is_not_is_an_error(method: str, path: str, status: int, tmp_path: Path) -> None:
    async def steps(api: Served) -> None:
        response = await api.client.request(method, path)

        assert response.status_code == status
        assert response.json()["message"]

    run(tmp_path, steps)


def test_following_begins_with_the_last_and_goes_on(tmp_path: Path) -> None:
    async def steps(api: Served) -> None:
        for title in ("GET /old", "GET /last"):
            api.record(title)
        async with api.client.stream("GET", "/invocations?last=1&follow=1") as response:
            assert response.headers["content-type"] == "text/event-stream"
            lines = response.aiter_lines()
            assert await next_title(lines) == "GET /last"
            api.record("GET /new")
            assert await next_title(lines) == "GET /new"

    run(tmp_path, steps)


def test_following_leaves_out_what_is_not_complete(tmp_path: Path) -> None:
    async def steps(api: Served) -> None:
        api.record("GET /done")
        api.recorder.records.add(0.0, "GET /running")
        async with api.client.stream("GET", "/invocations?last=1&follow=1") as response:
            assert await next_title(response.aiter_lines()) == "GET /done"
        assert await api.titles("?last=1") == ["GET /running"]

    run(tmp_path, steps)


def test_a_client_that_leaves_is_no_follower(tmp_path: Path) -> None:
    async def steps(api: Served) -> None:
        async with api.client.stream("GET", "/invocations?follow=1"):
            assert len(api.recorder._followers) == 1
        for _ in range(1000):  # each request gives the server time to notice
            await api.titles("")
            if not api.recorder._followers:
                break
        assert not api.recorder._followers

    run(tmp_path, steps)


def test_the_end_of_the_run_ends_what_follows(tmp_path: Path) -> None:
    async def within_a_loop() -> None:
        client = httpx.AsyncClient(trust_env=False, timeout=SECONDS)
        async with served(tmp_path) as api:
            headers = {"authorization": f"Bearer {api.run.token}"}
            request = client.build_request("GET", f"{api.run.url}/invocations?follow=1", headers=headers)
            response = await client.send(request, stream=True)
        with pytest.raises(httpx.RemoteProtocolError):
            await response.aread()
        await client.aclose()

    asyncio.run(within_a_loop())


def test_a_file_that_cannot_be_written_is_a_line_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    text = io.StringIO()

    async def within_a_loop() -> None:
        environ = {"XDG_RUNTIME_DIR": str(tmp_path / "file")}
        async with serve_control_api(Recorder(), Log("short", text), environ, ports=[8000], title="main:app"):
            pass

    asyncio.run(within_a_loop())

    assert text.getvalue().startswith("`lambda-web-adapter logs` will not find this run: ")


async def next_title(lines: AsyncIterator[str]) -> str:
    async with asyncio.timeout(SECONDS):
        async for line in lines:
            if line.startswith("data: "):
                return str(json.loads(line.removeprefix("data: "))["title"])
    raise AssertionError("the stream has ended")
