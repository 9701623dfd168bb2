"""An app for a process: what it says about itself shows whether it is still the same."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

app = FastAPI()


@app.get("/")
async def about() -> dict[str, Any]:
    print("about the process")  # noqa: T201  # the log has it
    return {"pid": os.getpid(), "table": os.environ.get("TABLE")}


@app.get("/hang")
async def hang() -> None:
    await asyncio.Event().wait()


@app.get("/block")
async def block() -> None:
    threading.Event().wait()


@app.get("/parts")
async def parts() -> StreamingResponse:
    async def send() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number}\n"

    return StreamingResponse(send(), media_type="text/plain")


meeting = asyncio.Barrier(2)


@app.get("/meet")
async def meet() -> str:
    await meeting.wait()
    return "met"


@app.post("/events")
async def events() -> dict[str, float]:
    return {"at": time.time()}
