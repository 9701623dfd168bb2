"""The command `invoke`, as a process: against a server that responds as Lambda's API does, and a real local run."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from support.processes import Running, plain_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    Response = tuple[int, dict[str, str], bytes]

PROGRAM = [sys.executable, "-m", "lambda_web_adapter"]
# Runs the program, and writes to stderr what it has imported.
MODULES = """
import atexit, sys
from lambda_web_adapter.cli import main
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
main()
"""
PATH = "/2015-03-31/functions/function/invocations"
ERROR = {"errorType": "ValueError", "errorMessage": "no such\norder", "stackTrace": []}
FUNCTION_ERROR: Response = (200, {"x-amz-function-error": "Unhandled"}, json.dumps(ERROR).encode())
APP = """
def app(environ, start_response):
    body = environ["wsgi.input"].read()
    is_wrong = b"wrong" in body
    start_response("500 Oops" if is_wrong else "200 OK", [("content-type", "application/json")])
    return [b"no" if is_wrong else body]
"""


class Api:
    """Lambda's API: what it was sent, and what it responds, the last of it again and again."""

    def __init__(self, url: str, responses: list[Response]) -> None:
        self.url = url
        self.responses = responses
        self.calls: list[tuple[str, Mapping[str, str], bytes]] = []

    def respond(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        self.calls.append((path, headers, body))
        return self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]


@contextmanager
def lambda_api(*responses: Response) -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # the name that http.server calls
            body = self.rfile.read(int(self.headers["content-length"]))
            lowered = {name.lower(): value for name, value in self.headers.items()}
            status, headers, payload = called.respond(self.path, lowered, body)
            self.send_response(status)
            for name, value in {"content-length": str(len(payload)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server has
            """The calls are recorded; nothing is written."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        called = Api(f"http://127.0.0.1:{server.server_port}", list(responses) or [(200, {}, b'{"ok":true}')])
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield called
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def api() -> Iterator[Api]:
    with lambda_api() as api:
        yield api


def invoke(url: str, *argv: str, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    environ = plain_environment({"LAMBDA_WEB_ADAPTER_URL": url})
    return subprocess.run([*PROGRAM, "invoke", *argv], input=stdin, capture_output=True, env=environ, cwd=cwd)


def test_a_file_is_sent_byte_for_byte_and_the_reply_is_printed(api: Api, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_bytes(b'{"n": 1.0, "n": 12345678901234567890.5}\n')

    result = invoke(api.url, "event.json", cwd=tmp_path)

    assert (result.returncode, result.stdout, result.stderr) == (0, b'{"ok":true}\n', b"")
    [(path, headers, body)] = api.calls
    assert (path, body) == (PATH, b'{"n": 1.0, "n": 12345678901234567890.5}\n')
    assert headers.keys().isdisjoint({"x-amz-invocation-type", "x-amz-log-type", "x-amz-client-context"})


def test_an_event_from_standard_input_gets_its_fields_set(api: Api) -> None:
    result = invoke(api.url, "-", "--set", "a.b=2", stdin=b'{"a": {"c": 1}}')

    assert result.returncode == 0
    assert json.loads(api.calls[0][2]) == {"a": {"c": 1, "b": 2}}


def test_a_url_on_the_command_line_is_used_before_the_variable(api: Api) -> None:
    result = invoke("http://127.0.0.1:1", "-", "--url", f"{api.url}/", stdin=b"{}")

    assert (result.returncode, api.calls[0][0]) == (0, PATH)


def test_each_sample_event_that_is_sent_is_another_one(api: Api) -> None:
    result = invoke(api.url, "--sample", "sqs", "--count", "2", "--set", "Records.0.body=hello", "--times", "3")

    events = [json.loads(body) for _, _, body in api.calls]
    assert result.stdout == b'{"ok":true}\n' * 3
    assert [[record["body"] for record in event["Records"]] for event in events] == [["hello", '{"order": 2}']] * 3
    assert len({event["Records"][0]["messageId"] for event in events}) == 3
    assert re.fullmatch(r"3 invocations: 3 ok, 0 failed, p50 \d+\.\d ms, p95 \d+\.\d ms\n", result.stderr.decode())


def test_each_sample_event_has_the_body_of_standard_input(api: Api) -> None:
    invoke(api.url, "--sample", "function-url", "--body", "@-", "--times", "3", stdin=b"hello")

    events = [json.loads(body) for _, _, body in api.calls]
    assert [(event["requestContext"]["http"]["method"], event.get("body")) for event in events] == [
        ("POST", "hello")
    ] * 3


def test_a_failed_invocation_is_shown_as_failed() -> None:
    with lambda_api(FUNCTION_ERROR) as api:
        result = invoke(api.url, "--sample", "sns")

    assert result.returncode == 1
    assert json.loads(result.stdout) == ERROR
    assert result.stderr == b"Failed: ValueError: no such order\n"


def test_one_failed_invocation_of_several_fails_the_command() -> None:
    with lambda_api((200, {}, b"1"), FUNCTION_ERROR, (200, {}, b"2")) as api:
        result = invoke(api.url, "-", "--times", "4", stdin=b"{}")

    assert result.returncode == 1
    assert result.stderr.decode().startswith("Failed: ValueError: no such order\n4 invocations: 3 ok, 1 failed, ")


@pytest.mark.parametrize(
    ("response", "message"),
    [
        pytest.param(
            (429, {"x-amzn-errortype": "TooManyRequestsException"}, b'{"Type":"User","message":"Rate Exceeded."}'),
            "Failed: 429 TooManyRequestsException: Rate Exceeded.\n",
            id="an error of the API",
        ),
        pytest.param(
            (413, {"x-amzn-errortype": "RequestTooLargeException:http://x"}, b'{"Message":"Too large"}'),
            "Failed: 413 RequestTooLargeException: Too large\n",
            id="an error with a capital in its message",
        ),
        pytest.param((403, {}, b"Host is not\nours."), "Failed: 403 Host is not ours.\n", id="text"),
        pytest.param((404, {}, b""), "Failed: 404 Not Found\n", id="nothing"),
    ],
)
def test_a_response_that_is_no_reply_of_the_function_is_an_error(response: Response, message: str) -> None:
    with lambda_api(response) as api:
        result = invoke(api.url, "-", stdin=b"{}")

    assert (result.returncode, result.stdout, result.stderr.decode()) == (1, b"", message)


def test_an_asynchronous_invocation_is_queued() -> None:
    with lambda_api((202, {}, b"")) as api:
        result = invoke(api.url, "--sample", "s3", "--async")

    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"Queued.\n")
    assert api.calls[0][1]["x-amz-invocation-type"] == "Event"


def test_the_end_of_the_log_is_printed_on_stderr() -> None:
    log = base64.b64encode("START\ngrün\nEND\n".encode()).decode()
    with lambda_api((200, {"x-amz-log-result": log}, b"1")) as api:
        result = invoke(api.url, "-", "--tail", stdin=b"{}")

    assert (result.stdout, result.stderr.decode()) == (b"1\n", "START\ngrün\nEND\n")
    assert api.calls[0][1]["x-amz-log-type"] == "Tail"


@pytest.mark.parametrize("is_file", [True, False])
def test_a_client_context_is_sent_as_base64(api: Api, tmp_path: Path, is_file: bool) -> None:
    context = '{"custom": {"user": "Jané"}}'
    (tmp_path / "context.json").write_text(context, encoding="utf-8")

    invoke(api.url, "-", "--client-context", "context.json" if is_file else context, stdin=b"{}", cwd=tmp_path)

    assert base64.b64decode(api.calls[0][1]["x-amz-client-context"]).decode() == context


@pytest.mark.parametrize(("times", "expected"), [("1", b"\x00\xff"), ("2", b"\x00\xff\n" * 2)])
def test_a_reply_is_written_to_a_file_as_it_is(tmp_path: Path, times: str, expected: bytes) -> None:
    with lambda_api((200, {}, b"\x00\xff")) as api:
        result = invoke(api.url, "-", "--output", "reply", "--times", times, stdin=b"{}", cwd=tmp_path)

    assert (result.returncode, result.stdout) == (0, b"")
    assert (tmp_path / "reply").read_bytes() == expected


def test_a_wrong_field_is_named_and_the_event_is_sent_anyway(api: Api) -> None:
    result = invoke(api.url, "--sample", "sqs", "--set", "Records.0.body=1")

    assert (result.returncode, len(api.calls)) == (0, 1)
    assert result.stderr.decode().splitlines()[0] == "Warning: Records.0.body: Input should be a valid string"


def test_an_event_with_a_wrong_field_is_not_sent_if_that_is_strict(api: Api) -> None:
    result = invoke(api.url, "--strict", "--sample", "sqs", "--count", "30", "--set", "Records.0.body=1")

    assert (result.returncode, api.calls) == (2, [])
    assert "  Records.0.body: Input should be a valid string\n" in result.stderr.decode()


def test_many_wrong_fields_are_counted(api: Api, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text(json.dumps({"Records": [{"eventSource": "aws:sqs", "body": ""}] * 25}))

    lines = invoke(api.url, "event.json", cwd=tmp_path).stderr.decode().splitlines()

    assert lines[9:11] == ["Warning: Records.9.messageId: Field required", "Warning: and 15 more"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        pytest.param(["-"], "Standard input is not JSON: line 1, column 2: Expecting", id="no JSON"),
        pytest.param([], "Name a file with an event, - for standard input, or a sample event", id="no event"),
        pytest.param(["-", "--sample", "sqs"], "Name a file with an event", id="two events"),
        pytest.param(["--sample", "sqz"], "Did you mean sqs?", id="a misspelled sample"),
        pytest.param(["-", "--path", "/"], "Only a sample event is made from", id="a path of a file"),
        pytest.param(["--sample", "sqs", "--async", "--tail"], "leave one of them out", id="a log nobody waits for"),
        pytest.param(["--sample", "sqs", "--client-context", "{1"], "The client context is not JSON", id="no context"),
        pytest.param(["--sample", "sqs", "--client-context", "nothing"], "nothing cannot be read", id="no file"),
        pytest.param(
            ["--sample", "sqs", "--client-context", json.dumps({"a": "x" * 3000})],
            "has 4012 bytes as base64, but Lambda takes 3583",
            id="a long context",
        ),
        pytest.param(["--sample", "sqs", "--output", "no/file"], "no/file cannot be written", id="no folder"),
    ],
)
def test_wrong_arguments_are_explained_and_nothing_is_sent(
    api: Api, argv: list[str], message: str, tmp_path: Path
) -> None:
    result = invoke(api.url, *argv, stdin=b"{x", cwd=tmp_path)

    assert (result.returncode, result.stdout, api.calls) == (2, b"", [])
    assert message in result.stderr.decode()


@pytest.mark.parametrize(
    ("url", "argv", "message"),
    [
        pytest.param("http://127.0.0.1:1", ["--sample", "sqs"], "Cannot connect to http://127.0.0.1:1", id="nobody"),
        pytest.param("localhost", ["--sample", "sqs"], "There is no response from localhost", id="no scheme"),
        pytest.param(
            "http://127.0.0.1:x", ["--sample", "sqs"], "There is no response from http://127.0.0.1:x", id="no URL"
        ),
        pytest.param("", ["event.json"], "event.json cannot be read: No such file or directory.", id="no file"),
        pytest.param("", ["sqs"], "Did you mean --sample sqs?", id="a sample for a file"),
    ],
)
def test_it_says_when_nobody_is_there(url: str, argv: list[str], message: str, tmp_path: Path) -> None:
    result = invoke(url, *argv, cwd=tmp_path)

    assert (result.returncode, result.stdout) == (3, b"")
    assert message in result.stderr.decode()


def test_a_terminal_shows_json_indented_and_a_failure_in_red() -> None:
    with lambda_api(FUNCTION_ERROR) as api:
        text = in_terminal([*PROGRAM, "invoke", "--url", api.url, "--sample", "sqs"])

    assert '{\r\n  "errorType": "ValueError",\r\n' in text
    assert "\x1b[31mFailed: ValueError: no such order\x1b[0m" in text


def test_a_terminal_has_no_colour_if_one_wants_none() -> None:
    with lambda_api(FUNCTION_ERROR) as api:
        text = in_terminal([*PROGRAM, "invoke", "--url", api.url, "--sample", "sqs"], {"NO_COLOR": "1"})

    assert "\r\nFailed: ValueError: no such order\r\n" in text


def in_terminal(command: list[str], variables: Mapping[str, str] | None = None) -> str:
    """What a command writes to a terminal."""
    leader, follower = pty.openpty()
    environ = plain_environment({"NO_COLOR": "", **(variables or {})})
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=environ):
        os.close(follower)
        text = b""
        try:
            while data := os.read(leader, 65536):
                text += data
        except OSError:  # how Linux says that nobody has the other end any more
            pass
        os.close(leader)
    return text.decode()


def test_help_imports_neither_pydantic_nor_httpx() -> None:
    """They would take longer than all else."""
    result = subprocess.run(
        [sys.executable, "-c", MODULES, "invoke", "--help"], capture_output=True, text=True, env=plain_environment()
    )

    assert "Exit codes:" in result.stdout
    assert "lambda_web_adapter.local.commands.invoke" in result.stderr.split()
    assert {"httpx", "pydantic", "uvicorn"}.isdisjoint(result.stderr.split())


@pytest.fixture(scope="module")
def local_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    (folder / "main.py").write_text(APP)
    with Running([*PROGRAM, "main:app", "--port", "0"], cwd=folder, env=plain_environment()) as run:
        yield run.wait_for(r"http://127\.0\.0\.1:\d+")[0]


def test_a_local_run_takes_a_sample_event(local_run: str) -> None:
    result = invoke(local_run, "--sample", "sqs", "--set", "Records.0.body=hello")

    assert result.returncode == 0
    assert json.loads(result.stdout)["Records"][0]["body"] == "hello"


def test_a_local_run_over_tls_takes_a_sample_event(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(APP)
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    options = ["--port", "0", "--tls"]
    with Running([*PROGRAM, "main:app", *options], cwd=tmp_path, env=plain_environment(cache)) as run:
        url = run.wait_for(r"https://127\.0\.0\.1:\d+")[0]
        trusting, other = (
            subprocess.run([*PROGRAM, "invoke", "--sample", "sqs", "--url", url], capture_output=True, env=environ)
            for environ in (plain_environment(cache), plain_environment({"XDG_CACHE_HOME": str(tmp_path / "other")}))
        )

    assert (trusting.returncode, trusting.stderr) == (0, b"")
    assert (other.returncode, b"CERTIFICATE_VERIFY_FAILED" in other.stderr) == (3, True)


def test_a_local_run_takes_an_http_request(local_run: str) -> None:
    result = invoke(local_run, "--sample", "rest-api", "--body", "hi")

    reply: dict[str, Any] = json.loads(result.stdout)
    assert (result.returncode, reply["statusCode"], reply["body"]) == (0, 200, "hi")


def test_a_local_run_fails_an_event_that_the_app_rejects(local_run: str) -> None:
    result = invoke(local_run, "--sample", "sqs", "--set", "Records.0.body=wrong", "--times", "2")

    assert result.returncode == 1
    assert "Failed: Function.AppRejectedEvent: The app responded to POST /events with status 500" in (
        result.stderr.decode()
    )
    assert "2 invocations: 0 ok, 2 failed, " in result.stderr.decode()
