"""A timeout in the log: how long the app had, what to set, and that an event stream was buffered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from adapter.test_app_failures import problem
from adapter.test_loop import get

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

APP = """
import asyncio

async def app(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"] == "/hang":
        await asyncio.sleep(1000)
    headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"data: 1\\n\\n", "more_body": True})
    if scope["path"] == "/endless":
        await asyncio.sleep(1000)
    await send({"type": "http.response.body", "body": b"data: 2\\n\\n"})
"""
SWITCH = "Set AWS_LWA_INVOKE_MODE=response_stream"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "streams.py").write_text(APP)
    return tmp_path


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_timeout_names_the_time_and_what_to_set(workers: str, folder: Path, api: RuntimeApi, start: Start) -> None:
    variables = {"AWS_LAMBDA_MAX_CONCURRENCY": workers} if workers != "1" else {}
    process = start("streams:app", cwd=folder, **variables)

    answer = problem(api.invoke(get("/hang"), timeout=1.3), 504)

    process.wait_for(
        r"The app sent no response before the function's timeout\. It had [01]\.\d s, and the adapter stops waiting "
        r"0\.3 s before the function's timeout, so that it can still reply \(AWS_LWA_DEADLINE_MARGIN_SECONDS\)\. "
        r"If it needs longer, raise the function's timeout"
    )
    assert answer["message"] == "The app sent no response before the function's timeout."


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_endless_event_stream_that_is_buffered_names_the_switch(
    workers: str, folder: Path, api: RuntimeApi, start: Start
) -> None:
    variables = {"AWS_LAMBDA_MAX_CONCURRENCY": workers} if workers != "1" else {}
    process = start("streams:app", cwd=folder, **variables)

    problem(api.invoke(get("/endless"), timeout=1.3), 504)

    process.wait_for(f"It is text/event-stream, but the reply is buffered, so that .* {SWITCH}")


def test_event_streams_that_are_buffered_name_the_switch_once(folder: Path, api: RuntimeApi, start: Start) -> None:
    process = start("streams:app", cwd=folder)
    for _ in range(3):
        api.invoke(get("/"))

    process.wait_for(f"A response is text/event-stream, but the reply is buffered, so that .* {SWITCH}")
    assert process.text.count(SWITCH) == 1


def test_an_event_stream_that_is_streamed_names_nothing(folder: Path, api: RuntimeApi, start: Start) -> None:
    process = start("streams:app", cwd=folder, AWS_LWA_INVOKE_MODE="response_stream")
    api.invoke(get("/"))
    process.terminate()

    assert SWITCH not in process.text
