"""Samples of S3.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/olap-event-context.html
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.local.sample_events.base import ACCOUNT, CLIENT_ADDRESS, REGION, SampleEvent, arn
from lambda_web_adapter.local.sample_events.eventbridge import build_event

if TYPE_CHECKING:
    from lambda_web_adapter.local.sample_events.base import Occasion

_BUCKET = "shop-uploads"
_BUCKET_ARN = f"arn:aws:s3:::{_BUCKET}"
_KEY = "orders/summer+2026.csv"  # a space is a plus, as in a query
_SIZE = 1024


def _s3(occasion: Occasion) -> dict[str, Any]:
    return {"Records": [_record(occasion, "ObjectCreated:Put", {"size": _SIZE, "eTag": occasion.hex(32)})]}


def _s3_removed(occasion: Occasion) -> dict[str, Any]:
    """An object that was deleted has neither size nor entity tag."""
    return {"Records": [_record(occasion, "ObjectRemoved:Delete", {})]}


def _record(occasion: Occasion, name: str, description: dict[str, Any]) -> dict[str, Any]:
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": occasion.iso(),
        "eventName": name,
        "userIdentity": {"principalId": "AWS:AIDAIENQZJOLO23YVJ4VO"},
        "requestParameters": {"sourceIPAddress": CLIENT_ADDRESS},
        "responseElements": {"x-amz-request-id": _request_id(occasion), "x-amz-id-2": _extended_id(occasion)},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads",
            "bucket": {"name": _BUCKET, "ownerIdentity": {"principalId": "A3NL1KOZZKExample"}, "arn": _BUCKET_ARN},
            "object": {"key": _KEY, **description, "sequencer": _sequencer(occasion)},
        },
    }


def _through_eventbridge(occasion: Occasion) -> dict[str, Any]:
    """Through EventBridge the key is as it is, and the event has no records."""
    detail = {
        "version": "0",
        "bucket": {"name": _BUCKET},
        "object": {
            "key": _KEY.replace("+", " "),
            "size": _SIZE,
            "etag": occasion.hex(32),
            "sequencer": _sequencer(occasion),
        },
        "request-id": _request_id(occasion),
        "requester": ACCOUNT,
        "source-ip-address": CLIENT_ADDRESS,
        "reason": "PutObject",
    }
    return build_event(occasion, "aws.s3", "Object Created", [_BUCKET_ARN], detail)


def _batch(occasion: Occasion) -> dict[str, Any]:
    return {
        "invocationSchemaVersion": "1.0",
        "invocationId": base64.b64encode(occasion.random.randbytes(32)).decode(),
        "job": {"id": occasion.uuid()},
        "tasks": [
            {
                "taskId": base64.b64encode(occasion.random.randbytes(32)).decode(),
                "s3Key": _KEY,
                "s3VersionId": "1",
                "s3BucketArn": _BUCKET_ARN,
            }
        ],
    }


def _object_lambda(occasion: Occasion) -> dict[str, Any]:
    access_point, host = arn("s3-object-lambda", "accesspoint/orders"), f"orders-{ACCOUNT}"
    input_host = f"{host}.s3-accesspoint.{REGION}.amazonaws.com"
    return {
        "xAmzRequestId": occasion.uuid(),
        "getObjectContext": {
            "inputS3Url": f"https://{input_host}/orders.csv?X-Amz-SignedHeaders=host",
            "outputRoute": f"io-{occasion.hex(10)}",
            "outputToken": base64.b64encode(occasion.random.randbytes(48)).decode(),
        },
        "configuration": {
            "accessPointArn": access_point,
            "supportingAccessPointArn": arn("s3", "accesspoint/orders"),
            "payload": "{}",
        },
        "userRequest": {
            "url": f"https://{host}.s3-object-lambda.{REGION}.amazonaws.com/orders.csv",
            "headers": {"Host": f"{host}.s3-object-lambda.{REGION}.amazonaws.com", "Accept-Encoding": "identity"},
        },
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAIENQZJOLO23YVJ4VO",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/jane",
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "userName": "jane",
        },
        "protocolVersion": "1.00",
    }


def _request_id(occasion: Occasion) -> str:
    return occasion.hex(16).upper()


def _extended_id(occasion: Occasion) -> str:
    return base64.b64encode(occasion.random.randbytes(48)).decode()


def _sequencer(occasion: Occasion) -> str:
    return occasion.hex(18).upper()


SAMPLES = (
    SampleEvent(name="s3", title="an object that was put into an S3 bucket", build=_s3, source="s3"),
    SampleEvent(name="s3-removed", title="an object that was deleted", build=_s3_removed, source="s3"),
    SampleEvent(
        name="s3-eventbridge",
        title="an object that was created, through EventBridge",
        build=_through_eventbridge,
        source="eventbridge",
    ),
    SampleEvent(name="s3-batch", title="a task of S3 Batch Operations", build=_batch, source="s3-batch"),
    SampleEvent(
        name="s3-object-lambda",
        title="a GetObject request of S3 Object Lambda",
        build=_object_lambda,
        source="s3-object-lambda",
    ),
)
