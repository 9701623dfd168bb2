"""Both servers of a WSGI app, each started once, with the same app behind them."""

import uuid
from collections.abc import Iterator

import pytest
from app.client import Client
from app.serving import Served, serving


@pytest.fixture(scope="session")
def lean() -> Iterator[Served]:
    """The built-in WSGI server."""
    with serving("wsgi_cases:app") as served:
        yield served


@pytest.fixture(scope="session")
def bridged() -> Iterator[Served]:
    """The same app by a2wsgi on uvicorn."""
    with serving("wsgi_cases:app", {"AWS_LWA_SERVER": "uvicorn"}) as served:
        yield served


@pytest.fixture(params=["lean", "uvicorn"])
def server(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def site(request: pytest.FixtureRequest, server: str) -> Served:
    served: Served = request.getfixturevalue("lean" if server == "lean" else "bridged")
    return served


@pytest.fixture
def client(site: Served) -> Iterator[Client]:
    """A kept connection to the server."""
    with site.connect() as client:
        yield client


@pytest.fixture
def key() -> str:
    """A name that nobody else uses, for gates and counters in the app."""
    return uuid.uuid4().hex
