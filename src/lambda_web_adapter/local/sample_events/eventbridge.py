"""Samples of EventBridge, CloudWatch and other invocations by AWS itself.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.local.sample_events.base import ACCOUNT, FUNCTION_ARN, REGION, SampleEvent, arn

if TYPE_CHECKING:
    from lambda_web_adapter.local.sample_events.base import Occasion


def build_event(
    occasion: Occasion, source: str, detail_type: str, resources: list[str], detail: dict[str, Any]
) -> dict[str, Any]:
    """Return an event of a bus."""
    return {
        "version": "0",
        "id": occasion.uuid(),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": occasion.iso("seconds"),
        "region": REGION,
        "resources": resources,
        "detail": detail,
    }


def _eventbridge(occasion: Occasion) -> dict[str, Any]:
    return build_event(occasion, "com.example.shop", "Order placed", [], {"order": 1})


def _schedule(occasion: Occasion) -> dict[str, Any]:
    return build_event(occasion, "aws.events", "Scheduled Event", [arn("events", "rule/nightly")], {})


def _scheduler(occasion: Occasion) -> dict[str, Any]:
    resource = arn("scheduler", "schedule/default/nightly")
    return build_event(occasion, "aws.scheduler", "Scheduled Event", [resource], {})


def _logs(occasion: Occasion) -> dict[str, Any]:
    content = {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": "/aws/lambda/shop",
        "logStream": f"{occasion.iso()[:10].replace('-', '/')}/[$LATEST]{occasion.hex(32)}",
        "subscriptionFilters": ["errors"],
        "logEvents": [
            {"id": occasion.decimal(56), "timestamp": occasion.time_ms, "message": f"[ERROR] order {number} failed"}
            for number in range(1, occasion.count + 1)
        ],
    }
    data = gzip.compress(json.dumps(content).encode(), mtime=0)
    return {"awslogs": {"data": base64.b64encode(data).decode()}}


def _alarm(occasion: Occasion) -> dict[str, Any]:
    time = occasion.iso().replace("Z", "+0000")
    metric = {"namespace": "AWS/Lambda", "name": "Errors", "dimensions": {"FunctionName": "shop"}}
    configuration = {
        "description": "Orders fail",
        "metrics": [
            {
                "id": occasion.uuid(),
                "metricStat": {"metric": metric, "period": 60, "stat": "Sum"},
                "returnData": True,
            }
        ],
    }
    return {
        "source": "aws.cloudwatch",
        "alarmArn": arn("cloudwatch", "alarm:orders"),
        "accountId": ACCOUNT,
        "time": time,
        "region": REGION,
        "alarmData": {
            "alarmName": "orders",
            "state": {
                "value": "ALARM",
                "reason": "Threshold Crossed: 1 datapoint was greater than the threshold (0.0).",
                "reasonData": json.dumps({"version": "1.0", "period": 60, "recentDatapoints": [1.0], "threshold": 0.0}),
                "timestamp": time,
            },
            "previousState": {"value": "OK", "reason": "No errors.", "timestamp": time},
            "configuration": configuration,
        },
    }


def _destination(occasion: Occasion) -> dict[str, Any]:
    return {
        "version": "1.0",
        "timestamp": occasion.iso(),
        "requestContext": {
            "requestId": occasion.uuid(),
            "functionArn": f"{FUNCTION_ARN}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"order": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "The order is unknown.", "errorType": "LookupError"},
    }


def _step_functions(occasion: Occasion) -> dict[str, Any]:
    """What a task with `.waitForTaskToken` sends; the names are those that its definition chooses."""
    return {"taskToken": base64.b64encode(occasion.random.randbytes(192)).decode(), "input": {"order": 1}}


SAMPLES = (
    SampleEvent(name="eventbridge", title="an event of an EventBridge bus", build=_eventbridge, source="eventbridge"),
    SampleEvent(name="schedule", title="an EventBridge rule on a schedule", build=_schedule, source="eventbridge"),
    SampleEvent(name="scheduler", title="EventBridge Scheduler", build=_scheduler, source="eventbridge"),
    SampleEvent(
        name="cloudwatch-logs",
        title="log events of a subscription filter",
        build=_logs,
        source="cloudwatch-logs",
        repeats=True,
    ),
    SampleEvent(
        name="cloudwatch-alarm",
        title="an alarm whose action is the function",
        build=_alarm,
        source="cloudwatch-alarms",
    ),
    SampleEvent(
        name="lambda-destination",
        title="another function's asynchronous invocation that has failed",
        build=_destination,
        source="lambda-destination",
    ),
    SampleEvent(
        name="step-functions",
        title="a state machine's task that waits for a callback",
        build=_step_functions,
        source="direct",
    ),
)
