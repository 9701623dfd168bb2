"""What an app was doing that hangs, in the log: whatever it hangs in, and the look never ends the app."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from adapter.conftest import bootstrap
from adapter.test_app_failures import problem
from adapter.test_loop import get

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adapter.conftest import Start
    from support.processes import Running

HANGS = r"""
import ctypes, re, threading

def in_a_lock():
    threading.Event().wait()

def in_python():
    while True:
        pass

def in_native_code():
    ctypes.CDLL(None).pause()

def in_native_code_with_the_lock():
    re.match("(a|a)*b", "a" * 64)

def forever():
    while True:
        sum(number for number in range(10))

def busy():
    for number in range(4):
        threading.Thread(target=forever, daemon=True).start()

def do(path):
    what = path.strip("/")
    if what:
        busy()
        globals()[what]()

async def app(scope, receive, send):
    assert scope["type"] == "http"
    do(scope["path"])
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})

def wsgi(environ, start_response):
    do(environ["PATH_INFO"])
    start_response("204 No Content", [])
    return []
"""


# A look has a quarter of a second, since the function's timeout follows, and some apps here use all the processors that
# they get: on a loaded machine a look may come too late, or before the app hangs.
ATTEMPTS = 5


class Environment:
    def __init__(self, stack: ExitStack, app: str, folder: Path) -> None:
        (folder / "hangs.py").write_text(HANGS)
        self._stack, self._app, self._folder = stack, app, folder
        self.api: RuntimeApi
        self.process: Running

    def start(self, workers: int) -> None:
        self.api = self._stack.enter_context(RuntimeApi(concurrent=workers > 1))
        variables = {"AWS_LAMBDA_MAX_CONCURRENCY": str(workers)} if workers > 1 else {}
        self.process = self._stack.enter_context(bootstrap(self.api, self._app, cwd=self._folder, **variables))


@pytest.fixture(params=["hangs:app", "hangs:wsgi"], ids=["asgi", "wsgi"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Environment]:
    with ExitStack() as stack:
        yield Environment(stack, request.param, tmp_path)


@pytest.mark.parametrize("where", ["in_a_lock", "in_python", "in_native_code", "in_native_code_with_the_lock"])
@pytest.mark.parametrize("workers", [1, 2], ids=["one", "many"])
@pytest.mark.skipif(sys.platform != "linux", reason="/proc names the threads")
def test_what_it_hangs_in_is_shown_and_it_lives_until_it_is_killed(
    where: str, workers: int, environment: Environment
) -> None:
    environment.start(workers)
    environment.api.invoke(get("/"))

    for _ in range(ATTEMPTS):
        outcome = environment.api.invoke(get(f"/{where}"), timeout=1.5)
        # The app is killed once as many requests hang as there are workers: the next one may meet that.
        assert outcome.json["statusCode"] in ((504,) if workers == 1 else (504, 502))
        environment.api.invoke(get("/"))
        if re.search(rf'hangs\.py", line \d+ in {where}\b', environment.process.text):
            break
    else:
        pytest.fail(f"{where} was not shown; this was:\n{environment.process.text}")
    assert not re.search("SIGSEGV|SIGABRT", environment.process.text)


BESIDE = """
import asyncio, time

async def app(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"] == "/hang":
        task = asyncio.create_task(for_what_never_comes())
        await asyncio.sleep(0)
        time.sleep(1000)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})

async def for_what_never_comes():
    await asyncio.Event().wait()
"""


def test_tasks_are_shown_while_the_event_loop_hangs(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    (tmp_path / "beside.py").write_text(BESIDE)
    process = start("beside:app", cwd=tmp_path)
    api.invoke(get("/"))
    patterns = (r'beside\.py", line \d+ in app\b', r'beside\.py", line \d+, in for_what_never_comes')

    for _ in range(ATTEMPTS):
        problem(api.invoke(get("/hang"), timeout=1.5), 504)
        api.invoke(get("/"))
        if all(re.search(pattern, process.text) for pattern in patterns):
            break
    else:
        pytest.fail(f"not both were shown; this was:\n{process.text}")
