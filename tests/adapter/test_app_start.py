"""From the start to the first event: what runs, when it is ready, and how a start that fails is told."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from adapter.test_loop import body, get
from support.processes import free_port

if TYPE_CHECKING:
    from adapter.conftest import Start
    from support.processes import Running

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

COMMAND = ["--", sys.executable, "command.py"]


def init_error(api: RuntimeApi, log: Running) -> dict[str, Any]:
    """Waits for the end of the bootstrap; returns what it has told Lambda before."""
    assert log.wait() != 0
    assert api.call_names == ["init/error"]
    (call,) = api.calls_of("init/error")
    document: dict[str, Any] = call.json
    assert sorted(document) == ["errorMessage", "errorType", "stackTrace"]
    assert call.headers["lambda-runtime-function-error-type"].startswith("Runtime.")
    log.wait_for("ERROR")
    return document


def app_in(folder: Path, text: str, name: str = "main.py") -> Path:
    (folder / name).write_text(text)
    return folder


@pytest.fixture
def taken_port() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.mark.parametrize("words", [pytest.param(["main:app"], id="Python app"), pytest.param(COMMAND, id="command")])
@pytest.mark.parametrize("variable", ["AWS_LWA_PORT", "PORT"])
def test_a_port_that_is_taken_is_named(
    variable: str, words: list[str], taken_port: str, api: RuntimeApi, start: Start
) -> None:
    document = init_error(api, start(*words, **{variable: taken_port}))

    assert document["errorType"] == "Runtime.InvalidSettings"
    assert taken_port in document["errorMessage"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("AWS_LWA_PORT", "http", id="port"),
        pytest.param("PORT", "70000", id="old name"),
        pytest.param("AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS", "soon", id="seconds"),
        pytest.param("AWS_LWA_REMOVE_STAGE", "perhaps", id="choice"),
        pytest.param("AWS_LWA_READINESS_CHECK_HEALTHY_STATUS", "2xx", id="statuses"),
    ],
)
def test_a_setting_that_is_wrong_is_named(variable: str, value: str, api: RuntimeApi, start: Start) -> None:
    document = init_error(api, start("main:app", **{variable: value}))

    assert document["errorType"] == "Runtime.InvalidSettings"
    assert variable in document["errorMessage"]
    assert repr(value) in document["errorMessage"]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--"], id="no command"),
        pytest.param(["main:app", "main:wsgi"], id="two apps"),
        pytest.param(["--no-such-option", "main:app"], id="option"),
    ],
)
def test_words_that_make_no_sense_are_told_too(words: list[str], api: RuntimeApi, start: Start) -> None:
    assert init_error(api, start(*words))["errorType"] == "Runtime.InvalidSettings"


def test_a_variable_that_is_no_setting_is_warned_of(api: RuntimeApi, start: Start) -> None:
    log = start("main:wsgi", AWS_LWA_ASYNC_INITT="true", READINESS_CHECK_PATH="/")

    assert body(api.invoke(get("/")))["count"] == 1

    log.wait_for("WARNING.*AWS_LWA_ASYNC_INITT is not a setting")
    log.wait_for("WARNING.*READINESS_CHECK_PATH is an old name.*AWS_LWA_READINESS_CHECK_PATH")


def test_an_exception_in_the_app_s_module_is_told_as_itself(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    log = start("main:app", cwd=app_in(tmp_path, "import json\n\njson.loads('{')\n"))

    document = init_error(api, log)

    assert document["errorType"] == "json.decoder.JSONDecodeError"
    assert "Expecting property name" in document["errorMessage"]
    stack = "".join(document["stackTrace"])
    assert str(tmp_path / "main.py") in stack
    assert "json.loads('{')" in stack
    assert log.text.count("Expecting property name") == 1
    assert "ERROR" in log.text.splitlines()[-1]
    assert "The app raised json.decoder.JSONDecodeError. The log has its traceback." in log.text


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        pytest.param("raise RuntimeError('caf\\udce9 é')", "RuntimeError", "é", id="text that UTF-8 cannot hold"),
        pytest.param("raise SystemExit('no more')", "SystemExit", "no more", id="SystemExit"),
        pytest.param("raise KeyboardInterrupt", "KeyboardInterrupt", "", id="KeyboardInterrupt"),
        pytest.param("import no_such_module", "ModuleNotFoundError", "no_such_module", id="import"),
        pytest.param("def app(:", "SyntaxError", "main.py", id="syntax"),
        pytest.param("raise RuntimeError('x' * 300_000)", "RuntimeError", "xxx", id="long message"),
    ],
)
def test_whatever_a_module_raises_is_told(
    text: str, kind: str, message: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    document = init_error(api, start("main:app", cwd=app_in(tmp_path, text)))

    assert document["errorType"] == kind
    assert message in document["errorMessage"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["missing:app"], "no module 'missing'", id="no module"),
        pytest.param(["main:missing"], "no attribute 'missing'", id="no attribute"),
        pytest.param(["main:text"], "cannot be called", id="no app"),
        pytest.param(["main.py"], "main:app", id="file"),
        pytest.param(["notes.txt"], "chmod", id="not executable"),
    ],
)
def test_an_app_that_cannot_be_found_is_explained(
    words: list[str], said: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    app_in(tmp_path, "text = 'no app'\n")
    app_in(tmp_path, "", "notes.txt")

    document = init_error(api, start(*words, cwd=tmp_path))

    assert document["errorType"] == "Runtime.AppNotFound"
    assert said in document["errorMessage"]


def test_a_folder_without_an_app_is_explained(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    document = init_error(api, start(cwd=tmp_path))

    assert document["errorType"] == "Runtime.AppNotFound"
    assert str(tmp_path) in document["errorMessage"]
    assert "main.py" in document["errorMessage"]


def test_a_process_that_ends_while_it_is_imported_is_told(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    document = init_error(api, start("main:app", cwd=app_in(tmp_path, "import os\nos._exit(9)\n")))

    assert document["errorType"] == "Runtime.AppStartFailed"
    assert "exit code 9" in document["errorMessage"]


LIFESPAN = """
async def app(scope, receive, send):
    await receive()
    {}
"""


@pytest.mark.parametrize(
    ("what", "said"),
    [
        pytest.param(
            "await send({'type': 'lifespan.startup.failed', 'message': 'no database'})", "no database", id="failed"
        ),
        pytest.param(
            "await send({'type': 'lifespan.startup.failed', 'message': 'x'}); raise OSError('no database')",
            "no database",
            id="failed and raised",
        ),
    ],
)
def test_a_lifespan_startup_that_fails_is_told(
    what: str, said: str, tmp_path: Path, api: RuntimeApi, start: Start
) -> None:
    document = init_error(api, start("main:app", cwd=app_in(tmp_path, LIFESPAN.format(what))))

    assert said in document["errorMessage"]


def test_a_python_app_that_is_not_ready_in_time_is_told(api: RuntimeApi, start: Start) -> None:
    api.hold("startup")

    document = init_error(api, start("main:app", AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS="0.6"))

    assert document["errorType"] == "Runtime.AppNotReady"
    assert "0.6 seconds" in document["errorMessage"]
    assert "AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS" in document["errorMessage"]


def test_a_command_that_does_not_listen_is_told(api: RuntimeApi, start: Start) -> None:
    api.hold("listen")

    document = init_error(api, start(*COMMAND, AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS="0.6"))

    assert document["errorType"] == "Runtime.AppNotReady"
    assert "PORT" in document["errorMessage"]
    assert "refused" in document["errorMessage"]


def test_no_event_is_asked_for_before_the_app_is_ready(api: RuntimeApi, start: Start) -> None:
    api.hold("startup")
    start("main:app")
    api.wait_for_call("test/startup")

    early = api.has_call_within("next", 1, timeout=0.2)
    api.release("startup")
    api.wait_for_call("next")

    assert not early


def test_a_command_is_ready_when_it_listens(api: RuntimeApi, start: Start) -> None:
    api.hold("listen")
    log = start(*COMMAND)
    api.wait_for_call("test/listen")

    early = api.has_call_within("next", 1, timeout=0.2)
    api.release("listen")
    outcome = api.invoke(get("/path"))

    assert not early
    assert json.loads(outcome.json["body"])["requests"] == ["/path"]
    assert "Traceback" not in log.text


@pytest.mark.parametrize("variable", ["AWS_LWA_PORT", "PORT"])
def test_a_command_gets_the_configured_port(variable: str, api: RuntimeApi, start: Start) -> None:
    port = free_port()
    start(*COMMAND, **{variable: port})

    seen = json.loads(api.invoke(get("/")).json["body"])

    assert (seen["PORT"], seen["AWS_LWA_PORT"], seen["listening"]) == (port, port, int(port))


def test_a_command_gets_a_free_port_where_8080_is_taken(api: RuntimeApi, start: Start) -> None:
    with ExitStack() as stack:
        with suppress(OSError):  # somebody else has it
            stack.enter_context(socket.create_server(("127.0.0.1", 8080)))
        start(*COMMAND, AWS_LWA_PORT="")

        seen = json.loads(api.invoke(get("/")).json["body"])

    assert seen["PORT"] == seen["AWS_LWA_PORT"] == str(seen["listening"]) != "8080"


def test_a_command_is_ready_when_its_path_is_healthy(api: RuntimeApi, start: Start) -> None:
    log = start(*COMMAND, AWS_LWA_READINESS_CHECK_PATH="/health?a=b", UNHEALTHY="503 500 599")

    seen = json.loads(api.invoke(get("/path")).json["body"])

    assert seen["requests"] == ["/health?a=b"] * 4 + ["/path"]
    assert "Traceback" not in log.text


def test_what_is_healthy_can_be_said(api: RuntimeApi, start: Start) -> None:
    start(
        *COMMAND,
        AWS_LWA_READINESS_CHECK_PROTOCOL="http",
        AWS_LWA_READINESS_CHECK_HEALTHY_STATUS="418,500-599",
        UNHEALTHY="200 404 503",
    )

    assert json.loads(api.invoke(get("/path")).json["body"])["requests"] == ["/", "/", "/", "/path"]


def test_a_path_that_stays_unhealthy_is_told(api: RuntimeApi, start: Start) -> None:
    settings = {"AWS_LWA_READINESS_CHECK_PATH": "/health", "AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS": "3"}

    document = init_error(api, start(*COMMAND, UNHEALTHY=" ".join(["503"] * 10_000), **settings))

    assert document["errorType"] == "Runtime.AppNotReady"
    assert "/health" in document["errorMessage"]
    assert "503" in document["errorMessage"]


def test_answers_to_the_check_that_are_not_http_are_waited_through(api: RuntimeApi, start: Start) -> None:
    start(*COMMAND, AWS_LWA_READINESS_CHECK_PATH="/health", UNHEALTHY="garbage 101 503")

    assert json.loads(api.invoke(get("/path")).json["body"])["requests"][-2:] == ["/health", "/path"]


def test_the_protocol_decides_over_the_path(api: RuntimeApi, start: Start) -> None:
    start(*COMMAND, AWS_LWA_READINESS_CHECK_PATH="/health", AWS_LWA_READINESS_CHECK_PROTOCOL="tcp")

    assert json.loads(api.invoke(get("/path")).json["body"])["requests"] == ["/path"]


def test_another_port_can_be_checked(taken_port: str, api: RuntimeApi, start: Start) -> None:
    api.hold("listen")
    start(*COMMAND, AWS_LWA_READINESS_CHECK_PORT=taken_port)

    api.wait_for_call("next")  # although the command does not even listen

    api.wait_for_call("test/listen")
    api.release("listen")


def test_a_long_wait_is_explained_in_the_log(api: RuntimeApi, start: Start) -> None:
    api.hold("listen")
    log = start(*COMMAND)

    log.wait_for(r"INFO.*Waiting for the app \(2\.\d s after its start\): .*refused")
    api.release("listen")
    api.wait_for_call("next")


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        pytest.param(["main:app"], {}, "to import and to complete its lifespan startup", id="our own server"),
        pytest.param(COMMAND, {}, "the connection to 127.0.0.1 port [0-9]+ failed: Connection refused", id="a connect"),
        pytest.param(
            COMMAND,
            {"AWS_LWA_READINESS_CHECK_PATH": "/health", "UNHEALTHY": " ".join(["503"] * 10_000)},
            "GET /health on port [0-9]+ returned status 503",
            id="a path",
        ),
    ],
)
def test_a_long_wait_is_explained_again_and_again_but_not_more_than_once_a_second(
    words: list[str], variables: dict[str, str], said: str, api: RuntimeApi, start: Start
) -> None:
    api.hold("startup")
    if not variables:
        api.hold("listen")
    log = start(*words, **variables)

    log.wait_for(f"(?s)(INFO[^\\n]*Waiting for the app[^\\n]*{said}.*){{2}}")
    times = [
        float(seconds) for seconds in re.findall(r"Waiting for the app.*\(([0-9.]+) s after its start\)", log.text)
    ]

    assert times[1] - times[0] >= 1


@pytest.mark.parametrize(
    ("command", "kind", "said"),
    [
        pytest.param(["no-such-command-at-all"], "Runtime.AppStartFailed", "no-such-command-at-all", id="missing"),
        pytest.param(["./command.py"], "Runtime.AppStartFailed", "Permission denied", id="not executable"),
        pytest.param([sys.executable, "-c", "raise SystemExit(5)"], "Runtime.AppStartFailed", "exit code 5", id="ends"),
        pytest.param(["true"], "Runtime.AppStartFailed", "exit code 0", id="ends well"),
        pytest.param(
            [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"],
            "Runtime.AppStartFailed",
            "signal SIGKILL",
            id="is killed",
        ),
    ],
)
def test_a_command_that_does_not_start_is_told(
    command: list[str], kind: str, said: str, api: RuntimeApi, start: Start
) -> None:
    document = init_error(api, start("--", *command))

    assert document["errorType"] == kind
    assert said in document["errorMessage"]


def test_a_command_gets_the_signals_as_a_shell_would_leave_them(api: RuntimeApi, start: Start) -> None:
    """Python ignores SIGPIPE and SIGXFSZ; what is ignored stays so through exec, and `yes | head` would complain."""
    ignored = "IGNORED=$(grep SigIgn /proc/self/status)"  # asked by a shell, since Python ignores them by itself
    start("--", "sh", "-c", f'{ignored}; export IGNORED; exec "{sys.executable}" command.py')

    plain = subprocess.run(["sh", "-c", "grep SigIgn /proc/self/status"], capture_output=True, text=True, check=True)
    assert json.loads(api.invoke(get("/")).json["body"])["IGNORED"].split() == plain.stdout.split()


def test_a_command_inherits_no_descriptors(api: RuntimeApi, start: Start) -> None:
    start(*COMMAND)

    assert json.loads(api.invoke(get("/")).json["body"])["descriptors"] == [0, 1, 2]


def test_what_an_app_prints_is_not_kept_back(api: RuntimeApi, start: Start, tmp_path: Path) -> None:
    folder = app_in(tmp_path, "print('from the app')\n\ndef app(environ, start_response):\n    pass\n")

    process = start("main:app", cwd=folder, PYTHONUNBUFFERED="")

    process.wait_for("from the app")
