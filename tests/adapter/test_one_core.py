"""Where adapter and app run, and which of them is imported first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lambda_web_adapter.adapter.process import cpu_share as module

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

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
    api: RuntimeApi, start: Start, tmp_path: Path, variables: dict[str, str], cores: list[int]
) -> None:
    (tmp_path / "main.py").write_text(APP)
    start("main:app", cwd=tmp_path, **variables)

    assert json.loads(api.invoke(EVENT).json["body"]) == [cores, cores]


MODULES = """
import json, sys

def app(environ, start_response):
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps(sorted(sys.modules)).encode()]
"""


@pytest.mark.parametrize(
    ("variables", "is_first"),
    [
        pytest.param({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}, True, id="one vCPU"),
        pytest.param({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1770"}, len(ALL) == 1, id="more"),
        pytest.param({"AWS_LAMBDA_MAX_CONCURRENCY": "8"}, False, id="several at once"),
    ],
)
def test_with_one_core_s_time_the_app_has_the_adapter_s_modules(
    api: RuntimeApi, start: Start, tmp_path: Path, variables: dict[str, str], is_first: bool
) -> None:
    (tmp_path / "main.py").write_text(MODULES)
    start("main:app", cwd=tmp_path, **variables)

    modules = json.loads(api.invoke(EVENT).json["body"])

    assert ("lambda_web_adapter.adapter.lifecycle" in modules) is is_first
    assert ("_ctypes" in modules) or not is_first


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        pytest.param({}, len(ALL), id="no control group"),
        pytest.param(
            {"/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/cpu.max": "50000 100000\n"}, 0.5, id="version 2"
        ),
        pytest.param(
            {"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup//cpu.max": "max 100000\n"}, len(ALL), id="no limit"
        ),
        pytest.param({"/proc/self/cgroup": "0::/a\n"}, len(ALL), id="out of sight"),
        pytest.param(
            {"/proc/self/cgroup": "0::/pod/a\n", "/sys/fs/cgroup/pod/cpu.max": "50000 100000\n"}, 0.5, id="of a parent"
        ),
        pytest.param(
            {
                "/proc/self/cgroup": "1:cpu:/docker/a\n",
                "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
                "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            0.5,
            id="a path of the host",
        ),
        pytest.param(
            {
                "/proc/self/cgroup": "2:cpuset:/\n1:cpu,cpuacct:/a\n0::/\n",
                "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "29000\n",
                "/sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
            },
            0.29,
            id="version 1",
        ),
        pytest.param(
            {"/proc/self/cgroup": "1:cpu:/\n", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n"},
            len(ALL),
            id="version 1 without a limit",
        ),
    ],
)
def test_off_lambda_the_control_group_limits_the_time(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: float
) -> None:
    monkeypatch.setattr(module, "_read", lambda path: files.get(path, ""))

    assert module.read_cpu_share({}) == cores


def test_lambda_s_share_comes_before_that_of_the_control_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_read", lambda path: pytest.fail("read"))

    assert module.read_cpu_share({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"}) == 128 / 1769


def test_there_is_no_more_than_the_processors_it_may_run_on() -> None:
    program = "from lambda_web_adapter.adapter.process.cpu_share import read_cpu_share; print(read_cpu_share({}))"
    pinned = f"import os; os.sched_setaffinity(0, {{{max(ALL)}}}); {program}"

    assert float(subprocess.check_output([sys.executable, "-c", pinned])) <= 1
