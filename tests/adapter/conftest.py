"""What the tests of the adapter process share: the Runtime API, and real bootstraps that talk to it."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from support.processes import BOOTSTRAP, Running, free_port, plain_environment

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

APPS = Path(__file__).parent / "apps"
# For apps that tests write.
TELL = (APPS / "telling.py").read_text()
# With this much memory adapter and app do not share a core, which is of no use to tests.
MEMORY_SIZE = "2048"


class Start(Protocol):
    """Starts the bootstrap in a folder, with words and variables."""

    def __call__(self, *words: str, cwd: Path | str = APPS, **variables: str) -> Running: ...


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    with RuntimeApi(snap_start=True) as api:
        yield api


class Shared:
    """A bootstrap that several tests send events to, one after the other; a new one when a test has broken it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._api: RuntimeApi | None = None
        self.process: Running | None = None

    @property
    def api(self) -> RuntimeApi:
        if self._api is None or self.process is None or self.process.ended:
            self._api = self._stack.enter_context(RuntimeApi())
            self.process = self._stack.enter_context(bootstrap(self._api, "main:wsgi"))
        return self._api


@pytest.fixture(scope="module")
def shared() -> Iterator[Shared]:
    with ExitStack() as stack:
        yield Shared(stack)


@pytest.fixture
def served(shared: Shared) -> RuntimeApi:
    """The Runtime API of a bootstrap that has served other tests; for those that only send events and read replies."""
    return shared.api


def on_lambda(api: RuntimeApi, cwd: Path | str, variables: Mapping[str, str]) -> dict[str, str]:
    """The environment that Lambda gives a bootstrap; what a test asks for comes before it."""
    kind = "lambda-managed-instances" if "AWS_LAMBDA_MAX_CONCURRENCY" in variables else "on-demand"
    own = {
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": MEMORY_SIZE,
        "AWS_LAMBDA_INITIALIZATION_TYPE": kind,
        "LAMBDA_TASK_ROOT": str(cwd),
    }
    return plain_environment(api.environ(**{**own, **variables}))


def bootstrap(api: RuntimeApi, *words: str, cwd: Path | str = APPS, **variables: str) -> Running:
    """Starts the bootstrap; a command gets a port that is free, since 8080 may be another test run's."""
    if "--" in words and not {"PORT", "AWS_LWA_PORT"} & variables.keys():
        variables["AWS_LWA_PORT"] = free_port()
    env = on_lambda(api, cwd, variables)
    command: list[str | Path] = [sys.executable, BOOTSTRAP, *words]
    return Running(command, env=env, cwd=cwd, at_end=api.set_runtime_ended)


@pytest.fixture
def start(api: RuntimeApi) -> Iterator[Start]:
    with ExitStack() as stack:

        def started(*words: str, cwd: Path | str = APPS, **variables: str) -> Running:
            return stack.enter_context(bootstrap(api, *words, cwd=cwd, **variables))

        yield started


@pytest.fixture(params=["main:app", "main:wsgi"], ids=["asgi", "wsgi"])
def either_app(request: pytest.FixtureRequest) -> str:
    """The app of `apps/main.py`, of one kind and of the other."""
    name: str = request.param
    return name
