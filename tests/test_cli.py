"""What the words and the environment make the program do."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import httpx
import pytest
from support.processes import BOOTSTRAP, Running, accepts, free_addresses, plain_environment, wait_until

from lambda_web_adapter import __version__
from lambda_web_adapter.cli import find_target
from lambda_web_adapter.errors import AppNotFound, SettingsError
from lambda_web_adapter.testing.runtime_api import RuntimeApi

MODULE = [sys.executable, "-m", "lambda_web_adapter"]
SCRIPT = [str(Path(sys.executable).with_name("lambda-web-adapter"))]
FILE = [str(BOOTSTRAP)]

# What a WSGI app needs on Lambda, besides the standard library.
PACKAGES = ("lambda_web_adapter", "httptools", "orjson")

WSGI_APP = """
def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [("%s %s" % (environ["REMOTE_ADDR"], environ["PATH_INFO"])).encode()]
"""
SERVER = """
import os, http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = f"command {self.path}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an app, a script that can be run, and one that cannot."""
    (tmp_path / "main.py").write_text(WSGI_APP)
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "run.sh").write_text(f"#!/bin/sh\nexec {sys.executable} server.py\n")
    (tmp_path / "run.sh").chmod(0o755)
    (tmp_path / "forgotten.sh").write_text("#!/bin/sh\n")
    (tmp_path / "bootstrap").write_text("#!/bin/sh\n")
    (tmp_path / "bootstrap").chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "variables", "app", "command"),
    [
        pytest.param(["main:app"], {}, "main:app", [], id="the word"),
        pytest.param(["main:app"], {"AWS_LWA_APP": "other:app"}, "main:app", [], id="the word before the variable"),
        pytest.param([], {"AWS_LWA_APP": "a:b", "_HANDLER": "c:d"}, "a:b", [], id="the variable before the handler"),
        pytest.param([], {"_HANDLER": "main:app"}, "main:app", [], id="a handler with a colon"),
        pytest.param([], {"_HANDLER": "main.app"}, "main.app", [], id="a handler with a dot"),
        pytest.param([], {"_HANDLER": "bootstrap"}, "", [], id="a handler that is our own file"),
        pytest.param([], {"_HANDLER": "anything"}, "", [], id="a handler that names nothing"),
        pytest.param([], {}, "", [], id="nothing"),
        pytest.param(["--", "node", "server.js"], {"AWS_LWA_APP": "a:b"}, "a:b", ["node", "server.js"], id="a command"),
        pytest.param(["--port", "1", "main:app"], {}, "main:app", [], id="options of the local run"),
        pytest.param(["main.py"], {}, "main.py", [], id="a Python file"),
        pytest.param(['main:create_app("dev")'], {}, 'main:create_app("dev")', [], id="a factory with arguments"),
        pytest.param(["--", "x", "--", "y"], {}, "", ["x", "--", "y"], id="a command with dashes of its own"),
    ],
)
def test_what_is_run_follows_from_words_then_variables(
    folder: Path, words: list[str], variables: dict[str, str], app: str, command: list[str]
) -> None:
    settings, found = find_target(words, {"LAMBDA_TASK_ROOT": str(folder), **variables})

    assert (settings.app, found) == (app, command)


@pytest.mark.parametrize("words", [pytest.param(["run.sh"], id="word"), pytest.param([], id="handler")])
def test_a_file_that_can_be_executed_is_a_command(folder: Path, words: list[str]) -> None:
    _, command = find_target(words, {"LAMBDA_TASK_ROOT": str(folder), "_HANDLER": "run.sh"})

    assert command == [str(folder / "run.sh")]


@pytest.mark.parametrize(
    "options", [["--app-dir", "src"], ["--app-dir=src"], ["--strict", "--app-dir", "src", "--port=1"]]
)
def test_the_app_s_folder_counts_on_lambda_too(folder: Path, options: list[str]) -> None:
    settings, _ = find_target([*options, "main:app"], {"LAMBDA_TASK_ROOT": str(folder), "AWS_LWA_APP_DIR": "other"})

    assert (settings.app, settings.app_dir) == ("main:app", "src")


def test_a_file_that_cannot_be_executed_is_an_error_that_says_how_to_mend_it(folder: Path) -> None:
    with pytest.raises(AppNotFound, match=r"chmod \+x forgotten\.sh"):
        find_target([], {"LAMBDA_TASK_ROOT": str(folder), "_HANDLER": "forgotten.sh"})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["--"], "There is no command after --", id="no command"),
        pytest.param(["a:b", "c:d"], "Only one app can be named, but there are 2", id="two apps"),
    ],
)
def test_words_that_make_no_sense_are_an_error(words: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        find_target(words, {})


@pytest.mark.parametrize("program", [pytest.param(p, id=p[-1].rpartition("/")[2]) for p in (MODULE, SCRIPT, FILE)])
def test_all_ways_to_call_it_are_the_same_program(folder: Path, program: list[str]) -> None:
    with Running([*program, "main:app", "--port", "0"], cwd=folder, env=plain_environment()) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]

        assert httpx.get(f"{url}/hello", trust_env=False).text == "127.0.0.1 /hello"
        assert run.terminate() == 0


def test_a_command_is_run_locally_too(folder: Path) -> None:
    words = ["--port", "0", "--", sys.executable, "server.py"]
    with Running([*MODULE, *words], cwd=folder, env=plain_environment()) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]

        assert httpx.get(f"{url}/x?y=1", trust_env=False).text == "command /x?y=1"
        assert run.terminate() == 0


def test_with_an_endpoint_instead_of_a_runtime_api_it_just_serves(folder: Path) -> None:
    (address,) = free_addresses(1)
    environment = plain_environment({"AWS_LAMBDA_HTTP_ENDPOINT": address})
    with Running([*MODULE, "main:app"], cwd=folder, env=environment) as run:
        wait_until(lambda: accepts(address), "the server listens")

        assert httpx.get(f"http://{address}/plain", trust_env=False).text == "127.0.0.1 /plain"
        assert run.terminate() == 0


def test_with_an_endpoint_a_command_gets_its_port(folder: Path) -> None:
    (address,) = free_addresses(1)
    environment = plain_environment({"AWS_LAMBDA_HTTP_ENDPOINT": address})
    with Running([*MODULE, "--", sys.executable, "server.py"], cwd=folder, env=environment) as run:
        wait_until(lambda: accepts(address), "the command listens")

        assert httpx.get(f"http://{address}/x", trust_env=False).text == "command /x"
        run.terminate()


def test_an_endpoint_that_makes_no_sense_is_refused(folder: Path) -> None:
    environment = plain_environment({"AWS_LAMBDA_HTTP_ENDPOINT": "nowhere"})
    with Running([*MODULE, "main:app"], cwd=folder, env=environment) as run:
        assert run.wait() == 2
        assert "AWS_LAMBDA_HTTP_ENDPOINT" in run.text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        pytest.param(["--version"], 0, __version__, id="version"),
        pytest.param(["--help"], 0, "lambda-web-adapter invoke event.json", id="help"),
        pytest.param(["--port", "no"], 2, "'no' is not a valid integer", id="a port that is none"),
        pytest.param(["a:b", "c:d"], 2, "put -- before it: lambda-web-adapter -- a:b c:d", id="two apps"),
        pytest.param(["--"], 2, "There is no command after --", id="no command"),
        pytest.param(["run.sh"], 2, "chmod +x run.sh", id="a file"),
    ],
)
def test_words_are_answered_before_anything_is_served(
    tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    (tmp_path / "run.sh").write_text("")
    with Running([*MODULE, *words], cwd=tmp_path, env=plain_environment()) as run:
        assert run.wait() == code
        assert message in run.text


def test_a_wrong_setting_is_answered_before_anything_is_served(tmp_path: Path) -> None:
    environment = plain_environment({"AWS_LWA_PORT": "http"})
    with Running([*MODULE, "main:app", "--port", "0"], cwd=tmp_path, env=environment) as run:
        assert run.wait() == 2
        assert "AWS_LWA_PORT is 'http', but it takes a port number from 1 to 65535." in run.text


def test_a_port_that_is_taken_is_named(folder: Path) -> None:
    with Running([*MODULE, "main:app", "--port", "0"], cwd=folder, env=plain_environment()) as first:
        port = first.wait_for(r"http://127\.0\.0\.1:(\d+)")[1]
        with Running([*MODULE, "main:app", "--port", port], cwd=folder, env=plain_environment()) as second:
            assert second.wait() == 2
            assert f"Port {port} of 127.0.0.1 is taken" in second.text


def test_the_file_finds_packages_that_lie_beside_it(folder: Path) -> None:
    """As in a zip: nothing is installed in the interpreter, and no `bin` is in the path."""
    (folder / "package").mkdir()
    (folder / "package" / "bootstrap").write_bytes(BOOTSTRAP.read_bytes())
    for name in PACKAGES:
        found = Path(str(importlib.util.find_spec(name).origin))  # type: ignore[union-attr]  # they are installed
        (folder / "package" / name).symlink_to(found.parent)
    (folder / "package" / "main.py").write_text(WSGI_APP)
    program = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"

    with RuntimeApi() as runtime:
        variables = {"PATH": os.defpath, "AWS_LAMBDA_RUNTIME_API": runtime.address, "_HANDLER": "main:app"}
        command = [sys.executable, "-S", "-c", program, str(folder / "package" / "bootstrap")]
        with Running(command, cwd=folder / "package", env=variables, at_end=runtime.set_runtime_ended):
            answer = runtime.invoke({"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/zip"})

    assert answer.json["body"] == "127.0.0.1 /zip"


@pytest.mark.parametrize("name", ["nosuchcommand", "./plain"])
def test_a_command_that_cannot_be_executed_is_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("not a program")
    environment = plain_environment({"AWS_LAMBDA_HTTP_ENDPOINT": "127.0.0.1:1"})

    with Running([*MODULE, "--", name], cwd=tmp_path, env=environment) as run:
        assert run.wait() == 127
        assert run.text.startswith(f"lambda-web-adapter: {name} cannot be executed: ")
        assert run.text.count("\n") == 1
