"""The example of a chat in two local runs: one serves its page, and one has its WebSocket API."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.processes import PROJECT, Running, plain_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHAT = PROJECT / "examples" / "flask_chat"
_PROGRAM = [sys.executable, "-m", "lambda_web_adapter", "main:app", "--port", "0"]
# boto3 signs what it sends, with made-up keys too.
_KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "NO_PROXY": "127.0.0.1"}


@contextmanager
def websocket_run(folder: Path) -> Iterator[tuple[Running, str]]:
    """Give the run of the chat's WebSocket API, and its URL."""
    environ = plain_environment({**_KEYS, "CHAT_MEMBERS": str(folder / "members.sqlite3")})
    with Running([*_PROGRAM, "--event-source", "websocket"], cwd=CHAT, env=environ) as run:
        yield run, run.wait_for(r"ws://127\.0\.0\.1:\d+")[0]


@contextmanager
def page_run(websocket_url: str) -> Iterator[str]:
    """Give the URL of the chat's page, which connects to a WebSocket API."""
    environ = plain_environment({**_KEYS, "CHAT_URL": websocket_url})
    with Running(_PROGRAM, cwd=CHAT, env=environ) as run:
        yield run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
