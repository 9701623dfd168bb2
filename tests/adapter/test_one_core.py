"""Where adapter and app run."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start
    from support.fake_runtime_api import FakeRuntimeApi

APP = """
import json, os

def app(environ, start_response):
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps([sorted(os.sched_getaffinity(pid)) for pid in (0, os.getppid())]).encode()]
"""
ALL = sorted(os.sched_getaffinity(0))
ONE = [max(ALL)]
EVENT = {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/", "headers": {}}


@pytest.mark.parametrize(
    ("variables", "cores"),
    [
        pytest.param({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}, ONE, id="one vCPU"),
        pytest.param({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1770"}, ALL, id="more"),
        pytest.param({}, ALL, id="unknown"),
        pytest.param(
            {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_MAX_CONCURRENCY": "8"}, ALL, id="several at once"
        ),
    ],
)
def test_adapter_and_app_share_a_core_where_there_is_one_s_worth(
    api: FakeRuntimeApi, start: Start, tmp_path: Path, variables: dict[str, str], cores: list[int]
) -> None:
    (tmp_path / "main.py").write_text(APP)
    start("main:app", cwd=tmp_path, **variables)

    assert json.loads(api.invoke(EVENT).json["body"]) == [cores, cores]
