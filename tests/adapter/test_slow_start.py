"""Apps that need longer than Lambda's init phase has: waited for within the invocations, and started once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from adapter.conftest import APPS, on_lambda
from adapter.test_loop import get
from processes import Running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fake_runtime_api import FakeRuntimeApi

# The bootstrap, with less patience than the 9.8 s that Lambda allows: nobody wants to wait for that.
IMPATIENT = """
import sys
from lambda_web_adapter import cli
cli._INIT_SECONDS = 0.2
cli.main(sys.argv[1:])
"""
ON_DEMAND = "on-demand"


class Slow:
    """A bootstrap whose app is held in its lifespan startup."""

    def __init__(self, api: FakeRuntimeApi, kind: str, app: str = "main:app", **more: str) -> None:
        api.hold("startup")
        self.process = Running(
            [sys.executable, "-c", IMPATIENT, app],
            env=on_lambda(api, APPS, {"AWS_LAMBDA_INITIALIZATION_TYPE": kind, **more}),
            cwd=APPS,
            at_end=api.client_has_ended,
        )
        api.wait_for_call("test/startup")


@pytest.fixture
def slow(api: FakeRuntimeApi, request: pytest.FixtureRequest) -> Iterator[Slow]:
    started = Slow(api, getattr(request, "param", ON_DEMAND))
    with started.process:
        yield started


def test_the_first_event_is_asked_for_and_waits_for_the_app(slow: Slow, api: FakeRuntimeApi) -> None:
    api.wait_for_call("next")
    event = api.add(get("/"))
    early = api.comes_within("response", 1, seconds=0.2)
    api.release("startup")

    assert api.outcome(event).json["statusCode"] == 200
    assert not early
    assert len(api.named("test/import")) == 1
    assert "asked for meanwhile" in slow.process.text


def test_an_invocation_that_ends_first_is_an_error_and_the_next_one_waits_on(slow: Slow, api: FakeRuntimeApi) -> None:
    first = api.invoke(get("/"), seconds=1.5)
    api.release("startup")
    second = api.invoke(get("/"))

    assert (first.name, first.json["errorType"]) == ("error", "Runtime.AppNotReady")
    assert "after its start" in first.json["errorMessage"]
    assert second.json["statusCode"] == 200
    assert len(api.named("test/import")) == 1


@pytest.mark.parametrize("slow", ["provisioned-concurrency", "snap-start"], indirect=True)
def test_where_the_init_phase_is_long_no_event_is_asked_for_before_the_app_is_ready(
    slow: Slow, api: FakeRuntimeApi
) -> None:
    early = api.comes_within("next", 1, seconds=0.5)
    api.release("startup")
    api.wait_for_call("next")

    assert not early
    assert "meanwhile" not in slow.process.text


DIES = """
import os
from main import app as healthy, tell

async def app(scope, receive, send):
    if scope["type"] == "lifespan" and os.path.exists(os.environ["BROKEN"]):
        tell("startup")
        os._exit(3)
    await healthy(scope, receive, send)
"""


def test_an_app_that_ends_after_all_is_told_to_the_first_caller(tmp_path: Path, api: FakeRuntimeApi) -> None:
    (tmp_path / "dies.py").write_text(DIES)
    broken = tmp_path / "broken"
    broken.touch()
    slow = Slow(api, ON_DEMAND, "dies:app", PYTHONPATH=str(tmp_path), BROKEN=str(broken))
    with slow.process:
        api.wait_for_call("next")
        event = api.add(get("/"))
        api.release("startup")
        error = api.outcome(event)
        broken.unlink()
        served = api.invoke(get("/"))

    assert (error.name, error.json["errorType"]) == ("error", "Runtime.AppStartFailed")
    assert "exit code 3" in error.json["errorMessage"]
    assert served.json["statusCode"] == 200
