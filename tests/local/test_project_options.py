"""Where options come from: the arguments, variables, `.env`, pyproject.toml, and in which order they count."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import httpx
import pytest
from support.processes import Running, free_port, plain_environment

from lambda_web_adapter.errors import SettingsError
from lambda_web_adapter.local.commands.help_sections import SectionOption
from lambda_web_adapter.local.commands.run import command as run_command
from lambda_web_adapter.local.project_options import options_from_pyproject, read_env_file
from lambda_web_adapter.testing.runtime_api import RuntimeApi

PROGRAM = [sys.executable, "-m", "lambda_web_adapter"]
APP = """
import os


def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [os.environ.get(environ["PATH_INFO"].strip("/"), "unset").encode()]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(APP)
    return tmp_path


def table(folder: Path, text: str) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(f"[tool.lambda-web-adapter]\n{text}\n")
    return path


# The places in the order of their precedence.
PLACES = ("argument", "variable", ".env", "pyproject.toml", "default")


def timeout_with(folder: Path, places: tuple[str, ...]) -> str:
    """Return the timeout that the app's environment has, with a different one set in each of the places."""
    arguments, variables = ["--port", "0", "main:app"], {}
    if "argument" in places:
        arguments += ["--timeout", "11"]
    if "variable" in places:
        variables["LAMBDA_WEB_ADAPTER_TIMEOUT"] = "12"
    if ".env" in places:
        (folder / ".env").write_text("LAMBDA_WEB_ADAPTER_TIMEOUT=13\n")
    if "pyproject.toml" in places:
        table(folder, "timeout = 14")
    with Running([*PROGRAM, *arguments], cwd=folder, env=plain_environment(variables)) as run:
        url = run.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        return httpx.get(f"{url}/AWS_LAMBDA_FUNCTION_TIMEOUT", trust_env=False, timeout=30).text


@pytest.mark.parametrize(("first", "timeout"), [(0, "11"), (1, "12"), (2, "13"), (3, "14"), (4, "30")])
def test_the_first_place_counts(first: int, timeout: str, folder: Path) -> None:
    assert timeout_with(folder, PLACES[first:]) == timeout


def test_every_option_has_a_variable_of_its_name() -> None:
    options = [each for each in run_command.params if isinstance(each, click.Option)]

    names = {option.opts[0].strip("-").upper().replace("-", "_"): option.envvar for option in options}

    assert {name: variables[0] for name, variables in names.items() if variables} == {
        name: f"LAMBDA_WEB_ADAPTER_{name}" for name in names
    }


def test_a_variable_of_its_name_comes_before_others() -> None:
    option = SectionOption(["--port"], envvar=["PORT", "LAMBDA_WEB_ADAPTER_PORT"])

    assert option.envvar == ["LAMBDA_WEB_ADAPTER_PORT", "PORT"]


def test_port_in_the_environment_is_that_of_the_run(folder: Path) -> None:
    port = free_port()
    with Running([*PROGRAM, "main:app"], cwd=folder, env=plain_environment({"PORT": port})) as run:
        url = run.wait_for(rf"http://127\.0\.0\.1:{port}\b")[0]
        assert httpx.get(f"{url}/PORT", trust_env=False, timeout=30).text != port


def test_port_in_the_env_file_is_that_of_the_run_and_others_are_the_app_s(folder: Path) -> None:
    port = free_port()
    (folder / ".env").write_text(f"PORT={port}\nCOLOUR='deep blue'\nBOTH=file\n")
    with Running([*PROGRAM, "main:app"], cwd=folder, env=plain_environment({"BOTH": "environment"})) as run:
        url = run.wait_for(rf"http://127\.0\.0\.1:{port}\b")[0]

        assert httpx.get(f"{url}/COLOUR", trust_env=False, timeout=30).text == "deep blue"
        assert httpx.get(f"{url}/BOTH", trust_env=False, timeout=30).text == "environment"
        assert httpx.get(f"{url}/PORT", trust_env=False, timeout=30).text != port


def test_an_argument_overrides_port_in_the_environment(folder: Path) -> None:
    port, other = free_port(), free_port()
    with Running([*PROGRAM, "main:app", "--port", port], cwd=folder, env=plain_environment({"PORT": other})) as run:
        run.wait_for(rf"http://127\.0\.0\.1:{port}\b")


def test_the_app_s_name_may_be_in_the_table(folder: Path) -> None:
    (folder / "main.py").rename(folder / "other_name.py")
    table(folder, 'app = "other_name:app"\nport = 0')
    with Running(PROGRAM, cwd=folder) as run:
        url = run.wait_for(r"Serving other_name:app on (http://127\.0\.0\.1:\d+)")[1]
        assert httpx.get(f"{url}/HOME_OF_NOBODY", trust_env=False, timeout=30).text == "unset"


@pytest.mark.parametrize("command", ["run", "serve"])
def test_an_external_command_takes_the_place_of_the_app_in_the_table(command: str, folder: Path) -> None:
    table(folder, 'app = "main:app"\nport = 0')
    with Running([*PROGRAM, command, "--", "sh", "-c", "echo executed; read line"], cwd=folder) as run:
        run.wait_for("(?m)^executed$")


def test_any_port_of_the_run_in_the_table_is_any_port_of_its_logs(folder: Path) -> None:
    table(folder, "port = 0")
    with Running([*PROGRAM, "logs"], cwd=folder, env=plain_environment({"XDG_RUNTIME_DIR": str(folder)})) as run:
        assert run.wait() == 3
        assert "There is no local run of yours" in run.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"NAME=J\xe9r\xf4me\n", "cannot be read: 'utf-8' codec can't decode", id="not UTF-8"),
        pytest.param(b"NAME=a\0b\n", "has 'NAME', but no variable has", id="a NUL"),
        pytest.param(b"'A=B'=1\n", "has 'A=B', but no variable has an equals sign in its name", id="an equals sign"),
    ],
)
def test_an_env_file_that_is_not_valid_is_named(content: bytes, message: str, folder: Path) -> None:
    (folder / ".env").write_bytes(content)
    with Running([*PROGRAM, "main:app"], cwd=folder) as run:
        assert run.wait() == 2
        assert f"lambda-web-adapter: .env {message}" in run.text
        assert "Traceback" not in run.text


def test_the_table_s_keys_are_the_options_names(tmp_path: Path) -> None:
    path = table(tmp_path, 'event-source = "alb"\nlog = "lambda"\nfreeze = false\nidle = 1.5\nwarm = ["x"]')

    assert options_from_pyproject(path, run_command.params) == {
        "event_source": "alb",
        "log_style": "lambda",
        "freeze": False,
        "idle": 1.5,
    }


@pytest.mark.parametrize("text", ["", "[project]\nname = 'x'\n", "[tool]\nother = 1\n", "tool = 1\n"])
def test_projects_without_the_table_have_no_options(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)

    assert options_from_pyproject(tmp_path / "pyproject.toml", run_command.params) == {}


def test_a_folder_without_the_file_has_no_options(tmp_path: Path) -> None:
    assert options_from_pyproject(tmp_path / "pyproject.toml", run_command.params) == {}
    assert read_env_file(tmp_path / ".env", {}) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("prot = 1", r"has prot, which is no option\. Did you mean port\?", id="an unknown key"),
        pytest.param("xyz = 1", r"has xyz, which is no option\. It takes: app, ", id="a key like no other"),
        pytest.param("event_source = 'alb'", r"Did you mean event-source\?", id="a key with an underscore"),
        pytest.param("port = true", "has port = true, but it takes a number or a text", id="a bool"),
        pytest.param("port = [1]", r"has port = \[1\], but it takes a number or a text", id="a list"),
        pytest.param("port = 70000", "port = 70000: 70000 is not in the range", id="out of range"),
        pytest.param("port = 'x'", "port = 'x': 'x' is not a valid integer", id="no number"),
        pytest.param("plain = 1", "plain = 1, but it takes true or false", id="a number for a flag"),
        pytest.param("plain = 'yes'", "plain = 'yes', but it takes true or false", id="a text for a flag"),
        pytest.param("event-source = 'albs'", "event-source = 'albs': 'albs' is not one of", id="no such value"),
    ],
)
def test_a_wrong_table_is_an_error(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=message):
        options_from_pyproject(table(tmp_path, text), run_command.params)


def test_an_option_that_may_be_repeated_takes_a_list(tmp_path: Path) -> None:
    option = SectionOption(["--listen"], multiple=True, type=int)

    assert options_from_pyproject(table(tmp_path, "listen = [1, 2]"), [option]) == {"listen": [1, 2]}
    with pytest.raises(SettingsError, match="listen = 1, but it takes a list"):
        options_from_pyproject(table(tmp_path, "listen = 1"), [option])
    with pytest.raises(SettingsError, match="'x' is not a valid integer"):
        options_from_pyproject(table(tmp_path, "listen = [1, 'x']"), [option])


@pytest.mark.parametrize("text", ["[tool", "[tool]\nlambda-web-adapter = 1\n"], ids=["no TOML", "no table"])
def test_a_file_that_is_not_valid_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)

    with pytest.raises(SettingsError, match=r"pyproject\.toml"):
        options_from_pyproject(tmp_path / "pyproject.toml", run_command.params)


@pytest.mark.parametrize("command", ["run", "serve", "logs"])
def test_an_error_in_the_table_is_a_line_and_an_exit_code(command: str, tmp_path: Path) -> None:
    table(tmp_path, "prot = 1")
    with Running([*PROGRAM, command], cwd=tmp_path) as run:
        assert run.wait() == 2
        assert run.text.startswith("lambda-web-adapter: [tool.lambda-web-adapter] of pyproject.toml has prot")


def test_commands_without_such_options_do_not_read_the_table(tmp_path: Path) -> None:
    table(tmp_path, "prot = 1")
    with Running([*PROGRAM, "completion", "bash"], cwd=tmp_path) as run:
        assert run.wait() == 0


def test_on_lambda_none_of_it_is_read(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool")
    (folder / ".env").write_text("COLOUR=blue\nAWS_LWA_APP=nothing:app\n")
    with RuntimeApi() as runtime:
        variables = plain_environment({"AWS_LAMBDA_RUNTIME_API": runtime.address, "_HANDLER": "main:app"})
        with Running(PROGRAM, cwd=folder, env=variables, at_end=runtime.set_runtime_ended):
            event = {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/COLOUR"}
            assert runtime.invoke(event).json["body"] == "unset"
