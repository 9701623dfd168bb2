"""CDK's apps: both languages make the same template, and it is valid."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from .templates import ENVIRONMENT, PROJECT, TEMPLATES, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)  # validators, on a busy machine
LANGUAGES = ["cdk-python", "cdk-typescript"]
REPRODUCIBLE = ["--no-version-reporting", "--no-notices", "--no-path-metadata", "--no-asset-metadata", "--quiet"]


def synthesize(language: str, folder: Path, *options: str) -> Path:
    """Return the template that an app makes of a copy of it, as a user has it: with function.zip and its packages."""
    project = folder / language
    shutil.copytree(TEMPLATES / language, project, ignore=shutil.ignore_patterns("node_modules", "cdk.out"))
    (project / "node_modules").symlink_to(ENVIRONMENT / "node_modules")
    (project / "function.zip").write_bytes(b"PK\5\6" + bytes(18))  # a zip without files
    run("cdk", "synth", *REPRODUCIBLE, *options, cwd=project)
    return project / "cdk.out" / "my-app.template.json"


def resource(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("cdk")
    return {language: synthesize(language, folder, "--context", "architecture=arm64") for language in LANGUAGES}


def test_cfn_lint_finds_nothing(synthesized: dict[str, Path]) -> None:
    # W3005: CDK names a dependency that follows from another property.
    assert run("cfn-lint", "--ignore-checks", "W3005", "--", *synthesized.values(), cwd=PROJECT).strip() == ""


def test_both_languages_make_the_same_template(synthesized: dict[str, Path]) -> None:
    assert json.loads(synthesized["cdk-python"].read_text()) == json.loads(synthesized["cdk-typescript"].read_text())


def test_the_template_has_what_it_says(synthesized: dict[str, Path]) -> None:
    template = json.loads(synthesized["cdk-python"].read_text())
    (function,) = resource(template, "AWS::Lambda::Function")
    (policy,) = resource(template, "AWS::IAM::Policy")
    (group,) = resource(template, "AWS::Logs::LogGroup")
    (statement,) = policy["PolicyDocument"]["Statement"]
    actions = {permission["Action"] for permission in resource(template, "AWS::Lambda::Permission")}

    assert function["Architectures"] == ["arm64"]
    assert group["RetentionInDays"] == 30
    assert (statement["Action"], list(statement["Resource"])) == (
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["Fn::GetAtt"],
    )
    assert [role for role in resource(template, "AWS::IAM::Role") if "ManagedPolicyArns" in role] == []
    assert actions == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}


def test_typescript_finds_no_wrong_type(synthesized: dict[str, Path]) -> None:
    run("tsc", "--project", ".", cwd=synthesized["cdk-typescript"].parents[1])
