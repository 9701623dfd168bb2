"""What an app's own tests have: an invocation without Lambda."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from pydantic import BaseModel

from lambda_web_adapter import LambdaContext, current_context, current_event, current_event_as
from lambda_web_adapter.errors import NoInvocation
from lambda_web_adapter.fastapi import Context, Event
from lambda_web_adapter.flask import lambda_context, lambda_event
from lambda_web_adapter.testing import invocation

EVENT = {"requestContext": {"stage": "test"}}


class Staged(BaseModel):
    """What an app may want of an event."""

    requestContext: dict[str, str]  # noqa: N815  # as AWS spells it


def test_it_is_the_current_one_and_only_within() -> None:
    with invocation(EVENT, LambdaContext(aws_request_id="one", tenant_id="blue")) as context:
        assert (current_context(), current_event()) == (context, EVENT)
        assert (context.aws_request_id, context.tenant_id, context.client_context) == ("one", "blue", None)
        with invocation():
            assert (current_context().aws_request_id, current_event()) == ("test", {})
        assert current_context() is context
        assert current_event_as(Staged).requestContext == EVENT["requestContext"]

    with pytest.raises(NoInvocation):
        current_context()


def test_it_has_time_left() -> None:
    with invocation() as context:
        assert 0 < context.get_remaining_time_in_millis() <= 30_000


def test_it_is_over_when_the_test_fails() -> None:
    with pytest.raises(ZeroDivisionError), invocation():
        _ = 1 / 0

    with pytest.raises(NoInvocation):
        current_event()


def test_other_threads_know_it() -> None:
    found: list[Any] = []
    with invocation(EVENT):
        thread = threading.Thread(target=lambda: found.append(current_event()))
        thread.start()
        thread.join()

    assert found == [EVENT]


def test_the_frameworks_helpers_know_it() -> None:
    fastapi, flask = FastAPI(), Flask(__name__)

    @fastapi.get("/who")
    def who(context: Context, event: Event) -> list[Any]:
        return [context.aws_request_id, event]

    @flask.get("/who")
    def flasks_who() -> list[Any]:
        return [lambda_context.aws_request_id, lambda_event["requestContext"]]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it would rather have another client
        from fastapi.testclient import TestClient
    with invocation(EVENT):
        assert TestClient(fastapi).get("/who").json() == ["test", EVENT]
        assert flask.test_client().get("/who").json == ["test", EVENT["requestContext"]]
