"""Tests for pytest that were made from records of a local run: they pass."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.processes import PROJECT, Running, plain_environment, wait_until

from lambda_web_adapter.local.event_sources import EVENT_SOURCES

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-m", "lambda_web_adapter"]
SQS = {"Records": [{"eventSource": "aws:sqs", "body": "hello", "messageId": "1"}]}
# What leaves the apps as they were, so that each test has the same response.
REQUESTS: dict[str, list[dict[str, Any]]] = {
    "fastapi_app": [
        {"url": "/"},
        {"url": "/varieties?limit=2&species=%C3%A4"},
        {"url": "/varieties/none", "headers": {"cookie": "a=1", "authorization": "Bearer secret"}},
        {"method": "POST", "url": "/varieties", "content": b"\xff\0", "headers": {"content-type": "text/plain"}},
        {"method": "HEAD", "url": "/varieties"},
    ],
    "flask_app": [
        {"url": "/"},
        {"url": "/none%2Fat%20all?a=b+c"},
        {"method": "POST", "url": "/", "content": "ü".encode()},
        {"method": "OPTIONS", "url": "/"},
    ],
}


@pytest.fixture(scope="module", params=[pytest.param(name, id=name) for name in REQUESTS])
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """The folder of an app with a test for each record, and how many there are."""
    name: str = request.param
    folder = tmp_path_factory.mktemp("run") / name
    shutil.copytree(PROJECT / "examples" / name, folder)
    listens = [option for source in EVENT_SOURCES for option in ("--listen", f"{source}:0")]
    environ = plain_environment({"XDG_RUNTIME_DIR": str(folder / "runtime")})
    command = [*PROGRAM, *listens, "--inspector-port", "0", "--no-reload", "main:app"]
    with Running(command, cwd=folder, env=environ) as run:
        inspector = run.wait_for(r"Inspector: (http://127\.0\.0\.1:\d+)/#token=(\S+)")
        urls = re.findall(r"Serving .* on (http://\S+) ", run.text)
        assert len(urls) == len(EVENT_SOURCES)
        with httpx.Client(trust_env=False, timeout=30) as client:
            for url in urls:
                for arguments in REQUESTS[name]:
                    client.request(**{"method": "GET", **arguments, "url": f"{url}{arguments['url']}"})
            client.post(f"{urls[0]}/2015-03-31/functions/function/invocations", json=SQS)
        headers = {"authorization": f"Bearer {inspector[2]}"}
        with httpx.Client(base_url=inspector[1], headers=headers, trust_env=False, timeout=30) as api:
            yield folder, _write_tests(api, folder)


def _write_tests(api: httpx.Client, folder: Path) -> int:
    """Write a test for each record, and return how many there are."""

    def summaries() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = api.get("/api/invocations?last=1000").json()["invocations"]
        return found

    wait_until(lambda: all(each["is_complete"] for each in summaries()), "the invocations have ended")
    records = summaries()
    for record in records:
        path = f"/api/invocations/{record['number']}/snippet/pytest?secrets=1"
        text = api.get(path).raise_for_status().json()["text"]
        (folder / f"test_{record['number']}.py").write_text(text)
    return len(records)


def test_the_tests_of_all_records_pass(recorded: tuple[Path, int]) -> None:
    folder, count = recorded

    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "."],
        cwd=folder,
        env=plain_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert f"\n{count} passed" in f"\n{result.stdout}", result.stdout
