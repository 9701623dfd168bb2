"""The inspector's API on a real socket: what it returns, and to whom."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from local.inspector.served_inspector import SECONDS, Served, run, served
from openapi_spec_validator import validate

import lambda_web_adapter
from lambda_web_adapter.ipc.exchange_frame import Exchange
from lambda_web_adapter.local.gateways import Request, Response
from lambda_web_adapter.local.inspector.api import build_app
from lambda_web_adapter.local.inspector.options import InspectorOptions
from lambda_web_adapter.local.inspector.security import Guarded
from lambda_web_adapter.local.log import Log

SECRET = Request(method="GET", raw_path="/x", headers=[("authorization", "Bearer hush"), ("x-own", "quiet")])


def test_it_returns_the_last_records(tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        for number in range(12):
            inspector.reject(f"GET /{number}")

        assert await inspector.titles("?last=2") == ["GET /10", "GET /11"]
        assert len(await inspector.titles()) == 10
        assert await inspector.titles("?last=0") == []
        assert await inspector.titles("?last=2&before=4") == ["GET /1", "GET /2"]
        assert await inspector.titles("?before=1") == []

    run(tmp_path, steps)


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        pytest.param("PIES", ["GET /pies"], id="title"),
        pytest.param("crust", ["GET /pies"], id="log"),
        pytest.param("413", ["GET /rejected"], id="status"),
        pytest.param("function-url", ["GET /pies"], id="source"),
        pytest.param("nowhere", [], id="nothing"),
    ],
)
def test_it_searches(text: str, titles: list[str], tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        inspector.end(inspector.begin("GET /pies", log=b"The Crust burns\n"))
        inspector.reject("GET /rejected")

        assert await inspector.titles(f"?search={text}") == titles

    run(tmp_path, steps)


def test_log_lines_are_left_out_unless_they_are_wanted(tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        inspector.end(inspector.begin("GET /a", log=b"one\ntwo\n"))

        (without,) = (await inspector.get("/api/invocations"))["invocations"]
        (complete,) = (await inspector.get("/api/invocations?log=1"))["invocations"]

        assert "log" not in without
        assert complete["log"] == ["one", "two"]

    run(tmp_path, steps)


def test_the_run_is_described(tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        assert await inspector.get("/api/run") == {
            "title": "main:app",
            "ports": [8000],
            "listeners": [{"source": "alb", "url": "http://127.0.0.1:8000"}],
            "memory_mb": 1769,
            "timeout": 30.0,
            "region": "us-east-1",
            "keep": 7,
            "version": lambda_web_adapter.__version__,
            "started": 1.5,
        }

    run(tmp_path, steps, InspectorOptions(port=0, keep=7))


def test_a_detail_has_masked_secrets_unless_they_are_wanted(tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        response = Response(status=200, headers=[("set-cookie", "a=hush; path=/")], body=b"\xff")
        inspector.end(inspector.begin("GET /x", b'{"headers": {"x-own": "quiet"}}'), SECRET, response)

        masked = await inspector.get("/api/invocations/1")
        detail = await inspector.get("/api/invocations/1?secrets=1")

        assert (masked["is_masked"], detail["is_masked"]) == (True, False)
        assert masked["client_request"]["headers"] == [["authorization", "***"], ["x-own", "***"]]
        assert masked["client_response"]["headers"] == [["set-cookie", "a=***; path=/"]]
        assert "quiet" not in json.dumps(masked)
        assert detail["client_request"]["headers"] == [["authorization", "Bearer hush"], ["x-own", "quiet"]]
        assert detail["event"]["data"] == '{"headers": {"x-own": "quiet"}}'
        assert detail["client_response"]["body"] == {
            "size": 1,
            "is_truncated": False,
            "encoding": "base64",
            "data": "/w==",
        }

    run(tmp_path, steps, InspectorOptions(port=0, masked_headers=("X-Own",)))


def test_a_detail_waits_for_the_exchange_that_follows_the_reply(tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        invocation = inspector.begin("GET /x")
        inspector.end(invocation)
        exchange = Exchange(
            request_id=invocation.request_id,
            requested_at=invocation.started_at,
            responded_at=invocation.ended_at,
            request_head=b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n",
            response_head=b"HTTP/1.1 204 No Content\r\n\r\n",
        )
        asyncio.get_running_loop().call_later(0.01, inspector.recorder.add_exchange, exchange)

        detail = await inspector.get("/api/invocations/1")

        assert (detail["request"]["target"], detail["response"]["status"]) == ("/x", 204)

    run(tmp_path, steps)


def test_environments_have_their_changes_and_their_memory(tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        inspector.recorder.change_environment(3, "init")
        inspector.recorder.change_environment(3, "ended", "crashed")
        inspector.recorder.measure_environment(3, 5_000_000)

        (lane,) = (await inspector.get("/api/environments"))["environments"]

        assert lane["number"] == 3
        assert [(each["state"], each["reason"]) for each in lane["changes"]] == [("init", ""), ("ended", "crashed")]
        assert [each["bytes"] for each in lane["memory"]] == [5_000_000]

    run(tmp_path, steps)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        pytest.param({"authorization": ""}, "needs the token", id="no token"),
        pytest.param(
            {"authorization": "Bearer wrong"}, "The token is wrong, or that of an earlier run", id="another token"
        ),
        pytest.param({"authorization": "Basic wrong"}, "needs the token", id="another scheme"),
        pytest.param({"host": "evil.example"}, "not a name of this local run", id="another host"),
        pytest.param({"host": "127.0.0.1:1"}, "not a name of this local run", id="another port"),
        pytest.param({"origin": "http://evil.example"}, "a page of another origin", id="another origin"),
        pytest.param({"sec-fetch-site": "cross-site"}, "a page of another origin", id="another site"),
        pytest.param({"sec-fetch-site": "same-site"}, "a page of another origin", id="another port of this host"),
    ],
)
@pytest.mark.parametrize("path", ["/api/invocations", "/api/invocations?follow=1", "/api/invocations/1", "/api/no"])
def test_others_get_nothing(headers: dict[str, str], reason: str, path: str, tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        inspector.reject("GET /secret")

        response = await inspector.client.get(path, headers=headers)

        assert response.status_code == 403
        assert reason in response.json()["message"]
        assert "secret" not in response.text

    run(tmp_path, steps)


@pytest.mark.parametrize(
    ("method", "query", "status"),
    [
        pytest.param("GET", "?token={token}", 200, id="reads"),
        pytest.param("POST", "?token={token}", 403, id="does not write"),
        pytest.param("GET", "?token=wrong", 403, id="another"),
        pytest.param("GET", "?token={token}&token={token}", 403, id="two"),
    ],
)
def test_a_token_in_the_query_reads(method: str, query: str, status: int, tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        del inspector.client.headers["authorization"]

        response = await inspector.client.request(method, f"/api/run{query.format(token=inspector.run.token)}")

        assert response.status_code == status

    run(tmp_path, steps)


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/api/nothing", 404, "There is no GET /api/nothing."),
        ("PUT", "/api/run", 405, "Method Not Allowed"),
        ("GET", "/api/invocations?last=all", 400, "last is 'all', but should be a valid integer"),
        ("GET", "/api/invocations?last=-1", 400, "last is '-1', but should be greater than or equal to 0."),
        ("GET", "/api/invocations?last=9999999999", 400, "last is '9999999999', but should be less than"),
        ("GET", "/api/invocations?lats=3", 400, "There is no 'lats' here. Did you mean 'last'?"),
        ("GET", "/api/run?verbose=1", 400, "There is no 'verbose' here: it takes no parameters."),
        ("GET", "/api/cost?memory_mb=64", 400, "memory_mb is '64', but should be greater than or equal to 128."),
        ("GET", "/api/invocations/2", 404, "There is no invocation 2: the run has only 1."),
        ("GET", "/api/invocations/x", 404, "There is no GET /api/invocations/x."),
    ],
)
def test_what_there_is_not_is_an_error(method: str, path: str, status: int, message: str, tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        inspector.reject("GET /1")

        response = await inspector.client.request(method, path)

        assert response.status_code == status
        assert response.json()["message"].startswith(message)
        assert response.headers["x-content-type-options"] == "nosniff"

    run(tmp_path, steps)


@pytest.mark.parametrize(
    ("keep", "number", "message"),
    [
        pytest.param(5, 1, "Invocation 1 was dropped: the run keeps 5 (--keep), and has 5 to 9.", id="dropped"),
        pytest.param(5, 99, "There is no invocation 99: the run has 5 to 9.", id="not yet"),
        pytest.param(1, 8, "Invocation 8 was dropped: the run keeps 1 (--keep), and has only 9.", id="one"),
    ],
)
def test_an_invocation_that_is_not_there_was_dropped_or_never_was(
    keep: int, number: int, message: str, tmp_path: Path
) -> None:
    async def steps(inspector: Served) -> None:
        for each in range(1, 10):
            inspector.reject(f"GET /{each}")

        response = await inspector.client.get(f"/api/invocations/{number}")

        assert (response.status_code, response.json()["message"]) == (404, message)

    run(tmp_path, steps, InspectorOptions(port=0, keep=keep))


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        pytest.param('{"request": {}}', 400, "request.target is missing.", id="missing"),
        pytest.param(
            '{"request": {"target": "/", "header": {}}}',
            400,
            "There is no 'header' here. Did you mean 'headers'?",
            id="unknown",
        ),
        pytest.param('{"request": {"target": "/", "body": 1}}', 400, "request.body is 1, but should be", id="body"),
        pytest.param('{"times": 0}', 400, "times is 0, but should be greater than or equal to 1.", id="range"),
        pytest.param('{"request": {"target": "a"}}', 409, "The target is 'a', but it takes a path from", id="no path"),
        pytest.param("{", 400, "The body is not JSON: EOF while parsing", id="no JSON"),
        pytest.param("[]", 400, "The body is [], but should be an object.", id="no object"),
        pytest.param('{"event": 1, "event_source": "alb"}', 400, "An event is sent as it is: leave out", id="both"),
    ],
)
def test_a_body_that_is_not_valid_is_named(body: str, status: int, message: str, tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        response = await inspector.client.post("/api/invocations", content=body)

        assert (response.status_code, response.json()["message"][: len(message)]) == (status, message)

    run(tmp_path, steps)


def test_following_begins_with_the_last_and_goes_on(tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        for title in ("GET /old", "GET /last"):
            inspector.reject(title)
        running = inspector.begin("GET /running")
        async with inspector.follow("&last=1") as next_event:
            events = [await next_event() for _ in range(2)]
            inspector.end(running)
            inspector.recorder.change_environment(1, "frozen", "why not")
            inspector.begin("GET /new")
            events += [await next_event() for _ in range(3)]

        assert [(name, data["title"]) for name, data in events if name != "environment"] == [
            ("invocation", "GET /last"),
            ("started", "GET /running"),
            ("invocation", "GET /running"),
            ("started", "GET /new"),
        ]
        name, change = events[3]
        assert (name, change["number"], change["state"], change["reason"]) == ("environment", 1, "frozen", "why not")
        assert change["at"] > 1e9
        assert "log" not in events[0][1]

    run(tmp_path, steps)


def test_a_stream_names_each_record_by_its_number(tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        inspector.reject("GET /1")
        async with inspector.client.stream("GET", "/api/invocations?follow=1") as response:
            async with asyncio.timeout(SECONDS):
                async for line in response.aiter_lines():
                    if line.startswith("id: "):
                        break
        assert line == "id: 1"

    run(tmp_path, steps)


def test_a_client_that_leaves_is_no_follower(tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        async with inspector.client.stream("GET", "/api/invocations?follow=1") as response:
            await anext(response.aiter_lines())
            assert len(inspector.recorder._followers) == 1
        for _ in range(1000):  # each request gives the server time to notice
            await inspector.titles()
            if not inspector.recorder._followers:
                break
        assert not inspector.recorder._followers

    run(tmp_path, steps)


def test_the_end_of_the_run_ends_what_follows(tmp_path: Path) -> None:
    async def within_a_loop() -> None:
        client = httpx.AsyncClient(trust_env=False, timeout=SECONDS)
        async with served(tmp_path) as inspector:
            headers = {"authorization": f"Bearer {inspector.run.token}"}
            request = client.build_request("GET", f"{inspector.run.url}/api/invocations?follow=1", headers=headers)
            response = await client.send(request, stream=True)
        with pytest.raises(httpx.RemoteProtocolError):
            await response.aread()
        await client.aclose()

    asyncio.run(within_a_loop())


def test_the_description_is_valid_and_has_every_route(tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        document = await inspector.get("/api/openapi.json")

        validate(document)
        described = {(method, path) for path, each in document["paths"].items() for method in each}
        routes = {
            (method.lower(), re.sub(r":\w+\}", "}", route.path))  # type: ignore[attr-defined]
            for route in build_app(inspector.inspected).routes
            for method in getattr(route, "methods", None) or ()
            if method != "HEAD"
        }
        assert described == routes
        assert len(routes) >= 5

    run(tmp_path, steps)


def test_the_file_names_the_run(tmp_path: Path) -> None:
    async def steps(inspector: Served) -> None:
        assert (inspector.run.pid, inspector.run.ports, inspector.run.title) == (os.getpid(), [8000], "main:app")
        assert inspector.line == f"Inspector: {inspector.run.url}/#token={inspector.run.token}"

    run(tmp_path, steps)
    assert list(tmp_path.glob("**/*.json")) == []


def test_a_port_that_is_taken_is_replaced_by_another(tmp_path: Path) -> None:
    async def within_a_loop() -> None:
        async with served(tmp_path / "1") as first:
            port = httpx.URL(first.run.url).port or 0
            async with served(tmp_path / "2", InspectorOptions(port=port)) as second:
                assert second.line.endswith(f" (port {port} is taken)")
                assert await second.titles() == []
                assert second.run.url != first.run.url

    asyncio.run(within_a_loop())


def test_the_token_stays_the_same_and_is_the_user_s_alone(tmp_path: Path) -> None:
    tokens = []

    async def steps(inspector: Served) -> None:
        tokens.append(inspector.run.token)

    run(tmp_path, steps)
    run(tmp_path, steps)
    (file,) = tmp_path.glob("**/token")
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    run(tmp_path, steps)

    assert tokens[0] == tokens[1] != tokens[2]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_a_line_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    text = io.StringIO()

    async def within_a_loop() -> None:
        async with served(tmp_path / "file", log=Log("short", text)) as inspector:
            token = inspector.line.partition("#token=")[2]
            response = await inspector.client.get("/api/run", headers={"authorization": f"Bearer {token}"})
            assert response.status_code == 200

    asyncio.run(within_a_loop())

    assert "The inspector's token will be another one next time: " in text.getvalue()
    assert "`lambda-web-adapter logs` will not find this run: " in text.getvalue()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 200), ({"host": "evil.example"}, 403), ({"sec-fetch-site": "cross-site"}, 403)],
    ids=["own", "another host", "another site"],
)
def test_files_of_the_page_need_no_token_and_run_no_foreign_script(
    headers: dict[str, str], status: int, tmp_path: Path
) -> None:
    static = tmp_path / "static"
    static.mkdir()
    (static / "index.html").write_text("<!doctype html>")

    async def steps(inspector: Served) -> None:
        app = Guarded(build_app(inspector.inspected, static), "token")  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001") as client:
            response = await client.get("/", headers=headers)

        assert response.status_code == status
        assert response.headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["cross-origin-resource-policy"] == "same-origin"
        assert response.headers.get_list("cache-control") == ["no-store"]

    run(tmp_path, steps)


def test_the_server_imports_no_framework_before_its_first_request() -> None:
    """Starlette takes as long as the rest of the local run's start."""
    code = "import sys, lambda_web_adapter.local.inspector.server as s; print('starlette' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout == "False\n"
