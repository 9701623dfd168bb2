"""What the examples cannot show alone: events that are no requests, and a path in front of the app's own."""

import json
from collections.abc import Iterator

import httpx
import pytest
from examples.running import Site, running

# Lambda's own way to invoke a function, which the local run offers too.
INVOKE = "/2015-03-31/functions/function/invocations"
# Messages that the example can use, and others that it cannot.
GOOD = {
    "fastapi_app": {"slug": "brandywine", "packets": 7},
    "flask_app": {"title": "Dal", "ingredients": ["7 lentils"]},
}
BAD = {
    "fastapi_app": ({"slug": "triffid", "packets": 1}, {"slug": "brandywine"}, 4, None),
    "flask_app": ({"title": "Nothing", "ingredients": []}, {"ingredients": ["rice"]}, 4, None),
}
# Where the good one can be seen, and by what.
SEEN = {
    "fastapi_app": ("/garden/varieties/brandywine", '"packets":19'),
    "flask_app": ("/garden/recipes/dal", "7 lentils"),
}


@pytest.fixture(
    scope="module", params=[pytest.param("fastapi_app", id="FastAPI"), pytest.param("flask_app", id="Flask")]
)
def example(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def function(example: str) -> Iterator[Site]:
    """An example below `/garden`; events know nothing of that."""
    with running(example, adapter=True, AWS_LWA_REMOVE_BASE_PATH="/garden") as site:
        yield site


@pytest.fixture
def client(function: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=function.url, trust_env=False, timeout=10) as client:
        yield client


def test_the_messages_of_a_queue_reach_the_app_and_its_answer_is_the_result(example: str, client: httpx.Client) -> None:
    bad = [*map(json.dumps, BAD[example]), "not JSON"]
    bodies = [json.dumps(GOOD[example]), *bad]
    records = [
        {"messageId": f"m{number}", "body": body, "eventSource": "aws:sqs"} for number, body in enumerate(bodies)
    ]

    result = client.post(INVOKE, json={"Records": records})

    assert "x-amz-function-error" not in result.headers
    assert result.json() == {
        "batchItemFailures": [{"itemIdentifier": f"m{number}"} for number in range(1, len(bodies))]
    }
    path, text = SEEN[example]
    assert text in client.get(path).text


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"source": "aws.events", "detail-type": "Scheduled Event"}, id="another source"),
        pytest.param({"Records": [{"messageId": "m0", "body": "{}"}]}, id="a queue's event without its mark"),
    ],
)
def test_an_event_that_the_app_refuses_is_a_failed_invocation(event: object, client: httpx.Client) -> None:
    result = client.post(INVOKE, json=event)

    assert result.headers["x-amz-function-error"] == "Unhandled"
    assert "status 403" in result.json()["errorMessage"]


def test_links_lead_below_the_base_path(client: httpx.Client) -> None:
    page = client.get("/garden/").text

    (link, *_) = [part.split('"')[0] for part in page.split('<li><a href="')[1:]]
    assert link.startswith("/garden/")
    assert client.get(link).status_code == 200


def test_the_app_sees_the_whole_address_and_what_it_is_mounted_at(client: httpx.Client) -> None:
    seen = client.get("/garden/request?q=1").json()

    assert seen["url"] == f"{client.base_url}/garden/request?q=1"
    assert "/garden" in (seen.get("root_path"), seen.get("script_root"))
