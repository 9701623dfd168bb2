"""The start of the app process: what the adapter hears when it works, and when it does not."""

import json
from pathlib import Path

import pytest
from app.serving import serving, starting

WSGI = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"WSGI"]
"""
ASGI = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError("this app has no lifespan")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"ASGI"})
"""
ASGI2_CLASS = (
    ASGI.replace("async def app(scope", "async def app3(scope")
    + """
class app:
    def __init__(self, scope):
        self.scope = scope

    async def __call__(self, receive, send):
        await app3(self.scope, receive, send)
"""
)
ASGI2_FUNCTION = (
    ASGI.replace("async def app(scope", "async def app3(scope")
    + """
def app(scope):
    async def instance(receive, send):
        await app3(scope, receive, send)
    return instance
"""
)
SILENT_LIFESPAN = ASGI.replace('raise NotImplementedError("this app has no lifespan")', "return")
ANYTHING = """
import functools

def decorated(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper
"""
ANY_WSGI = f"{ANYTHING}{WSGI.replace('def app', '@decorated' + chr(10) + 'def app')}"
ANY_ASGI = f"{ANYTHING}{ASGI.replace('async def app', '@decorated' + chr(10) + 'async def app')}"

LEAVING = """
import atexit, os, signal, sys

def leave():
    os.kill(os.getpid(), signal.SIGTERM)
    sys.stdout.write("leaving\\n")

atexit.register(sys.stdout.write, "at exit\\n")
atexit.register(leave)
"""
FASTAPI = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

class NoDatabase(Exception):
    pass

@asynccontextmanager
async def lifespan(app):
    {before}
    yield
    {after}

app = FastAPI(lifespan=lifespan)
"""
LIFESPAN = """
import asyncio

async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "the database is down"})
"""


@pytest.mark.parametrize(
    ("source", "settings", "body"),
    [
        pytest.param(WSGI, {}, b"WSGI", id="WSGI"),
        pytest.param(WSGI, {"AWS_LWA_SERVER": "uvicorn"}, b"WSGI", id="WSGI on uvicorn"),
        pytest.param(ANY_WSGI, {}, b"WSGI", id="WSGI that hides it"),
        pytest.param(ANY_ASGI, {}, b"ASGI", id="ASGI that hides it"),
        pytest.param(ANY_WSGI, {"AWS_LWA_INTERFACE": "wsgi"}, b"WSGI", id="WSGI, as it was said"),
        pytest.param(ASGI, {}, b"ASGI", id="ASGI without lifespan"),
        pytest.param(SILENT_LIFESPAN, {}, b"ASGI", id="ASGI with a lifespan that returns at once"),
        pytest.param(ANY_ASGI, {"AWS_LWA_INTERFACE": "asgi"}, b"ASGI", id="ASGI, as it was said"),
        pytest.param(ASGI2_CLASS, {}, b"ASGI", id="ASGI 2 class"),
        pytest.param(ASGI2_FUNCTION, {}, b"ASGI", id="ASGI 2 function"),
    ],
)
def test_an_app_is_served(tmp_path: Path, source: str, settings: dict[str, str], body: bytes) -> None:
    (tmp_path / "main.py").write_text(source)

    with serving("main:app", settings, folder=tmp_path) as served, served.connect() as client:
        assert client.ask("GET", "/").body == body
        assert served.word(client.name) == "done"
        assert served.stop() == 0
        assert [served.line(), served.line()] == ["stopping", ""]


def test_the_app_is_discovered_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "wsgi.py").write_text(WSGI.replace("def app", "def application"))

    with serving("", folder=tmp_path) as served, served.connect() as client:
        assert client.ask("GET", "/").body == b"WSGI"


@pytest.mark.parametrize("source", [pytest.param(WSGI, id="WSGI"), pytest.param(ASGI, id="ASGI")])
def test_without_a_channel_the_app_is_served_all_the_same(tmp_path: Path, source: str) -> None:
    (tmp_path / "main.py").write_text(source)

    with starting("main:app", folder=tmp_path, channel=False) as served, served.connect() as client:
        assert client.ask("GET", "/").status == 200
        assert served.stop() == 0


def test_a_wsgi_app_does_without_uvicorn_and_asyncio(tmp_path: Path) -> None:
    """They are half of a cold start."""
    source = WSGI.replace('b"WSGI"', "str(sorted({'asyncio', 'uvicorn', 'a2wsgi'} & sys.modules.keys())).encode()")
    (tmp_path / "main.py").write_text(f"import sys\n{source}")

    with serving("main:app", folder=tmp_path) as served, served.connect() as client:
        assert client.ask("GET", "/").body == b"[]"


@pytest.mark.parametrize("source", [pytest.param(WSGI, id="WSGI"), pytest.param(ASGI, id="ASGI")])
def test_a_second_signal_does_not_cut_the_end_short(tmp_path: Path, source: str) -> None:
    """Ctrl-C reaches the app from the terminal, and SIGTERM from the adapter, at any time."""
    (tmp_path / "main.py").write_text(f"{LEAVING}{source}")

    with serving("main:app", folder=tmp_path) as served:
        assert served.stop() == 0
        assert served.output() == "leaving\nat exit\n"


# Starts that fail.


@pytest.mark.parametrize(
    ("source", "raised", "message"),
    [
        pytest.param("raise ValueError('the database is down')", "ValueError", "the database is down", id="exception"),
        pytest.param(
            "class NoDatabase(Exception): ...\nraise NoDatabase('down')", "main.NoDatabase", "down", id="its own kind"
        ),
        pytest.param("import no_such_module", "ModuleNotFoundError", "No module named 'no_such_module'", id="import"),
        pytest.param("def app(:", "SyntaxError", "invalid syntax (main.py, line 1)", id="syntax"),
        pytest.param("import sys\nsys.exit(3)", "SystemExit", "3", id="exit with a code"),
        pytest.param("import sys\nsys.exit()", "SystemExit", "", id="exit without a code"),
        pytest.param("raise KeyboardInterrupt", "KeyboardInterrupt", "", id="interrupt"),
        pytest.param("def create_app():\n    raise ValueError('down')", "ValueError", "down", id="in the factory"),
    ],
)
def test_an_exception_at_import_is_told_as_it_is(tmp_path: Path, source: str, raised: str, message: str) -> None:
    (tmp_path / "main.py").write_text(source)

    with starting("main", folder=tmp_path) as served:
        failure = served.failure()

        assert (failure["raised"], failure["message"]) == (raised, message)
        assert "main.py" in "".join(failure["stack"])
        assert served.line() == ""
        assert served.end() == 1
        assert "".join(failure["stack"]) in served.output()


@pytest.mark.parametrize(
    ("name", "settings", "text"),
    [
        pytest.param("main:site", {}, "Module 'main' has no attribute 'site'", id="no such attribute"),
        pytest.param("shop:app", {}, "There is no module 'shop'", id="no such module"),
        pytest.param("main:NUMBER", {}, "42 is neither a WSGI nor an ASGI app", id="no app"),
        pytest.param("main:anything", {}, "set AWS_LWA_INTERFACE to wsgi or asgi", id="perhaps an app"),
    ],
)
def test_an_app_that_is_not_there_is_told_without_a_traceback(
    tmp_path: Path, name: str, settings: dict[str, str], text: str
) -> None:
    (tmp_path / "main.py").write_text("NUMBER = 42\ndef anything(a, b, c, d): ...\n")

    with starting(name, settings, folder=tmp_path) as served:
        failure = served.failure()

        assert text in failure["message"]
        assert (failure["raised"], failure["stack"]) == ("Runtime.AppNotFound", [])
        assert served.end() == 1
        assert served.output() == ""


def test_without_a_channel_a_missing_app_is_told_in_the_log(tmp_path: Path) -> None:
    with starting("main:app", folder=tmp_path, channel=False) as served:
        assert served.end() == 1
        assert "There is no module 'main'" in served.output()


@pytest.mark.parametrize(
    ("source", "raised"),
    [
        pytest.param(
            FASTAPI.format(before="raise NoDatabase('the database is down')", after=""),
            "main.NoDatabase",
            id="FastAPI",
        ),
        pytest.param(LIFESPAN, "lambda_web_adapter.app.asgi.lifespan.StartupFailed", id="the app says so and returns"),
        pytest.param(
            f"{LIFESPAN}    raise ValueError('the database is down')", "ValueError", id="the app says so and raises"
        ),
        pytest.param(
            f"{LIFESPAN}    await asyncio.Event().wait()",
            "lambda_web_adapter.app.asgi.lifespan.StartupFailed",
            id="the app says so and stays",
        ),
    ],
)
def test_a_failed_startup_is_told_as_the_exception_it_was(tmp_path: Path, source: str, raised: str) -> None:
    (tmp_path / "main.py").write_text(source)

    with starting("main:app", folder=tmp_path) as served:
        failure = served.failure()

        assert (failure["raised"], failure["message"]) == (raised, "the database is down")
        assert failure["stack"][-1].startswith(raised)
        assert served.line() == ""
        assert served.end() != 0


def test_the_stack_of_a_failed_startup_leads_to_the_apps_line(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(FASTAPI.format(before="raise NoDatabase('down')", after=""))

    with starting("main:app", folder=tmp_path) as served:
        stack = "".join(served.failure()["stack"])

        assert "main.py" in stack
        assert "raise NoDatabase('down')" in stack
        assert served.end() != 0
        assert "main.NoDatabase: down" in served.output()


def test_a_failed_shutdown_is_in_the_log_and_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(FASTAPI.format(before="", after="raise NoDatabase('gone already')"))

    with serving("main:app", folder=tmp_path) as served:
        assert served.stop() == 0
        assert [served.line(), served.line()] == ["stopping", ""]
        assert "main.NoDatabase: gone already" in served.output()


def test_a_failure_is_one_line_whatever_it_says(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("raise ValueError('two\\nlines, \\udcff and \\N{SEEDLING}')")

    with starting("main:app", folder=tmp_path) as served:
        line = served.line()

    assert json.loads(line.removeprefix("failed "))["message"] == "two\nlines, \\udcff and 🌱"
