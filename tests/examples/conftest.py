"""Both examples: alone, behind the adapter, and in the tests' process, each started once for every module of tests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from examples.running import load_example, running

from lambda_web_adapter.testing import LambdaTransport

NewClient = Callable[[], httpx.Client]

WAYS = [pytest.param(way, id=way) for way in ("alone", "through the adapter", "in a test")]


@contextmanager
def visiting(example: str, way: str) -> Iterator[NewClient]:
    """Serve an example, and yield what makes a client of it."""
    if way == "in a test":
        with LambdaTransport(load_example(example)) as transport:
            # Of the derived transport, since closing that one does not end the app.
            yield lambda: httpx.Client(base_url="http://127.0.0.1", transport=transport.with_authorizer(None))
        return
    with running(example, adapter=way != "alone") as site:
        yield lambda: httpx.Client(base_url=site.url, trust_env=False, timeout=10)


@pytest.fixture(scope="module", params=WAYS)
def new_fastapi_client(request: pytest.FixtureRequest) -> Iterator[NewClient]:
    with visiting("fastapi_app", request.param) as new_client:
        yield new_client


@pytest.fixture(scope="module", params=WAYS)
def new_flask_client(request: pytest.FixtureRequest) -> Iterator[NewClient]:
    with visiting("flask_app", request.param) as new_client:
        yield new_client


@pytest.fixture
def seeds(new_fastapi_client: NewClient) -> Iterator[httpx.Client]:
    """A gardener's browser at the FastAPI example: it keeps cookies, for one test."""
    with new_fastapi_client() as client:
        yield client


@pytest.fixture
def recipes(new_flask_client: NewClient) -> Iterator[httpx.Client]:
    """A cook's browser at the Flask example: it keeps cookies, for one test."""
    with new_flask_client() as client:
        yield client
