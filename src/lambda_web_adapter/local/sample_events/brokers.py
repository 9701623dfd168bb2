"""Samples of Kafka and Amazon MQ.

https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html
https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.local.sample_events.base import REGION, SampleEvent, arn
from lambda_web_adapter.local.sample_events.streams import encoded

if TYPE_CHECKING:
    from lambda_web_adapter.local.sample_events.base import Occasion

_TOPIC = "orders"


def _msk(occasion: Occasion) -> dict[str, Any]:
    cluster = f"orders.{occasion.hex(6)}.c2.kafka.{REGION}.amazonaws.com"
    return {
        "eventSource": "aws:kafka",
        "eventSourceArn": arn("kafka", f"cluster/orders/{occasion.uuid()}-2"),
        "bootstrapServers": f"b-1.{cluster}:9092,b-2.{cluster}:9092",
        "records": {f"{_TOPIC}-0": _kafka_records(occasion)},
    }


def _self_managed_kafka(occasion: Occasion) -> dict[str, Any]:
    return {
        "eventSource": "SelfManagedKafka",
        "bootstrapServers": "kafka-1.example.com:9092,kafka-2.example.com:9092",
        "records": {f"{_TOPIC}-0": _kafka_records(occasion)},
    }


def _kafka_records(occasion: Occasion) -> list[dict[str, Any]]:
    return [
        {
            "topic": _TOPIC,
            "partition": 0,
            "offset": offset,
            "timestamp": occasion.time_ms,
            "timestampType": "CREATE_TIME",
            "key": base64.b64encode(str(offset + 1).encode()).decode(),
            "value": encoded({"order": offset + 1}),
            "headers": [{"kind": [*b"order"]}],
        }
        for offset in range(occasion.count)
    ]


def _activemq(occasion: Occasion) -> dict[str, Any]:
    broker = occasion.uuid()
    messages = [
        {
            "messageID": f"ID:b-{broker}-1.mq.{REGION}.amazonaws.com-40001-{occasion.time_ms}-1:1:1:1:{number}",
            "messageType": "jms/text-message",
            "deliveryMode": 1,
            "replyTo": None,
            "type": None,
            "expiration": "60000",
            "priority": 4,
            "correlationId": occasion.uuid(),
            "redelivered": False,
            "destination": {"physicalName": _TOPIC},
            "data": encoded({"order": number}),
            "timestamp": occasion.time_ms,
            "brokerInTime": occasion.time_ms,
            "brokerOutTime": occasion.time_ms + 1,
            "properties": {"kind": "order"},
        }
        for number in range(1, occasion.count + 1)
    ]
    return {"eventSource": "aws:mq", "eventSourceArn": arn("mq", f"broker:orders:b-{broker}"), "messages": messages}


def _rabbitmq(occasion: Occasion) -> dict[str, Any]:
    messages = [_rabbitmq_message(occasion, number) for number in range(1, occasion.count + 1)]
    return {
        "eventSource": "aws:rmq",
        "eventSourceArn": arn("mq", f"broker:orders:b-{occasion.uuid()}"),
        "rmqMessagesByQueue": {f"{_TOPIC}::/": messages},
    }


def _rabbitmq_message(occasion: Occasion, number: int) -> dict[str, Any]:
    data = encoded({"order": number})
    return {
        "basicProperties": {
            "contentType": "application/json",
            "contentEncoding": None,
            "headers": {"kind": {"bytes": [*b"order"]}},
            "deliveryMode": 1,
            "priority": 4,
            "correlationId": None,
            "replyTo": None,
            "expiration": "60000",
            "messageId": None,
            "timestamp": time.strftime("%b %d, %Y, %I:%M:%S %p", time.gmtime(occasion.time_ms // 1000)),
            "type": None,
            "userId": "shop",
            "appId": None,
            "clusterId": None,
            "bodySize": len(base64.b64decode(data)),
        },
        "redelivered": False,
        "data": data,
    }


SAMPLES = (
    SampleEvent(name="kafka", title="records of a topic of Amazon MSK", build=_msk, source="kafka", repeats=True),
    SampleEvent(
        name="kafka-self-managed",
        title="records of a topic of a Kafka of one's own",
        build=_self_managed_kafka,
        source="kafka",
        repeats=True,
    ),
    SampleEvent(
        name="activemq", title="messages of Amazon MQ for ActiveMQ", build=_activemq, source="mq", repeats=True
    ),
    SampleEvent(
        name="rabbitmq", title="messages of Amazon MQ for RabbitMQ", build=_rabbitmq, source="mq", repeats=True
    ),
)
