"""Which service an event that is passed through comes from: its mark, and its name in the path."""

from typing import Any

import pytest

from lambda_web_adapter.events import build_request, find_source, pass_through_source
from lambda_web_adapter.events.services import _DISTINCTIVE_KEYS, find_service
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
        pytest.param([{"messageId": "1", "body": "", "eventSource": "aws:sqs"}], "sqs", id="SQS through Pipes"),
        pytest.param([{"data": "", "eventSource": "aws:kinesis"}] * 2, "kinesis", id="Kinesis through Pipes"),
        pytest.param([{"dynamodb": {}, "eventSource": "aws:dynamodb"}], "dynamodb", id="DynamoDB through Pipes"),
        pytest.param([{"topic": "t", "eventSource": "aws:kafka"}], "kafka", id="MSK through Pipes"),
        pytest.param([{"topic": "t", "eventSource": "SelfManagedKafka"}], "kafka", id="Kafka through Pipes"),
        pytest.param([{"messageID": "1", "eventSource": "aws:amq"}], "mq", id="ActiveMQ through Pipes"),
        pytest.param([{"redelivered": False, "eventSource": "aws:rmq"}], "mq", id="RabbitMQ through Pipes"),
        pytest.param([{"data": "", "eventSourceARN": "arn:aws:kinesis:x:1:stream/s"}], "kinesis", id="an ARN alone"),
        pytest.param({"eventSource": "aws:SelfManagedKafka"}, "kafka", id="self-managed Kafka, spelled with aws:"),
        pytest.param({"eventSource": "aws:amq", "messages": []}, "mq", id="ActiveMQ, spelled as Pipes does"),
        pytest.param(
            {"Records": [], "isFinalInvokeForWindow": True, "eventSourceARN": "arn:aws:kinesis:x:1:stream/s"},
            "kinesis",
            id="the end of a tumbling window of Kinesis",
        ),
        pytest.param(
            {"Records": [], "window": {}, "eventSourceARN": "arn:aws-cn:dynamodb:x:1:table/t/stream/s"},
            "dynamodb",
            id="the end of a tumbling window of DynamoDB",
        ),
        pytest.param([{"info": {}, "arguments": {}}], "appsync", id="AppSync's BatchInvoke"),
        pytest.param(
            {"info": {}, "arguments": {}, "identity": None, "source": None, "request": {}, "prev": None, "stash": {}},
            "appsync",
            id="AppSync, the whole context",
        ),
        pytest.param({"typeName": "Query", "fieldName": "x", "arguments": {}}, "appsync", id="AppSync by Amplify"),
        pytest.param({"version": "2018-05-29", "operation": "Invoke", "payload": {}}, "appsync", id="AppSync's Invoke"),
        pytest.param(
            {"version": "2017-02-28", "operation": "BatchInvoke", "payload": []}, "appsync", id="a whole BatchInvoke"
        ),
        pytest.param(
            {"info": {"channel": {}, "operation": "PUBLISH"}, "events": [], "stash": {}}, "appsync", id="AppSync Events"
        ),
        pytest.param(
            {"authorizationToken": "x", "requestContext": {"apiId": "a"}, "requestHeaders": {}},
            "appsync",
            id="an authorizer of AppSync",
        ),
        pytest.param(
            {"authorizationToken": "x", "methodArn": "arn", "type": "TOKEN"}, "authorizer", id="an authorizer by token"
        ),
        *[
            pytest.param(
                {"xAmzRequestId": "1", name: {}, "configuration": {}, "userRequest": {}}, "s3-object-lambda", id=name
            )
            for name in ("getObjectContext", "headObjectContext", "listObjectsContext", "listObjectsV2Context")
        ],
        pytest.param({"DeploymentId": "d", "LifecycleEventHookExecutionId": "e"}, "codedeploy", id="CodeDeploy's hook"),
        pytest.param({"executionDetails": {}, "lifecycleStage": "x", "executionId": "1"}, "ecs", id="ECS's hook"),
        pytest.param(
            {
                "version": "1.0",
                "timestamp": "2026-01-01T00:00:00.000Z",
                "requestContext": {"requestId": "1", "functionArn": "arn", "condition": "Success"},
                "requestPayload": {"version": "2.0", "rawPath": "/"},
                "responseContext": {"statusCode": 200},
                "responsePayload": None,
            },
            "lambda-destination",
            id="a destination of Lambda",
        ),
        pytest.param(
            {"token": "t", "signatureVerified": True, "protocols": ["mqtt"], "protocolData": {}},
            "iot",
            id="an authorizer of IoT",
        ),
        pytest.param({"certificateId": "c", "templateArn": "arn", "parameters": {}}, "iot", id="IoT's provisioning"),
        pytest.param({"serialNumber": "s", "batteryVoltage": "1mV", "clickType": "SINGLE"}, "iot", id="an IoT button"),
        pytest.param({"datasetName": "d", "identityPoolId": "p"}, "cognito", id="Cognito Sync"),
        pytest.param(
            {"RequestType": "Delete", "StackId": "s", "LogicalResourceId": "l"}, "cloudformation", id="CDK's provider"
        ),
        pytest.param({"transformId": "1", "fragment": {}, "params": {}}, "cloudformation", id="CloudFormation's macro"),
        pytest.param({"connection-id": "c", "endpoint-id": "e", "username": ""}, "client-vpn", id="Client VPN"),
        pytest.param({"InvocationEventType": "HANGUP", "CallDetails": {}}, "chime", id="Chime"),
        pytest.param({"methodArn": "arn"}, "authorizer", id="an authorizer of a REST API"),
        pytest.param({"routeArn": "arn"}, "authorizer", id="an authorizer of an HTTP API"),
        pytest.param(
            {"methodArn": "arn", "requestContext": {"connectionId": "x"}}, "authorizer", id="one of a WebSocket API"
        ),
        pytest.param({"requestContext": {"connectionId": "x"}}, "websocket", id="WebSocket API"),
    ],
)
def test_a_service_is_named_by_its_marks(event: Any, origin: str) -> None:
    assert find_service(event) == origin


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
        pytest.param({"Records": [], "eventSourceARN": "arn:aws:new-service:x"}, id="an ARN of a service not known"),
        pytest.param({"Records": [], "eventSourceARN": "arn"}, id="no ARN"),
        pytest.param({"Records": [], "eventSourceARN": ["arn:aws:sqs:x"]}, id="a list for an ARN"),
        pytest.param({"version": "1", "operation": "create", "payload": {}}, id="an operation of another API"),
        pytest.param([records("aws:sqs")], id="a list of events"),
        pytest.param([], id="an empty list"),
        pytest.param(["aws:sqs"], id="a list of text"),
        pytest.param([None], id="a list of null"),
        pytest.param([[{"eventSource": "aws:sqs"}]], id="a list in a list"),
        pytest.param("aws:sqs", id="text"),
        pytest.param(None, id="null"),
        pytest.param(7, id="a number"),
    ],
)
def test_what_has_no_marks_is_called_direct(event: Any) -> None:
    assert find_service(event) == "direct"


@pytest.mark.parametrize(("name", "keys"), _DISTINCTIVE_KEYS)
def test_no_service_s_keys_are_another_s(name: str, keys: frozenset[str]) -> None:
    assert find_service(dict.fromkeys(keys)) == name


@pytest.mark.parametrize("event", [[{"eventSource": "aws:sqs"}], [{"info": {}, "arguments": {}}]])
def test_a_list_reaches_the_app_by_its_service_s_name(event: list[Any]) -> None:
    settings = Settings.from_environ({"AWS_LWA_PASS_THROUGH_PATH": "/events/{source}"})
    made = build_request(find_source(event), event, settings, b"[]")

    assert (made.method, made.path, made.body) == ("POST", f"/events/{find_service(event)}", b"[]")


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
    settings = Settings.from_environ({"AWS_LWA_PASS_THROUGH_PATH": setting})

    made = build_request(pass_through_source(), records("aws:sqs"), settings, b"{}")

    assert (made.path, made.reserved_headers) == (path, [("x-amzn-event-source", "sqs")])
