"""Responses that are larger than their source takes: stopped there, in little memory, and told to app and caller."""

from __future__ import annotations

import base64
import tracemalloc
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import bootstrap
from adapter.test_app_failures import problem
from adapter.test_loop import QUEUE, error_type, get

from lambda_web_adapter.adapter.io.response_parser import ResponseParser
from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.processes import Running

pytestmark = pytest.mark.slow

MEGABYTE = 1024 * 1024
MANY = {"AWS_LAMBDA_MAX_CONCURRENCY": "2"}
# What the adapter may take for a body of which Lambda takes 6 MB.
MEMORY = 48 * MEGABYTE


class Environment:
    def __init__(self, api: RuntimeApi, process: Running) -> None:
        self.api = api
        self.process = process
        api.invoke(get("/text/0"))
        self._before = self._memory("VmRSS")

    def _memory(self, name: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))

    @property
    def taken(self) -> int:
        """The most bytes of memory that the bootstrap had, beyond what it had after a small response."""
        return self._memory("VmHWM") - self._before


@pytest.fixture(params=[{}, MANY], ids=["one", "many"])
def begin(request: pytest.FixtureRequest) -> Iterator[Callable[..., Environment]]:
    with ExitStack() as stack:

        def begun(app: str, **variables: str) -> Environment:
            api = stack.enter_context(RuntimeApi(concurrent=bool(request.param)))
            process = stack.enter_context(bootstrap(api, app, **variables, **request.param))
            return Environment(api, process)

        yield begun


def accepting(path: str) -> dict[str, Any]:
    event = get(path)
    return event | {"headers": {"accept-encoding": "gzip"}}


@pytest.mark.parametrize("app", ["outsize:app", "outsize:wsgi"], ids=["asgi", "wsgi"])
@pytest.mark.parametrize("kind", ["text", "random", "length"])
def test_a_response_is_read_as_far_as_its_source_takes_it(
    kind: str, app: str, begin: Callable[..., Environment]
) -> None:
    environment = begin(app)

    outcome = environment.api.invoke(get(f"/{kind}/100"))

    assert problem(outcome, 502)["errorType"] == "Function.ResponseSizeTooLarge"
    assert "takes 6291556" in problem(outcome, 502)["message"]
    environment.api.wait_for_call("test/cut")
    assert environment.taken < MEMORY
    environment.process.wait_for(rf"ERROR.*GET /{kind}/100")
    assert environment.api.invoke(get("/text/1")).json["statusCode"] == 200


def test_a_body_in_tiny_parts_takes_no_more_memory() -> None:
    part = b"2\r\nxy\r\n" * 10_000
    reader = ResponseParser()
    reader.start("GET")
    reader.feed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    tracemalloc.start()
    try:
        for _ in range(100):
            reader.feed(part)
        reader.feed(b"0\r\n\r\n")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert reader.response().body == b"xy" * 1_000_000
    assert most < 6_000_000


def test_the_status_for_what_is_too_large_is_the_setting_s(begin: Callable[..., Environment]) -> None:
    environment = begin("outsize:app", AWS_LWA_TOO_LARGE_STATUS="413")

    assert problem(environment.api.invoke(get("/text/100")), 413)["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_result_that_is_too_large_fails_the_invocation(begin: Callable[..., Environment]) -> None:
    environment = begin("outsize:app", AWS_LWA_PASS_THROUGH_PATH="/text/100")

    assert error_type(environment.api.invoke(QUEUE)) == "Function.ResponseSizeTooLarge"
    environment.api.wait_for_call("test/cut")
    assert environment.taken < MEMORY


def test_of_a_failure_only_the_beginning_is_read(begin: Callable[..., Environment]) -> None:
    environment = begin("outsize:app", AWS_LWA_PASS_THROUGH_PATH="/status/100")

    assert error_type(environment.api.invoke(QUEUE)) == "Function.AppRejectedEvent"
    environment.api.wait_for_call("test/cut")
    assert environment.taken < MEMORY


@pytest.mark.parametrize("kind", ["text", "length"])
def test_a_response_that_becomes_small_enough_is_compressed_as_it_comes(
    kind: str, begin: Callable[..., Environment]
) -> None:
    environment = begin("outsize:app", AWS_LWA_ENABLE_COMPRESSION="true")

    reply = environment.api.invoke(accepting(f"/{kind}/40"), timeout=60).json

    assert reply["statusCode"] == 200
    assert reply["headers"]["content-encoding"] == "gzip"
    assert environment.taken < MEMORY
    body = zlib.decompressobj(31)
    size = len(body.decompress(base64.b64decode(reply["body"])))
    assert (size, body.eof) == (40 * MEGABYTE, True)


def test_a_response_that_does_not_become_small_enough_is_stopped(begin: Callable[..., Environment]) -> None:
    environment = begin("outsize:app", AWS_LWA_ENABLE_COMPRESSION="true")

    outcome = environment.api.invoke(accepting("/noise/100"), timeout=60)

    assert problem(outcome, 502)["errorType"] == "Function.ResponseSizeTooLarge"
    environment.api.wait_for_call("test/cut")
    assert environment.taken < MEMORY
