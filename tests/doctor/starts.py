"""Apps to start, and how."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from support.processes import plain_environment

from lambda_web_adapter.doctor.start.trial import StartTarget
from lambda_web_adapter.local.environments.function_options import FunctionOptions

WSGI = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]
"""
ASGI = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})
"""


def write_app(folder: Path, source: str, **modules: str) -> Path:
    """Write main.py, and other modules."""
    for name, text in {"main": source, **modules}.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return folder


def make_target(folder: Path, *paths: str, memory: int = 1769, app: str = "main:app") -> StartTarget:
    """The start of the app in a folder."""
    return StartTarget(
        app=app,
        root=folder,
        folder=folder,
        requests=[("GET", path) for path in paths or ("/",)],
        options=FunctionOptions(memory=memory),
        environ=plain_environment(),
    )
