"""Where an event that is not an HTTP request comes from, by the marks that its service leaves in it.

The name goes to the app in a header and, where the pass-through path asks for it, in the path. It says what the event
looks like, not more: whoever may invoke the function may write any event.
"""

from __future__ import annotations

from lambda_web_adapter.events import _request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

UNKNOWN = "direct"

# What `eventSource` says in an event or its first record (Lambda Developer Guide, the page of each service).
_SERVICES = {
    "aws:dynamodb": "dynamodb",
    "aws:docdb": "documentdb",
    "aws:kafka": "kafka",
    "aws:kinesis": "kinesis",
    "aws:mq": "mq",
    "aws:rmq": "mq",
    "aws:s3": "s3",
    "aws:ses": "ses",
    "aws:sns": "sns",
    "aws:sqs": "sqs",
    "aws:codecommit": "codecommit",
    "selfmanagedkafka": "kafka",
}
# Keys that only one service's events have at the top; all of a line must be there.
_KEYS: tuple[tuple[str, frozenset[str]], ...] = (
    ("eventbridge", frozenset({"detail-type", "source"})),
    ("cloudwatch-logs", frozenset({"awslogs"})),
    ("cloudwatch-alarms", frozenset({"alarmArn", "alarmData"})),
    ("firehose", frozenset({"deliveryStreamArn", "records"})),
    ("cognito", frozenset({"triggerSource", "userPoolId"})),
    ("cloudformation", frozenset({"RequestType", "ResponseURL"})),
    ("s3-batch", frozenset({"invocationSchemaVersion", "tasks"})),
    ("s3-object-lambda", frozenset({"getObjectContext"})),
    ("config", frozenset({"invokingEvent", "configRuleName"})),
    ("codepipeline", frozenset({"CodePipeline.job"})),
    ("appsync", frozenset({"info", "arguments"})),
    ("lex", frozenset({"bot", "invocationSource"})),
    ("connect", frozenset({"Details", "Name"})),
    ("bedrock-agent", frozenset({"messageVersion", "actionGroup"})),
    ("secrets-manager", frozenset({"SecretId", "ClientRequestToken", "Step"})),
)


def origin_of(event: Any) -> str:
    """Names the service an event comes from: lower case, with hyphens, fit for a path; `direct` when nothing tells."""
    if not isinstance(event, dict):
        return UNKNOWN
    if "methodArn" in event or "routeArn" in event:
        return "authorizer"
    if "connectionId" in _request.mapping(event.get("requestContext")):
        return "websocket"
    records = event.get("Records")
    first = _request.mapping(records[0]) if isinstance(records, list) and records else event
    said = first.get("eventSource") or first.get("EventSource")
    if isinstance(said, str) and (service := _SERVICES.get(said.lower())):
        return service
    return next((name for name, keys in _KEYS if event.keys() >= keys), UNKNOWN)
