"""An error of the adapter's own costs one invocation, whatever it is, and neither the environment nor other workers."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from adapter.conftest import APPS, on_lambda
from adapter.test_loop import body, get
from support.processes import Running

from lambda_web_adapter.testing.runtime_api import Answer, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

# The bootstrap with a bug: the method that the first argument names raises when it is called for the second time.
BUG = """
import importlib, sys
from lambda_web_adapter import cli

module, kind, name = sys.argv[1].split(":")
found = importlib.import_module("lambda_web_adapter.adapter." + module)
owner = getattr(found, kind)
right, calls = getattr(owner, name), []

async def wrong(*arguments, **more):
    calls.append(name)
    if len(calls) == 2:
        raise ZeroDivisionError("a bug of ours")
    return await right(*arguments, **more)

setattr(owner, name, wrong)
cli.main(sys.argv[2:])
"""
WORKERS = {"single": "1", "concurrent": "2"}


@pytest.fixture(params=WORKERS)
def workers(request: pytest.FixtureRequest) -> str:
    return WORKERS[request.param]


@pytest.fixture
def api(workers: str) -> Iterator[RuntimeApi]:
    with RuntimeApi(concurrent=workers != "1") as api:
        yield api


def start_with_bug(stack: ExitStack, api: RuntimeApi, workers: str, bug: str) -> Running:
    variables = on_lambda(api, APPS, {"AWS_LAMBDA_MAX_CONCURRENCY": workers})
    command = [sys.executable, "-c", BUG, bug, "main:wsgi"]
    return stack.enter_context(Running(command, env=variables, cwd=APPS, at_end=api.set_runtime_ended))


@pytest.mark.parametrize("bug", ["process.supervisor:Supervisor:ready_app", "invocation:Invoker:reply_to"])
def test_one_before_the_reply_fails_that_invocation_alone(bug: str, api: RuntimeApi, workers: str) -> None:
    with ExitStack() as stack:
        process = start_with_bug(stack, api, workers, bug)
        first, failed, third = api.invoke(get("/1")), api.invoke(get("/2")), api.invoke(get("/3"))

        assert body(first)["path"] == "/1"
        assert failed.name == "error"
        assert failed.json["errorType"] == "Runtime.AdapterError"
        assert "a bug of ours" in failed.json["errorMessage"]
        assert body(third)["count"] == 2
        process.wait_for(r"ERROR.*Traceback.*ZeroDivisionError: a bug of ours")


def test_one_after_the_reply_is_logged_and_costs_nothing(api: RuntimeApi, workers: str) -> None:
    with ExitStack() as stack:
        process = start_with_bug(stack, api, workers, "app_client:AppClient:wait_until_done")

        paths = [body(api.invoke(get(f"/{number}")))["path"] for number in range(4)]

        assert paths == ["/0", "/1", "/2", "/3"]
        assert api.calls_of("error") == []
        process.wait_for(r"ERROR.*Traceback.*ZeroDivisionError: a bug of ours")


def test_one_in_asking_for_an_event_is_logged_and_another_is_asked_for(api: RuntimeApi, workers: str) -> None:
    with ExitStack() as stack:
        process = start_with_bug(stack, api, workers, "lambda_api.runtime_api:RuntimeApi:next")

        paths = [body(api.invoke(get(f"/{number}")))["path"] for number in range(4)]

        assert paths == ["/0", "/1", "/2", "/3"]
        process.wait_for(r"ERROR.*Traceback.*ZeroDivisionError: a bug of ours")


def test_one_while_an_error_is_posted_costs_nothing_more(api: RuntimeApi, workers: str) -> None:
    with ExitStack() as stack:
        process = start_with_bug(stack, api, workers, "lambda_api.runtime_api:RuntimeApi:post_error")
        assert api.invoke(b"no JSON").name == "error"
        lost = api.queue_event(b"no JSON")

        assert api.wait_for_reply(lost).name == "error"  # the second try to post it
        assert body(api.invoke(get("/")))["count"] == 1
        process.wait_for(r"ERROR.*Traceback.*ZeroDivisionError: a bug of ours")


def test_a_runtime_api_that_calls_for_the_end_still_ends_it(api: RuntimeApi, workers: str) -> None:
    api.script("error", Answer(500))
    with ExitStack() as stack:
        process = start_with_bug(stack, api, workers, "process.supervisor:Supervisor:ready_app")
        body(api.invoke(get("/")))
        api.queue_event(get("/"))

        assert process.wait() == 2
