"""Where an event that is not an HTTP request comes from, by what its service leaves in it and no other does.

The name goes to the app in a header and, where the pass-through path asks for it, in the path. It says what the event
looks like, not more: whoever may invoke the function may write any event.
"""

from __future__ import annotations

from lambda_web_adapter.events import request_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

UNKNOWN = "direct"

# What `eventSource` says in an event or its first record, in lower case (Lambda Developer Guide, the page of each
# service; EventBridge Pipes writes `aws:amq`, and both spellings of self-managed Kafka are found).
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
# The service in `eventSourceARN`, where that is all that there is: a tumbling window's last event has no records.
_SERVICES_OF_ARNS = {
    "dynamodb": "dynamodb",
    "kafka": "kafka",
    "kinesis": "kinesis",
    "mq": "mq",
    "rds": "documentdb",
    "sqs": "sqs",
}
# Keys that only one service's events have at the top, or in a list's first item; all of a line must be there.
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
# What a mapping template for AppSync says, where all of it is sent.
_OPERATION = frozenset({"version", "operation", "payload"})
_OPERATIONS = ("Invoke", "BatchInvoke")


def find_service(event: Any) -> str:
    """Name the service an event comes from: lower case, with hyphens, fit for a path; `direct` when nothing tells.

    A list is what its first item is: EventBridge Pipes sends records so, and AppSync's BatchInvoke what it resolves.
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
    """Name the service by what a record, or an event, says of it; empty when that says nothing known."""
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
