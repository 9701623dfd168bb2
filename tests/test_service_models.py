"""The models of services' events: their names, their descriptions, and what they take."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from lambda_web_adapter.models import Model, services
from lambda_web_adapter.models.base import EventPart

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = [pytest.param(getattr(services, name), id=name) for name in services.__all__]
EVENTS = [param for param in MODELS if str(param.id).endswith("Event")]


def properties(described: Any) -> Iterator[str]:
    """The names of all properties in a schema."""
    if isinstance(described, dict):
        yield from described.get("properties", {})
        described = list(described.values())
    if isinstance(described, list):
        for part in described:
            yield from properties(part)


def test_the_names_that_the_package_exports_are_sorted_models() -> None:
    assert services.__all__ == sorted(services.__all__)
    assert {issubclass(getattr(services, name), EventPart) for name in services.__all__} == {True}


@pytest.mark.parametrize("model", MODELS)
def test_every_model_says_what_it_is(model: type[Model]) -> None:
    assert model.__doc__


@pytest.mark.parametrize("model", EVENTS)
def test_events_name_the_page_that_describes_them(model: type[Model]) -> None:
    assert "https://docs.aws.amazon.com/" in (model.__doc__ or "")


@pytest.mark.parametrize("model", EVENTS)
def test_the_schema_has_no_name_in_python_s_spelling(model: type[Model]) -> None:
    assert [name for name in properties(model.model_json_schema(by_alias=True)) if "_" in name] == []


def test_null_is_the_same_as_a_missing_key() -> None:
    message = {"messageId": "1", "body": "hello", "eventSource": "aws:sqs"}

    nulls = services.SqsEvent.model_validate({"Records": [{**message, "attributes": None, "awsRegion": None}]})

    assert nulls == services.SqsEvent.model_validate({"Records": [message]})
    assert nulls.records[0].attributes == {}


def test_names_that_aws_spells_in_its_own_way_are_read() -> None:
    change = {"Keys": {"id": {"N": "1"}}, "StreamViewType": "KEYS_ONLY"}
    record = {"eventID": "7", "eventName": "REMOVE", "eventSource": "aws:dynamodb", "dynamodb": change}
    resource = {"RequestType": "Create", "ResponseURL": "https://x", "StackId": "s", "LogicalResourceId": "l"}

    changes = services.DynamodbEvent.model_validate({"Records": [record]})

    assert (changes.records[0].event_id, changes.records[0].dynamodb.keys) == ("7", {"id": {"N": "1"}})
    assert services.CustomResourceEvent.model_validate(resource).response_url == "https://x"


def test_data_is_kept_as_it_is_and_has_to_be_base64() -> None:
    import base64

    data = base64.b64encode(gzip.compress(b"{}")).decode()

    assert services.CloudWatchLogsEvent.model_validate({"awslogs": {"data": data}}).awslogs.data == data
    with pytest.raises(ValidationError, match="Input should be base64"):
        services.CloudWatchLogsEvent.model_validate({"awslogs": {"data": "{}"}})
