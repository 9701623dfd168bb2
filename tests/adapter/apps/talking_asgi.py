"""The ASGI app that logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from talking import say

if TYPE_CHECKING:
    from starlette.requests import Request


async def on_the_loop(request: Request) -> PlainTextResponse:
    """Logs from a task."""
    say(request.path_params["what"])
    return PlainTextResponse("said")


def in_the_pool(request: Request) -> PlainTextResponse:
    """Logs from a thread of Starlette's pool."""
    say(request.path_params["what"])
    return PlainTextResponse("said")


app = Starlette(routes=[Route("/say/{what}", on_the_loop), Route("/pool/{what}", in_the_pool)])
