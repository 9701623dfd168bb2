"""Commands of the AWS CLI in the pages: the CLI itself accepts them, and then finds no AWS."""

from __future__ import annotations

import re
import shlex
from string import Template
from typing import TYPE_CHECKING

import pytest
from awscli.clidriver import create_clidriver
from support.processes import free_addresses

from .templates import PROJECT, QUIET

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted((PROJECT / "docs").glob("*.md"))
# Of the CLI's version 2; the one in package registries is version 1.
VERSION_2 = ("logs tail",)
VERSION_2_OPTION = " --cli-binary-format raw-in-base64-out"
VARIABLES = {"ACCOUNT": "123456789012", "REGISTRY": "123456789012.dkr.ecr.us-east-1.amazonaws.com"}


def commands(text: str) -> list[list[str]]:
    """Return the arguments of each `aws …` in the console blocks of a page, with values in place of variables."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    joined = re.sub(r"\\\n\s*", " ", Template("\n".join(blocks)).safe_substitute(VARIABLES))
    found = re.findall(r"\baws ([a-z0-9-]+ [a-z0-9-]+(?:'[^']*'|[^'\n|)])*)", joined)
    return [shlex.split(command.replace(VERSION_2_OPTION, "")) for command in found if "..." not in command]


CASES = [
    pytest.param(arguments, id=f"{page.name}-{' '.join(arguments[:2])}-{number}")
    for page in PAGES
    for number, arguments in enumerate(commands(page.read_text()))
    if not " ".join(arguments).startswith(VERSION_2)
]


def test_there_are_commands() -> None:
    assert len(CASES) > 40


@pytest.mark.parametrize("arguments", CASES)
def test_the_aws_cli_takes_it(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{free_addresses(1)[0]}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    (tmp_path / "role.yaml").write_text("Resources: {}")
    (tmp_path / "command.json").write_text("{}")
    for package in ("function.zip", "layer.zip"):
        (tmp_path / package).write_bytes(b"PK\5\6" + bytes(18))  # a zip without files
    (tmp_path / "event.json").write_text("{}")

    create_clidriver().main(arguments)

    error = capfd.readouterr().err
    if arguments[:2] == ["configure", "get"]:
        assert error == ""
    else:  # what it was told was understood, and valid
        assert "Could not connect to the endpoint URL" in error
