"""Completion: what a real bash offers, and that the scripts of the other shells call the program as they should."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.processes import SECONDS, plain_environment

from lambda_web_adapter.local.commands import COMMANDS
from lambda_web_adapter.local.event_sources import EVENT_SOURCES, WEBSOCKET

PROGRAM = str(Path(sys.executable).with_name("lambda-web-adapter"))


def complete(*words: str) -> list[str]:
    """Return what bash offers for the last word of a line, as its own function for completion sees the line."""
    script = (
        'eval "$(lambda-web-adapter completion bash)"; compopt() { echo "compopt $*"; }; '
        'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        '_lambda_web_adapter_completion lambda-web-adapter; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "--norc", "-c", script, "bash", "lambda-web-adapter", *words]
    result = subprocess.run(
        command, env=plain_environment(), capture_output=True, text=True, timeout=SECONDS, check=True
    )
    assert result.stderr == ""
    return result.stdout.split()


def test_the_first_word_is_a_command() -> None:
    assert complete("") == list(COMMANDS)
    assert complete("comp") == ["compile", "completion"]


@pytest.mark.parametrize("words", [[], ["run"], ["main:app"], ["run", "--port", "9000", "main:app"]])
def test_options_of_run_are_completed_with_and_without_its_name(words: list[str]) -> None:
    assert complete(*words, "--ev") == ["--event-source"]


def test_a_name_with_a_colon_which_bash_takes_apart_is_no_obstacle() -> None:
    assert complete("main", ":", "app", "--ti") == ["--timeout"]


def test_options_of_the_program_are_completed_too() -> None:
    assert complete("--ver") == ["--version"]
    assert complete("--he") == ["--help"]


def test_values_of_an_option_are_completed() -> None:
    assert complete("--event-source", "") == [*EVENT_SOURCES, WEBSOCKET]
    assert complete("run", "--event-source", "al") == ["alb", "alb-multi"]
    assert complete("--event-source", "=", "al") == ["alb", "alb-multi"]
    assert complete("--event-source", "=") == [*EVENT_SOURCES, WEBSOCKET]


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        (["logs", "--fo"], ["--follow"]),
        (["serve", "--stop"], ["--stop-timeout"]),
        (["replay", "--event-source", "al"], ["alb", "alb-multi"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["event", "sq"], ["sqs", "sqs-fifo"]),
        (["event", "vpc-lat"], ["vpc-lattice", "vpc-lattice-v1", "vpc-lattice-v2"]),
        (["invoke", "--sample", "sn"], ["sns"]),
        (["invoke", "--sample", "=", "dyn"], ["dynamodb"]),
        (["invoke", "eve"], ["compopt", "-o", "default"]),
        (["compile", "--ch"], ["--check"]),
    ],
)
def test_each_command_has_its_own(words: list[str], offers: list[str]) -> None:
    assert complete(*words) == offers


@pytest.mark.parametrize("words", [["--", "--p"], ["--port", "1", "--", "node", ""], ["serve", "--", "node", "--p"]])
def test_after_two_dashes_bash_completes_as_it_does_elsewhere(words: list[str]) -> None:
    assert complete(*words) == ["compopt", "-o", "default"]


def test_the_tab_key_completes_in_an_interactive_bash(tmp_path: Path) -> None:
    (tmp_path / "bashrc").write_text('PS1="ready> "; eval "$(lambda-web-adapter completion bash)"\n')
    pid, terminal = pty.fork()
    if pid == 0:
        environment = plain_environment({"TERM": "dumb", "INPUTRC": "/dev/null"})
        os.execvpe("bash", ["bash", "--rcfile", str(tmp_path / "bashrc"), "-i"], environment)  # noqa: S606
    try:
        read_until(terminal, "ready> ")
        os.write(terminal, b"lambda-web-adapter --event-source vpc-lattice-v1 --env\t")
        read_until(terminal, "--environments ")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def read_until(terminal: int, text: str) -> None:
    shown, deadline = "", time.monotonic() + SECONDS
    while text not in shown:
        readable, _, _ = select.select([terminal], [], [], max(deadline - time.monotonic(), 0))
        assert readable, f"{text!r} was not shown; this was: {shown!r}"
        shown += os.read(terminal, 4096).decode()


@pytest.mark.parametrize(
    ("shell", "calls"),
    [
        ("bash", r"complete -o nosort -F _lambda_web_adapter_completion lambda-web-adapter"),
        ("zsh", r"compdef _lambda_web_adapter_completion lambda-web-adapter"),
        ("fish", r"complete --no-files --command lambda-web-adapter"),
    ],
)
def test_each_script_registers_the_program_and_asks_it(shell: str, calls: str) -> None:
    command = [PROGRAM, "completion", shell]
    result = subprocess.run(
        command, env=plain_environment(), capture_output=True, text=True, timeout=SECONDS, check=True
    )

    assert re.search(calls, result.stdout)
    assert f"_LAMBDA_WEB_ADAPTER_COMPLETE={shell}_complete" in result.stdout


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_program_answers_other_shells(shell: str) -> None:
    variables = {
        "_LAMBDA_WEB_ADAPTER_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "lambda-web-adapter --event-source " + ("" if shell == "fish" else "al"),
        "COMP_CWORD": "al" if shell == "fish" else "2",
    }
    result = subprocess.run(
        [PROGRAM], env=plain_environment(variables), capture_output=True, text=True, timeout=SECONDS, check=True
    )

    assert re.findall(r"\balb(?:-multi)?\b", result.stdout) == ["alb", "alb-multi"]


def test_fish_shows_the_commands_whole_lines() -> None:
    """It splits them at commas."""
    assert [line for line in COMMANDS.values() if "," in line] == []


def test_another_shell_is_an_error() -> None:
    command = [PROGRAM, "completion", "tcsh"]
    result = subprocess.run(
        command, env=plain_environment(), capture_output=True, text=True, timeout=SECONDS, check=False
    )

    assert result.returncode == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in result.stderr
