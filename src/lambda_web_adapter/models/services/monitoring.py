"""EventBridge, CloudWatch, and the destinations of asynchronous invocations."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lambda_web_adapter.models.base import EventPart
from lambda_web_adapter.models.services.base import Base64Text, JsonObject, Timestamp


class EventBridgeEvent(EventPart):
    """An event of a bus, a schedule, or another service through EventBridge.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
    """

    version: str = "0"
    id: str = ""
    detail_type: str = Field(alias="detail-type")
    source: str
    account: str = ""
    time: Timestamp | None = None
    region: str = ""
    resources: list[str] = Field(default_factory=list)
    detail: JsonObject = Field(default_factory=dict)


class LogData(EventPart):
    """Log events as base64 of gzip of JSON."""

    data: Base64Text


class CloudWatchLogsEvent(EventPart):
    """Log events of a subscription filter.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """

    awslogs: LogData


class AlarmState(EventPart):
    """A state of an alarm; `reason_data` is JSON as text."""

    value: Literal["ALARM", "OK", "INSUFFICIENT_DATA"]
    reason: str = ""
    reason_data: str = ""
    timestamp: str = ""


class AlarmData(EventPart):
    """The alarm, and its change."""

    alarm_name: str
    state: AlarmState
    previous_state: AlarmState | None = None
    configuration: JsonObject = Field(default_factory=dict)


class CloudWatchAlarmEvent(EventPart):
    """A change of an alarm whose action is the function.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
    """

    source: str = "aws.cloudwatch"
    alarm_arn: str
    account_id: str = ""
    time: str = ""
    region: str = ""
    alarm_data: AlarmData


class DestinationContext(EventPart):
    """The invocation that has ended."""

    request_id: str = ""
    function_arn: str
    condition: Literal["Success", "RetriesExhausted", "EventAgeExceeded"]
    approximate_invoke_count: int = 1


class DestinationEvent(EventPart):
    """The record of another function's asynchronous invocation.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """

    version: str = "1.0"
    timestamp: Timestamp | None = None
    request_context: DestinationContext
    request_payload: Any
    response_context: JsonObject = Field(default_factory=dict)
    response_payload: Any = None
