"""The service that sent an event which is not an HTTP request, found by keys and values that only its events have.

The app gets the name in a header and, if the pass-through path has `{source}`, in the path. It only describes what the
event looks like: whoever may invoke the function may send any event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter.events import request_rules

if TYPE_CHECKING:
    from typing import Any

UNKNOWN = "direct"

# By `eventSource` of an event or its first record, in lower case (Lambda Developer Guide, the page of each service;
# EventBridge Pipes writes `aws:amq`, and self-managed Kafka occurs in both spellings).
_SERVICES = {
    "aws:amq": "mq",
    "aws:codecommit": "codecommit",
    "aws:docdb": "documentdb",
    "aws:dynamodb": "dynamodb",
    "aws:kafka": "kafka",
    "aws:kinesis": "kinesis",
    "aws:mq": "mq",
    "aws:rmq": "mq",
    "aws:s3": "s3",
    "aws:selfmanagedkafka": "kafka",
    "aws:ses": "ses",
    "aws:sns": "sns",
    "aws:sqs": "sqs",
    "selfmanagedkafka": "kafka",
}
# By the service in `eventSourceARN`, for events without records, such as the last one of a tumbling window.
_SERVICES_OF_ARNS = {
    "dynamodb": "dynamodb",
    "kafka": "kafka",
    "kinesis": "kinesis",
    "mq": "mq",
    "rds": "documentdb",
    "sqs": "sqs",
}
# Keys that only one service's events have at the top level, or in a list's first item; all keys of a line are required.
_DISTINCTIVE_KEYS: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (name, frozenset(keys.split()))
    for name, keys in (
        ("eventbridge", "detail-type source"),
        ("cloudwatch-logs", "awslogs"),
        ("cloudwatch-alarms", "alarmArn alarmData"),
        ("cloudwatch-dashboards", "widgetContext"),
        ("cloudwatch-metrics", "EventType GetMetricDataRequest"),
        ("cloudtrail", "eventVersion eventSource eventName eventID"),  # a rule's `$.detail`
        ("firehose", "deliveryStreamArn records"),
        ("kinesis-analytics", "applicationArn records"),
        ("cognito", "triggerSource userPoolId"),
        ("cognito", "datasetName identityPoolId"),  # Cognito Sync
        ("cloudformation", "RequestType ResponseURL"),
        ("cloudformation", "RequestType LogicalResourceId StackId"),  # by the CDK's provider framework
        ("cloudformation", "transformId fragment"),  # a macro
        ("cloudformation", "hookTypeName actionInvocationPoint"),  # a hook
        ("codedeploy", "DeploymentId LifecycleEventHookExecutionId"),
        ("codepipeline", "CodePipeline.job"),
        ("config", "invokingEvent configRuleName"),
        ("lambda-destination", "requestPayload requestContext"),
        ("appsync", "info arguments"),
        ("appsync", "info events stash"),  # AppSync Events
        ("appsync", "fieldName typeName arguments"),  # Amplify
        ("appsync", "authorizationToken requestContext"),  # its authorizer; API Gateway's have an ARN
        ("s3", "Service Event Bucket HostId"),  # the event that tries out a notification
        ("s3-batch", "invocationSchemaVersion tasks"),
        ("s3-object-lambda", "xAmzRequestId userRequest"),
        ("s3-object-lambda", "getObjectContext"),
        ("iot", "protocolData protocols"),  # an authorizer
        ("iot", "certificateId templateArn"),  # a hook before provisioning
        ("iot", "serialNumber clickType"),  # a button
        ("iot", "deviceEvent deviceInfo"),  # IoT 1-Click
        ("lex", "bot invocationSource"),
        ("connect", "Details Name"),
        ("chime", "InvocationEventType CallDetails"),
        ("pinpoint", "ApplicationId CampaignId Endpoints"),
        ("workmail", "flowDirection envelope"),
        ("alexa", "version session request"),
        ("alexa", "version context request"),
        ("bedrock-agent", "messageVersion actionGroup"),
        ("bedrock-agent", "messageVersion agent"),  # a parser, an orchestration
        ("bedrock-flow", "messageVersion flow node"),
        ("secrets-manager", "SecretId ClientRequestToken Step"),
        ("transfer", "serverId username protocol"),  # an identity provider
        ("transfer", "serviceMetadata fileLocation"),  # a step of a workflow
        ("autoscaling", "AutoScalingGroupName CapacityToTerminate"),
        ("client-vpn", "connection-id endpoint-id"),
        ("ecs", "executionDetails lifecycleStage"),  # a hook of a deployment
        ("athena", "@type identity"),
        ("redshift", "external_function arguments"),
        ("sagemaker", "labelingJobArn"),
    )
)
# AppSync's mapping template, if all of it is sent.
_OPERATION = frozenset({"version", "operation", "payload"})
_OPERATIONS = ("Invoke", "BatchInvoke")


def find_service(event: Any) -> str:
    """Return the name of the service that sent an event, valid in a path; `direct` if it is not recognised.

    For a list, the first item counts: EventBridge Pipes sends lists of records, AppSync's BatchInvoke of requests.
    """
    if isinstance(event, list):
        first = request_rules.to_mapping(event[0]) if event else {}
        return _by_source(first) or _by_keys(first)
    if not isinstance(event, dict):
        return UNKNOWN
    if "methodArn" in event or "routeArn" in event:
        return "authorizer"
    if "connectionId" in request_rules.to_mapping(event.get("requestContext")):
        return "websocket"
    records = event.get("Records")
    record = request_rules.to_mapping(records[0]) if isinstance(records, list) and records else event
    return _by_source(record) or _by_keys(event)


def _by_source(record: dict[str, Any]) -> str:
    """Return the service named in a record's or event's `eventSource` or `eventSourceARN`; empty if none is."""
    event_source = request_rules.to_text_or_empty(record.get("eventSource") or record.get("EventSource"))
    if service := _SERVICES.get(event_source.lower()):
        return service
    arn = request_rules.to_text_or_empty(record.get("eventSourceARN") or record.get("eventSourceArn"))
    _, _, service, *_ = f"{arn}::".split(":")  # arn:aws:kinesis:…
    return _SERVICES_OF_ARNS.get(service, "")


def _by_keys(event: dict[str, Any]) -> str:
    keys = event.keys()
    if keys >= _OPERATION and event["operation"] in _OPERATIONS:
        return "appsync"
    return next((name for name, key_sets in _DISTINCTIVE_KEYS if keys >= key_sets), UNKNOWN)
