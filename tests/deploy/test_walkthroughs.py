"""The pages' commands in their order, from a package to a URL and back to nothing, as a reader types them."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from support.processes import Running, free_addresses, plain_environment

from .checks import check_log, check_site, check_update, functions, get
from .emulator import RUNTIME, Emulator
from .templates import ENVIRONMENT, PROJECT
from .transcript import note

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)
NAME = "my-app"
# Pages are for the AWS CLI 2; the one in package registries is version 1, which has no `logs tail`.
REPLACED = {"--runtime python3.14": f"--runtime {RUNTIME}", "--cli-binary-format raw-in-base64-out": ""}
LEFT_OUT = ("aws logs tail", "lambda-web-adapter package")
KEEP_VARIABLES = "set | grep -E '^(ACCOUNT|REGISTRY)=' > variables || :"
# Notes its arguments, since Docker's daemon needs more rights than tests have.
DOCKER = '#!/bin/sh\necho "$*" >> docker.log\n[ "$1" != login ] || cat > password\n'


def section(page: str, title: str) -> list[str]:
    """Return the commands in a section of a page, without what they print."""
    text = (PROJECT / "docs" / page).read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]
    commands: list[str] = []
    complete = True
    for line in "\n".join(re.findall(r"```console\n(.*?)```", text, re.DOTALL)).splitlines():
        stripped = line.strip()
        if complete and not stripped.startswith("$ "):
            continue  # output
        commands = [*commands, stripped.removeprefix("$ ")] if complete else [*commands[:-1], f"{commands[-1]}\n{line}"]
        complete = not stripped.endswith("\\") and commands[-1].count("'") % 2 == 0
    return [command for command in commands if not command.startswith(LEFT_OUT)]


class Reader:
    """Types the commands of several sections as if into one shell: variables stay."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self._emulator = emulator
        self._folder = folder
        (folder / "bin").mkdir()
        (folder / "bin" / "docker").write_text(DOCKER)
        (folder / "bin" / "docker").chmod(0o755)
        (folder / "variables").touch()

    def type(self, commands: list[str]) -> str:
        """Return what commands print."""
        note("\n".join(f"$ {command}" for command in commands))
        typed = "\n".join(["set -e", ". ./variables", *commands, KEEP_VARIABLES])
        for before, after in REPLACED.items():
            typed = typed.replace(before, after)
        (self._folder / "typed").write_text(typed)
        path = os.pathsep.join(map(str, [self._folder / "bin", ENVIRONMENT / "bin", os.environ["PATH"]]))
        return self._emulator.run("sh", "typed", cwd=self._folder, variables={"PATH": path})


@pytest.fixture
def reader(emulator: Emulator, tmp_path: Path, request: pytest.FixtureRequest) -> Reader:
    note(f"\n## {request.node.name}\n")
    return Reader(emulator, tmp_path)


def check_nothing_is_left(emulator: Emulator) -> None:
    assert functions(emulator, NAME) == []
    assert emulator.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{NAME}")["logGroups"] == []
    assert NAME not in [role["RoleName"] for role in emulator.client("iam").list_roles()["Roles"]]


def test_zips(emulator: Emulator, reader: Reader, package: Path, second_package: Path, tmp_path: Path) -> None:
    shutil.copy(package, tmp_path)
    url = reader.type(section("zips.md", "Deploy it")).split()[-1]
    check_site(emulator, url)
    (function,) = functions(emulator, NAME)
    check_log(emulator, function, f"/aws/lambda/{NAME}")
    shutil.copy(second_package, tmp_path)
    reader.type(section("zips.md", "Update it"))
    check_update(emulator, url)
    reader.type(section("zips.md", "Delete it"))
    check_nothing_is_left(emulator)


def test_images(emulator: Emulator, reader: Reader, tmp_path: Path) -> None:
    (address,) = free_addresses(1)
    command = [sys.executable, "-m", "lambda_web_adapter", "main:app", "--port", address.rpartition(":")[2]]
    functions_client = emulator.client("lambda")
    url = reader.type(section("images.md", "Deploy it")).split()[-1]
    # The emulator runs images by Docker alone; without it, it hands events to a URL: here to a local run of the app.
    local_run = f"http://{address}/2015-03-31/functions/{NAME}/invocations"
    variables = {"Variables": {"MINISTACK_LAMBDA_PROXY_URL": local_run}}
    functions_client.update_function_configuration(FunctionName=NAME, Environment=variables)
    with Running(command, env=plain_environment(), cwd=PROJECT / "examples" / "flask_app") as run:
        run.wait_for("Serving main:app")
        check_site(emulator, url)
    reader.type(section("images.md", "Update it"))
    image = functions_client.get_function(FunctionName=NAME)["Code"]["ImageUri"]
    reader.type(section("images.md", "Delete it"))

    registry = image.removesuffix(f"/{NAME}:2")
    login, first, push, second, second_push = (tmp_path / "docker.log").read_text().splitlines()
    assert registry.endswith(".amazonaws.com")
    assert login == f"login --username AWS --password-stdin {registry}"
    assert f"--provenance=false -t {registry}/{NAME}:1 ." in first
    assert f"--provenance=false -t {image} ." in second
    assert (push, second_push) == (f"push {registry}/{NAME}:1", f"push {image}")
    check_nothing_is_left(emulator)
    assert emulator.client("ecr").describe_repositories()["repositories"] == []


def test_commands(emulator: Emulator, reader: Reader, package: Path, tmp_path: Path) -> None:
    shutil.copy(package, tmp_path)
    page = "commands-on-lambda.md"
    flask = {"python3 manage.py": "python3 -m flask --app main", '"migrate", "--noinput"': '"routes"'}
    switch, wait, invoke, show = (
        re.sub("|".join(map(re.escape, flask)), lambda match: flask[match[0]], command)
        for command in [*section(page, "Set it up"), *section(page, "Run a command")][:4]
    )
    url = reader.type(section("zips.md", "Deploy it")).split()[-1]
    without = reader.type([invoke, "cat reply.json"])
    reader.type([switch, wait])
    routes = reader.type([invoke, show])
    page_after = get(emulator, url)
    reader.type(section("zips.md", "Delete it"))

    assert "Commands of the app are off" in without
    assert "/recipes/new" in routes
    assert page_after.status_code == 200
