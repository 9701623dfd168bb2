"""LambdaTransport and a local run on a port give a client the same, byte by byte, for every event source.

Each step goes to both, and nothing else does, so that both are in the same state whatever the order of the tests.
"""

from __future__ import annotations

import base64
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from examples.comparing import Ask, Reply, ask, comparable, send
from examples.running import EXAMPLES, load_example
from support.processes import Running, plain_environment

from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.testing import LambdaTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    Pair = tuple[httpx.Client, httpx.Client]

pytestmark = pytest.mark.slow

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")
FASTAPI = [
    pytest.param([ask("GET", "/")], id="html"),
    pytest.param([ask("GET", "/varieties?species=broad%20bean&month=11&limit=1")], id="query"),
    pytest.param([ask("GET", "/varieties/noir%20de%20Crim%C3%A9e")], id="path beyond ASCII"),
    pytest.param([ask("GET", "/varieties/mandrake")], id="error of the app"),
    pytest.param([ask("HEAD", "/")], id="head"),
    pytest.param([ask("GET", "/p/brandywine")], id="redirect"),
    pytest.param([ask("GET", "/request?month=3&month=4")], id="what the client asked for"),
    pytest.param([ask("GET", "/me", headers={"cookie": "gardener=Zo%C3%AB; last_loan=brandywine"})], id="cookies"),
    pytest.param(
        [
            ask("POST", "/varieties/brandywine/loans", json={"gardener": "Zoë", "packets": 1}),
            ask("GET", "/packing-list"),
        ],
        id="json and background work",
    ),
    pytest.param(
        [
            ask("PUT", "/varieties/brandywine/photo", content=PIXEL, headers={"content-type": "image/png"}),
            ask("GET", "/varieties/brandywine/photo"),
        ],
        id="bytes",
    ),
]
FLASK = [
    pytest.param([ask("GET", "/")], id="html"),
    pytest.param([ask("GET", "/recipes/cr%C3%A8me-br%C3%BBl%C3%A9e")], id="path beyond ASCII"),
    pytest.param([ask("GET", "/recipes.csv")], id="parts"),
    pytest.param([ask("GET", "/static/favicon.png")], id="file"),
    pytest.param([ask("GET", "/request?month=3&month=4")], id="what the client asked for"),
    pytest.param([ask("GET", "/burnt")], id="exception"),
    pytest.param([ask("HEAD", "/")], id="head"),
    pytest.param([ask("POST", "/sign-in", data={"name": "Noémie"}), ask("GET", "/")], id="form and session"),
    pytest.param(
        [
            ask("POST", "/recipes/shakshuka/photo", files={"photo": ("pan.png", PIXEL, "image/png")}),
            ask("GET", "/recipes/shakshuka/photo"),
        ],
        id="upload",
    ),
]


@contextmanager
def both(example: str, source: str) -> Iterator[Pair]:
    """A client of a local run, and one of a transport; both use the run's address."""
    folder = EXAMPLES / example
    arguments = ["main:app", "--listen", f"{source}:0", "--environments", "1", "--no-reload", "--no-freeze"]
    run = Running([sys.executable, "-m", "lambda_web_adapter", *arguments], env=plain_environment(), cwd=folder)
    try:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        transport = LambdaTransport(load_example(example), source)
        with (
            httpx.Client(base_url=url, trust_env=False, timeout=20) as served,
            httpx.Client(base_url=url, transport=transport) as tested,
        ):
            yield served, tested
    finally:
        run.close()


@pytest.fixture(scope="module", params=[pytest.param(name, id=name) for name in EVENT_SOURCES])
def seeds(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with both("fastapi_app", request.param) as pair:
        yield pair


@pytest.fixture(scope="module", params=[pytest.param(name, id=name) for name in EVENT_SOURCES])
def recipes(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with both("flask_app", request.param) as pair:
        yield pair


def replies(client: httpx.Client, steps: list[Ask]) -> list[Reply]:
    """What one visitor gets, with cookies."""
    responses = [send(client, step) for step in steps]
    client.cookies.clear()
    return [comparable(response, response) for response in responses]


@pytest.mark.parametrize("steps", FASTAPI)
def test_fastapi_gives_the_same(seeds: Pair, steps: list[Ask]) -> None:
    served, tested = seeds

    assert replies(tested, steps) == replies(served, steps)


@pytest.mark.parametrize("steps", FLASK)
def test_flask_gives_the_same(recipes: Pair, steps: list[Ask]) -> None:
    served, tested = recipes

    assert replies(tested, steps) == replies(served, steps)
