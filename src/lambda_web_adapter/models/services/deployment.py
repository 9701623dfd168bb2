"""CloudFormation, CodePipeline, Config and Secrets Manager."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lambda_web_adapter.models.base import EventPart
from lambda_web_adapter.models.services.base import JsonObject, PascalPart


class CustomResourceEvent(PascalPart):
    """A request for a custom resource; its result is to be sent to the response URL.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html
    """

    request_type: Literal["Create", "Update", "Delete"]
    response_url: str = Field(default="", alias="ResponseURL")
    stack_id: str
    request_id: str = ""
    resource_type: str = ""
    logical_resource_id: str
    physical_resource_id: str | None = None
    resource_properties: JsonObject = Field(default_factory=dict)
    old_resource_properties: JsonObject | None = None


class PipelineData(EventPart):
    """What a job works on."""

    action_configuration: JsonObject = Field(default_factory=dict)
    input_artifacts: list[JsonObject] = Field(default_factory=list)
    output_artifacts: list[JsonObject] = Field(default_factory=list)
    artifact_credentials: JsonObject = Field(default_factory=dict)
    continuation_token: str | None = None


class PipelineJob(EventPart):
    """A job, which the function has to report as done."""

    id: str
    account_id: str = ""
    data: PipelineData


class CodePipelineEvent(EventPart):
    """A job of a pipeline.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
    """

    job: PipelineJob = Field(alias="CodePipeline.job")


class ConfigRuleEvent(EventPart):
    """An evaluation of a custom rule of Config; `invoking_event` and `rule_parameters` are JSON as text.

    https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
    """

    invoking_event: str
    rule_parameters: str = ""
    result_token: str = ""
    event_left_scope: bool = False
    execution_role_arn: str = ""
    config_rule_arn: str = ""
    config_rule_name: str
    config_rule_id: str = ""
    account_id: str = ""
    version: str = "1.0"


class RotationEvent(PascalPart):
    """A step of the rotation of a secret.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
    """

    step: Literal["createSecret", "setSecret", "testSecret", "finishSecret"]
    secret_id: str
    client_request_token: str
