"""What the conformance tests share: adapter processes and apps, each started once."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from app.serving import Served, serving

from conformance.recorder import APPS, Recorders

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def recorders() -> Iterator[Recorders]:
    """Adapter processes with an app that keeps every byte."""
    with ExitStack() as stack:
        yield Recorders(stack)


@pytest.fixture(scope="session", params=["seeing:asgi", "seeing:wsgi"], ids=["asgi", "wsgi"])
def site(request: pytest.FixtureRequest) -> Iterator[Served]:
    """An app of either kind behind the server that the adapter gives it."""
    with serving(request.param, folder=APPS) as served:
        yield served
