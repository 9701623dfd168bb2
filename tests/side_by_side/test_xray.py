"""The X-Ray SDK: its subsegments are of the segments that Lambda has made, one for each invocation."""

from __future__ import annotations

import re

import pytest

from side_by_side.conftest import ASK, BEGINNINGS, Served, Start, Trace
from side_by_side.receivers import Daemon
from side_by_side.snippets import ADAPTER, instructions, snippet

# As the app starts there is no invocation; the SDK says so, here as in any function.
COMPLAINT = re.compile(r"[^\t\n]*segment.*", re.IGNORECASE)
AT_THE_START = "Subsegment 127.0.0.1 discarded due to Lambda worker still initializing"
BEFORE = """
ask("start")
"""
ROUTES = """
from lambda_web_adapter import current_context

@app.get("/sync")
def sync():
    with xray_recorder.in_subsegment(current_context().aws_request_id):
        ask("gate")
    return {}
"""
ASYNC_ROUTES = """
@app.get("/async")
async def asynchronous():
    async with xray_recorder.in_subsegment_async(current_context().aws_request_id):
        async with httpx.AsyncClient(timeout=15, trust_env=False) as client:
            await client.get(url("gate"))
    return {}
"""
PATHS = {"fastapi": ("/sync", "/async"), "flask": ("/sync",)}


@pytest.fixture(scope="module")
def daemon(start: Start) -> Daemon:
    return start.stack.enter_context(Daemon())


def serve(start: Start, daemon: Daemon, framework: str, *snippets: str, many: bool = False) -> Served:
    parts = [BEGINNINGS[framework], *map(snippet, snippets), ASK, BEFORE, ROUTES]
    parts += [ASYNC_ROUTES] if framework == "fastapi" else []
    _, variables = instructions("xray-image")
    return start(ADAPTER, "".join(parts), variables | {"AWS_XRAY_DAEMON_ADDRESS": daemon.address}, many=many)


@pytest.fixture(scope="module")
def served(start: Start, daemon: Daemon, framework: str) -> Served:
    return serve(start, daemon, framework, "xray")


@pytest.fixture(scope="module")
def served_many(start: Start, daemon: Daemon, framework: str) -> Served:
    return serve(start, daemon, framework, "xray", "xray-many", many=True)


def expect(trace: Trace, request_id: str, daemon: Daemon) -> None:
    """Holds what was sent of a trace: the app's own subsegment, and in it that of the patched client."""
    sent = daemon.wait_for(lambda each: each["trace_id"] == trace.root, 2)
    client, ours = sorted(sent, key=lambda each: "http" not in each)
    assert (ours["parent_id"], ours["name"]) == (trace.parent, request_id)
    assert client["parent_id"] == ours["id"]
    assert client["http"]["request"]["url"].endswith("/test/gate")


def test_subsegments_are_of_each_invocation_s_segment(served: Served, daemon: Daemon, framework: str) -> None:
    for path in PATHS[framework] * 2:
        trace = Trace()
        expect(trace, served.get(path, trace.xray()).request_id, daemon)
    assert COMPLAINT.findall(served.process.text) == [AT_THE_START]


def test_among_many_at_once_no_trace_is_mixed_up_with_another(
    served_many: Served, daemon: Daemon, framework: str
) -> None:
    for request_id, trace in served_many.together(*PATHS[framework]).items():
        expect(trace, request_id, daemon)
    assert COMPLAINT.findall(served_many.process.text) == [AT_THE_START]


def test_among_many_at_once_the_sdk_alone_discards_them(start: Start, daemon: Daemon, trace: Trace) -> None:
    served = serve(start, daemon, "flask", "xray", many=True)

    served.get("/sync", trace.xray())

    served.process.wait_for("discarded due to Lambda worker still initializing")
