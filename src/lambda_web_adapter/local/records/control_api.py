"""The control API of a local run, by which other commands look at it: HTTP on a loopback port of its own.

`GET /invocations?last=10` returns the last records. With `follow=1` it goes on with each further one, as server-sent
events. Each request carries the token, which only the user can read (see `run_file`).
"""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from lambda_web_adapter.adapter.process.ports import open_listener
from lambda_web_adapter.local.asgi_messages import send_json
from lambda_web_adapter.local.caller_checks import refusal_of_invoke
from lambda_web_adapter.local.records.conversion import to_summary
from lambda_web_adapter.local.records.records import MAX_RECORDS
from lambda_web_adapter.local.records.run_file import RunFile, runs_folder, written
from lambda_web_adapter.local.server import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

    from lambda_web_adapter.local.log import Log
    from lambda_web_adapter.local.records.recorder import Recorder
    from lambda_web_adapter.local.records.records import Record

_HOST = "127.0.0.1"
_TITLE = "The control API"
_DEFAULT_LAST = 10


class ControlApi:
    """The ASGI app of the control API."""

    def __init__(self, recorder: Recorder, token: str) -> None:
        """Prepare, given the records and the token that requests have to carry."""
        self._recorder = recorder
        self._authorization = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            return
        if refusal := refusal_of_invoke(scope, _HOST, _TITLE) or self._refusal_of_token(scope):
            await _send_error(send, 403, refusal)
        elif (scope["method"], scope["path"]) != ("GET", "/invocations"):
            await _send_error(send, 404, f"There is no {scope['method']} {scope['path']}.")
        else:
            parameters = parse_qs(scope["query_string"].decode("latin-1"))
            last = parameters.get("last", [str(_DEFAULT_LAST)])[0]
            if not (last.isascii() and last.isdigit() and len(last) < 10):
                await _send_error(send, 400, f"last is {last!r}, but it takes a number.")
            elif parameters.get("follow") == ["1"]:
                await self._follow(int(last), receive, send)
            else:
                records = self._recorder.records.last(int(last))
                await send_json(send, 200, {"invocations": [to_summary(record).model_dump() for record in records]})

    def _refusal_of_token(self, scope: HTTPScope) -> str:
        header = dict(scope["headers"]).get(b"authorization", b"")
        if secrets.compare_digest(header, self._authorization):
            return ""
        return f"{_TITLE} needs the token of the run's file: Authorization: Bearer …"

    async def _follow(self, last: int, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Send the last records and all further ones, until the client leaves or the run ends."""
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        with self._recorder.follow() as queue:
            complete = [each for each in self._recorder.records.last(MAX_RECORDS) if each.is_complete]
            await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": False})
            for record in complete[len(complete) - min(last, len(complete)) :]:
                await _send_event(send, record)
            await send({"type": "http.response.body", "body": b": follow\n\n", "more_body": True})
            disconnect = asyncio.ensure_future(_wait_for_disconnect(receive))
            try:
                while not disconnect.done():
                    following = asyncio.ensure_future(queue.get())
                    await asyncio.wait((following, disconnect), return_when=asyncio.FIRST_COMPLETED)
                    if following.done():
                        await _send_event(send, following.result())
                    following.cancel()
            finally:
                disconnect.cancel()


@asynccontextmanager
async def serve_control_api(
    recorder: Recorder, log: Log, environ: Mapping[str, str], *, ports: list[int], title: str
) -> AsyncIterator[None]:
    """Serve the control API, and have the run's file written, while the block runs.

    Args:
        recorder: the records.
        log: the log, which says so if the file cannot be written.
        environ: the environment variables, which name the folder of the file.
        ports: the ports that the app is served on.
        title: what is served.
    """
    token = secrets.token_urlsafe(32)
    listener = open_listener(_HOST, 0)
    url = f"http://{_HOST}:{listener.getsockname()[1]}"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serve(listener, ControlApi(recorder, token), stop_seconds=0))
        run = RunFile(url=url, token=token, pid=os.getpid(), ports=ports, title=title)
        try:
            stack.enter_context(written(run, runs_folder(environ)))
        except OSError as error:
            log.line(f"`lambda-web-adapter logs` will not find this run: {error}", fg="yellow")
        yield


async def _wait_for_disconnect(receive: ASGIReceiveCallable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_event(send: ASGISendCallable, record: Record) -> None:
    body = b"id: %d\nevent: invocation\ndata: %b\n\n" % (record.number, to_summary(record).model_dump_json().encode())
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _send_error(send: ASGISendCallable, status: int, message: str) -> None:
    await send_json(send, status, {"message": message})
