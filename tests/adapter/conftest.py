"""What the tests of the adapter process share: the fake Runtime API, and real bootstraps that talk to it."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from support.fake_runtime_api import FakeRuntimeApi
from support.processes import BOOTSTRAP, Running, free_port, plain_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

APPS = Path(__file__).parent / "apps"
# For apps that tests write.
TELL = (APPS / "telling.py").read_text()
# What Lambda always sets (Lambda, "Defined runtime environment variables"); the folder and the kind of start are added
# for each bootstrap. With this much memory adapter and app do not share a core, which is of no use to tests.
ON_LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "test",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/test",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/28/[$LATEST]0123456789abcdef0123456789abcdef",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "no-key",
    "AWS_SECRET_ACCESS_KEY": "no-secret",
    "AWS_SESSION_TOKEN": "no-token",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "TZ": ":UTC",
}


class Start(Protocol):
    """Starts the bootstrap in a folder, with words and variables."""

    def __call__(self, *words: str, cwd: Path | str = APPS, **variables: str) -> Running: ...


@pytest.fixture
def api() -> Iterator[FakeRuntimeApi]:
    with FakeRuntimeApi() as fake:
        yield fake


class Shared:
    """A bootstrap that several tests send events to, one after the other; a new one when a test has broken it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._api: FakeRuntimeApi | None = None
        self.process: Running | None = None

    @property
    def api(self) -> FakeRuntimeApi:
        if self._api is None or self.process is None or self.process.ended:
            self._api = self._stack.enter_context(FakeRuntimeApi())
            self.process = self._stack.enter_context(bootstrap(self._api, "main:wsgi"))
        return self._api


@pytest.fixture(scope="module")
def shared() -> Iterator[Shared]:
    with ExitStack() as stack:
        yield Shared(stack)


@pytest.fixture
def served(shared: Shared) -> FakeRuntimeApi:
    """The Runtime API of a bootstrap that has served other tests; for those that only send events and read replies."""
    return shared.api


def on_lambda(api: FakeRuntimeApi, cwd: Path | str, variables: Mapping[str, str]) -> dict[str, str]:
    """The environment that Lambda gives a bootstrap; what a test asks for comes before it."""
    kind = "lambda-managed-instances" if "AWS_LAMBDA_MAX_CONCURRENCY" in variables else "on-demand"
    own = {
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_INITIALIZATION_TYPE": kind,
        "LAMBDA_TASK_ROOT": str(cwd),
    }
    return plain_environment({**ON_LAMBDA, **own, **variables})


def bootstrap(api: FakeRuntimeApi, *words: str, cwd: Path | str = APPS, **variables: str) -> Running:
    """Starts the bootstrap; a command gets a port that is free, since 8080 may be another test run's."""
    if "--" in words and not {"PORT", "AWS_LWA_PORT"} & variables.keys():
        variables["AWS_LWA_PORT"] = free_port()
    env = on_lambda(api, cwd, variables)
    command: list[str | Path] = [sys.executable, BOOTSTRAP, *words]
    return Running(command, env=env, cwd=cwd, at_end=api.client_has_ended)


@pytest.fixture
def start(api: FakeRuntimeApi) -> Iterator[Start]:
    with ExitStack() as stack:

        def started(*words: str, cwd: Path | str = APPS, **variables: str) -> Running:
            return stack.enter_context(bootstrap(api, *words, cwd=cwd, **variables))

        yield started


@pytest.fixture(params=["main:app", "main:wsgi"], ids=["asgi", "wsgi"])
def either_app(request: pytest.FixtureRequest) -> str:
    """The app of `apps/main.py`, of one kind and of the other."""
    name: str = request.param
    return name
