"""Apps of the transport's tests, one for each interface, with the same routes."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from flask import Flask, Response, request

from lambda_web_adapter import current_context, current_event, current_event_source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

TESTER: ContextVar[str] = ContextVar("tester", default="nobody")


class Site:
    """An app, and what it has done.

    Attributes:
        app: the app.
        done: what it has done, in order.
        hanging: set to let a request go on, or to send all parts but the first.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.done: list[str] = []
        self.hanging = threading.Event()

    def about(self) -> dict[str, Any]:
        context = current_context()
        return {
            "function": context.function_name,
            "id": context.aws_request_id,
            "remaining": context.get_remaining_time_in_millis(),
            "tester": TESTER.get(),
            "thread": threading.get_ident(),
            "table": os.environ.get("TABLE"),
        }

    def caller(self) -> Any:
        context = current_event()["requestContext"]
        return context.get("authorizer") or context.get("identity")


def fastapi_site() -> Site:  # noqa: C901  # a route is no branch
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        site.done.append("startup")
        try:
            yield {"pool": "open"}
            site.done.append("shutdown")
        finally:
            site.done.append("released")

    app = FastAPI(lifespan=lifespan)
    site = Site(app)

    @app.get("/about")
    async def about() -> Any:
        return site.about()

    @app.get("/caller")
    async def caller() -> Any:
        return site.caller()

    @app.get("/state")
    async def state(request: Request) -> Any:
        return request.state.pool

    @app.post("/echo")
    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(await request.body())

    @app.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError("the app's bug")

    @app.get("/work")
    async def work() -> str:
        site.done.append("work")
        return "done"

    @app.get("/hang")
    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            site.done.append("cancelled")
            raise

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> str:
        tasks.add_task(site.done.append, "background")
        return "accepted"

    @app.get("/parts")
    async def parts() -> StreamingResponse:
        async def send() -> AsyncIterator[str]:
            for number in range(3):
                yield f"{number}\n"
                await asyncio.to_thread(site.hanging.wait)

        return StreamingResponse(send(), media_type="text/plain")

    @app.get("/broken-parts")
    async def broken_parts() -> StreamingResponse:
        async def send() -> AsyncIterator[str]:
            yield "first\n"
            raise ZeroDivisionError("in the middle")

        return StreamingResponse(send(), media_type="text/plain")

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def send() -> AsyncIterator[str]:
            while True:
                yield "more\n"
                await asyncio.sleep(0.001)

        return StreamingResponse(send(), media_type="text/plain")

    meeting = asyncio.Barrier(2)

    @app.get("/meet")
    async def meet() -> str:
        await meeting.wait()
        return "met"

    @app.post("/events")
    async def events(request: Request) -> Any:
        return {"source": current_event_source(request.headers), "event": current_event()}

    return site


def flask_site() -> Site:  # noqa: C901  # as above
    app = Flask(__name__)
    site = Site(app)

    @app.get("/about")
    def about() -> Any:
        return site.about()

    @app.get("/caller")
    def caller() -> Any:
        return site.caller()

    @app.post("/echo")
    def echo() -> Response:
        return Response(request.get_data(), mimetype="text/plain")

    @app.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError("the app's bug")

    @app.get("/work")
    def work() -> str:
        site.done.append("work")
        return "done"

    @app.get("/hang")
    def hang() -> str:
        site.hanging.wait()
        return "late"

    @app.get("/parts")
    def parts() -> Response:
        def send() -> Iterator[str]:
            for number in range(3):
                yield f"{number}\n"
                site.hanging.wait()

        return Response(send(), mimetype="text/plain")

    @app.get("/broken-parts")
    def broken_parts() -> Response:
        def send() -> Iterator[str]:
            yield "first\n"
            raise ZeroDivisionError("in the middle")

        return Response(send(), mimetype="text/plain")

    meeting = threading.Barrier(2)

    @app.get("/meet")
    def meet() -> str:
        meeting.wait()
        return "met"

    @app.post("/events")
    def events() -> Any:
        return {"source": current_event_source(request.headers), "event": current_event()}

    return site


SITES = {"fastapi": fastapi_site, "flask": flask_site}
