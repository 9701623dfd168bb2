"""Which events reach the app, and how; and what happens when they must not, or the app does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance import reasons
from conformance.cells import Fails, Refuses, Row, Section, Spares, answers, becomes, each
from conformance.changing import (
    body_that_is_not_base64,
    header_is,
    method_is,
    path_is,
)
from conformance.columns import HTTP
from conformance.rows_of_paths import request

if TYPE_CHECKING:
    from conformance.cells import Cell


def any_event(title: str, others: Cell, **cells: Cell) -> Row:
    """Makes a row about events of few columns."""
    return Row(title, {**each((*HTTP, "lambda_edge", "pass_through"), others), **cells})


def _policy(aspect: str) -> Cell:
    return becomes(aspect, {"x-amzn-event-source": ["authorizer"]}, folder="pass_through", target="/events")


_SWITCH_OFF = {"method": "POST", "target": "/events"}
_WARM = Spares(event={"warmer": True}, result={"warm": True})

EVENTS = Section(
    "Events",
    (
        any_event(
            "An event of a Lambda authorizer is passed through, though it looks like a request",
            reasons.NO_AUTHORIZER,
            rest_api=_policy("authorizer_of_a_rest_api"),
            http_api_v1=_policy("authorizer_of_an_http_api_1_0"),
            http_api_v2=_policy("authorizer_of_an_http_api_2_0"),
            websocket=_policy("authorizer_of_a_websocket_api"),
            pass_through=_policy("authorizer_of_a_rest_api_by_token"),
            lambda_edge=reasons.EDGE,
        ),
        any_event(
            "Without the source's setting, its events are passed through",
            reasons.NO_SWITCH,
            websocket=becomes(
                "websocket_connect", {"x-amzn-event-source": ["websocket"]}, folder="pass_through", **_SWITCH_OFF
            ),
            bedrock_agent=becomes(
                "bedrock_agent", {"x-amzn-event-source": ["bedrock-agent"]}, folder="pass_through", **_SWITCH_OFF
            ),
            lambda_edge=reasons.EDGE,
        ),
        any_event(
            "Any other event reaches the app unchanged",
            reasons.ALL_REQUESTS,
            pass_through=becomes(
                "direct_invoke", {"content-type": ["application/json"]}, method="POST", path="/events"
            ),
            lambda_edge=reasons.EDGE,
        ),
        any_event(
            "The path can contain the event's source",
            reasons.ALL_REQUESTS,
            pass_through=becomes("sqs_by_its_name", {"x-amzn-event-source": ["sqs"]}, path="/events/sqs"),
            lambda_edge=reasons.EDGE,
        ),
        any_event(
            "SQS gets the `batchItemFailures` that the app returns",
            reasons.ALL_REQUESTS,
            pass_through=answers(
                "sqs",
                result={"batchItemFailures": [{"itemIdentifier": "11111111-2222-4333-8444-555555555555"}]},
            ),
            lambda_edge=reasons.EDGE,
        ),
        any_event(
            "With `AWS_LWA_EVENT_ERRORS=return`, any status is a result",
            reasons.ALL_REQUESTS,
            pass_through=answers("errors_returned", result={"error": "no such seed"}),
            lambda_edge=reasons.EDGE,
        ),
        any_event(
            "With `AWS_LWA_PROTECT_EVENT_PATHS`, events still arrive at their paths",
            reasons.NOT_AN_EVENT,
            websocket=becomes("event_paths_protected", target="/ws/water"),
            bedrock_agent=becomes("event_paths_protected", target="/events"),
            pass_through=becomes("event_paths_protected", target="/events"),
            lambda_edge=reasons.EDGE,
        ),
        any_event(
            "A warm-up event gets its result without the app",
            reasons.ALL_REQUESTS,
            pass_through=_WARM,
            lambda_edge=reasons.EDGE,
        ),
        any_event(
            "An event that cannot be served fails with the reason",
            reasons.ALL_REQUESTS,
            pass_through=reasons.NO_REQUEST,
            lambda_edge=Refuses(change=lambda event: None, status=0, error_type="Runtime.InvalidEvent"),
        ),
    ),
)


_LINE_BREAK = Refuses(change=header_is("1\r\nx-evil: 2"), status=400, error_type="Runtime.InvalidEvent")
_LINE_FEED = Refuses(change=header_is("1\nx-evil: 2"), status=400, error_type="Runtime.InvalidEvent")
_NUL = Refuses(change=header_is("1\0"), status=400, error_type="Runtime.InvalidEvent")
_NAME = Refuses(change=header_is("1", name="x-a\r\nx-evil"), status=400, error_type="Runtime.InvalidEvent")
_METHOD = Refuses(
    change=method_is("GET / HTTP/1.1\r\nx-evil: 2\r\n\r\nGET"), status=400, error_type="Runtime.InvalidEvent"
)
_BASE64 = Refuses(change=body_that_is_not_base64, status=400, error_type="Runtime.InvalidEvent")
_EVENTS_PATH = Refuses(
    change=path_is("/a/..//%65vents/"),
    status=403,
    error_type="Function.ForbiddenPath",
    environment={"AWS_LWA_PROTECT_EVENT_PATHS": "true"},
)
_DECODED_EVENTS_PATH = Refuses(
    change=path_is("/a/..//events/"),
    status=403,
    error_type="Function.ForbiddenPath",
    environment={"AWS_LWA_PROTECT_EVENT_PATHS": "true"},
)

REFUSALS = Section(
    "What is rejected, and never sent to the app",
    (
        request(
            "A line break in a header's value",
            _LINE_BREAK,
            websocket=_LINE_BREAK,
            bedrock_agent=reasons.NO_AGENT_HEADERS,
        ),
        request(
            "Half a line break",
            _LINE_FEED,
            websocket=_LINE_FEED,
            bedrock_agent=reasons.NO_AGENT_HEADERS,
        ),
        request("NUL", _NUL, websocket=_NUL, bedrock_agent=reasons.NO_AGENT_HEADERS),
        request(
            "A line break in a header's name",
            _NAME,
            websocket=_NAME,
            bedrock_agent=reasons.NO_AGENT_HEADERS,
        ),
        request(
            "Another request in the method",
            _METHOD,
            websocket=reasons.MADE_PATH,
            bedrock_agent=_METHOD,
        ),
        request(
            "A body that is marked as base64 and is not",
            _BASE64,
            websocket=_BASE64,
            bedrock_agent=reasons.AGENT_TEXT,
        ),
        request(
            "With `AWS_LWA_PROTECT_EVENT_PATHS`, a client's request for a path of events",
            _EVENTS_PATH,
            websocket=reasons.IS_AN_EVENT,
            bedrock_agent=reasons.IS_AN_EVENT,
            http_api_v2=_DECODED_EVENTS_PATH,
            pass_through=reasons.IS_AN_EVENT,
        ),
    ),
)


def failing(title: str, http: Cell, *, pass_through: Cell) -> Row:
    """Makes a row about an app that does not answer as it should."""
    return Row(title, {**each(HTTP, http), "lambda_edge": reasons.EDGE, "pass_through": pass_through})


FAILURES = Section(
    "What fails",
    (
        failing(
            "The app raises: 500; an event fails",
            Fails(scenario="raises", status=500),
            pass_through=Fails(scenario="raises", status=0, error_type="Function.AppRejectedEvent"),
        ),
        failing(
            "The app closes the connection without a response: 502",
            Fails(scenario="closes", status=502, error_type="Function.InvalidResponse"),
            pass_through=Fails(scenario="closes", status=0, error_type="Function.InvalidResponse"),
        ),
        failing(
            "The app closes the connection in the middle of a response: 502",
            Fails(scenario="breaks off", status=502, error_type="Function.InvalidResponse"),
            pass_through=Fails(scenario="breaks off", status=0, error_type="Function.InvalidResponse"),
        ),
        failing(
            "Nothing listens on the app's port: 502",
            Fails(scenario="unreachable", status=502, error_type="Function.AppUnreachable"),
            pass_through=Fails(scenario="unreachable", status=0, error_type="Function.AppUnreachable"),
        ),
        failing(
            "The reply is above the payload limit: 502, with the reason",
            Fails(scenario="too large", status=502, error_type="Function.ResponseSizeTooLarge"),
            pass_through=Fails(scenario="too large", status=0, error_type="Function.ResponseSizeTooLarge"),
        ),
        failing(
            "A status of `AWS_LWA_ERROR_STATUS_CODES` fails the invocation",
            Fails(scenario="error status", status=0, error_type="Function.AppRejectedEvent"),
            pass_through=Fails(scenario="error status", status=0, error_type="Function.AppRejectedEvent"),
        ),
        failing(
            "A status that is not 2xx fails the invocation, so that a queue delivers again",
            reasons.STATUS_ARRIVES,
            pass_through=Fails(scenario="status 503", status=0, error_type="Function.AppRejectedEvent"),
        ),
    ),
)
