"""The event loop that the setting chooses, for libraries that patch asyncio's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from app.serving import serving

if TYPE_CHECKING:
    from pathlib import Path

# What nest_asyncio.apply() asks of a loop, in its words.
APP = """
import asyncio

async def app(scope, receive, send):
    loop = asyncio.get_running_loop()
    said = f"patched {type(loop).__module__.partition('.')[0]}"
    if not isinstance(loop, asyncio.BaseEventLoop):
        said = f"Can't patch loop of type {type(loop)}"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said.encode()})
"""


@pytest.mark.parametrize(
    ("setting", "said"),
    [("asyncio", b"patched asyncio"), ("auto", b"Can't patch loop of type <class 'uvloop.Loop'>")],
)
def test_asyncio_s_own_loop_runs_the_app_if_it_was_chosen(tmp_path: Path, setting: str, said: bytes) -> None:
    (tmp_path / "main.py").write_text(APP)

    with serving("main:app", {"AWS_LWA_LOOP": setting}, folder=tmp_path) as served, served.connect() as client:
        assert client.ask("GET", "/").body == said
