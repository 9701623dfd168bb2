"""The inspector's server: HTTP on a loopback port of its own."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, cast

from lambda_web_adapter.adapter.process.ports import open_listener
from lambda_web_adapter.local.inspector.security import HOST, Guarded
from lambda_web_adapter.local.records.run_file import RunFile, new_token, runs_folder, user_token, written
from lambda_web_adapter.local.server import serve

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Mapping

    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

    from lambda_web_adapter.local.inspector.inspected_run import InspectedRun
    from lambda_web_adapter.local.log import Log

# How long requests may go on when the run ends. Those who follow it never end by themselves; they learn it then.
_STOP_SECONDS = 0.05


@asynccontextmanager
async def serve_inspector(run: InspectedRun, environ: Mapping[str, str]) -> AsyncIterator[str]:
    """Serve the inspector, and have the run's file written, while the block runs; return the line about its page.

    Args:
        run: the run.
        environ: the environment variables, which name the folder of the file.
    """
    options = run.options.inspector
    token = _find_token(environ, run.log)
    listener = _listen(options.port if options.has_page else 0)
    port = listener.getsockname()[1]
    url = f"http://{HOST}:{port}"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            serve(listener, Guarded(_LazyApp(run), token), stop_seconds=_STOP_SECONDS, websockets=False)
        )
        run_file = RunFile(url=url, token=token, pid=os.getpid(), ports=run.ports, title=run.options.title)
        try:
            stack.enter_context(written(run_file, runs_folder(environ)))
        except OSError as error:
            run.log.line(f"`lambda-web-adapter logs` will not find this run: {error}", fg="yellow")
        is_taken = options.port not in (0, port)
        yield f"Inspector: {url}/#token={token}" + (f" (port {options.port} is taken)" if is_taken else "")


class _LazyApp:
    """The inspector's app, imported with its framework for the first request, which most runs never get."""

    def __init__(self, run: InspectedRun) -> None:
        self._run = run
        self._app: asyncio.Future[ASGI3Application] | None = None

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Handle a request."""
        if self._app is None:
            self._app = asyncio.ensure_future(asyncio.to_thread(_build_app, self._run))
        app = await asyncio.shield(self._app)
        await app(scope, receive, send)


def _build_app(run: InspectedRun) -> ASGI3Application:
    from lambda_web_adapter.local.inspector.api import build_app

    return cast("ASGI3Application", build_app(run))


def _find_token(environ: Mapping[str, str], log: Log) -> str:
    """Return the user's token, or a random one if it cannot be kept."""
    try:
        return user_token(runs_folder(environ))
    except OSError as error:
        log.line(f"The inspector's token will be another one next time: {error}", fg="yellow")
        return new_token()


def _listen(port: int) -> socket.socket:
    """Return a socket that listens on a port, or, if it is taken, on a free one."""
    try:
        return open_listener(HOST, port)
    except OSError:
        return open_listener(HOST, 0)
