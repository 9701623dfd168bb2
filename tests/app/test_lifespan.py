"""A lifespan startup that raises is never silent: it is a refusal, a warning, or an error of the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from app.serving import serving, starting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Server = Mapping[str, str]


@pytest.fixture(params=["auto", "uvicorn"])
def server(request: pytest.FixtureRequest) -> Server:
    """Which server calls the lifespan: ours, or uvicorn's."""
    return {"AWS_LWA_SERVER": request.param}


HTTP = """
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})
"""


def app(lifespan: str) -> str:
    return f"""
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        {lifespan}
        return
{HTTP}
"""


WRAPPED = """
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

@asynccontextmanager
async def lifespan(app):
    print("started", flush=True)
    yield

class Middleware:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        {before}
        await self.app(scope, receive, send)

async def hello(request):
    return PlainTextResponse("hello")

app = Middleware(Starlette(routes=[Route("/", hello)], lifespan=lifespan))
"""
COMPLETE = "await receive(); await send({'type': 'lifespan.startup.complete'}); await receive()"
DOWN = "raise LookupError('the database is down')"

RAISES = [
    pytest.param(app(DOWN), "the database is down", id="at once"),
    pytest.param(app(f"await receive(); {DOWN}"), "the database is down", id="in the startup"),
    pytest.param(app("await receive(); raise NotImplementedError('later')"), "later", id="not implemented yet"),
    pytest.param(
        app("await receive(); raise RuntimeError('lifespan: no database')"),
        "no database",
        id="with the word in it",
    ),
    pytest.param(app("scope.lifespan"), "AttributeError", id="a mistake with the word in it"),
    pytest.param(WRAPPED.format(before="scope['headers']"), "KeyError: 'headers'", id="middleware by a mistake"),
    pytest.param(WRAPPED.format(before="assert scope['type'] == 'http'"), "AssertionError", id="middleware by a check"),
]


@pytest.mark.parametrize(("source", "text"), RAISES)
def test_a_startup_that_raises_is_a_warning_with_its_traceback(
    tmp_path: Path, server: Server, source: str, text: str
) -> None:
    (tmp_path / "main.py").write_text(source)

    with serving("main:app", server, folder=tmp_path) as served, served.connect() as client:
        assert client.ask("GET", "/").status == 200
        assert "AWS_LWA_LIFESPAN=on" in served.output()
        assert "main.py" in served.output()
        assert text in served.output()
        assert served.stop() == 0


@pytest.mark.parametrize(("source", "text"), RAISES)
def test_where_the_lifespan_is_required_it_is_an_error_of_the_start(
    tmp_path: Path, server: Server, source: str, text: str
) -> None:
    (tmp_path / "main.py").write_text(source)

    with starting("main:app", {**server, "AWS_LWA_LIFESPAN": "on"}, folder=tmp_path) as served:
        failure = served.failure()

        assert text in "".join(failure["stack"])
        assert "main.py" in "".join(failure["stack"])
        assert served.line() == ""
        assert served.end() != 0
        assert text in served.output()


def test_an_app_that_does_not_answer_the_startup_has_none_where_it_is_required(tmp_path: Path, server: Server) -> None:
    (tmp_path / "main.py").write_text(app("await receive()"))

    with starting("main:app", {**server, "AWS_LWA_LIFESPAN": "on"}, folder=tmp_path) as served:
        assert "lifespan.startup.complete" in served.failure()["message"]
        assert served.end() != 0


@pytest.mark.parametrize("setting", ["auto", "on"])
def test_an_app_that_wants_to_exit_in_its_startup_is_an_error_of_the_start(
    tmp_path: Path, server: Server, setting: str
) -> None:
    (tmp_path / "main.py").write_text(app("await receive(); raise SystemExit('no database')"))

    with starting("main:app", {**server, "AWS_LWA_LIFESPAN": setting}, folder=tmp_path) as served:
        failure = served.failure()

        assert (failure["raised"], failure["message"]) == ("SystemExit", "no database")
        assert served.end() != 0


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param("raise NotImplementedError", id="NotImplementedError"),
        pytest.param("assert scope['type'] == 'http'", id="assertion"),
        pytest.param("raise ValueError('can only handle http, not lifespan')", id="ValueError"),
        pytest.param("raise RuntimeError('Unsupported scope type')", id="RuntimeError"),
        pytest.param("{}[scope['type']]", id="KeyError"),
    ],
)
def test_an_app_that_says_that_it_has_no_lifespan_is_served_without_a_word(
    tmp_path: Path, server: Server, refusal: str
) -> None:
    (tmp_path / "main.py").write_text(app(refusal))

    with serving("main:app", server, folder=tmp_path) as served, served.connect() as client:
        assert client.ask("GET", "/").body == b"hello"
        assert served.output() == ""


def test_a_lifespan_that_is_off_is_not_called(tmp_path: Path, server: Server) -> None:
    (tmp_path / "main.py").write_text(WRAPPED.format(before="pass"))

    with (
        serving("main:app", {**server, "AWS_LWA_LIFESPAN": "off"}, folder=tmp_path) as served,
        served.connect() as client,
    ):
        assert client.ask("GET", "/").body == b"hello"
        assert served.stop() == 0
        assert served.output() == ""


@pytest.mark.parametrize("setting", ["auto", "on"])
def test_a_lifespan_is_called_where_it_is_not_off(tmp_path: Path, server: Server, setting: str) -> None:
    (tmp_path / "main.py").write_text(WRAPPED.format(before="pass"))

    with serving("main:app", {**server, "AWS_LWA_LIFESPAN": setting}, folder=tmp_path) as served:
        assert served.output() == "started\n"
        assert served.stop() == 0


def test_what_a_lifespan_raises_after_its_startup_is_in_the_log(tmp_path: Path, server: Server) -> None:
    (tmp_path / "main.py").write_text(app(f"{COMPLETE}; {DOWN}"))

    with serving("main:app", server, folder=tmp_path) as served:
        assert served.stop() == 0
        assert "LookupError: the database is down" in served.output()
