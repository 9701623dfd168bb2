"""SAM's templates: valid, and with no more rights than they need."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from .templates import PROJECT, SAM_TEMPLATES, TEMPLATES, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)  # validators, on a busy machine
each_template = pytest.mark.parametrize("template", SAM_TEMPLATES, ids=lambda path: path.stem)


def translate(template: Path) -> dict[str, Any]:
    """Return the template as CloudFormation gets it from SAM's transform."""
    content = yaml_parse(template.read_text())
    if template.stem == "image":
        content["Resources"]["Function"]["Properties"]["ImageUri"] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1"
    else:
        content["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/function.zip"
    with mock.patch.dict(os.environ, AWS_DEFAULT_REGION="us-east-1"):
        translated: dict[str, Any] = transform(content, {}, mock.Mock(load=dict))
    return translated


def resources(template: Path, kind: str) -> list[dict[str, Any]]:
    return [
        resource["Properties"] for resource in translate(template)["Resources"].values() if resource["Type"] == kind
    ]


def test_cfn_lint_finds_nothing() -> None:
    assert run("cfn-lint", *SAM_TEMPLATES, TEMPLATES / "github" / "role.yaml", cwd=PROJECT).strip() == ""


@each_template
def test_sam_validates_it(template: Path) -> None:
    assert "is a valid SAM Template" in run("sam", "validate", "--lint", "--template", template, cwd=PROJECT)


@each_template
def test_no_right_has_a_wildcard(template: Path) -> None:
    roles = resources(template, "AWS::IAM::Role")
    statements = [
        statement
        for role in roles
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]

    assert statements
    assert [role["ManagedPolicyArns"] for role in roles if role.get("ManagedPolicyArns")] == []
    assert [statement for statement in statements if "*" in json.dumps(statement["Action"])] == []
    assert [statement for statement in statements if statement["Resource"] == "*"] == []


@each_template
def test_the_log_expires(template: Path) -> None:
    (group,) = resources(template, "AWS::Logs::LogGroup")
    (function,) = resources(template, "AWS::Lambda::Function")

    assert group["RetentionInDays"] == {"Ref": "LogDays"}
    assert function["LoggingConfig"] == {"LogGroup": {"Ref": "Logs"}}


@pytest.mark.parametrize(
    "template", [path for path in SAM_TEMPLATES if "AuthType: NONE" in path.read_text()], ids=lambda path: path.stem
)
def test_a_public_url_has_both_permissions(template: Path) -> None:
    permissions = resources(template, "AWS::Lambda::Permission")
    granted = {permission["Action"]: permission for permission in permissions}

    assert granted["lambda:InvokeFunctionUrl"]["FunctionUrlAuthType"] == "NONE"
    assert granted["lambda:InvokeFunction"]["InvokedViaFunctionUrl"] is True
    assert {permission["Principal"] for permission in permissions} == {"*"}


@each_template
def test_whoever_else_may_call_the_function_is_one_named_resource(template: Path) -> None:
    permissions = [one for one in resources(template, "AWS::Lambda::Permission") if one["Principal"] != "*"]

    assert [permission for permission in permissions if "SourceArn" not in permission] == []


def test_the_cdn_alone_may_call_its_url() -> None:
    template = TEMPLATES / "sam" / "cdn.yaml"
    (url,) = resources(template, "AWS::Lambda::Url")
    (distribution,) = resources(template, "AWS::CloudFront::Distribution")
    permissions = resources(template, "AWS::Lambda::Permission")

    assert url["AuthType"] == "AWS_IAM"
    assert distribution["DistributionConfig"]["Origins"][0]["OriginAccessControlId"]
    assert {permission["Action"] for permission in permissions} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert {permission["Principal"] for permission in permissions} == {"cloudfront.amazonaws.com"}


def test_a_rest_api_streams_on_one_stage() -> None:
    template = TEMPLATES / "sam" / "rest-api.yaml"
    (api,) = resources(template, "AWS::ApiGateway::RestApi")
    (deployment,) = resources(template, "AWS::ApiGateway::Deployment")
    integrations = [
        path["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]
        for path in api["Body"]["paths"].values()
    ]

    assert len(integrations) == 2
    for integration in integrations:
        assert integration["responseTransferMode"] == "STREAM"
        assert integration["uri"]["Fn::Sub"].endswith("/response-streaming-invocations")
    assert api["BinaryMediaTypes"] == ["*/*"]
    assert "StageName" not in deployment  # it would be a second one


def test_a_queue_waits_six_times_the_timeout_and_takes_partial_failures() -> None:
    template = TEMPLATES / "sam" / "queue.yaml"
    (mapping,) = resources(template, "AWS::Lambda::EventSourceMapping")
    (function,) = resources(template, "AWS::Lambda::Function")
    queue, _ = resources(template, "AWS::SQS::Queue")

    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queue["VisibilityTimeout"] == 6 * function["Timeout"]


def test_a_schedule_s_role_is_for_this_account_and_function() -> None:
    template = TEMPLATES / "sam" / "schedule.yaml"
    (schedule,) = resources(template, "AWS::Scheduler::Schedule")
    role = translate(template)["Resources"]["ScheduleRole"]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    (statement,) = role["Policies"][0]["PolicyDocument"]["Statement"]

    assert schedule["Name"] == {"Ref": "AWS::StackName"}
    assert schedule["Target"]["RoleArn"] == {"Fn::GetAtt": ["ScheduleRole", "Arn"]}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == {"Fn::GetAtt": ["Function", "Arn"]}


@each_template
def test_the_function_has_the_name_that_the_pages_use(template: Path) -> None:
    (function,) = resources(template, "AWS::Lambda::Function")
    (group,) = resources(template, "AWS::Logs::LogGroup")

    assert function["FunctionName"] == {"Ref": "AWS::StackName"}
    assert group["LogGroupName"] == {"Fn::Sub": "/aws/lambda/${AWS::StackName}"}


@each_template
def test_the_first_lines_name_the_file_that_they_are_in(template: Path) -> None:
    _, command, *_ = template.read_text().splitlines()

    assert f"--template {template.name} " in command
