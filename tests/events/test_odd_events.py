"""Events that emulators, consoles and people send: what is odd is forgiven or named, and never a crash."""

from typing import Any

import pytest
from fixtures.loading import CLIENT_FOLDERS, fixture

from events.odd import SWITCHED_ON, nested, sent
from lambda_web_adapter.errors import InvalidEvent
from lambda_web_adapter.events import find_source, import_sources

EVERY_FOLDER = [pytest.param(folder, id=folder) for folder in [*CLIENT_FOLDERS, "websocket"]]
REST: dict[str, Any] = {"httpMethod": "GET", "path": "/"}
V2: dict[str, Any] = {"version": "2.0", "rawPath": "/", "requestContext": {"http": {"method": "GET"}}}
ALB: dict[str, Any] = {"httpMethod": "GET", "path": "/", "requestContext": {"elb": {}}}
LATTICE: dict[str, Any] = {"version": "2.0", "method": "GET", "path": "/", "requestContext": {"serviceArn": "arn"}}
LATTICE_1: dict[str, Any] = {"method": "GET", "raw_path": "/"}
CONNECT: dict[str, Any] = {"requestContext": {"connectionId": "x", "eventType": "CONNECT", "routeKey": "$connect"}}
AGENT: dict[str, Any] = {"actionGroup": "seeds", "apiPath": "/", "httpMethod": "GET"}
EDGE: dict[str, Any] = {"Records": [{"cf": {}}]}


# Which source


@pytest.mark.parametrize(
    ("event", "name"),
    [
        pytest.param(REST, "rest-api", id="REST API"),
        pytest.param({**REST, "version": None}, "rest-api", id="REST API with a null version"),
        pytest.param({**REST, "requestContext": None}, "rest-api", id="REST API with a null context"),
        pytest.param({**REST, "version": "1.0"}, "http-api-v1", id="payload 1.0"),
        pytest.param(V2, "http-api-v2", id="payload 2.0"),
        pytest.param(
            {**V2, "requestContext": {"http": {}, "domainName": "abc.lambda-url.eu-west-1.on.aws"}},
            "function-url",
            id="function URL",
        ),
        pytest.param({**V2, "requestContext": {"http": {}, "domainName": None}}, "http-api-v2", id="no domain"),
        pytest.param({**V2, "requestContext": {"http": {}, "domainName": ["x"]}}, "http-api-v2", id="an odd domain"),
        pytest.param(ALB, "alb", id="load balancer"),
        pytest.param({**ALB, "requestContext": {"elb": None}}, "alb", id="load balancer with a null mark"),
        pytest.param({**V2, "requestContext": {"http": None}}, "pass-through", id="payload 2.0 with a null mark"),
        pytest.param({**V2, "version": 2.0}, "pass-through", id="a version that is a number"),
        pytest.param({**REST, "version": "3.0"}, "pass-through", id="an unknown version"),
        pytest.param({**REST, "httpMethod": None}, "pass-through", id="no method"),
        pytest.param({**REST, "path": 7}, "pass-through", id="a path that is a number"),
        pytest.param({"httpMethod": "GET", "apiPath": "/"}, "pass-through", id="a Bedrock agent's path"),
        pytest.param({**REST, "methodArn": "arn"}, "pass-through", id="an authorizer's mark"),
        pytest.param({**V2, "routeArn": "arn"}, "pass-through", id="a 2.0 authorizer's mark"),
        pytest.param({**REST, "requestContext": {"connectionId": "x"}}, "pass-through", id="a WebSocket's mark"),
        pytest.param(LATTICE, "vpc-lattice-v2", id="VPC Lattice"),
        pytest.param(
            {**LATTICE, "requestContext": {"serviceNetworkArn": None}}, "vpc-lattice-v2", id="VPC Lattice, a null mark"
        ),
        pytest.param({**LATTICE, "version": None}, "vpc-lattice-v2", id="VPC Lattice without a version"),
        pytest.param({**LATTICE, "method": None}, "pass-through", id="VPC Lattice without a method"),
        pytest.param({**LATTICE, "requestContext": {}}, "pass-through", id="VPC Lattice without a service"),
        pytest.param(LATTICE_1, "vpc-lattice-v1", id="VPC Lattice, version 1"),
        pytest.param({**LATTICE_1, "requestContext": None}, "vpc-lattice-v1", id="version 1 with a null context"),
        pytest.param({**LATTICE_1, "raw_path": 7}, "pass-through", id="version 1 with a path that is a number"),
        pytest.param(CONNECT, "websocket", id="WebSocket API"),
        pytest.param({**CONNECT, **REST}, "websocket", id="WebSocket API with method and path"),
        pytest.param(
            {"requestContext": {"connectionId": "x", "eventType": "PING"}}, "pass-through", id="an unknown event type"
        ),
        pytest.param(
            {"requestContext": {"connectionId": 7, "eventType": "CONNECT"}}, "pass-through", id="an id that is a number"
        ),
        pytest.param({**CONNECT, "methodArn": "arn"}, "pass-through", id="a WebSocket authorizer's mark"),
        pytest.param(AGENT, "bedrock-agent", id="Bedrock agent"),
        pytest.param(
            {"actionGroup": "seeds", "function": "sow"}, "pass-through", id="Bedrock agent that calls a function"
        ),
        pytest.param({**AGENT, "apiPath": None}, "pass-through", id="Bedrock agent without a path"),
        pytest.param(EDGE, "lambda-edge", id="Lambda@Edge"),
        pytest.param({"Records": [{"cf": None}]}, "lambda-edge", id="Lambda@Edge with a null mark"),
        pytest.param({"Records": []}, "pass-through", id="no records"),
        pytest.param({"Records": ["cf"]}, "pass-through", id="records of text"),
        pytest.param({"Records": {"cf": {}}}, "pass-through", id="records that are a map"),
        pytest.param(None, "pass-through", id="null"),
        pytest.param([REST], "pass-through", id="a list"),
        pytest.param("GET /", "pass-through", id="text"),
        pytest.param(7, "pass-through", id="a number"),
        pytest.param(True, "pass-through", id="a boolean"),
    ],
)
def test_an_event_is_recognised_by_its_marks(event: Any, name: str) -> None:
    assert find_source(event, SWITCHED_ON).name == name


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({**REST, **V2, "requestContext": {"elb": {}, "http": {}}}, id="load balancer and payload 2.0"),
        pytest.param({**ALB, "version": "1.0"}, id="load balancer and payload 1.0"),
        pytest.param({**ALB, **REST}, id="load balancer and REST API"),
        pytest.param({**REST, **V2}, id="REST API and payload 2.0"),
        pytest.param(
            {**LATTICE, "requestContext": {"serviceArn": "arn", "http": {}}}, id="VPC Lattice and payload 2.0"
        ),
        pytest.param(
            {**LATTICE, "requestContext": {"serviceArn": "arn", "elb": {}}}, id="VPC Lattice and load balancer"
        ),
        pytest.param({**LATTICE, **REST}, id="VPC Lattice and REST API"),
        pytest.param({**LATTICE, **LATTICE_1}, id="both versions of VPC Lattice"),
        pytest.param({**LATTICE_1, **REST}, id="VPC Lattice, version 1, and REST API"),
        pytest.param({**LATTICE_1, **AGENT}, id="VPC Lattice, version 1, and Bedrock agent"),
        pytest.param({**AGENT, **REST}, id="Bedrock agent and REST API"),
        pytest.param({**AGENT, **CONNECT}, id="Bedrock agent and WebSocket API"),
        pytest.param({**AGENT, **EDGE}, id="Bedrock agent and Lambda@Edge"),
        pytest.param({**EDGE, **CONNECT}, id="Lambda@Edge and WebSocket API"),
        pytest.param({**EDGE, **LATTICE_1}, id="Lambda@Edge and VPC Lattice"),
    ],
)
def test_the_marks_of_two_sources_never_convince_both(event: dict[str, Any]) -> None:
    found = [source.name for source in import_sources() if source.matches(event)]

    assert len(found) <= 1, found


# Odd values


@pytest.mark.parametrize(
    ("event", "head"),
    [
        pytest.param({**REST, "path": ""}, b"GET / HTTP/1.1", id="an empty path"),
        pytest.param({**REST, "path": "seeds"}, b"GET /seeds HTTP/1.1", id="a path without a slash"),
        pytest.param({**V2, "rawPath": None}, b"GET / HTTP/1.1", id="a null path"),
        pytest.param({**V2, "rawQueryString": None}, b"GET / HTTP/1.1", id="a null query"),
        pytest.param({**V2, "requestContext": {"http": {}}}, b"GET / HTTP/1.1", id="no method"),
        pytest.param({**REST, "queryStringParameters": {"a": 1, "b": 1.5}}, b"GET /?a=1&b=1.5 HTTP/1.1", id="numbers"),
        pytest.param({**REST, "queryStringParameters": []}, b"GET / HTTP/1.1", id="a query that is a list"),
        pytest.param({**REST, "multiValueQueryStringParameters": {"a": "1"}}, b"GET /?a=1 HTTP/1.1", id="a bare value"),
        pytest.param({**REST, "multiValueQueryStringParameters": {"a": None}}, b"GET / HTTP/1.1", id="null values"),
        pytest.param({**REST, "headers": ["a", "b"]}, b"GET / HTTP/1.1", id="headers that are a list"),
        pytest.param({**REST, "requestContext": "x"}, b"GET / HTTP/1.1", id="a context that is text"),
        pytest.param({**REST, "requestContext": {"identity": 7}}, b"GET / HTTP/1.1", id="an identity that is a number"),
        pytest.param({**REST, "path": "/\ud800"}, b"GET /%ED%A0%80 HTTP/1.1", id="half of a surrogate pair in a path"),
        pytest.param({**V2, "rawPath": "/\udfff"}, b"GET /%ED%BF%BF HTTP/1.1", id="the other half in a decoded path"),
        pytest.param({**V2, "rawQueryString": "\ud800"}, b"GET /?%ED%A0%80 HTTP/1.1", id="half of a pair in a query"),
    ],
)
def test_odd_values_in_the_request_line_are_forgiven(event: dict[str, Any], head: bytes) -> None:
    assert sent(event).partition(b"\r\n")[0] == head


@pytest.mark.parametrize(
    ("event", "line"),
    [
        pytest.param({**REST, "headers": {"x-a": 1}}, b"x-a: 1", id="a number"),
        pytest.param({**REST, "headers": {"x-a": None}}, b"x-a: ", id="null"),
        pytest.param({**REST, "multiValueHeaders": {"x-a": ["1", None]}}, b"x-a: 1", id="null among values"),
        pytest.param({**V2, "cookies": ["a=1", "b=2"]}, b"cookie: a=1; b=2", id="cookies"),
        pytest.param({**V2, "cookies": [None, "a=1", None]}, b"cookie: a=1", id="null among cookies"),
        pytest.param({**V2, "cookies": "a=1", "headers": {"cookie": "b=2"}}, b"cookie: b=2", id="cookies as text"),
        pytest.param({**REST, "headers": {"x-a": "\ud800"}}, b"x-a: \xed\xa0\x80", id="half of a surrogate pair"),
    ],
)
def test_odd_values_in_headers_are_forgiven(event: dict[str, Any], line: bytes) -> None:
    assert line in sent(event).split(b"\r\n")


@pytest.mark.parametrize(
    ("body", "flag", "arrives"),
    [
        pytest.param(None, True, b"", id="null marked as base64"),
        pytest.param("", True, b"", id="nothing marked as base64"),
        pytest.param("YWJj", True, b"abc", id="base64"),
        pytest.param("YWJj", False, b"YWJj", id="what looks like base64"),
        pytest.param("YWJj", None, b"YWJj", id="a null mark"),
        pytest.param(7, False, b"7", id="a number"),
        pytest.param("\ud800", False, b"\xed\xa0\x80", id="half of a surrogate pair"),
    ],
)
def test_odd_bodies_are_forgiven(body: Any, flag: Any, arrives: bytes) -> None:
    event = {**REST, "httpMethod": "POST", "body": body, "isBase64Encoded": flag}

    assert sent(event).partition(b"\r\n\r\n")[2] == arrives


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("YWJ", id="cut off"),
        pytest.param("YWJjZ", id="one letter too many"),
        pytest.param("aGVsbG8-_-_=", id="the alphabet of URLs"),
        pytest.param("hello, you", id="text"),
        pytest.param("YQ==YQ==", id="more after the end"),
        pytest.param("möhr", id="outside ASCII"),
        pytest.param("YW\ud800j", id="half of a surrogate pair"),
    ],
)
@pytest.mark.parametrize("folder", EVERY_FOLDER)
def test_a_body_that_is_not_the_base64_it_is_said_to_be_is_refused(folder: str, body: str) -> None:
    flag = "is_base64_encoded" if folder == "vpc_lattice_v1" else "isBase64Encoded"
    event = {**fixture(folder, "simple").event, "body": body, flag: True}

    with pytest.raises(InvalidEvent, match=rf"^The event's {flag} is true, but its body is not base64"):
        sent(event)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({**REST, "headers": {"x-a": nested(1000)}}, id="a header"),
        pytest.param({**REST, "multiValueHeaders": {"x-a": [nested(1000)]}}, id="one of a header's values"),
        pytest.param({**REST, "queryStringParameters": {"a": nested(1000)}}, id="a query's value"),
        pytest.param({**REST, "body": nested(1000)}, id="the body"),
        pytest.param({**V2, "rawPath": nested(1000)}, id="the path"),
        pytest.param({**V2, "rawQueryString": nested(1000)}, id="the query"),
        pytest.param({**V2, "cookies": [nested(1000)]}, id="a cookie"),
        pytest.param({**ALB, "path": nested(1000)}, id="a load balancer's path"),
        pytest.param({**V2, "rawPath": ["/"]}, id="a list for a path"),
        pytest.param({**V2, "rawQueryString": {"a": "b"}}, id="a map for a query"),
        pytest.param({**REST, "headers": {"x-a": ["1"]}}, id="a list for a header"),
        pytest.param({**LATTICE, "path": ["/"]}, id="a list for VPC Lattice's path"),
        pytest.param({**LATTICE, "headers": {"x-a": [["1"]]}}, id="a list for one of VPC Lattice's values"),
        pytest.param({**LATTICE_1, "query_string_parameters": {"a": {}}}, id="a map for VPC Lattice's query"),
        pytest.param({**CONNECT, "body": {"a": 1}}, id="a map for a WebSocket's message"),
    ],
)
def test_a_list_or_a_map_where_text_belongs_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent):
        sent(event)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"": "1"}, id="an empty name"),
        pytest.param({"a b": "1"}, id="a name with a space"),
        pytest.param({"a:": "1"}, id="a name with a colon"),
        pytest.param({"näme": "1"}, id="a name outside ASCII"),
        pytest.param({"a\r\nb": "1"}, id="a name with a line break"),
        pytest.param({"coo\u212aie": "1"}, id="a name that only Unicode takes for cookie"),
        pytest.param({"x-a": "1\r\nx-b: 2"}, id="a value with a line break"),
        pytest.param({"x-a": "1\n"}, id="a value with a line feed"),
        pytest.param({"x-a": "1\r"}, id="a value with a carriage return"),
        pytest.param({"x-a": "1\0"}, id="a value with NUL"),
        pytest.param({"host": "a\r\nx-b: 2"}, id="a host with a line break"),
        pytest.param({"cookie": "a\r\nx-b: 2"}, id="a cookie with a line break"),
    ],
)
@pytest.mark.parametrize("folder", EVERY_FOLDER)
def test_headers_that_would_be_read_otherwise_are_refused(folder: str, headers: dict[str, str]) -> None:
    event = fixture(folder, "simple").event
    several = {name: [value] for name, value in headers.items()}
    if folder == "alb_multi":
        event["multiValueHeaders"] = several
    elif folder == "vpc_lattice_v2":
        event["headers"] = several
    else:
        event |= {"headers": headers, "multiValueHeaders": None}

    with pytest.raises(InvalidEvent):
        sent(event)
