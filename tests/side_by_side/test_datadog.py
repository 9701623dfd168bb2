"""Datadog: under its launcher, with spans at an agent before the environment freezes."""

from __future__ import annotations

import pytest

from side_by_side.conftest import ASK, BEGINNINGS, Served, Start, Trace
from side_by_side.receivers import Agent
from side_by_side.snippets import instructions, snippet

ROUTES = """
@app.get("/hello")
def hello():
    return {"hello": "world"}

@app.get("/die")
def die():
    os._exit(3)
"""
WORDS, _SAID = instructions("datadog-image")
VARIABLES = _SAID | {"AWS_LAMBDA_FUNCTION_NAME": "hello"}  # by which ddtrace knows that it is on Lambda


@pytest.fixture(scope="module")
def agent(start: Start) -> Agent:
    return start.stack.enter_context(Agent())


@pytest.fixture(scope="module")
def served(start: Start, agent: Agent, framework: str) -> Served:
    code = BEGINNINGS[framework] + snippet("datadog-flush") + ASK + ROUTES
    return start(WORDS, code, VARIABLES | {"DD_TRACE_AGENT_URL": agent.url})


def parents(agent: Agent, trace: Trace) -> dict[str, int]:
    """The parents of a trace's spans that have one outside of it, by what was requested, as far as they are there."""
    spans = [span for span in agent.spans if span["trace_id"] == trace.number]  # the lower half of it
    ours = {span["span_id"] for span in spans}
    assert {span["service"] for span in spans} == {"my-app"}
    return {span["resource"]: span["parent_id"] for span in spans if span["parent_id"] not in ours}


def test_spans_are_at_the_agent_before_the_next_event(served: Served, agent: Agent, trace: Trace) -> None:
    assert served.get("/hello", traceparent=trace.traceparent).json["statusCode"] == 200

    assert parents(agent, trace) == {"GET /hello": trace.number}


def test_an_app_that_is_started_again_is_traced_as_well(served: Served, agent: Agent, trace: Trace) -> None:
    assert served.get("/die").json["statusCode"] == 502
    assert served.get("/hello", traceparent=trace.traceparent).json["statusCode"] == 200

    assert parents(agent, trace) == {"GET /hello": trace.number}


def test_without_an_agent_spans_go_to_stdout(start: Start, trace: Trace) -> None:
    code = BEGINNINGS["flask"] + snippet("datadog-flush") + ASK + ROUTES
    served = start(WORDS, code, VARIABLES)

    served.get("/hello", traceparent=trace.traceparent)

    served.process.wait_for(rf'{{"traces": .*"parent_id": "0*{trace.number:X}"')
