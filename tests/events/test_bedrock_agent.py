"""A Bedrock agent's values are all text: the declared type says what they mean, and the app judges odd ones."""

import json
from typing import Any

import pytest

from events.odd import SWITCHED_ON, sent
from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import find_source
from lambda_web_adapter.http.messages import Response


def agent(**more: Any) -> dict[str, Any]:
    return {"actionGroup": "seeds", "apiPath": "/seeds", "httpMethod": "POST", **more}


def with_body(declared: Any, value: Any) -> dict[str, Any]:
    properties = [{"name": "value", "type": declared, "value": value}]
    return agent(requestBody={"content": {"application/json": {"properties": properties}}})


def refused(constant: str) -> None:
    """Python reads NaN and Infinity, and is alone with that (RFC 8259 §6)."""
    raise AssertionError(f"{constant} is not JSON")


@pytest.mark.parametrize(
    ("declared", "value", "written"),
    [
        pytest.param("integer", "7", "7", id="an integer"),
        pytest.param("integer", "-7", "-7", id="a negative integer"),
        pytest.param("number", "1.5", "1.5", id="a number"),
        pytest.param("boolean", "false", "false", id="a boolean"),
        pytest.param("array", "[]", "[]", id="an empty list"),
        pytest.param("object", '{"a":{"b":null}}', '{"a": {"b": null}}', id="a map"),
        pytest.param("string", "7", '"7"', id="text that looks like a number"),
        pytest.param("string", "", '""', id="empty text"),
        pytest.param("integer", "seven", '"seven"', id="what is no integer"),
        pytest.param("integer", "", '""', id="an empty integer"),
        pytest.param("boolean", "True", '"True"', id="a boolean of Python"),
        pytest.param("array", "[red, blue]", '"[red, blue]"', id="a list without quotes"),
        pytest.param("date", "2026-03-01", '"2026-03-01"', id="a type that is not known"),
        pytest.param(None, "7", '"7"', id="no type"),
        pytest.param("integer", 7, "7", id="a number as such"),
        pytest.param(
            "integer", "123456789012345678901234567890", "123456789012345678901234567890", id="beyond 64 bits"
        ),
        pytest.param("number", "NaN", '"NaN"', id="what only Python takes for a number"),
        pytest.param("number", "-Infinity", '"-Infinity"', id="infinity"),
    ],
)
def test_a_property_is_written_by_its_declared_type(declared: Any, value: Any, written: str) -> None:
    body = sent(with_body(declared, value)).partition(b"\r\n\r\n")[2]

    # As text of its own, since Python takes 1 for true, and 1.0 for 1.
    assert json.dumps(json.loads(body, parse_constant=refused)) == f'{{"value": {written}}}'


@pytest.mark.parametrize(
    ("declared", "value", "query"),
    [
        pytest.param("integer", "7", "v=7", id="an integer"),
        pytest.param("number", "1.10", "v=1.10", id="a number as written"),
        pytest.param("integer", "123456789012345678901234567890", "v=123456789012345678901234567890", id="a large one"),
        pytest.param("number", "1e400", "v=1e400", id="a number beyond measure"),
        pytest.param("boolean", "true", "v=true", id="a boolean"),
        pytest.param("array", '["a","b"]', "v=a&v=b", id="a list"),
        pytest.param("array", "[1,2.5,true]", "v=1&v=2.5&v=true", id="a list of other types"),
        pytest.param("array", "[]", "", id="an empty list"),
        pytest.param("string", "[1]", "v=%5B1%5D", id="text that looks like a list"),
        pytest.param("string", None, "v=", id="null"),
    ],
)
def test_a_parameter_is_written_into_the_query(declared: str, value: Any, query: str) -> None:
    event = agent(httpMethod="GET", parameters=[{"name": "v", "type": declared, "value": value}])

    assert sent(event).split(b" ")[1] == (b"/seeds?" + query.encode() if query else b"/seeds")


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"parameters": "a=b"}, id="parameters that are text"),
        pytest.param({"parameters": ["a", None, {"name": 7}, {"value": "x"}]}, id="parameters that are none"),
        pytest.param({"requestBody": []}, id="a body that is a list"),
        pytest.param({"requestBody": {"content": "x"}}, id="content that is text"),
        pytest.param({"requestBody": {"content": {}}}, id="no content"),
    ],
)
def test_odd_parameters_and_bodies_count_as_none(more: dict[str, Any]) -> None:
    line, _, body = sent(agent(**more)).partition(b"\r\n")

    assert line == b"POST /seeds HTTP/1.1"
    assert body.endswith(b"\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        pytest.param("seeds", b"/seeds", id="no slash"),
        pytest.param("", b"/", id="empty"),
        pytest.param("/{}", b"/%7B%7D", id="a placeholder without a name"),
        pytest.param("/{a", b"/%7Ba", id="half a placeholder"),
        pytest.param("/{a}{a}", b"/xx", id="a placeholder twice"),
        pytest.param("/a?b#c", b"/a%3Fb%23c", id="what would end a path"),
    ],
)
def test_an_odd_path_is_one_path(path: str, target: bytes) -> None:
    event = agent(apiPath=path, parameters=[{"name": "a", "type": "string", "value": "x"}])

    assert sent(event).split(b" ")[1].partition(b"?")[0] == target


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(agent(httpMethod="GET /admin"), id="a method that is none"),
        pytest.param(agent(httpMethod="GET\r\nx-evil: 1"), id="a line break in the method"),
        pytest.param(
            agent(requestBody={"content": {"text/plain\r\nx-evil: 1": {"properties": []}}}),
            id="a line break in the content type",
        ),
    ],
)
def test_what_no_request_can_carry_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent):
        sent(event)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(agent(apiPath="/\ud800"), id="the path"),
        pytest.param(agent(actionGroup="\ud800"), id="the action group"),
        pytest.param(agent(httpMethod="\ud800"), id="the method"),
        pytest.param(agent(messageVersion="\ud800"), id="the version"),
    ],
)
def test_the_reply_to_an_event_with_half_of_a_surrogate_pair_can_be_written(event: dict[str, Any]) -> None:
    """The reply repeats what the event says; one that cannot be written would end the adapter, not the invocation."""
    reply = json.loads(find_source(event, SWITCHED_ON).build_reply(Response(status=200, body=b"ok"), event))

    assert reply["response"]["httpStatusCode"] == 200


def test_a_property_with_half_of_a_surrogate_pair_is_sent_or_refused() -> None:
    try:
        data = sent(with_body("string", "\ud800"))
    except InvalidEvent:
        return

    assert json.loads(data.partition(b"\r\n\r\n")[2].decode("utf-8", "surrogatepass")) == {"value": "\ud800"}


def test_a_reply_has_the_event_s_version_of_the_message() -> None:
    event = agent(messageVersion="2.0")

    reply = json.loads(find_source(event, SWITCHED_ON).build_reply(Response(status=204), event))

    assert reply == {
        "messageVersion": "2.0",
        "response": {
            "actionGroup": "seeds",
            "apiPath": "/seeds",
            "httpMethod": "POST",
            "httpStatusCode": 204,
            "responseBody": {"application/json": {"body": ""}},
        },
    }
