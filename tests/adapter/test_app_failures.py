"""Apps that hang, die, or answer with what is not HTTP: the caller hears of it, and the next event is served."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from adapter.test_loop import QUEUE, body, error_type, get
from support.processes import free_port, runs, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import Call, RuntimeApi

ENDS = [
    pytest.param("/exit/3", "exit code 3", id="exit code"),
    pytest.param("/kill/SIGKILL", "signal SIGKILL", id="signal"),
]


def problem(outcome: Call, status: int) -> dict[str, str]:
    """The error that the caller of an HTTP source sees."""
    assert outcome.name == "response"
    assert outcome.json["statusCode"] == status
    assert outcome.json["headers"]["content-type"] == "application/json"
    document: dict[str, str] = json.loads(outcome.json["body"])
    assert sorted(document) == ["errorType", "message"]
    return document


@pytest.mark.parametrize(("path", "end"), ENDS)
def test_an_app_that_ends_before_it_has_answered_is_a_502_and_the_next_event_starts_it_again(
    path: str, end: str, api: RuntimeApi, start: Start, either_app: str
) -> None:
    log = start(either_app)
    before = body(api.invoke(get("/")))

    outcome = api.invoke(get(path))
    after = body(api.invoke(get("/")))

    found = problem(outcome, 502)
    assert found["errorType"] == "Runtime.AppExited"
    assert end in found["message"]
    assert after["pid"] != before["pid"]
    assert after["count"] == 1
    log.wait_for(f"ERROR.*{end}")


@pytest.mark.parametrize(("path", "end"), ENDS)
def test_an_app_that_ends_while_it_handles_a_message_is_an_error(
    path: str, end: str, api: RuntimeApi, start: Start
) -> None:
    start("main:wsgi", AWS_LWA_PASS_THROUGH_PATH=path)

    outcome = api.invoke(QUEUE)

    assert error_type(outcome) == "Runtime.AppExited"
    assert end in outcome.json["errorMessage"]
    assert body(api.invoke(get("/")))["count"] == 1


def test_an_app_that_ends_after_its_response_is_started_again(api: RuntimeApi, start: Start, either_app: str) -> None:
    start(either_app)

    first = body(api.invoke(get("/exit-after/5")))
    second = body(api.invoke(get("/")))

    assert second["pid"] != first["pid"]
    assert second["count"] == 1


def test_an_app_that_ends_between_two_events_is_started_again(api: RuntimeApi, start: Start, either_app: str) -> None:
    log = start(either_app)
    first = body(api.invoke(get("/")))
    api.wait_for_call("next", 2)

    os.kill(first["pid"], signal.SIGKILL)
    wait_until(lambda: not runs(first["pid"]), "the app has ended")
    second = body(api.invoke(get("/")))

    assert second["pid"] != first["pid"]
    log.wait_for("WARNING.*signal SIGKILL")


def test_a_response_that_the_app_breaks_off_is_a_502(api: RuntimeApi, start: Start, either_app: str) -> None:
    start(either_app)

    outcome = api.invoke(get("/breaks-off"))

    assert problem(outcome, 502)["errorType"] == "Function.InvalidResponse"
    assert body(api.invoke(get("/")))["count"] == 2


def test_no_answer_before_the_deadline_is_a_504_and_the_next_event_meets_a_fresh_app(
    api: RuntimeApi, start: Start, either_app: str
) -> None:
    api.hold("hangs")
    log = start(either_app)
    before = body(api.invoke(get("/")))

    hanging = api.queue_event(get("/tell/hangs"), timeout=1.5)
    deadline = int(api.wait_for_call("next", 2).at * 1000) + 1500
    outcome = api.wait_for_reply(hanging)
    after = body(api.invoke(get("/")))

    found = problem(outcome, 504)
    assert found["errorType"] == "Function.AppTimeout"
    assert outcome.at * 1000 < deadline - 50
    assert after["pid"] != before["pid"]
    assert after["count"] == 1
    assert not runs(before["pid"])
    log.wait_for("ERROR.*Function.AppTimeout")


def test_a_message_without_an_answer_before_the_deadline_is_an_error(api: RuntimeApi, start: Start) -> None:
    api.hold("hangs")
    start("main:wsgi", AWS_LWA_PASS_THROUGH_PATH="/tell/hangs")

    outcome = api.invoke(QUEUE, timeout=1.5)

    assert error_type(outcome) == "Function.AppTimeout"
    assert body(api.invoke(get("/")))["count"] == 1


def test_a_deadline_that_has_passed_already_is_a_504(api: RuntimeApi, start: Start) -> None:
    start("main:wsgi")

    assert problem(api.invoke(get("/"), timeout=-5), 504)["errorType"] == "Function.AppTimeout"
    assert body(api.invoke(get("/")))["path"] == "/"


def raw(*words: str) -> list[str]:
    return ["--", sys.executable, "raw.py", *words]


BAD = [
    pytest.param(raw("keep", "no HTTP at all\\r\\n\\r\\n"), id="garbage"),
    pytest.param(raw("close", ""), id="closes without a response"),
    pytest.param(raw("reset", ""), id="resets without a response"),
    pytest.param(raw("close", "HTTP/1.1 200 OK\\r\\ncontent-length: 50\\r\\n\\r\\nshort"), id="short body"),
    pytest.param(
        raw("close", "HTTP/1.1 200 OK\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n5\\r\\nhe"), id="short chunk"
    ),
    pytest.param(raw("keep", "HTTP/1.1 200 OK\\r\\ncontent-length: x\\r\\n\\r\\n"), id="bad length"),
    pytest.param(raw("keep", "HTTP/1.1 101 -\\r\\nupgrade: x\\r\\nconnection: upgrade\\r\\n\\r\\n"), id="upgrade"),
]


@pytest.mark.parametrize("words", BAD)
def test_what_is_not_a_whole_http_response_is_a_502(words: list[str], api: RuntimeApi, start: Start) -> None:
    log = start(*words)

    first, second = api.invoke(get("/")), api.invoke(get("/"))

    assert problem(first, 502)["errorType"] == "Function.InvalidResponse"
    assert problem(second, 502)["errorType"] == "Function.InvalidResponse"
    assert len(log.wait_for("ERROR.*Function.InvalidResponse.*")[0]) < 500


def test_a_command_that_ends_is_a_502_with_its_exit_code_and_is_started_again(api: RuntimeApi, start: Start) -> None:
    start(*raw("exit", "HTTP/1.1 200 OK\\r\\ncontent-le"))

    for _ in range(2):
        found = problem(api.invoke(get("/")), 502)
        assert found["errorType"] == "Runtime.AppExited"
        assert "exit code 7" in found["message"]


def test_a_command_that_listens_no_more_is_a_502(api: RuntimeApi, start: Start) -> None:
    start(*raw("deaf"))
    api.wait_for_call("next")

    found = problem(api.invoke(get("/")), 502)

    assert found["errorType"] == "Function.AppUnreachable"
    assert "refused" in found["message"]


def test_connections_that_a_command_closes_are_opened_again(api: RuntimeApi, start: Start) -> None:
    start(*raw("close", "HTTP/1.1 200 OK\\r\\ncontent-length: 5\\r\\n\\r\\nhello"))

    for number in range(1, 4):
        assert api.invoke(get("/")).json["body"] == "hello"
        api.wait_for_call("test/closed", number)  # a request that meets a close on its way cannot be sent again


def test_what_comes_behind_a_response_does_not_reach_the_next_caller(api: RuntimeApi, start: Start) -> None:
    secret = "HTTP/1.1 200 OK\\r\\ncontent-length: 6\\r\\n\\r\\nsecret"
    start(*raw("keep", f"HTTP/1.1 200 OK\\r\\ncontent-length: 5\\r\\n\\r\\nhello{secret}"))

    assert [api.invoke(get("/")).json["body"] for _ in range(2)] == ["hello", "hello"]


def test_an_app_that_does_not_start_again_is_an_error_until_it_does(
    tmp_path: Path, api: RuntimeApi, start: Start, either_app: str
) -> None:
    broken = tmp_path / "broken"
    start(either_app, APP_RAISES_ON_START=str(broken))
    api.invoke(get("/"))
    broken.touch()

    assert problem(api.invoke(get("/exit/1")), 502)["errorType"] == "Runtime.AppExited"
    outcomes = [api.invoke(get("/")), api.invoke(get("/"))]
    broken.unlink()

    for outcome in outcomes:
        assert outcome.name == "error"
        assert outcome.json["errorType"] == "ZeroDivisionError"
        assert "the second start" in outcome.json["errorMessage"]
    assert body(api.invoke(get("/")))["count"] == 1


def test_a_restart_does_not_take_longer_than_the_invocation_has(api: RuntimeApi, start: Start) -> None:
    start("main:app")
    api.invoke(get("/"))
    api.hold("import")

    problem(api.invoke(get("/exit/1")), 502)
    slow = api.queue_event(get("/"), timeout=1.5)
    asked = api.wait_for_call("next", 3)
    answered = api.wait_for_reply(slow)
    api.release("import")

    assert answered.at < asked.at + 1.5
    assert body(api.invoke(get("/")))["count"] == 1


SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = str(os.getpid()).encode()
        if self.path == "/hang":
            import threading
            threading.Event().wait()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def test_a_server_behind_a_shell_script_is_ended_with_the_script(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    """Many `run.sh` start their server without `exec`; on a fixed port the next start would find it taken."""
    (tmp_path / "server.py").write_text(SERVER)
    script = tmp_path / "run.sh"
    script.write_text(f"#!/bin/sh\n{sys.executable} server.py\nexit $?\n")
    script.chmod(0o755)
    start(cwd=tmp_path, _HANDLER="run.sh", AWS_LWA_PORT=free_port())
    first = int(api.invoke(get("/")).json["body"])

    problem(api.invoke(get("/hang"), timeout=1.5), 504)
    second = int(api.invoke(get("/")).json["body"])

    assert second != first
    assert not runs(first)


# What an app was doing when its time was up, in the log.


def test_a_thread_that_hangs_is_shown_in_the_log(api: RuntimeApi, start: Start, either_app: str) -> None:
    api.hold("hangs")
    log = start(either_app)
    problem(api.invoke(get("/tell/hangs"), timeout=1.5), 504)

    log.wait_for(r'telling\.py", line \d+ in tell')


WAITS = """
import asyncio

async def app(scope, receive, send):
    if scope["type"] == "http":
        await for_what_never_comes()

async def for_what_never_comes():
    await asyncio.Event().wait()
"""


def test_a_task_that_waits_is_shown_in_the_log(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    (tmp_path / "waits.py").write_text(WAITS)
    log = start("waits:app", cwd=tmp_path)
    problem(api.invoke(get("/"), timeout=1.5), 504)

    log.wait_for(r'waits\.py", line \d+, in for_what_never_comes')


def test_an_environment_whose_app_does_not_start_any_more_ends(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    broken = tmp_path / "broken"
    process = start("main:wsgi", APP_RAISES_ON_START=str(broken))
    api.invoke(get("/"))
    broken.touch()
    problem(api.invoke(get("/exit/1")), 502)

    outcomes = [api.invoke(get("/")) for _ in range(3)]

    assert [outcome.json["errorType"] for outcome in outcomes] == ["ZeroDivisionError"] * 3
    assert process.wait() == 1
    assert "3 times in a row" in process.text
