"""Queues and topics: SQS, SNS, and mail that SES receives."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lambda_web_adapter.models.base import EventPart
from lambda_web_adapter.models.services.base import Base64Text, JsonObject, PascalPart, Timestamp


class SqsAttribute(EventPart):
    """A message attribute that the sender has set."""

    data_type: str
    string_value: str | None = None
    binary_value: Base64Text | None = None
    string_list_values: list[str] = Field(default_factory=list)
    binary_list_values: list[Base64Text] = Field(default_factory=list)


class SqsMessage(EventPart):
    """A message; the attributes that SQS itself sets are text, numbers and times included."""

    message_id: str
    receipt_handle: str = ""
    body: str
    attributes: dict[str, str] = Field(default_factory=dict)
    message_attributes: dict[str, SqsAttribute] = Field(default_factory=dict)
    md5_of_body: str = ""
    event_source: Literal["aws:sqs"]
    event_source_arn: str = Field(default="", alias="eventSourceARN")
    aws_region: str = ""


class SqsEvent(PascalPart):
    """A batch of messages of a queue.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """

    records: list[SqsMessage]


class SnsAttribute(PascalPart):
    """A message attribute that the publisher has set."""

    type: str
    value: str


class SnsNotification(PascalPart):
    """A message of a topic."""

    type: Literal["Notification"] = "Notification"
    message_id: str
    topic_arn: str = ""
    subject: str | None = None
    message: str
    timestamp: Timestamp | None = None
    message_attributes: dict[str, SnsAttribute] = Field(default_factory=dict)


class SnsRecord(PascalPart):
    """A record with a message."""

    event_source: Literal["aws:sns"]
    event_version: str = "1.0"
    event_subscription_arn: str = ""
    sns: SnsNotification


class SnsEvent(PascalPart):
    """A message of a topic; there is one record.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    """

    records: list[SnsRecord]


class SesMail(EventPart):
    """The mail without its content, which is in S3 if the receipt rule says so."""

    message_id: str
    source: str = ""
    timestamp: Timestamp | None = None
    destination: list[str] = Field(default_factory=list)
    headers: list[dict[str, str]] = Field(default_factory=list)
    headers_truncated: bool = False
    common_headers: JsonObject = Field(default_factory=dict)


class SesReceipt(EventPart):
    """What SES found out about the mail, and the action that invokes the function."""

    recipients: list[str] = Field(default_factory=list)
    timestamp: Timestamp | None = None
    processing_time_millis: int = 0
    action: dict[str, Any] = Field(default_factory=dict)


class SesContent(EventPart):
    """Mail and receipt."""

    mail: SesMail
    receipt: SesReceipt


class SesRecord(EventPart):
    """A record with a mail."""

    event_source: Literal["aws:ses"]
    event_version: str = "1.0"
    ses: SesContent


class SesEvent(PascalPart):
    """A mail that SES has received.

    https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-lambda-event.html
    """

    records: list[SesRecord]
