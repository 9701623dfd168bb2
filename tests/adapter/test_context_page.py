"""What docs/context.md shows works as it says."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from adapter.test_loop import body, get
from support.processes import PROJECT, Running

from lambda_web_adapter.models import PayloadV2Event

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

PAGE = (PROJECT / "docs" / "context.md").read_text()
APP = """
import json

{snippets}

def app(environ, start_response):
    values = [who_and_how_long(), source_address()] + [eval(shown) for shown in json.loads(environ["HTTP_X_SHOWN"])]
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps(values).encode()]
"""


SNIPPETS = """
from lambda_web_adapter import current_context, current_event
who_and_how_long = source_address = str
"""


def expressions(heading: str) -> list[str]:
    """What the table below that line shows, one expression for each that stands in backticks."""
    table = PAGE.split(f"\n{heading}\n")[1].strip().split("\n\n")[0]
    return [shown for shown in re.findall(r"`([^`]+)`", table) if shown.startswith("current_")]


def test_the_page_s_python_gives_what_it_says(api: RuntimeApi, start: Start, tmp_path: Path) -> None:
    snippets = re.findall(r"```python\n(.*?)```", PAGE.split("## In FastAPI")[0], re.DOTALL)
    (tmp_path / "app.py").write_text(APP.replace("{snippets}", "\n".join(snippets[:2])))
    start("app:app", cwd=tmp_path)
    context: dict[str, Any] = {
        **get("/")["requestContext"],
        "accountId": "1",
        "apiId": "a",
        "requestId": "r",
        "routeKey": "$default",
        "stage": "$default",
        "time": "",
        "timeEpoch": 0,
        "authorizer": {"jwt": {"claims": {"sub": "user-1"}}, "lambda": {"a": 1}, "iam": {"userArn": "arn"}},
    }
    shown = expressions("Function URLs and HTTP APIs (payload 2.0):")
    event = {**get("/", x_shown=json.dumps(shown)), "requestContext": context, "routeKey": "$default"}

    said, address, *values = body(api.invoke(event))

    assert re.fullmatch(r"user-1: \d+ ms left", said)
    assert address == "203.0.113.7"
    assert values == ["user-1", {"a": 1}, "arn", "$default", "r"]


def test_the_page_s_expressions_for_rest_apis(api: RuntimeApi, start: Start, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.replace("{snippets}", SNIPPETS))
    start("app:app", cwd=tmp_path)
    shown = expressions("REST APIs, and HTTP APIs with payload 1.0:") + expressions("Anywhere:")
    event = {
        "httpMethod": "GET",
        "path": "/",
        "headers": {"x-shown": json.dumps(shown)},
        "stageVariables": {"colour": "blue"},
        "requestContext": {
            "stage": "prod",
            "authorizer": {"claims": {"sub": "user-1"}},
            "identity": {"apiKeyId": "key"},
            "elb": {"targetGroupArn": "arn"},
        },
    }

    _, _, *values = body(api.invoke(event, request_id="an-id", timeout=60))

    claims = {"claims": {"sub": "user-1"}}
    assert values[:5] == ["user-1", claims, "prod", {"colour": "blue"}, "key"]
    assert 0 < values[5] <= 60_000
    assert values[6:] == ["an-id", "arn"]


def snippets(heading: str, language: str = "python") -> list[str]:
    """What stands under a heading in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0], re.DOTALL)


def test_the_page_s_event_is_one_for_the_page_s_app(api: RuntimeApi, start: Start, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(snippets("In FastAPI")[0])
    [event] = snippets("On a laptop", "json")
    start("app:app", cwd=tmp_path)

    answered = body(api.invoke(json.loads(event), request_id="an-id", timeout=60))

    assert answered == {"invocation": "an-id", "stage": "$default"}
    assert PayloadV2Event.model_validate_json(event).raw_path == "/who"


@pytest.mark.parametrize("framework", ["FastAPI", "Flask"])
def test_the_page_s_test_passes(framework: str, tmp_path: Path) -> None:
    [test] = snippets("In an app's tests")
    if framework == "Flask":
        test = test.replace("TestClient(app).get", "app.test_client().get").replace(".json()", ".json")
    (tmp_path / "test_app.py").write_text(f"{snippets(f'In {framework}')[0]}\n{test}")
    run = Running([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_app.py"], cwd=tmp_path)
    try:
        assert run.wait(60) == 0, run.text
        run.wait_for("1 passed")
    finally:
        run.close()


@pytest.mark.parametrize("framework", ["FastAPI", "Flask"])
def test_the_event_sources_page_s_test_of_a_route_for_events_passes(framework: str, tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "event-sources.md").read_text()
    [test] = re.findall(r"```python\n(from fastapi.testclient.*?)```", page, re.DOTALL)
    if framework == "Flask":
        test = test.replace("TestClient(app)", "app.test_client()").replace(".json()", ".json")
    (tmp_path / "test_app.py").write_text("\n".join([*snippets(f"In {framework}"), test]))
    run = Running([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_app.py"], cwd=tmp_path)
    try:
        assert run.wait(60) == 0, run.text
        run.wait_for("1 passed")
    finally:
        run.close()
