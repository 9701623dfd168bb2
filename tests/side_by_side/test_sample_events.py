"""Sample events as Powertools reads them: its models take each event that they describe."""

from __future__ import annotations

import json
from random import SystemRandom
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities import data_classes
from aws_lambda_powertools.utilities.parser import models

from lambda_web_adapter.local.sample_events import SAMPLES, Occasion, SampleRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.data_classes.common import DictWrapper
    from pydantic import BaseModel

REQUEST = SampleRequest(method="POST", path="/orders", query="page=2&tag=a&tag=b", body=b'{"order":1}')
MODELS: dict[str, type[BaseModel]] = {
    "alb": models.AlbModel,
    "appsync": models.AppSyncResolverEventModel,
    "authorizer-http-api": models.ApiGatewayAuthorizerRequestV2,
    "authorizer-request": models.ApiGatewayAuthorizerRequest,
    "authorizer-token": models.ApiGatewayAuthorizerToken,
    "bedrock-agent": models.BedrockAgentEventModel,
    "bedrock-agent-function": models.BedrockAgentFunctionEventModel,
    "cloudformation-create": models.CloudFormationCustomResourceCreateModel,
    "cloudformation-delete": models.CloudFormationCustomResourceDeleteModel,
    "cloudformation-update": models.CloudFormationCustomResourceUpdateModel,
    "cloudwatch-logs": models.CloudWatchLogsModel,
    "cognito-custom-message": models.CognitoCustomMessageTriggerModel,
    "cognito-define-auth-challenge": models.CognitoDefineAuthChallengeTriggerModel,
    "cognito-post-authentication": models.CognitoPostAuthenticationTriggerModel,
    "cognito-post-confirmation": models.CognitoPostConfirmationTriggerModel,
    "cognito-pre-authentication": models.CognitoPreAuthenticationTriggerModel,
    "cognito-pre-sign-up": models.CognitoPreSignupTriggerModel,
    "cognito-pre-token-generation": models.CognitoPreTokenGenerationTriggerModelV1,
    "dynamodb": models.DynamoDBStreamModel,
    "eventbridge": models.EventBridgeModel,
    "firehose": models.KinesisFirehoseModel,
    "function-url": models.LambdaFunctionUrlModel,
    "http-api-v1": models.APIGatewayProxyEventModel,
    "http-api-v2": models.APIGatewayProxyEventV2Model,
    "kafka": models.KafkaMskEventModel,
    "kafka-self-managed": models.KafkaSelfManagedEventModel,
    "kinesis": models.KinesisDataStreamModel,
    "rest-api": models.APIGatewayProxyEventModel,
    "s3": models.S3Model,
    "s3-batch": models.S3BatchOperationModel,
    "s3-eventbridge": models.S3EventNotificationEventBridgeModel,
    "s3-object-lambda": models.S3ObjectLambdaEvent,
    "s3-removed": models.S3Model,
    "schedule": models.EventBridgeModel,
    "scheduler": models.EventBridgeModel,
    "ses": models.SesModel,
    "sns": models.SnsModel,
    "sqs": models.SqsModel,
    "sqs-fifo": models.SqsModel,
    "vpc-lattice-v1": models.VpcLatticeModel,
    "websocket-connect": models.APIGatewayWebSocketConnectEventModel,
    "websocket-disconnect": models.APIGatewayWebSocketDisconnectEventModel,
    "websocket-message": models.APIGatewayWebSocketMessageEventModel,
}
# Of others it has no models, but classes that read them: here with a property, and what that is to be.
READERS: dict[str, tuple[type[DictWrapper], Callable[[Any], object], object]] = {
    "alb-multi": (
        data_classes.ALBEvent,
        lambda event: event.multi_value_query_string_parameters,
        {"page": ["2"], "tag": ["a", "b"]},
    ),
    "cloudwatch-alarm": (data_classes.CloudWatchAlarmEvent, lambda event: event.alarm_data.state.value, "ALARM"),
    "codedeploy": (data_classes.CodeDeployLifecycleHookEvent, lambda event: event.deployment_id[:2], "d-"),
    "codepipeline": (data_classes.CodePipelineJobEvent, lambda event: event.input_bucket_name, "shop-pipeline"),
    "config": (
        data_classes.AWSConfigRuleEvent,
        lambda event: event.invoking_event.configuration_item.resource_type,
        "AWS::S3::Bucket",
    ),
    "connect": (data_classes.ConnectContactFlowEvent, lambda event: event.parameters, {"order": "1"}),
    "secrets-manager": (data_classes.SecretsManagerEvent, lambda event: event.step, "createSecret"),
    "vpc-lattice-v2": (
        data_classes.VPCLatticeEventV2,
        lambda event: (event.path, event.json_body),
        ("/orders", {"order": 1}),
    ),
}
UNKNOWN = {
    "activemq",
    "appsync-batch",  # a list of what `appsync` is
    "authorizer-websocket",
    "documentdb",
    "iot",
    "iot-authorizer",
    "lambda-destination",
    "lex",
    "rabbitmq",
    "step-functions",
}


def sample(name: str, count: int = 1) -> Any:
    occasion = Occasion(time_ms=1772366400123, random=SystemRandom(), count=count, request=REQUEST)
    return json.loads(json.dumps(SAMPLES[name].build(occasion)))


def test_each_sample_event_is_compared_or_named() -> None:
    assert {*MODELS, *READERS, *UNKNOWN} == SAMPLES.keys()


@pytest.mark.parametrize("name", MODELS)
def test_powertools_parses_a_sample_event(name: str) -> None:
    event = sample(name, 3 if SAMPLES[name].repeats else 1)

    assert MODELS[name].model_validate(event).model_dump() != {}


@pytest.mark.parametrize("name", READERS)
def test_powertools_reads_a_sample_event(name: str) -> None:
    reader, read, expected = READERS[name]

    assert read(reader(sample(name))) == expected


def test_powertools_parses_vpc_lattice_but_for_lists() -> None:
    """Its model has one string for each header and parameter, where AWS's page has lists."""
    event = sample("vpc-lattice-v2")
    for name in ("headers", "queryStringParameters"):
        event[name] = {key: values[-1] for key, values in event[name].items()}

    assert models.VpcLatticeV2Model.model_validate(event).method == "POST"


def test_powertools_decodes_the_log_events() -> None:
    logs = models.CloudWatchLogsModel.model_validate(sample("cloudwatch-logs", 2)).awslogs.decoded_data

    assert [each.message for each in logs.logEvents] == ["[ERROR] order 1 failed", "[ERROR] order 2 failed"]
