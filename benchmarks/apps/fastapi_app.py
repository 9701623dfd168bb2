"""The FastAPI app that every contender serves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

app = FastAPI()


@app.get("/hello")
async def hello(name: str = "nobody") -> dict[str, str]:
    """Respond with a little JSON."""
    return {"hello": name}


async def echo(request: Request) -> Response:
    """Respond with the request's body."""
    return Response(await request.body(), media_type="application/octet-stream")


app.add_route("/echo", echo, ["POST"])


@app.get("/chunks")
async def chunks() -> StreamingResponse:
    """Respond with three parts, a millisecond apart."""

    async def parts() -> AsyncIterator[str]:
        for number in range(3):
            if number:
                await asyncio.sleep(0.001)
            yield f"chunk {number}\n"

    return StreamingResponse(parts(), media_type="text/plain")
