"""OpenTelemetry: under its launcher, with spans at a collector before the environment freezes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from side_by_side.conftest import ASK, BEGINNINGS, Served, Start, Trace
from side_by_side.receivers import Collector
from side_by_side.snippets import instructions, snippet

if TYPE_CHECKING:
    from lambda_web_adapter.testing.runtime_api import Call

ROUTES = """
@app.get("/hello")
def hello():
    return {"hello": "world"}

@app.get("/gate")
def gate():
    ask("gate")
    return {}

@app.get("/die")
def die():
    os._exit(3)
"""


@pytest.fixture(scope="module")
def collector(start: Start) -> Collector:
    return start.stack.enter_context(Collector())


def serve(start: Start, collector: Collector, framework: str, *dockerfile: str, many: bool = False) -> Served:
    words, variables = instructions("opentelemetry-image", *dockerfile)
    code = BEGINNINGS[framework] + snippet("opentelemetry-flush") + ASK + ROUTES
    return start(words, code, variables | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}, many=many)


@pytest.fixture(scope="module")
def served(start: Start, collector: Collector, framework: str) -> Served:
    return serve(start, collector, framework)


@pytest.fixture(scope="module")
def served_by_xray(start: Start, collector: Collector, framework: str) -> Served:
    return serve(start, collector, framework, "opentelemetry-xray", many=True)


def server_spans(collector: Collector, trace: Trace) -> list[dict[str, Any]]:
    """Those that are there already: the next event is asked for when they are."""
    return [span for span in collector.spans if span["server"] and span["trace_id"] == trace.id]


def status(outcome: Call) -> Any:
    return outcome.json["statusCode"]


def test_the_server_span_goes_on_with_the_caller_s_trace(served: Served, collector: Collector, trace: Trace) -> None:
    assert status(served.get("/hello", Trace().xray(), traceparent=trace.traceparent)) == 200

    (span,) = server_spans(collector, trace)
    assert (span["service"], span["name"], span["parent_id"]) == ("my-app", "GET /hello", trace.parent)


def test_an_app_that_is_started_again_is_traced_as_well(served: Served, collector: Collector, trace: Trace) -> None:
    assert status(served.get("/die")) == 502
    assert status(served.get("/hello", traceparent=trace.traceparent)) == 200

    assert len(server_spans(collector, trace)) == 1


def test_by_its_propagator_the_server_span_goes_on_with_lambda_s_trace(
    served_by_xray: Served, collector: Collector, trace: Trace
) -> None:
    served_by_xray.get("/hello", trace.xray(), x_amzn_trace_id=Trace().xray())

    (span,) = server_spans(collector, trace)
    assert span["parent_id"] == trace.parent


def test_by_its_propagator_what_lambda_does_not_sample_is_not_recorded(
    served_by_xray: Served, collector: Collector, trace: Trace
) -> None:
    served_by_xray.get("/hello", trace.xray(sampled=0))

    assert server_spans(collector, trace) == []


def test_among_many_at_once_each_span_has_the_trace_of_its_invocation(
    served_by_xray: Served, collector: Collector
) -> None:
    traces = served_by_xray.together("/gate")

    for trace in traces.values():
        assert [span["parent_id"] for span in server_spans(collector, trace)] == [trace.parent]
