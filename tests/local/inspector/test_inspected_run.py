"""The inspector's API of a real local run: what it says of requests, and what it does again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from support.processes import Running, plain_environment

APP = """
import json


def app(environ, start_response):
    body = environ["wsgi.input"].read().decode()
    print("the app saw", environ["PATH_INFO"], flush=True)
    start_response("200 OK", [("content-type", "application/json"), ("connection", "close")])
    return [json.dumps([environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"], body]).encode()]
"""


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Return clients of the app and of the inspector."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "main.py").write_text(APP)
    environment = plain_environment({"XDG_RUNTIME_DIR": str(folder / "runtime")})
    command = [sys.executable, "-m", "lambda_web_adapter", "--port", "0", "--inspector-port", "0", "main:app"]
    with Running(command, cwd=folder, env=environment) as run:
        url, token = run.wait_for(r"Inspector: (http://127\.0\.0\.1:\d+)/#token=(\S+)\n").groups()
        app_url = run.wait_for(r"Serving main:app on (http://127\.0\.0\.1:\d+) ")[1]
        headers = {"authorization": f"Bearer {token}"}
        with (
            httpx.Client(base_url=app_url, trust_env=False, timeout=30) as app,
            httpx.Client(base_url=f"{url}/api", headers=headers, trust_env=False, timeout=30) as api,
        ):
            yield app, api


@pytest.fixture
def app(clients: tuple[httpx.Client, httpx.Client]) -> httpx.Client:
    return clients[0]


@pytest.fixture
def api(clients: tuple[httpx.Client, httpx.Client]) -> httpx.Client:
    return clients[1]


def read(api: httpx.Client, path: str) -> Any:
    response = api.get(path)
    assert response.status_code == 200, response.text
    return response.json()


def last_number(api: httpx.Client) -> int:
    number: int = read(api, "/invocations?last=1")["invocations"][0]["number"]
    return number


def app_saw(detail: dict[str, Any]) -> Any:
    return json.loads(detail["client_response"]["body"]["data"])


def test_a_detail_has_the_whole_way_and_notes(app: httpx.Client, api: httpx.Client) -> None:
    app.post("/pies%20?a=b", content="apple", headers={"te": "trailers"})

    detail = read(api, f"/invocations/{last_number(api)}")

    assert detail["client_request"]["target"] == "/pies%20?a=b"
    assert detail["request"]["body"]["data"] == "apple"
    assert detail["response"]["status"] == detail["client_response"]["status"] == 200
    assert json.loads(detail["event"]["data"])["rawQueryString"] == "a=b"
    assert {"step", "kind", "name", "text", "before", "after"} <= set(detail["notes"][0])
    times = detail["times"]
    moments = [times[name] for name in ("started", "requested", "responded", "replied", "ended", "frozen")]
    assert moments == sorted(moments)


def test_a_replay_is_another_record(app: httpx.Client, api: httpx.Client) -> None:
    app.put("/again?x=1", content="body")
    number = last_number(api)

    response = api.post(f"/invocations/{number}/replay", json={"times": 2})

    numbers = response.json()["numbers"]
    assert len(set(numbers)) == 2
    for each in numbers:
        detail = read(api, f"/invocations/{each}")
        assert (detail["replay_of"], detail["is_complete"]) == (number, True)
        assert app_saw(detail) == ["PUT", "/again", "x=1", "body"]


def test_a_replay_without_a_body_is_the_same_again(app: httpx.Client, api: httpx.Client) -> None:
    app.get("/plain")

    (number,) = api.post(f"/invocations/{last_number(api)}/replay").json()["numbers"]

    assert app_saw(read(api, f"/invocations/{number}"))[1] == "/plain"


def test_a_preview_is_the_event_of_another_gateway(app: httpx.Client, api: httpx.Client) -> None:
    app.get("/seen?a=b")
    number = last_number(api)

    preview = read(api, f"/invocations/{number}/as/alb")

    assert preview["event"]["path"] == "/seen"
    assert preview["request"]["target"] == "/seen?a=b"
    assert preview["differences"]
    assert last_number(api) == number


@pytest.mark.parametrize(
    ("query", "authorization", "cookie"),
    [("", "***", "session=***"), ("?secrets=1", "Bearer s3cret", "session=s3cret")],
    ids=["masked", "shown"],
)
def test_a_preview_has_masked_secrets_unless_they_are_wanted(
    query: str, authorization: str, cookie: str, app: httpx.Client, api: httpx.Client
) -> None:
    app.get("/seen", headers={"authorization": "Bearer s3cret", "cookie": "session=s3cret"})

    preview = read(api, f"/invocations/{last_number(api)}/as/alb{query}")

    assert preview["event"]["headers"]["authorization"] == authorization
    assert dict(preview["request"]["headers"])["cookie"] == cookie
    assert ("s3cret" in json.dumps(preview)) == bool(query)


@pytest.mark.parametrize(
    ("kind", "language", "text"),
    [
        ("curl", "shell", "curl"),
        ("httpx", "python", "httpx"),
        ("event", "json", "rawPath"),
        ("pytest", "python", "def "),
    ],
)
def test_a_snippet_has_masked_secrets_unless_they_are_wanted(
    kind: str, language: str, text: str, app: httpx.Client, api: httpx.Client
) -> None:
    app.get("/snippet", headers={"authorization": "Bearer hush"})
    path = f"/invocations/{last_number(api)}/snippet/{kind}"

    masked, snippet = read(api, path), read(api, f"{path}?secrets=1")

    assert snippet["language"] == language
    assert text in snippet["text"]
    assert snippet["filename"]
    assert "hush" not in masked["text"]
    assert "hush" in snippet["text"]


def test_a_request_of_its_own_is_sent(api: httpx.Client) -> None:
    options = {"event_source": "alb", "request": {"method": "DELETE", "target": "/own?c=d"}}

    (number,) = api.post("/invocations", json=options).json()["numbers"]

    detail = read(api, f"/invocations/{number}")
    assert (detail["source"], app_saw(detail)[:3]) == ("alb", ["DELETE", "/own", "c=d"])


def test_the_cost_of_a_month_is_estimated(app: httpx.Client, api: httpx.Client) -> None:
    app.get("/cost")

    small = read(api, "/cost?memory_mb=128&requests_per_month=1000000")
    large = read(api, "/cost?memory_mb=1024&requests_per_month=1000000&architecture=arm64")

    assert small["invocations"] >= 1
    assert (small["memory_mb"], small["event_source"]) == (128, "function-url")
    assert large["architecture"] == "arm64"
    assert large["total"] > small["total"]


def test_imports_are_measured(api: httpx.Client) -> None:
    response = api.post("/import-times")

    assert response.status_code == 200, response.text
    tree = response.json()
    assert tree["cumulative_us"] > 0
    assert {"name", "self_us", "cumulative_us", "children"} <= set(tree)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        pytest.param("GET", "/invocations/1/as/nothing", None, 404, "There is no event source 'nothing'", id="source"),
        pytest.param("GET", "/invocations/1/snippet/php", None, 404, "There is no snippet 'php'", id="snippet"),
        pytest.param("GET", "/invocations/99999/as/alb", None, 404, "There is no invocation 99999", id="preview"),
        pytest.param("POST", "/invocations/99999/replay", {}, 404, "There is no invocation 99999", id="replay"),
        pytest.param("POST", "/invocations/1/replay", {"times": 0}, 400, "times is 0, but", id="times"),
        pytest.param(
            "POST",
            "/invocations/1/replay",
            {"tmies": 2},
            400,
            "There is no 'tmies' here. Did you mean 'times'?",
            id="unknown option",
        ),
        pytest.param("POST", "/invocations", {}, 409, "There is nothing to send", id="nothing to send"),
        pytest.param("GET", "/cost?currency=XYZ", None, 400, "currency is 'XYZ'", id="currency"),
        pytest.param("GET", "/cost?memory_mb=0", None, 400, "memory_mb is '0', but", id="memory"),
    ],
)
def test_what_is_not_possible_is_an_error(
    method: str, path: str, body: Any, status: int, message: str, app: httpx.Client, api: httpx.Client
) -> None:
    app.get("/first")

    response = api.request(method, path, json=body)

    assert response.status_code == status
    assert response.json()["message"].startswith(message)


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_pages_of_other_origins_replay_nothing(origin: str, app: httpx.Client, api: httpx.Client) -> None:
    app.get("/once")
    number = last_number(api)

    response = api.post(f"/invocations/{number}/replay", headers={"origin": origin})

    assert response.status_code == 403
    assert last_number(api) == number
