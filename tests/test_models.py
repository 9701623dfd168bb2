"""The typed events: what they take, what they write, and which field they name when they do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fixtures.loading import HTTP_FOLDERS, event_bytes, every_fixture, fixture
from pydantic import ValidationError

from lambda_web_adapter.events import build_request, find_source
from lambda_web_adapter.models import (
    AlbEvent,
    BedrockAgentEvent,
    HttpApiV1Event,
    InvocationError,
    LatticeV1Event,
    LatticeV2Event,
    Model,
    PayloadV2Context,
    PayloadV2Event,
    RestApiEvent,
    WebSocketEvent,
)

EVENTS: dict[str, type[Model]] = {
    "alb_multi": AlbEvent,
    "alb_single": AlbEvent,
    "bedrock_agent": BedrockAgentEvent,
    "function_url": PayloadV2Event,
    "http_api_v1": HttpApiV1Event,
    "http_api_v2": PayloadV2Event,
    "rest_api": RestApiEvent,
    "vpc_lattice_v1": LatticeV1Event,
    "vpc_lattice_v2": LatticeV2Event,
    "websocket": WebSocketEvent,
}
# The least that each event has.
LEAST: dict[type[Model], dict[str, Any]] = {
    AlbEvent: {"httpMethod": "GET", "path": "/", "requestContext": {"elb": {}}},
    BedrockAgentEvent: {"actionGroup": "seeds", "apiPath": "/", "httpMethod": "GET"},
    HttpApiV1Event: {"httpMethod": "GET", "path": "/"},
    LatticeV1Event: {"raw_path": "/", "method": "GET"},
    LatticeV2Event: {"path": "/", "method": "GET", "requestContext": {}},
    PayloadV2Event: {"requestContext": {"http": {"method": "GET", "path": "/"}}},
    RestApiEvent: {"httpMethod": "GET", "path": "/"},
    WebSocketEvent: {"requestContext": {"connectionId": "a", "eventType": "MESSAGE", "routeKey": "$default"}},
}
every_event = pytest.mark.parametrize(("folder", "aspect"), every_fixture(*HTTP_FOLDERS))
every_model = pytest.mark.parametrize("model", [pytest.param(model, id=model.__name__) for model in LEAST])


def test_every_http_source_has_a_model() -> None:
    assert sorted(EVENTS) == HTTP_FOLDERS


@every_event
def test_an_event_read_and_written_means_the_same_request(folder: str, aspect: str) -> None:
    found = fixture(folder, aspect)

    written = json.loads(EVENTS[folder].model_validate_json(found.verbatim).to_json())

    source = find_source(written, found.settings)
    assert source is find_source(found.event, found.settings)
    assert build_request(source, written, found.settings, b"") == build_request(
        source, found.event, found.settings, b""
    )


@every_event
def test_an_event_read_and_written_twice_is_the_same(folder: str, aspect: str) -> None:
    model = EVENTS[folder]
    event = model.model_validate_json(event_bytes(folder, aspect))

    assert model.model_validate_json(event.to_json()) == event


@every_model
def test_null_counts_as_left_out(model: type[Model]) -> None:
    optional = [field.alias or name for name, field in model.model_fields.items() if not field.is_required()]

    event = model.model_validate_json(json.dumps(LEAST[model] | dict.fromkeys(optional)))

    assert event == model.model_validate_json(json.dumps(LEAST[model]))


@every_model
def test_what_aws_may_add_is_ignored(model: type[Model]) -> None:
    event = model.model_validate_json(json.dumps(LEAST[model] | {"somethingNew": [1]}))

    assert event == model.model_validate_json(json.dumps(LEAST[model]))
    assert "somethingNew" not in json.loads(event.to_json())


def test_an_event_has_names_in_pythons_spelling() -> None:
    event = PayloadV2Event.model_validate(fixture("function_url", "cookies").event)

    assert event.raw_path == "/seeds"
    assert event.cookies == ["session=abc123", "theme=dark"]
    assert event.request_context.http.source_ip == "203.0.113.7"
    assert event.request_context.http.method == "GET"
    assert event.request_context.account_id == "anonymous"
    assert event.request_context.time_epoch == 1772366400000


def test_a_payload_2_event_is_written_without_what_is_not_there() -> None:
    event = PayloadV2Event.model_validate(
        {
            "rawPath": "/",
            "cookies": None,
            "headers": None,
            "requestContext": {
                "authentication": None,
                "authorizer": {"jwt": {"claims": None}},
                "http": {"method": "GET", "path": "/", "userAgent": None, "somethingNew": 1},
            },
        }
    )

    assert json.loads(event.to_json()) == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {},
        "requestContext": {
            "accountId": "",
            "apiId": "",
            "authorizer": {"jwt": {"claims": None}},
            "domainName": "",
            "domainPrefix": "",
            "http": {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": ""},
            "requestId": "",
            "routeKey": "$default",
            "stage": "$default",
            "time": "",
            "timeEpoch": 0,
        },
        "isBase64Encoded": False,
    }


def test_a_payload_1_event_is_written_with_null_for_what_is_not_there() -> None:
    written = json.loads(RestApiEvent(path="/", http_method="GET").to_json())

    assert {key for key, value in written.items() if value is None} == {
        "headers",
        "multiValueHeaders",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    }
    assert set(written["requestContext"]["identity"].values()) == {None}
    assert "sourceIp" in written["requestContext"]["identity"]
    assert "authorizer" not in written["requestContext"]


def test_the_odd_spellings_of_aws_are_read() -> None:
    certificate = {"subjectDN": "CN=a", "issuerDN": "CN=b", "validity": {"notAfter": "Aug  5 09:36:04 2031 GMT"}}
    context = PayloadV2Context.model_validate(
        {"http": {"method": "GET", "path": "/"}, "authentication": {"clientCert": certificate}}
    )
    lattice = LatticeV2Event.model_validate(
        LEAST[LatticeV2Event]
        | {"headers": {"a": "one", "b": ["two", "three"]}}
        | {"requestContext": {"identity": {"principalOrgID": "o-1", "x509SanNameCn": "name"}, "timeEpoch": "1"}}
    )

    assert context.authentication
    assert context.authentication.client_cert
    assert context.authentication.client_cert.subject_dn == "CN=a"
    assert context.authentication.client_cert.issuer_dn == "CN=b"
    assert lattice.headers == {"a": ["one"], "b": ["two", "three"]}
    assert lattice.request_context.identity
    assert lattice.request_context.identity.principal_org_id == "o-1"
    assert lattice.request_context.identity.x509_san_name_cn == "name"


@pytest.mark.parametrize(
    ("model", "event", "fields"),
    [
        pytest.param(PayloadV2Event, {}, ["requestContext"], id="2.0: no context"),
        pytest.param(PayloadV2Event, {"requestContext": {}}, ["requestContext.http"], id="2.0: no description"),
        pytest.param(
            PayloadV2Event,
            {"requestContext": {"http": {"path": "/", "method": None}}},
            ["requestContext.http.method"],
            id="2.0: a null method",
        ),
        pytest.param(
            PayloadV2Event, LEAST[PayloadV2Event] | {"headers": {"a": 1}}, ["headers.a"], id="2.0: a header of a number"
        ),
        pytest.param(
            PayloadV2Event, LEAST[PayloadV2Event] | {"version": "1.0"}, ["version"], id="2.0: another version"
        ),
        pytest.param(RestApiEvent, {}, ["path", "httpMethod"], id="REST: nothing"),
        pytest.param(
            RestApiEvent,
            LEAST[RestApiEvent] | {"multiValueHeaders": {"a": "b"}},
            ["multiValueHeaders.a"],
            id="REST: a string where a list belongs",
        ),
        pytest.param(
            HttpApiV1Event, LEAST[HttpApiV1Event] | {"version": "2.0"}, ["version"], id="1.0: another version"
        ),
        pytest.param(AlbEvent, {}, ["requestContext", "httpMethod", "path"], id="load balancer: nothing"),
        pytest.param(
            AlbEvent, LEAST[AlbEvent] | {"requestContext": {}}, ["requestContext.elb"], id="load balancer: no elb"
        ),
        pytest.param(LatticeV1Event, {"rawPath": "/"}, ["raw_path", "method"], id="Lattice 1: camel case"),
        pytest.param(LatticeV2Event, {}, ["path", "method", "requestContext"], id="Lattice 2: nothing"),
        pytest.param(
            WebSocketEvent,
            {"requestContext": {"eventType": "PING"}},
            ["requestContext.connectionId", "requestContext.eventType", "requestContext.routeKey"],
            id="WebSocket: a type that there is not",
        ),
        pytest.param(BedrockAgentEvent, {}, ["actionGroup", "apiPath", "httpMethod"], id="Bedrock: nothing"),
        pytest.param(
            BedrockAgentEvent,
            LEAST[BedrockAgentEvent] | {"parameters": [{"value": "1"}]},
            ["parameters.0.name"],
            id="Bedrock: a parameter without a name",
        ),
    ],
)
def test_what_is_wrong_with_an_event_is_named(model: type[Model], event: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(ValidationError) as raised:
        model.model_validate(event)

    assert [".".join(map(str, error["loc"])) for error in raised.value.errors()] == fields


def test_a_failed_invocation_is_read() -> None:
    document = b'{"errorMessage":"no","errorType":"ValueError","stackTrace":["a","b"],"requestId":"1"}'

    assert InvocationError.model_validate_json(document) == InvocationError(
        error_message="no", error_type="ValueError", stack_trace=["a", "b"]
    )


def test_a_failed_invocation_may_say_nothing() -> None:
    assert InvocationError.model_validate_json(b'{"stackTrace":null}') == InvocationError(
        error_message="", error_type="", stack_trace=[]
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(b'{"errorType":"A","errorMessage":"b\\n c"}', "A: b c", id="both"),
        pytest.param(b'{"errorType":"A"}', "A", id="a type"),
        pytest.param(b'{"errorMessage":"b"}', "b", id="a message"),
        pytest.param(b"not JSON", "not JSON", id="no document"),
        pytest.param(b"[]", "[]", id="a list"),
        pytest.param(b'{"a": 1}', '{"a": 1}', id="something else"),
        pytest.param(b"\xff", "\ufffd", id="no text"),
        pytest.param(b"", "", id="nothing"),
    ],
)
def test_an_error_document_of_any_shape_is_said_in_one_line(document: bytes, expected: str) -> None:
    assert str(InvocationError.of_document(document)) == expected
