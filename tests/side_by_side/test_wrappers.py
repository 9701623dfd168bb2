"""Wrapper scripts around the bootstrap, in zips and in images; AWS_LAMBDA_EXEC_WRAPPER is left to whoever wants it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.processes import BOOTSTRAP

from side_by_side.conftest import BEGINNINGS, Served, Start, Trace
from side_by_side.receivers import Agent, Collector
from side_by_side.snippets import instructions, snippet

if TYPE_CHECKING:
    from pathlib import Path

ROUTE = """
import os

@app.get("/hello")
def hello():
    return {name: os.environ.get(name) for name in ("VENDOR", "AWS_LAMBDA_EXEC_WRAPPER")}
"""
# As those of vendors do: variables, another handler, and what it was given.
VENDOR = """#!/bin/sh
export VENDOR=here _HANDLER=vendor.handler
exec "$@"
"""
RUNTIME = ["/var/lang/bin/python3.13", "/var/runtime/bootstrap.py"]


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """A folder as a function's zip unpacks to, and a vendor's layer."""
    (tmp_path / "bootstrap").write_bytes(BOOTSTRAP.read_bytes())
    (tmp_path / "vendor-wrapper").write_text(VENDOR)
    for name in ("bootstrap", "vendor-wrapper"):
        (tmp_path / name).chmod(0o755)
    return tmp_path


def serve(start: Start, task: Path, name: str, code: str = "", **variables: str) -> Served:
    """Starts a function whose AWS_LAMBDA_EXEC_WRAPPER is the script of that name, as Lambda does."""
    script = task / "start"
    script.write_text(snippet(name).replace("/var/task", str(task)).replace("/opt/", f"{task}/"))
    script.chmod(0o755)
    code = BEGINNINGS["flask"] + code + ROUTE
    return start([script, *RUNTIME], code, {**variables, "AWS_LAMBDA_EXEC_WRAPPER": str(script)}, folder=task)


def test_a_vendor_s_wrapper_goes_before_the_bootstrap(start: Start, task: Path) -> None:
    served = serve(start, task, "wrappers")

    assert json.loads(served.get("/hello").json["body"]) == {
        "VENDOR": "here",
        "AWS_LAMBDA_EXEC_WRAPPER": str(task / "start"),
    }


def test_datadog_without_its_launcher(start: Start, task: Path, trace: Trace) -> None:
    agent = start.stack.enter_context(Agent())
    served = serve(start, task, "datadog-zip", snippet("datadog-flush"), DD_TRACE_AGENT_URL=agent.url)

    served.get("/hello", traceparent=trace.traceparent)

    assert trace.number in [span["parent_id"] for span in agent.spans]


def test_opentelemetry_without_its_launcher(start: Start, task: Path, trace: Trace) -> None:
    collector = start.stack.enter_context(Collector())
    _, variables = instructions("opentelemetry-image")
    variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
    served = serve(start, task, "opentelemetry-zip", snippet("opentelemetry-flush"), **variables)

    served.get("/hello", traceparent=trace.traceparent)

    assert [span["parent_id"] for span in collector.spans if span["server"]] == [trace.parent]
    assert {span["trace_id"] for span in collector.spans} == {trace.id}  # the adapter process has none of its own
