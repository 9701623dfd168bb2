"""A FastAPI app as one would write it."""

import sys
import threading
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import BackgroundTasks, FastAPI, Request

SECONDS = 20.0

_gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
    sys.stdout.write("startup\n")
    yield {"opened": "by the lifespan"}
    sys.stdout.write("shutdown\n")


app = FastAPI(lifespan=lifespan)


@app.get("/state")
async def state(request: Request) -> str:
    return str(request.state.opened)


@app.get("/address/{rest:path}", name="address")
async def address(request: Request, rest: str) -> dict[str, str]:
    return {
        "rest": rest,
        "url": str(request.url),
        "base_url": str(request.base_url),
        "url_for": str(request.url_for("address", rest="there")),
        "root_path": request.scope["root_path"],
        "client": request.client.host if request.client else "",
    }


@app.post("/work/{key}", status_code=202)
async def work(key: str, tasks: BackgroundTasks) -> str:
    tasks.add_task(_work, key)
    return "accepted"


def _work(key: str) -> None:
    opened = _gates[key].wait(SECONDS)
    sys.stdout.write(f"work {key} is {'finished' if opened else 'given up'}\n")


@app.get("/gate/{key}")
async def gate(key: str) -> str:
    _gates[key].set()
    return "open"


@app.post("/fails_later")
async def fails_later(tasks: BackgroundTasks) -> str:
    tasks.add_task(_fail)
    return "accepted"


@app.get("/fails")
async def fails() -> str:
    _fail()
    return "never"


def _fail() -> None:
    raise LookupError("the app failed")
