"""Samples of CloudFormation, CodePipeline, Config and Secrets Manager.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.local.sample_events.base import ACCOUNT, FUNCTION, FUNCTION_ARN, SampleEvent, arn

if TYPE_CHECKING:
    from lambda_web_adapter.local.sample_events.base import Occasion


def _custom_resource(request_type: str, occasion: Occasion) -> dict[str, Any]:
    """A resource that exists has a physical id, and one that changes its old properties."""
    properties = {"ServiceToken": FUNCTION_ARN, "Name": "orders"}
    event = {
        "RequestType": request_type,
        "RequestId": occasion.uuid(),
        "ResponseURL": f"https://cloudformation-custom-resource-response.s3.amazonaws.com/{occasion.hex(32)}",
        "StackId": arn("cloudformation", f"stack/shop/{occasion.uuid()}"),
        "ServiceToken": FUNCTION_ARN,
        "ResourceType": "Custom::Orders",
        "LogicalResourceId": "Orders",
        "ResourceProperties": properties,
    }
    if request_type != "Create":
        event["PhysicalResourceId"] = f"orders-{occasion.hex(8)}"
    if request_type == "Update":
        event["OldResourceProperties"] = {**properties, "Name": "old-orders"}
    return event


def _pipeline_job(occasion: Occasion) -> dict[str, Any]:
    location = {"bucketName": "shop-pipeline", "objectKey": f"shop/source/{occasion.hex(7)}.zip"}
    data = {
        "actionConfiguration": {"configuration": {"FunctionName": FUNCTION, "UserParameters": "staging"}},
        "inputArtifacts": [
            {"name": "source", "revision": None, "location": {"type": "S3", "s3Location": location}},
        ],
        "outputArtifacts": [],
        "artifactCredentials": {
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "secretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "sessionToken": "made-up",
        },
    }
    return {"CodePipeline.job": {"id": occasion.uuid(), "accountId": ACCOUNT, "data": data}}


def _config_rule(occasion: Occasion) -> dict[str, Any]:
    item = {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": occasion.iso(),
        "configurationItemStatus": "OK",
        "awsAccountId": ACCOUNT,
        "resourceType": "AWS::S3::Bucket",
        "resourceId": "shop-uploads",
        "configuration": {},
    }
    invoking_event = {
        "configurationItem": item,
        "messageType": "ConfigurationItemChangeNotification",
        "notificationCreationTime": occasion.iso(),
        "recordVersion": "1.3",
    }
    return {
        "invokingEvent": json.dumps(invoking_event),
        "ruleParameters": json.dumps({"encrypted": "true"}),
        "resultToken": occasion.hex(64),
        "eventLeftScope": False,
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/config-role",
        "configRuleArn": arn("config", "config-rule/config-rule-abc123"),
        "configRuleName": "buckets-are-encrypted",
        "configRuleId": "config-rule-abc123",
        "accountId": ACCOUNT,
        "version": "1.0",
    }


def _rotation(occasion: Occasion) -> dict[str, Any]:
    secret = arn("secretsmanager", "secret:shop/database-AbCdEf")
    return {"Step": "createSecret", "SecretId": secret, "ClientRequestToken": occasion.uuid()}


def _hook(occasion: Occasion) -> dict[str, Any]:
    return {"DeploymentId": f"d-{occasion.hex(9).upper()}", "LifecycleEventHookExecutionId": occasion.hex(64)}


SAMPLES = (
    *(
        SampleEvent(
            name=f"cloudformation-{request_type.lower()}",
            title=f"a custom resource to {request_type.lower()}",
            build=partial(_custom_resource, request_type),
            source="cloudformation",
        )
        for request_type in ("Create", "Update", "Delete")
    ),
    SampleEvent(name="codepipeline", title="a job of a pipeline", build=_pipeline_job, source="codepipeline"),
    SampleEvent(name="codedeploy", title="a hook of a deployment", build=_hook, source="codedeploy"),
    SampleEvent(name="config", title="an evaluation of a Config rule", build=_config_rule, source="config"),
    SampleEvent(
        name="secrets-manager",
        title="the first step of a secret's rotation",
        build=_rotation,
        source="secrets-manager",
    ),
)
