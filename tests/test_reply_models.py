"""The typed replies: what they take, and which field they name when they do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fixtures.loading import HTTP_FOLDERS, every_reply, reply_fixture
from pydantic import ValidationError

from lambda_web_adapter.models import (
    AlbReply,
    BedrockAgentReply,
    BedrockAgentResponse,
    BedrockResponseBody,
    HttpApiV1Reply,
    LatticeReply,
    Model,
    PayloadV2Reply,
    RestApiReply,
    WebSocketReply,
)

REPLIES: dict[str, type[Model]] = {
    "alb_multi": AlbReply,
    "alb_single": AlbReply,
    "bedrock_agent": BedrockAgentReply,
    "function_url": PayloadV2Reply,
    "http_api_v1": HttpApiV1Reply,
    "http_api_v2": PayloadV2Reply,
    "rest_api": RestApiReply,
    "vpc_lattice_v1": LatticeReply,
    "vpc_lattice_v2": LatticeReply,
    "websocket": WebSocketReply,
}
WITH_A_STATUS = [AlbReply, HttpApiV1Reply, LatticeReply, PayloadV2Reply, RestApiReply, WebSocketReply]
WITH_ANY_HEADERS = [HttpApiV1Reply, PayloadV2Reply, RestApiReply, WebSocketReply]


def each(found: list[Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("model", [pytest.param(model, id=model.__name__) for model in found])


def problems(model: type[Model], reply: Any) -> list[str]:
    """The fields that a model finds wrong with a reply."""
    with pytest.raises(ValidationError) as raised:
        model.model_validate_json(json.dumps(reply))
    return [".".join(map(str, error["loc"])) for error in raised.value.errors()]


@pytest.mark.parametrize(("folder", "aspect"), every_reply(*HTTP_FOLDERS))
def test_what_the_adapter_replies_is_read_and_written_as_it_is(folder: str, aspect: str) -> None:
    reply = reply_fixture(folder, aspect).reply

    assert json.loads(REPLIES[folder].model_validate_json(json.dumps(reply)).to_json()) == reply


@each(WITH_A_STATUS)
def test_a_status_is_enough(model: type[Model]) -> None:
    found = model.model_validate_json(b'{"statusCode":204,"headers":null,"body":null}')

    assert json.loads(found.to_json()) == {"statusCode": 204, "isBase64Encoded": False}


@each(WITH_A_STATUS)
@pytest.mark.parametrize(
    ("reply", "fields"),
    [
        pytest.param({}, ["statusCode"], id="no status"),
        pytest.param({"status_code": 200}, ["statusCode"], id="a status in Python's spelling"),
        pytest.param({"statusCode": "200"}, ["statusCode"], id="a status that is text"),
        pytest.param({"statusCode": 200.5}, ["statusCode"], id="a status that is a fraction"),
        pytest.param({"statusCode": None}, ["statusCode"], id="a null status"),
        pytest.param({"statusCode": True}, ["statusCode"], id="a status that is a boolean"),
        pytest.param({"statusCode": 99}, ["statusCode"], id="a status too low"),
        pytest.param({"statusCode": 600}, ["statusCode"], id="a status too high"),
        pytest.param({"statusCode": 200, "headers": {"a": ["b"]}}, ["headers.a"], id="a header that is a list"),
        pytest.param({"statusCode": 200, "headers": {"a": None}}, ["headers.a"], id="a header that is null"),
        pytest.param({"statusCode": 200, "headers": []}, ["headers"], id="headers that are a list"),
        pytest.param({"statusCode": 200, "body": {}}, ["body"], id="a body that is an object"),
        pytest.param({"statusCode": 200, "isBase64Encoded": "true"}, ["isBase64Encoded"], id="a mark that is text"),
        pytest.param({"statusCode": 200, "isBase64Encoded": None}, ["isBase64Encoded"], id="a mark that is null"),
        pytest.param({"statusCode": 1, "body": 1}, ["statusCode", "body"], id="two fields"),
        pytest.param([], [""], id="a list"),
    ],
)
def test_what_is_wrong_with_a_reply_is_named(model: type[Model], reply: Any, fields: list[str]) -> None:
    assert problems(model, reply) == fields


@pytest.mark.parametrize(
    ("model", "reply", "fields"),
    [
        pytest.param(PayloadV2Reply, {"cookies": "a=b"}, ["cookies"], id="2.0: cookies that are text"),
        pytest.param(PayloadV2Reply, {"cookies": [1]}, ["cookies.0"], id="2.0: a cookie that is a number"),
        pytest.param(RestApiReply, {"multiValueHeaders": {"a": "b"}}, ["multiValueHeaders.a"], id="REST: text"),
        pytest.param(
            HttpApiV1Reply, {"multiValueHeaders": {"a": [None]}}, ["multiValueHeaders.a.0"], id="1.0: a null value"
        ),
        pytest.param(AlbReply, {"multiValueHeaders": {"a": [1]}}, ["multiValueHeaders.a.0"], id="ALB: a number"),
        pytest.param(AlbReply, {"statusDescription": 200}, ["statusDescription"], id="ALB: a description"),
        pytest.param(LatticeReply, {"headers": {"a": 1}}, ["headers.a"], id="Lattice: a number"),
    ],
)
def test_what_is_wrong_with_the_fields_of_one_source_is_named(
    model: type[Model], reply: dict[str, Any], fields: list[str]
) -> None:
    assert problems(model, {"statusCode": 200, **reply}) == fields


@each(WITH_ANY_HEADERS)
def test_api_gateway_writes_headers_that_are_not_text_as_text(model: type[Model]) -> None:
    found = model.model_validate_json(b'{"statusCode":200,"headers":{"a":1,"b":true,"c":false,"d":1.5}}')

    assert json.loads(found.to_json())["headers"] == {"a": "1", "b": "true", "c": "false", "d": "1.5"}


@each([model for model in WITH_A_STATUS if model is not RestApiReply])
def test_keys_that_a_source_does_not_know_are_ignored(model: type[Model]) -> None:
    assert model.model_validate_json(b'{"statusCode":200,"more":1}') == model.model_validate_json(b'{"statusCode":200}')


@pytest.mark.parametrize("key", ["cookies", "statusDescription", "more"])
def test_a_rest_api_refuses_keys_that_it_does_not_know(key: str) -> None:
    assert problems(RestApiReply, {"statusCode": 200, key: None}) == [key]


def test_a_reply_is_made_with_names_in_pythons_spelling() -> None:
    reply = AlbReply(status_code=200, status_description="200 OK", multi_value_headers={"a": ["b"]})

    assert json.loads(reply.to_json()) == {
        "statusCode": 200,
        "statusDescription": "200 OK",
        "multiValueHeaders": {"a": ["b"]},
        "isBase64Encoded": False,
    }


def test_a_reply_to_an_agent_is_made_of_its_parts() -> None:
    reply = BedrockAgentReply(
        response=BedrockAgentResponse(
            action_group="seeds",
            api_path="/seeds",
            http_method="GET",
            http_status_code=200,
            response_body={"application/json": BedrockResponseBody(body="[]")},
        ),
        session_attributes={"a": "b"},
    )

    assert json.loads(reply.to_json()) == {
        "messageVersion": "1.0",
        "response": {
            "actionGroup": "seeds",
            "apiPath": "/seeds",
            "httpMethod": "GET",
            "httpStatusCode": 200,
            "responseBody": {"application/json": {"body": "[]"}},
        },
        "sessionAttributes": {"a": "b"},
    }


def test_what_is_wrong_with_a_reply_to_an_agent_is_named() -> None:
    response = {
        "actionGroup": "a",
        "apiPath": "/",
        "httpMethod": "GET",
        "httpStatusCode": "200",
        "responseBody": {"a": 1},
    }

    assert problems(BedrockAgentReply, {"response": response}) == [
        "response.httpStatusCode",
        "response.responseBody.a",
    ]
