"""Powertools without a handler: each record, metric and subsegment is its invocation's."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from support.processes import wait_until

from side_by_side.conftest import ASK, BEGINNINGS, WORKERS, Served, Start, Trace
from side_by_side.receivers import Daemon
from side_by_side.snippets import ADAPTER, instructions, snippet

ROUTES = """
@app.get("/order")
def one():
    logger.append_keys(only="here")
    order(current_context().aws_request_id)
    return {}

@app.get("/hello")
def hello():
    logger.info("hello")
    return {}

@app.get("/gate")
def gate():
    logger.info("before")
    ask("gate")
    order(current_context().aws_request_id)
    return {}
"""
MIDDLEWARE = {"fastapi": "powertools-fastapi", "flask": "powertools-flask"}


@pytest.fixture(scope="module")
def daemon(start: Start) -> Daemon:
    return start.stack.enter_context(Daemon())


def serve(start: Start, daemon: Daemon, framework: str, *snippets: str, many: bool = False) -> Served:
    names = ["powertools", MIDDLEWARE[framework], *snippets]
    _, variables = instructions("xray-image")
    return start(
        ADAPTER,
        "".join([BEGINNINGS[framework], *map(snippet, names), ASK, ROUTES]),
        variables
        | {
            "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
            "AWS_LAMBDA_FUNCTION_NAME": "shop-function",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        },
        many=many,
    )


@pytest.fixture(scope="module")
def served(start: Start, daemon: Daemon, framework: str) -> Served:
    return serve(start, daemon, framework, "powertools-use")


@pytest.fixture(scope="module")
def served_many(start: Start, daemon: Daemon, framework: str) -> Served:
    snippets = ("powertools-logger-many", "powertools-use-many", "xray-many")
    return serve(start, daemon, framework, *snippets, many=True)


def documents(served: Served) -> list[dict[str, Any]]:
    """What was logged as JSON so far."""
    return [json.loads(line) for line in re.findall(r"^\{.*\}$", served.process.text, re.MULTILINE)]


def logged(served: Served, *request_ids: str) -> list[dict[str, Any]]:
    """The records of invocations, in order."""
    return [each for each in documents(served) if each.get("function_request_id") in request_ids]


def emitted(served: Served) -> int:
    """How many orders the metrics say there were."""
    return sum(int(sum(each["Orders"])) for each in documents(served) if "_aws" in each)


def sent_of(trace: Trace, daemon: Daemon, number: int) -> list[tuple[str, str]]:
    """Names and parents of so many subsegments."""
    sent = daemon.wait_for(lambda each: each["trace_id"] == trace.root, number)
    return sorted((each["name"], each["parent_id"]) for each in sent)


def test_each_record_has_what_the_logger_takes_from_lambda_s_context(served: Served, trace: Trace) -> None:
    ordered = served.get("/order", trace.xray()).request_id
    hello = served.get("/hello").request_id
    served.process.wait_for(hello)

    (record,) = logged(served, ordered)
    assert (record["message"], record["service"], record["item"]) == ("ordered", "shop", ordered)
    assert (record["function_name"], record["function_memory_size"]) == ("shop-function", 1024)
    assert record["function_arn"].endswith(":function:test")
    assert record["xray_trace_id"] == trace.root
    assert record["only"] == "here"
    (record,) = logged(served, hello)
    assert record["message"] == "hello"
    assert "only" not in record
    assert "xray_trace_id" not in record


def test_metrics_are_written_after_each_request_and_only_if_there_are_any(served: Served) -> None:
    before = emitted(served)
    for path in ("/order", "/hello", "/order"):
        served.get(path)

    wait_until(lambda: emitted(served) == before + 2, "two orders")
    assert all(each["Orders"] == [1.0] for each in documents(served) if "_aws" in each)
    assert "No application metrics" not in served.process.text


def test_captured_methods_are_subsegments_of_each_invocation_s_segment(
    served: Served, daemon: Daemon, trace: Trace
) -> None:
    served.get("/order", trace.xray())

    assert sent_of(trace, daemon, 1) == [("## main.order", trace.parent)]


def test_among_many_at_once_none_is_mixed_up_with_another(served_many: Served, daemon: Daemon) -> None:
    before = emitted(served_many)
    traces = served_many.together("/gate")
    wait_until(lambda: emitted(served_many) == before + WORKERS, "an order of each")

    for request_id, trace in traces.items():
        first, second = logged(served_many, request_id)
        assert (first["message"], second["item"]) == ("before", request_id)
        assert sent_of(trace, daemon, 2) == [("## main.order", trace.parent), ("127.0.0.1", trace.parent)]
