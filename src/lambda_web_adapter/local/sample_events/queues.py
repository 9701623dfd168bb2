"""Samples of SQS, SNS and SES.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-lambda-event.html
"""

from __future__ import annotations

import base64
import hashlib
import json
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.local.sample_events.base import FUNCTION_ARN, REGION, USER, SampleEvent, arn

if TYPE_CHECKING:
    from lambda_web_adapter.local.sample_events.base import Occasion

_TOPIC = arn("sns", "orders")
_PASS = {"status": "PASS"}


def _sqs(occasion: Occasion) -> dict[str, Any]:
    return {"Records": [_message(occasion, number, {}) for number in range(1, occasion.count + 1)]}


def _sqs_fifo(occasion: Occasion) -> dict[str, Any]:
    """All messages are of one group, in order."""
    first = int(occasion.decimal(20))
    records = []
    for number in range(1, occasion.count + 1):
        order = {
            "SequenceNumber": str(first + number),
            "MessageGroupId": "orders",
            "MessageDeduplicationId": occasion.hex(64),
        }
        records.append(_message(occasion, number, order, ".fifo"))
    return {"Records": records}


def _message(occasion: Occasion, number: int, order: dict[str, str], suffix: str = "") -> dict[str, Any]:
    body = json.dumps({"order": number})
    received = str(occasion.time_ms)
    return {
        "messageId": occasion.uuid(),
        "receiptHandle": base64.b64encode(occasion.random.randbytes(96)).decode(),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(occasion.time_ms - 10),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": received,
            **order,
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn("sqs", f"orders{suffix}"),
        "awsRegion": REGION,
    }


def _sns(occasion: Occasion) -> dict[str, Any]:
    subscription = f"{_TOPIC}:{occasion.uuid()}"
    host = f"https://sns.{REGION}.amazonaws.com"
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
        "Sns": {
            "Type": "Notification",
            "MessageId": occasion.uuid(),
            "TopicArn": _TOPIC,
            "Subject": "An order",
            "Message": json.dumps({"order": 1}),
            "Timestamp": occasion.iso(),
            "SignatureVersion": "1",
            "Signature": base64.b64encode(occasion.random.randbytes(256)).decode(),
            "SigningCertUrl": f"{host}/SimpleNotificationService-{occasion.hex(32)}.pem",
            "UnsubscribeUrl": f"{host}/?Action=Unsubscribe&SubscriptionArn={subscription}",
            "MessageAttributes": {"kind": {"Type": "String", "Value": "order"}},
        },
    }
    return {"Records": [record]}


def _ses(occasion: Occasion) -> dict[str, Any]:
    message_id = occasion.hex(40)
    date, recipient = formatdate(occasion.time_ms / 1000), "shop@example.com"
    headers = {"From": USER, "To": recipient, "Subject": "Where is my order?", "Date": date}
    mail = {
        "timestamp": occasion.iso(),
        "source": USER,
        "messageId": message_id,
        "destination": [recipient],
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in headers.items()],
        "commonHeaders": {
            "returnPath": USER,
            "from": [USER],
            "date": date,
            "to": [recipient],
            "messageId": f"<{occasion.uuid()}@example.com>",
            "subject": headers["Subject"],
        },
    }
    receipt = {
        "timestamp": occasion.iso(),
        "processingTimeMillis": 480,
        "recipients": [recipient],
        **{f"{check}Verdict": _PASS for check in ("spam", "virus", "spf", "dkim", "dmarc")},
        "action": {"type": "Lambda", "functionArn": FUNCTION_ARN, "invocationType": "Event"},
    }
    record = {"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {"mail": mail, "receipt": receipt}}
    return {"Records": [record]}


SAMPLES = (
    SampleEvent(name="sqs", title="messages of an SQS queue", build=_sqs, source="sqs", repeats=True),
    SampleEvent(
        name="sqs-fifo", title="messages of a FIFO queue, of one group", build=_sqs_fifo, source="sqs", repeats=True
    ),
    SampleEvent(name="sns", title="a message of an SNS topic", build=_sns, source="sns"),
    SampleEvent(name="ses", title="a mail that SES has received", build=_ses, source="ses"),
)
