"""The command line: its help, misspelled commands, exit codes, and what it imports."""

from __future__ import annotations

import importlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from support.processes import Running, plain_environment

from lambda_web_adapter.cli import find_target
from lambda_web_adapter.local.commands import COMMANDS, group, main
from lambda_web_adapter.local.commands.run import command as run_command
from lambda_web_adapter.local.commands.serve import command as serve_command
from lambda_web_adapter.local.option_names import FLAGS, WITH_VALUE
from lambda_web_adapter.testing.runtime_api import RuntimeApi

PROGRAM = [sys.executable, "-m", "lambda_web_adapter"]


def help_of(*words: str, columns: int = 80) -> str:
    environment = plain_environment({"COLUMNS": str(columns)})
    command = [*PROGRAM, *words, "--help"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True).stdout


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)], ids=lambda words: " ".join(words) or "none")
def test_help_fits_the_terminal(words: list[str], columns: int) -> None:
    text = help_of(*words, columns=columns)

    assert [line for line in text.splitlines() if len(line) > columns] == []
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_help_lists_each_command_with_a_line() -> None:
    text = help_of(columns=120)

    for name, line in COMMANDS.items():
        assert f"  {name} " in text
        assert line in text


def test_each_command_has_a_module_with_that_command() -> None:
    modules = {name: importlib.import_module(f"lambda_web_adapter.local.commands.{name}") for name in COMMANDS}

    assert [name for name, module in modules.items() if not isinstance(module.command, click.Command)] == []


def test_each_option_of_each_command_has_a_text() -> None:
    wrong = [
        f"{name} {option.opts[0]}"
        for name in COMMANDS
        for option in importlib.import_module(f"lambda_web_adapter.local.commands.{name}").command.params
        if isinstance(option, click.Option) and not option.help
    ]

    assert wrong == []


def test_help_of_run_has_its_sections_in_order() -> None:
    text = help_of("run")
    sections = ["\nServer:\n", "\nGateway:\n", "\nLambda:\n", "\nLog:\n", "\nOther:\n", "Examples:\n"]

    positions = [text.index(section) for section in sections]

    assert positions == sorted(positions)


def imported_by(*words: str) -> set[str]:
    program = f"import sys; sys.argv = {['lambda-web-adapter', *words]!r}\n"
    program += "from lambda_web_adapter.cli import main\ntry:\n    main()\nfinally:\n    print('|', *sys.modules)"
    command = [sys.executable, "-c", program]
    output = subprocess.run(
        command, cwd="/", env=plain_environment(), capture_output=True, text=True, timeout=30, check=False
    )
    return set(output.stdout.rpartition("|")[2].split())


@pytest.mark.parametrize(
    "words",
    [["--help"], ["run", "--help"], ["serve", "--help"], ["logs", "--help"], ["replay", "--help"], ["--version"]],
)
def test_help_imports_nothing_that_takes_long(words: list[str]) -> None:
    slow = {
        "httpx",
        "uvicorn",
        "pydantic",
        "starlette",
        "asyncio",
        "psutil",
        "orjson",
        "dotenv",
        "tomllib",
        "websockets",
    }

    imported = imported_by(*words)

    assert "click" in imported
    assert imported & slow == set()


def test_a_command_imports_no_other_command() -> None:
    commands = {f"lambda_web_adapter.local.commands.{name}" for name in COMMANDS}

    assert imported_by("--help") & commands == set()
    assert imported_by("completion", "--help") & commands == {"lambda_web_adapter.local.commands.completion"}


@pytest.mark.parametrize(
    ("word", "command"),
    [("invok", "invoke"), ("inovke", "invoke"), ("log", "logs"), ("compil", "compile"), ("server", "serve")],
)
@pytest.mark.parametrize("rest", [[], ["event.json"], ["--port", "0"]], ids=["alone", "a file", "an option"])
def test_a_misspelled_command_is_named(word: str, command: str, rest: list[str], tmp_path: Path) -> None:
    with Running([*PROGRAM, word, *rest], cwd=tmp_path) as run:
        assert run.wait() == 2
        assert f"There is no command {word}, and no app of that name. Did you mean {command}?" in run.text


@pytest.mark.parametrize("path", ["invok.py", "invok/__init__.py", "src/invok.py", "invok"])
def test_an_app_of_nearly_a_command_s_name_is_served(path: str, tmp_path: Path) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\nexit 9\n" if path == "invok" else "app = print\n")
    file.chmod(0o755)
    with Running([*PROGRAM, "invok", "--port", "0"], cwd=tmp_path) as run:
        run.wait_for("Serving invok on http")
        run.terminate()


def test_an_app_in_another_folder_may_have_nearly_a_command_s_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "invok.py").write_text("app = print\n")
    with Running([*PROGRAM, "invok", "--app-dir", "deep", "--port", "0"], cwd=tmp_path) as run:
        run.wait_for("Serving invok on http")
        run.terminate()


@pytest.mark.parametrize("word", ["main:app", "invok:app", "server.app", "x", "./log"])
def test_names_that_are_no_misspelled_commands_go_to_run(word: str, tmp_path: Path) -> None:
    with Running([*PROGRAM, word, "--port", "99999"], cwd=tmp_path) as run:
        assert run.wait() == 2
        assert "Did you mean" not in run.text
        assert "99999 is not in the range" in run.text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--prot", "1"], "Did you mean .*--port"),
        (["--evnt-source", "alb"], "Did you mean '?--event-source'?"),
        (["logs", "--folow"], "Did you mean '?--follow'?"),
    ],
)
def test_a_misspelled_option_is_named(words: list[str], message: str, tmp_path: Path) -> None:
    with Running([*PROGRAM, *words], cwd=tmp_path) as run:
        assert run.wait() == 2
        assert re.search(message, run.text)  # click's versions differ in the quotes


def test_an_app_and_a_command_are_too_much(tmp_path: Path) -> None:
    for words in (["main:app"], ["serve", "main:app"]):
        with Running([*PROGRAM, *words, "--", "node"], cwd=tmp_path) as run:
            assert run.wait() == 2
            assert "Name the app main:app or a command after --, not both." in run.text


def test_ctrl_c_during_a_command_is_130(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    with Running([*PROGRAM, "serve", "main:app", "--port", "0"], cwd=tmp_path) as run:
        run.wait_for("importing")
        os.kill(run.pid, signal.SIGINT)

        assert run.wait() == 130
        assert "Traceback" not in run.text


def test_an_exit_code_of_a_command_is_that_of_the_program() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"], lambda argv, environ: None)

    assert ended.value.code == 0
    assert CliRunner().invoke(group, ["completion", "nothing"]).exit_code == 2


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("run", "serve")])
def test_other_commands_reject_an_external_command(name: str) -> None:
    result = CliRunner().invoke(group, [name, "--", "node", "server.js"])

    assert result.exit_code == 2
    assert f"{name} runs no external command: leave out `-- node server.js`." in result.output


def test_on_lambda_the_options_are_those_of_run_and_serve() -> None:
    """Lambda's start skips options without importing click, so it has to know which ones have no value."""
    options = [each for each in (*run_command.params, *serve_command.params) if isinstance(each, click.Option)]
    flags = {name for option in options if option.is_flag for name in (*option.opts, *option.secondary_opts)}

    assert flags | {"--help", "--version"} == FLAGS
    assert {name for option in options if not option.is_flag for name in option.opts} == WITH_VALUE


@pytest.mark.parametrize("command", ["run", "serve"])
@pytest.mark.parametrize("options", [[], ["--port", "80"], ["--port=80"], ["--plain"], ["--proxy-headers"]])
def test_on_lambda_a_leading_run_or_serve_means_nothing(command: str, options: list[str]) -> None:
    settings, _ = find_target([command, *options, "main:app"], {})

    assert settings.app == "main:app"


def test_on_lambda_an_external_command_of_serve_is_the_command() -> None:
    _, external = find_target(["serve", "--port", "80", "--", "node", "server.js"], {})

    assert external == ["node", "server.js"]


@pytest.mark.parametrize("name", ["run", "serve"])
def test_on_lambda_an_app_may_have_the_name_of_a_command(name: str) -> None:
    settings, _ = find_target([name], {})

    assert settings.app == name


def test_the_program_of_a_container_runs_on_lambda_as_well(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('content-type', 'text/plain')])\n"
        "    return [b'the same image']\n"
    )
    with RuntimeApi() as runtime:
        variables = plain_environment({"AWS_LAMBDA_RUNTIME_API": runtime.address})
        words = ["serve", "--port", "80", "--access-log", "main:app"]
        with Running([*PROGRAM, *words], cwd=tmp_path, env=variables, at_end=runtime.set_runtime_ended):
            event = {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/"}
            assert runtime.invoke(event).json["body"] == "the same image"
