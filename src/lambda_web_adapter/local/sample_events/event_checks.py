"""What is wrong with an event, field by field: it is recognised as on Lambda, and compared with its model."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lambda_web_adapter import models
from lambda_web_adapter.events import find_source, pass_through_source
from lambda_web_adapter.events.services import UNKNOWN, find_service
from lambda_web_adapter.models import services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.models import Model

# By source or service, and by the keys that the event has; the first match counts. Others have no model.
_MODELS: tuple[tuple[str, str, type[Model]], ...] = (
    ("alb", "", models.AlbEvent),
    ("function-url", "", models.PayloadV2Event),
    ("http-api-v1", "", models.HttpApiV1Event),
    ("http-api-v2", "", models.PayloadV2Event),
    ("rest-api", "", models.RestApiEvent),
    ("vpc-lattice-v1", "", models.LatticeV1Event),
    ("vpc-lattice-v2", "", models.LatticeV2Event),
    ("websocket", "", models.WebSocketEvent),
    ("authorizer", "routeArn", services.HttpApiAuthorizerEvent),
    ("authorizer", "httpMethod path", services.RequestAuthorizerEvent),
    ("authorizer", "authorizationToken", services.TokenAuthorizerEvent),
    ("authorizer", "methodArn", services.WebSocketAuthorizerEvent),
    ("bedrock-agent", "apiPath", models.BedrockAgentEvent),
    ("bedrock-agent", "function", services.BedrockFunctionEvent),
    ("appsync", "info arguments", services.AppSyncEvent),
    ("cloudformation", "RequestType", services.CustomResourceEvent),
    ("cloudwatch-alarms", "", services.CloudWatchAlarmEvent),
    ("cloudwatch-logs", "", services.CloudWatchLogsEvent),
    ("codepipeline", "", services.CodePipelineEvent),
    ("cognito", "triggerSource", services.CognitoEvent),
    ("config", "", services.ConfigRuleEvent),
    ("connect", "", services.ConnectEvent),
    ("documentdb", "", services.DocumentDbEvent),
    ("dynamodb", "", services.DynamodbEvent),
    ("eventbridge", "", services.EventBridgeEvent),
    ("firehose", "", services.FirehoseEvent),
    ("iot", "protocolData", services.IotAuthorizerEvent),
    ("kafka", "", services.KafkaEvent),
    ("kinesis", "", services.KinesisEvent),
    ("lambda-destination", "", services.DestinationEvent),
    ("lex", "sessionState", services.LexEvent),
    ("mq", "messages", services.ActiveMqEvent),
    ("mq", "rmqMessagesByQueue", services.RabbitMqEvent),
    ("s3", "Records", services.S3Event),
    ("s3-batch", "", services.S3BatchEvent),
    ("s3-object-lambda", "getObjectContext", services.S3ObjectLambdaEvent),
    ("secrets-manager", "", services.RotationEvent),
    ("ses", "", services.SesEvent),
    ("sns", "", services.SnsEvent),
    ("sqs", "", services.SqsEvent),
)
# Values of `eventSource` in records, for events of which no value is recognised.
_RECORD_SOURCES = ("aws:sqs", "aws:sns", "aws:s3", "aws:ses", "aws:dynamodb", "aws:kinesis", "aws:codecommit")


class InvalidJson(Exception):
    """An event is not JSON; the message says why, and where if that is known."""


def parse_event(data: bytes) -> Any:
    """Return an event from its JSON.

    Raises:
        InvalidJson: it is not JSON as RFC 8259 has it, in UTF-8 and without a byte order mark.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        reason = f"The event is not UTF-8 from byte {error.start} on. Save it as UTF-8."
        raise InvalidJson(reason) from None
    try:
        return json.loads(text, parse_constant=_reject_constant)
    except json.JSONDecodeError as error:
        reason = error.msg if text.strip() else "There is no event, only white space"
        raise InvalidJson(f"line {error.lineno}, column {error.colno}: {reason}.") from None
    except RecursionError:
        raise InvalidJson("The event is nested too deeply.") from None
    except ValueError:  # "Integer string conversion length limitation" of Python
        raise InvalidJson("The event holds a number of thousands of digits, which Python does not read.") from None


def _reject_constant(name: str) -> None:
    raise InvalidJson(f"The event holds {name}, which is a number in Python, but not in JSON.")


def recognise(event: Any) -> str:
    """Return the source or service that the adapter takes an event for; `direct` if it is none that it knows."""
    source = find_source(event)
    return find_service(event) if source is pass_through_source() else source.name


def find_model(event: Any) -> type[Model] | None:
    """Return the model of a recognised event; None if there is none."""
    if not isinstance(event, dict):
        return None
    name = recognise(event)
    return next((model for source, keys, model in _MODELS if source == name and event.keys() >= {*keys.split()}), None)


def problems(event: Any) -> list[str]:
    """Return a line for each wrong field of an event: where it is, and what is expected there."""
    if isinstance(event, dict) and recognise(event) == UNKNOWN:
        return list(_problems_of_records(event.get("Records")))
    model = find_model(event)
    return [] if model is None else problems_of(model, event)


def problems_of(model: type[Model], event: Any) -> list[str]:
    """Return the same, by the model that the event should match."""
    try:
        model.model_validate_json(json.dumps(event))
    except ValidationError as error:
        return [f"{'.'.join(map(str, item['loc'])) or 'the event'}: {item['msg']}" for item in error.errors()]
    return []


def _problems_of_records(records: Any) -> Iterator[str]:
    """Yield what keeps an event with records from being recognised."""
    first = records[0] if isinstance(records, list) and records else None
    if not isinstance(first, dict):
        return
    key = "EventSource" if "EventSource" in first else "eventSource"
    value = first.get(key)
    if value is None:
        yield f"Records.0.{key}: Field required, such as aws:sqs"
        return
    close = get_close_matches(str(value), _RECORD_SOURCES, 1)
    hint = f". Did you mean {close[0]}?" if close else f", which are {', '.join(_RECORD_SOURCES)}"
    yield f"Records.0.{key}: {json.dumps(value)} is not among the sources that are known{hint}"
