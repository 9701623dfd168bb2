"""Streams: Kinesis, DynamoDB, Firehose, Kafka, Amazon MQ, and change streams of DocumentDB."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lambda_web_adapter.models.base import EventPart
from lambda_web_adapter.models.services.base import Base64Text, JsonObject, PascalPart

# A value of DynamoDB: one key for its type, such as {"S": "text"} or {"N": "1"}.
DynamodbItem = dict[str, dict[str, Any]]


class KinesisData(EventPart):
    """A record of a stream."""

    kinesis_schema_version: str = "1.0"
    partition_key: str
    sequence_number: str
    data: Base64Text
    approximate_arrival_timestamp: float = 0


class KinesisRecord(EventPart):
    """A record, and where it comes from."""

    kinesis: KinesisData
    event_source: Literal["aws:kinesis"]
    event_id: str = Field(default="", alias="eventID")
    event_name: str = "aws:kinesis:record"
    event_source_arn: str = Field(default="", alias="eventSourceARN")
    aws_region: str = ""


class KinesisEvent(PascalPart):
    """A batch of records of a stream; the last event of a tumbling window has none.

    https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
    """

    records: list[KinesisRecord]


class DynamodbChange(PascalPart):
    """A change of an item; which images it has depends on the stream's view type."""

    keys: DynamodbItem
    new_image: DynamodbItem | None = None
    old_image: DynamodbItem | None = None
    sequence_number: str = ""
    size_bytes: int = 0
    stream_view_type: Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"] | None = None
    approximate_creation_date_time: float = 0


class DynamodbRecord(EventPart):
    """A change, and where it comes from."""

    dynamodb: DynamodbChange
    event_name: Literal["INSERT", "MODIFY", "REMOVE"]
    event_source: Literal["aws:dynamodb"]
    event_id: str = Field(default="", alias="eventID")
    event_source_arn: str = Field(default="", alias="eventSourceARN")
    aws_region: str = ""


class DynamodbEvent(PascalPart):
    """A batch of changes of a table; the last event of a tumbling window has none.

    https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
    """

    records: list[DynamodbRecord]


class FirehoseRecord(EventPart):
    """A record to transform."""

    record_id: str
    data: Base64Text
    approximate_arrival_timestamp: int = 0


class FirehoseEvent(EventPart):
    """A batch of records to transform.

    https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
    """

    invocation_id: str = ""
    delivery_stream_arn: str
    region: str = ""
    records: list[FirehoseRecord]


class KafkaRecord(EventPart):
    """A record of a partition; the values of headers are lists of bytes."""

    topic: str
    partition: int
    offset: int
    timestamp: int = 0
    timestamp_type: str = ""
    key: Base64Text | None = None
    value: Base64Text | None = None
    headers: list[dict[str, list[int]]] = Field(default_factory=list)


class KafkaEvent(EventPart):
    """A batch of records, by topic and partition, such as `orders-0`.

    https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html
    https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
    """

    event_source: Literal["aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka"]
    event_source_arn: str = ""
    bootstrap_servers: str = ""
    records: dict[str, list[KafkaRecord]]


class ActiveMqMessage(EventPart):
    """A message of ActiveMQ."""

    message_id: str = Field(alias="messageID")
    message_type: str = ""
    data: Base64Text
    destination: dict[str, str] = Field(default_factory=dict)
    timestamp: int = 0
    redelivered: bool = False
    properties: JsonObject = Field(default_factory=dict)


class ActiveMqEvent(EventPart):
    """A batch of messages of ActiveMQ.

    https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
    """

    event_source: Literal["aws:mq"]
    event_source_arn: str = ""
    messages: list[ActiveMqMessage]


class RabbitMqMessage(EventPart):
    """A message of RabbitMQ."""

    basic_properties: JsonObject = Field(default_factory=dict)
    data: Base64Text
    redelivered: bool = False


class RabbitMqEvent(EventPart):
    """A batch of messages of RabbitMQ, by queue and virtual host, such as `orders::/`.

    https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
    """

    event_source: Literal["aws:rmq"]
    event_source_arn: str = ""
    rmq_messages_by_queue: dict[str, list[RabbitMqMessage]]


class DocumentDbChange(EventPart):
    """A change of a document."""

    operation_type: str
    ns: dict[str, str] = Field(default_factory=dict)
    document_key: JsonObject = Field(default_factory=dict)
    full_document: JsonObject | None = None


class DocumentDbItem(EventPart):
    """What holds a change."""

    event: DocumentDbChange


class DocumentDbEvent(EventPart):
    """A batch of changes of a cluster.

    https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html
    """

    event_source: Literal["aws:docdb"]
    event_source_arn: str = ""
    events: list[DocumentDbItem]
