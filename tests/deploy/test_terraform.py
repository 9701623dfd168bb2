"""Terraform's files: its AWS provider is in no package registry, but what it knows is, as types for CDK Terrain."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from functools import cache
from typing import Any

import hcl2
import pytest

from .templates import ENVIRONMENT, TEMPLATES, run

FOLDER = TEMPLATES / "terraform"
FILES = sorted(FOLDER.glob("*.tf"))
META_ARGUMENTS = {"count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"}
# Each argument is documented by a link that ends with its name in HCL, before its name and type in TypeScript.
ARGUMENT = re.compile(r"#(?P<name>\w+) [\w#]+\}.*?\*/\s+readonly \w+(?P<optional>\??): (?P<type>[^;]+);", re.DOTALL)


@dataclass(frozen=True)
class Argument:
    optional: bool
    type: str


def parse(text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = hcl2.loads(text)
    return parsed


@cache
def interfaces(resource: str) -> dict[str, dict[str, Argument]]:
    """Return the blocks of a resource (`lambda-function`) by their types' names, each with its arguments."""
    text = (ENVIRONMENT / "package" / "lib" / resource / "index.d.ts").read_text()
    return {
        name: {found["name"]: Argument(bool(found["optional"]), found["type"]) for found in ARGUMENT.finditer(body)}
        for name, body in re.findall(r"^export interface (\w+)[^{]*\{(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    }


def faults(kind: str, values: dict[str, Any], block: str, known: dict[str, dict[str, Argument]]) -> list[str]:
    """Return what a block has that the provider does not know, and what it lacks, in its blocks as well."""
    arguments = known[block]
    wrong = [f"{kind}: unknown argument {name}" for name in values if name not in {*arguments, *META_ARGUMENTS}]
    wrong += [
        f"{kind}: {name} is required"
        for name, argument in arguments.items()
        if not argument.optional and name not in values
    ]
    for name, value in values.items():
        nested = re.match(r"\w+", arguments[name].type) if name in arguments else None
        if nested and nested[0] in known:
            for each in value if isinstance(value, list) else [value]:
                wrong += faults(f"{kind}.{name}", each, nested[0], known)
    return wrong


def check(text: str) -> list[str]:
    parsed = parse(text)
    wrong = []
    for prefix, blocks in (("", parsed.get("resource", [])), ("data-aws-", parsed.get("data", []))):
        for block in blocks:
            for quoted, named in block.items():
                kind = quoted.strip('"')
                known = interfaces(prefix + kind.removeprefix("aws_").replace("_", "-"))
                config = next(name for name in known if name.endswith("Config"))
                for values in named.values():
                    wrong += faults(kind, without_marks(values), config, known)
    return wrong


def without_marks(value: Any) -> Any:
    """Return what is parsed without the parser's own marks (`__is_block__`)."""
    if isinstance(value, dict):
        return {name: without_marks(each) for name, each in value.items() if not name.startswith("__")}
    return [without_marks(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_the_provider_knows_all_arguments_and_misses_none(file: Any) -> None:
    assert check(file.read_text()) == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        pytest.param("memory_size ", "memory ", "aws_lambda_function: unknown argument memory", id="unknown"),
        pytest.param("role          = aws_iam_role.app.arn", "", "aws_lambda_function: role is required", id="missing"),
        pytest.param(
            "log_group  =", "group  =", "aws_lambda_function.logging_config: unknown argument group", id="nested"
        ),
    ],
)
def test_a_fault_is_found(before: str, after: str, fault: str) -> None:
    text = (FOLDER / "main.tf").read_text()

    assert before in text
    assert check(text.replace(before, after)) == [fault]


def test_everything_that_is_referred_to_is_declared() -> None:
    text = "".join(file.read_text() for file in FILES)
    declared = {
        f"{kind}.{name}" for kind, name in re.findall(r'^(?:resource|data) "(\w+)" "(\w+)"', text, re.MULTILINE)
    }
    variables = set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))

    assert {f"{kind}.{name}" for kind, name in re.findall(r"\b(aws_\w+)\.(\w+)", text)} <= declared
    assert set(re.findall(r"\bvar\.(\w+)", text)) == variables


def test_the_role_may_write_to_its_log_alone() -> None:
    text = (FOLDER / "main.tf").read_text()

    assert re.findall(r"resources = (.*)", text) == ['["${aws_cloudwatch_log_group.app.arn}:*"]']
    assert "policy_attachment" not in text


@pytest.mark.skipif(not shutil.which("terraform"), reason="Terraform is not installed.")
def test_terraform_has_nothing_to_format() -> None:
    assert run("terraform", "fmt", "-check", "-recursive", "-diff", cwd=FOLDER).strip() == ""
