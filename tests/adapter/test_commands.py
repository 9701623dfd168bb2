"""Commands of the app, run by an event: only where the function's owner has named the program, never over HTTP."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import bootstrap
from adapter.test_loop import get
from hypothesis import given
from hypothesis import strategies as st
from support.processes import runs, wait_until

from lambda_web_adapter.adapter.commands import parse_command
from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.testing.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import Reply

# Prints its arguments; then does what the first one says.
PROGRAM = """
import os, subprocess, sys, time
print("arguments", sys.argv[1:], "in", os.path.basename(os.getcwd()), flush=True)
print("on stderr", file=sys.stderr, flush=True)
match sys.argv[1]:
    case "fail":
        sys.exit(3)
    case "hang":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open("pids", "w").write(f"{os.getpid()} {child.pid}")
        time.sleep(600)
    case "daemon":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    case "crash":
        os.kill(os.getpid(), 9)
    case "much":
        print("x" * 1_000_000)
"""
APP = """
def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [environ["PATH_INFO"].encode()]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "manage.py").write_text(PROGRAM)
    (tmp_path / "main.py").write_text(APP)
    return tmp_path


def commands() -> dict[str, str]:
    return {"AWS_LWA_COMMANDS": f"{sys.executable} manage.py"}


def output(reply: Reply) -> str:
    assert not reply.is_error, reply.body
    document: dict[str, str] = json.loads(reply.body)
    return document["output"]


def test_a_command_runs_in_the_folder_of_the_app_and_its_output_is_reply_and_log(
    api: RuntimeApi, start: Start, folder: Path
) -> None:
    process = start("main:app", cwd=folder, **commands())

    text = output(api.invoke({"command": ["migrate", "--fake", "a b"]}))

    expected = f"arguments ['migrate', '--fake', 'a b'] in {folder.name}\non stderr\n"
    assert text == expected
    process.wait_for("on stderr")


@pytest.mark.parametrize(
    ("argument", "message"),
    [pytest.param("fail", "exit code 3", id="exit code"), pytest.param("crash", "signal 9", id="signal")],
)
def test_a_command_that_fails_fails_the_invocation(
    argument: str, message: str, api: RuntimeApi, start: Start, folder: Path
) -> None:
    start("main:app", cwd=folder, **commands())

    reply = api.invoke({"command": [argument]})

    assert reply.is_error
    assert reply.error_type == "Function.CommandFailed"
    assert reply.error is not None
    assert message in reply.error["errorMessage"]
    assert f"arguments ['{argument}']" in reply.error["errorMessage"]
    assert json.loads(api.invoke(get("/next")).body)["body"] == "/next"


def test_a_command_that_hangs_is_killed_with_all_that_it_has_started(
    api: RuntimeApi, start: Start, folder: Path
) -> None:
    start("main:app", cwd=folder, **commands())

    reply = api.invoke({"command": ["hang"]}, timeout=3)

    assert reply.error is not None
    assert "killed shortly before the function's timeout" in reply.error["errorMessage"]
    pids = map(int, (folder / "pids").read_text().split())
    wait_until(lambda: not any(map(runs, pids)), "the command and its child end")


def test_a_command_that_leaves_a_process_has_its_reply_at_once(api: RuntimeApi, start: Start, folder: Path) -> None:
    start("main:app", cwd=folder, **commands())

    text = output(api.invoke({"command": ["daemon"]}, timeout=300))  # far longer than `invoke` waits

    assert text.startswith("arguments ['daemon']")


def test_the_reply_has_the_end_of_a_long_output(api: RuntimeApi, start: Start, folder: Path) -> None:
    start("main:app", cwd=folder, **commands())

    text = output(api.invoke({"command": ["much"]}))

    assert len(text) == 64 * 1024
    assert text.endswith("xx\n")


def test_a_program_that_is_not_there_is_named(api: RuntimeApi, start: Start, folder: Path) -> None:
    start("main:app", cwd=folder, AWS_LWA_COMMANDS="missing-program --flag")

    reply = api.invoke({"command": ["migrate"]})

    assert reply.error is not None
    assert "missing-program cannot be started" in reply.error["errorMessage"]


def test_commands_are_off_unless_they_are_switched_on(api: RuntimeApi, start: Start, folder: Path) -> None:
    start("main:app", cwd=folder)

    assert json.loads(api.invoke({"command": ["migrate"]}).body) == "/events"  # the app gets it like any other event


def test_an_app_without_such_events_fails_them_and_the_error_says_that_commands_are_off(
    api: RuntimeApi, start: Start, folder: Path
) -> None:
    (folder / "main.py").write_text(APP.replace("200 OK", "404 Not Found"))
    process = start("main:app", cwd=folder)

    command, another = (api.invoke({key: ["migrate"]}) for key in ("command", "commands"))

    hint = "Commands of the app are off: to have such events run them, set the function's variable AWS_LWA_COMMANDS"
    assert command.error is not None
    assert another.error is not None
    assert "POST /events with status 404" in command.error["errorMessage"]
    assert hint in command.error["errorMessage"]
    process.wait_for(hint)
    assert hint not in another.error["errorMessage"]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(get("/") | {"body": '{"command": ["migrate"]}'}, id="a body"),
        pytest.param(get("/") | {"command": ["migrate"]}, id="another key of a request"),
        pytest.param({"Records": [{"eventSource": "aws:sqs", "body": '{"command": ["migrate"]}'}]}, id="a message"),
    ],
)
def test_no_request_and_no_message_is_a_command(
    event: dict[str, Any], api: RuntimeApi, start: Start, folder: Path
) -> None:
    process = start("main:app", cwd=folder, **commands())

    api.invoke(event)
    api.invoke({"command": ["last"]})

    assert "migrate" not in process.text


def test_an_app_that_is_not_ready_is_no_obstacle(api: RuntimeApi, start: Start, folder: Path) -> None:
    """A migration may be what the app needs to start."""
    (folder / "main.py").write_text("import os, time\nwhile not os.path.exists('ready'): time.sleep(0.05)\n" + APP)
    (folder / "manage.py").write_text("open('ready', 'w').close(); print('migrated')")
    start("main:app", cwd=folder, **commands())

    assert output(api.invoke({"command": ["migrate"]}, timeout=60)) == "migrated\n"
    assert json.loads(api.invoke(get("/next")).body)["body"] == "/next"


def test_concurrent_invocations_go_on(folder: Path) -> None:
    with (
        RuntimeApi(concurrent=True) as api,
        bootstrap(api, "main:app", cwd=folder, AWS_LAMBDA_MAX_CONCURRENCY="2", **commands()),
    ):
        hanging = api.queue_event({"command": ["hang"]}, timeout=8)
        api.wait_for_delivery(hanging)

        assert json.loads(api.invoke(get("/during")).body)["body"] == "/during"
        assert output(api.invoke({"command": ["again"]})).startswith("arguments ['again']")
        assert api.wait_for_reply(hanging).is_error


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("migrate", id="text"),
        pytest.param([], id="nothing"),
        pytest.param(["a", 1], id="a number"),
        pytest.param(["a\0b"], id="a null character"),
        pytest.param(None, id="null"),
    ],
)
def test_a_command_that_is_no_list_of_strings_is_an_error(command: object) -> None:
    with pytest.raises(InvalidEvent, match=r"command"):
        parse_command(json.dumps({"command": command}).encode())


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=1))
def test_arguments_are_those_of_the_event(arguments: list[str]) -> None:
    assert parse_command(json.dumps({"command": arguments}).encode()) == arguments


@given(st.dictionaries(st.text(), st.none() | st.text()), st.lists(st.text(), min_size=1))
def test_an_event_with_another_key_is_no_command(rest: dict[str, Any], arguments: list[str]) -> None:
    event = {**rest, "command": arguments, "another": 1}

    assert parse_command(json.dumps(event).encode()) is None
