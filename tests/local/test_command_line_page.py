"""docs/command-line.md has every command and option, as they are declared."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest

from lambda_web_adapter.local.commands import COMMANDS

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()


def command_of(name: str) -> click.Command:
    command: click.Command = importlib.import_module(f"lambda_web_adapter.local.commands.{name}").command
    return command


def section_of(name: str) -> str:
    """Return the section of the page about a command."""
    return PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]


def names_of(option: click.Option) -> str:
    names = sorted([*option.opts, *option.secondary_opts], key=lambda name: not name.startswith("--"))
    choices = option.type.choices if isinstance(option.type, click.Choice) else ()
    value = option.metavar or f"{{{'|'.join(choices)}}}"
    return f"`{', '.join(names)}{'' if option.is_flag else f' {value}'}`".replace("|", "\\|")


def default_of(option: click.Option) -> str:
    if option.is_flag or option.default is None or not option.show_default:
        return ""
    return f"`{option.default}`"


def meaning_of(option: click.Option) -> str:
    text = re.sub(r" +\[default: (.*)\]", r" Default: \1.", option.help or "")
    if isinstance(option.type, click.IntRange | click.FloatRange) and option.type.max is not None:
        text += f" {option.type.min:g} to {option.type.max:g}."
    variables = option.envvar if isinstance(option.envvar, list) else []
    if others := [each for each in variables if not each.startswith("LAMBDA_WEB_ADAPTER_")]:
        text += f" Also in `{'`, `'.join(others)}`."
    return text.replace("|", "\\|")


def rows_of(command: click.Command) -> list[str]:
    """Return the rows of a command's table, as they follow from its options."""
    options = [each for each in command.params if isinstance(each, click.Option)]
    return [f"| {names_of(each)} | {default_of(each)} | {meaning_of(each)} |" for each in options]


def test_the_page_lists_the_commands_in_the_order_of_the_help() -> None:
    rows = [line for line in PAGE.split("\n## ")[0].splitlines() if line.startswith("| [`")]

    assert rows == [f"| [`{name}`](#{name}) | {line} |" for name, line in COMMANDS.items()]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_its_table(name: str) -> None:
    rows = [line for line in section_of(name).splitlines() if line.startswith("| `-")]

    assert rows == rows_of(command_of(name))


def test_the_page_has_no_other_commands() -> None:
    names = re.findall(r"^## ([a-z]+)$", PAGE, re.MULTILINE)

    assert names == list(COMMANDS)


def test_the_page_has_the_lines_that_the_help_of_completion_has() -> None:
    epilog = command_of("completion").epilog or ""
    lines = re.findall(r"eval .*\)\"|lambda-web-adapter completion fish", epilog)

    assert len(lines) == 3
    assert [line for line in lines if line not in section_of("completion")] == []
