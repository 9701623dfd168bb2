"""The workflow that deploys, and its role: a token for one job of one branch, and rights for one function."""

from __future__ import annotations

from typing import Any

import yaml
from samtranslator.yaml_helper import yaml_parse

from .templates import TEMPLATES

FOLDER = TEMPLATES / "github"


def role() -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse((FOLDER / "role.yaml").read_text())
    properties: dict[str, Any] = template["Resources"]["Role"]["Properties"]
    return properties


def test_the_job_that_deploys_has_the_token_and_runs_no_code_of_the_repository() -> None:
    jobs = yaml.safe_load((FOLDER / "deploy.yml").read_text())["jobs"]

    assert [name for name, job in jobs.items() if "id-token" in job.get("permissions", {})] == ["deploy"]
    assert not [step for step in jobs["deploy"]["steps"] if "checkout" in step.get("uses", "")]
    assert jobs["deploy"]["needs"] == "package"


def test_the_role_is_for_one_branch_of_one_repository() -> None:
    (trust,) = role()["AssumeRolePolicyDocument"]["Statement"]

    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": {"Fn::Sub": "repo:${Repository}:ref:refs/heads/main"},
        }
    }


def test_the_role_may_update_one_function() -> None:
    (statement,) = role()["Policies"][0]["PolicyDocument"]["Statement"]

    assert statement["Action"] == ["lambda:GetFunction", "lambda:UpdateFunctionCode"]
    assert statement["Resource"]["Fn::Sub"].endswith(":function:${FunctionName}")
