"""Apps of both kinds that snippets of the pages are put into, as bootstraps that a module's tests share."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from adapter.test_loop import get
from support.processes import Running, plain_environment

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lambda_web_adapter.testing.runtime_api import Call

# `make test-side-by-side` has the packages, in an environment of its own; elsewhere only test_snippets.py is run.
collect_ignore = (
    []
    if find_spec("ddtrace")
    else [file.name for file in Path(__file__).parent.glob("test_*.py") if file.name != "test_snippets.py"]
)
BEGINNINGS = {
    "fastapi": "from fastapi import FastAPI\napp = FastAPI()\n",
    "flask": "from flask import Flask\napp = Flask(__name__)\n",
}
# What stands still in the app, by an HTTP client that tracers patch.
ASK = """
import os, httpx

def url(name):
    return f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/test/{name}"

def ask(name):
    httpx.get(url(name), timeout=15, trust_env=False)
"""
WORKERS = 32
_NUMBERS = count(1)


@dataclass(frozen=True)
class Trace:
    """A trace that no other request of the session has, with the id of a segment or span in it."""

    number: int = field(default_factory=lambda: next(_NUMBERS))

    @property
    def parent(self) -> str:
        return f"{self.number:016x}"

    @property
    def id(self) -> str:
        """The trace as OpenTelemetry writes it."""
        return f"5759e988{self.number:024x}"

    @property
    def root(self) -> str:
        """The trace as X-Ray writes it."""
        return f"1-5759e988-{self.number:024x}"

    @property
    def traceparent(self) -> str:
        return f"00-{self.id}-{self.parent}-01"

    def xray(self, sampled: int = 1) -> str:
        """The header that Lambda gives an invocation."""
        return f"Root={self.root};Parent={self.parent};Sampled={sampled}"


class Served:
    """An app behind the bootstrap, which the Runtime API for tests gives one event at a time, or many at once."""

    def __init__(self, stack: ExitStack, words: Sequence[str | Path], folder: Path, variables: dict[str, str]) -> None:
        """Starts it, and waits until it asks for its first events."""
        many = "AWS_LAMBDA_MAX_CONCURRENCY" in variables
        self.api = stack.enter_context(RuntimeApi(concurrent=many))
        env = plain_environment({"AWS_LAMBDA_RUNTIME_API": self.api.address, "PYTHONUNBUFFERED": "", **variables})
        self.process = stack.enter_context(Running(words, env=env, cwd=folder, at_end=self.api.set_runtime_ended))
        self.asked = WORKERS if many else 1
        self.api.wait_for_call("next", self.asked)

    def get(self, path: str, trace: str = "", **headers: str) -> Call:
        """Sends a request with the X-Ray header given here, and waits until all is done that comes before the next."""
        outcome = self.api.invoke(get(path, **headers), headers={"Lambda-Runtime-Trace-Id": trace or None})
        assert outcome.name == "response", outcome.body
        self._wait_until_asked(1)
        return outcome

    def together(self, *paths: str) -> dict[str, Trace]:
        """Sends as many requests as there are workers, to paths that wait at /test/gate; returns traces by request ids.

        All are within the app at once.
        """
        self.api.hold("gate")
        before = len(self.api.calls_of("test/gate"))
        traces = {}
        for number in range(WORKERS):
            trace = Trace()
            headers = {"Lambda-Runtime-Trace-Id": trace.xray()}
            traces[self.api.queue_event(get(paths[number % len(paths)]), headers=headers)] = trace
        self.api.wait_for_call("test/gate", before + WORKERS)
        self.api.release("gate")
        for request_id in traces:
            assert self.api.wait_for_reply(request_id).json["statusCode"] == 200
        self._wait_until_asked(WORKERS)
        return traces

    def _wait_until_asked(self, more: int) -> None:
        self.asked += more
        self.api.wait_for_call("next", self.asked)


class Start:
    """Starts apps, and ends them after the module's tests."""

    def __init__(self, stack: ExitStack, folders: pytest.TempPathFactory) -> None:
        """Takes what ends them."""
        self.stack = stack
        self._folders = folders

    def __call__(
        self,
        words: Sequence[str | Path],
        code: str,
        variables: Mapping[str, str],
        *,
        folder: Path | None = None,
        many: bool = False,
    ) -> Served:
        """Starts the app in `main.py` with this code, for one invocation at a time or for many."""
        folder = folder or self._folders.mktemp("app")
        (folder / "main.py").write_text(code)
        workers = {"AWS_LAMBDA_MAX_CONCURRENCY": str(WORKERS)} if many else {}
        return Served(self.stack, words, folder, {**variables, **workers})


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    with ExitStack() as stack:
        yield Start(stack, tmp_path_factory)


@pytest.fixture
def trace() -> Trace:
    return Trace()


@pytest.fixture(scope="module", params=["fastapi", "flask"])
def framework(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
