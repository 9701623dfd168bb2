"""As much as Lambda takes, each way, text and binary: unchanged, and without copies that pile up."""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import bootstrap
from adapter.test_loop import get

from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.processes import Running

# A little less than Lambda takes, for what stands around the body.
PAYLOAD = 6 * 1024 * 1024 - 4096
BINARY = bytes(range(256)) * (PAYLOAD * 3 // 4 // 256)
TEXT = "Grüße, 世界! " * (PAYLOAD // 18)
MANY = {"AWS_LAMBDA_MAX_CONCURRENCY": "2"}


class Environment:
    def __init__(self, api: RuntimeApi, process: Running) -> None:
        self.api = api
        self._process = process

    def memory(self, name: str) -> int:
        """The bootstrap's memory in bytes: `VmRSS` is what it has, `VmHWM` the most that it had."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


@pytest.fixture(params=[{}, MANY], ids=["one", "many"])
def environment(request: pytest.FixtureRequest, either_app: str) -> Iterator[Environment]:
    with ExitStack() as stack:
        api = stack.enter_context(RuntimeApi(concurrent=bool(request.param)))
        variables = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769", **request.param}
        process = stack.enter_context(bootstrap(api, either_app, **variables))
        api.invoke(get("/"))
        yield Environment(api, process)


def post(body: str, *, is_base64: bool, kind: str) -> dict[str, Any]:
    event = get("/echo", content_type=kind) | {"body": body, "isBase64Encoded": is_base64}
    event["requestContext"]["http"]["method"] = "POST"
    return event


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "application/octet-stream"])
def test_six_megabytes_come_back_in_little_memory(environment: Environment, kind: str) -> None:
    is_base64 = kind == "application/octet-stream"
    body = base64.b64encode(BINARY).decode() if is_base64 else TEXT
    event = json.dumps(post(body, is_base64=is_base64, kind=kind), ensure_ascii=False).encode()
    before = environment.memory("VmRSS")

    for _ in range(3):
        reply = environment.api.invoke(event, timeout=60).json

        assert reply["isBase64Encoded"] is is_base64
        assert reply["body"] == body, "it has changed"

    assert environment.memory("VmHWM") - before < 4 * PAYLOAD
