"""Samples of Kinesis, DynamoDB, Firehose and DocumentDB.

https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.local.sample_events.base import ACCOUNT, REGION, SampleEvent, arn

if TYPE_CHECKING:
    from lambda_web_adapter.local.sample_events.base import Occasion


def _kinesis(occasion: Occasion) -> dict[str, Any]:
    first = int(occasion.decimal(56))
    return {"Records": [_kinesis_record(occasion, number, first) for number in range(1, occasion.count + 1)]}


def _kinesis_record(occasion: Occasion, number: int, first: int) -> dict[str, Any]:
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": str(number),
            "sequenceNumber": str(first + number),
            "data": encoded({"order": number}),
            "approximateArrivalTimestamp": occasion.time_ms / 1000,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{first + number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{ACCOUNT}:role/lambda-role",
        "awsRegion": REGION,
        "eventSourceARN": arn("kinesis", "stream/orders"),
    }


def _dynamodb(occasion: Occasion) -> dict[str, Any]:
    """A table of orders, in whose stream are new items."""
    first = int(occasion.decimal(24))
    stream = arn("dynamodb", f"table/orders/stream/{occasion.iso().removesuffix('Z')}")
    return {"Records": [_change(occasion, number, first, stream) for number in range(1, occasion.count + 1)]}


def _change(occasion: Occasion, number: int, first: int, stream: str) -> dict[str, Any]:
    keys = {"id": {"N": str(number)}}
    return {
        "eventID": occasion.hex(32),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": occasion.time_ms // 1000,
            "Keys": keys,
            "NewImage": {**keys, "item": {"S": "a book"}},
            "SequenceNumber": str(first + number),
            "SizeBytes": 15,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": stream,
    }


def _firehose(occasion: Occasion) -> dict[str, Any]:
    records = [
        {
            "recordId": occasion.decimal(56),
            "approximateArrivalTimestamp": occasion.time_ms,
            "data": encoded({"order": number}),
        }
        for number in range(1, occasion.count + 1)
    ]
    return {
        "invocationId": occasion.uuid(),
        "deliveryStreamArn": arn("firehose", "deliverystream/orders"),
        "region": REGION,
        "records": records,
    }


def _documentdb(occasion: Occasion) -> dict[str, Any]:
    return {
        "eventSourceArn": arn("rds", "cluster:orders"),
        "events": [{"event": _document(occasion, number)} for number in range(1, occasion.count + 1)],
        "eventSource": "aws:docdb",
    }


def _document(occasion: Occasion, number: int) -> dict[str, Any]:
    key = {"_id": {"$oid": occasion.hex(24)}}
    return {
        "_id": {"_data": occasion.hex(36)},
        "clusterTime": {"$timestamp": {"t": occasion.time_ms // 1000, "i": number}},
        "documentKey": key,
        "fullDocument": {**key, "order": number},
        "ns": {"db": "shop", "coll": "orders"},
        "operationType": "insert",
    }


def encoded(document: dict[str, Any]) -> str:
    """Return a document's JSON as base64, as streams have it."""
    return base64.b64encode(json.dumps(document).encode()).decode()


SAMPLES = (
    SampleEvent(name="kinesis", title="records of a Kinesis stream", build=_kinesis, source="kinesis", repeats=True),
    SampleEvent(name="dynamodb", title="changes of a DynamoDB table", build=_dynamodb, source="dynamodb", repeats=True),
    SampleEvent(
        name="firehose", title="records for Firehose to transform", build=_firehose, source="firehose", repeats=True
    ),
    SampleEvent(name="documentdb", title="changes in DocumentDB", build=_documentdb, source="documentdb", repeats=True),
)
