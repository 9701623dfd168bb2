"""Which service an event that is passed through comes from: its mark, and its name in the path."""

from typing import Any

import pytest

from lambda_web_adapter.events import PASS_THROUGH, to_request
from lambda_web_adapter.events.origins import origin_of
from lambda_web_adapter.settings import Settings


def records(source: Any, key: str = "eventSource") -> dict[str, Any]:
    return {"Records": [{key: source}]}


@pytest.mark.parametrize(
    ("event", "origin"),
    [
        pytest.param(records("aws:sqs"), "sqs", id="SQS"),
        pytest.param(records("aws:sns", "EventSource"), "sns", id="SNS, which writes its key in capitals"),
        pytest.param(records("aws:s3"), "s3", id="S3"),
        pytest.param(records("aws:ses"), "ses", id="SES"),
        pytest.param(records("aws:dynamodb"), "dynamodb", id="DynamoDB streams"),
        pytest.param(records("aws:kinesis"), "kinesis", id="Kinesis"),
        pytest.param(records("aws:codecommit"), "codecommit", id="CodeCommit"),
        pytest.param({"eventSource": "aws:kafka", "records": {}}, "kafka", id="MSK"),
        pytest.param({"eventSource": "SelfManagedKafka", "records": {}}, "kafka", id="self-managed Kafka"),
        pytest.param({"eventSource": "aws:mq", "messages": []}, "mq", id="ActiveMQ"),
        pytest.param({"eventSource": "aws:rmq", "rmqMessagesByQueue": {}}, "mq", id="RabbitMQ"),
        pytest.param({"eventSource": "aws:docdb", "events": []}, "documentdb", id="DocumentDB"),
        pytest.param({"detail-type": "Scheduled Event", "source": "aws.events"}, "eventbridge", id="EventBridge"),
        pytest.param({"awslogs": {"data": ""}}, "cloudwatch-logs", id="CloudWatch logs"),
        pytest.param({"alarmArn": "arn", "alarmData": {}}, "cloudwatch-alarms", id="CloudWatch alarms"),
        pytest.param({"deliveryStreamArn": "arn", "records": []}, "firehose", id="Firehose"),
        pytest.param({"triggerSource": "PreSignUp_SignUp", "userPoolId": "x"}, "cognito", id="Cognito"),
        pytest.param({"RequestType": "Create", "ResponseURL": "https://x"}, "cloudformation", id="CloudFormation"),
        pytest.param({"invocationSchemaVersion": "1.0", "tasks": []}, "s3-batch", id="S3 batch operations"),
        pytest.param({"getObjectContext": {}}, "s3-object-lambda", id="S3 Object Lambda"),
        pytest.param({"invokingEvent": "{}", "configRuleName": "x"}, "config", id="Config"),
        pytest.param({"CodePipeline.job": {}}, "codepipeline", id="CodePipeline"),
        pytest.param({"info": {}, "arguments": {}}, "appsync", id="AppSync"),
        pytest.param({"bot": {}, "invocationSource": "DialogCodeHook"}, "lex", id="Lex"),
        pytest.param({"Details": {}, "Name": "ContactFlowEvent"}, "connect", id="Connect"),
        pytest.param({"messageVersion": "1.0", "actionGroup": "x"}, "bedrock-agent", id="Bedrock agent"),
        pytest.param(
            {"SecretId": "x", "ClientRequestToken": "x", "Step": "createSecret"},
            "secrets-manager",
            id="Secrets Manager",
        ),
        pytest.param({"methodArn": "arn"}, "authorizer", id="an authorizer of a REST API"),
        pytest.param({"routeArn": "arn"}, "authorizer", id="an authorizer of an HTTP API"),
        pytest.param(
            {"methodArn": "arn", "requestContext": {"connectionId": "x"}}, "authorizer", id="one of a WebSocket API"
        ),
        pytest.param({"requestContext": {"connectionId": "x"}}, "websocket", id="WebSocket API"),
    ],
)
def test_a_service_is_named_by_its_marks(event: Any, origin: str) -> None:
    assert origin_of(event) == origin


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({}, id="nothing in it"),
        pytest.param({"source": "aws.events"}, id="half of a service's marks"),
        pytest.param({"a": 1}, id="no marks"),
        pytest.param(records("aws:new-service"), id="a service that is not known"),
        pytest.param(records("../admin"), id="a path for a service"),
        pytest.param(records(["aws:sqs"]), id="a list for a service"),
        pytest.param({"Records": []}, id="no records"),
        pytest.param({"Records": [None]}, id="a null record"),
        pytest.param({"Records": "aws:sqs"}, id="records of text"),
        pytest.param({"requestContext": ["connectionId"]}, id="a context that is a list"),
        pytest.param([records("aws:sqs")], id="a list"),
        pytest.param("aws:sqs", id="text"),
        pytest.param(None, id="null"),
        pytest.param(7, id="a number"),
    ],
)
def test_what_has_no_marks_is_called_direct(event: Any) -> None:
    assert origin_of(event) == "direct"


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        pytest.param("/events", "/events", id="no name asked for"),
        pytest.param("/events/{source}", "/events/sqs", id="at the end"),
        pytest.param("/{source}/events", "/sqs/events", id="in the middle"),
        pytest.param("/on-{source}", "/on-sqs", id="in a word"),
        pytest.param("/{source}/{source}", "/sqs/sqs", id="twice"),
    ],
)
def test_the_path_has_the_name_where_the_setting_asks_for_it(setting: str, path: str) -> None:
    settings = Settings.from_environment({"AWS_LWA_PASS_THROUGH_PATH": setting})

    made = to_request(PASS_THROUGH, records("aws:sqs"), settings, b"{}")

    assert (made.path, made.marks) == (path, [("x-amzn-event-source", "sqs")])
