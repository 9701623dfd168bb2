"""Both examples, alone and behind the adapter, each started once for every module of tests that asks for it."""

from collections.abc import Iterator

import httpx
import pytest
from examples.running import Site, running

BOTH_WAYS = [pytest.param(False, id="alone"), pytest.param(True, id="through the adapter")]


@pytest.fixture(scope="module", params=BOTH_WAYS)
def fastapi_site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with running("fastapi_app", adapter=request.param) as site:
        yield site


@pytest.fixture(scope="module", params=BOTH_WAYS)
def flask_site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with running("flask_app", adapter=request.param) as site:
        yield site


def client_of(site: Site) -> httpx.Client:
    return httpx.Client(base_url=site.url, trust_env=False, timeout=10)


@pytest.fixture
def seeds(fastapi_site: Site) -> Iterator[httpx.Client]:
    """A gardener's browser at the FastAPI example: it keeps cookies, for one test."""
    with client_of(fastapi_site) as client:
        yield client


@pytest.fixture
def recipes(flask_site: Site) -> Iterator[httpx.Client]:
    """A cook's browser at the Flask example: it keeps cookies, for one test."""
    with client_of(flask_site) as client:
        yield client
