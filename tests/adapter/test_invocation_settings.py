"""What settings change about an invocation: which responses fail it, which requests are refused, which headers go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from adapter.test_loop import QUEUE, get

from lambda_web_adapter.adapter.invocation import Invoker
from lambda_web_adapter.adapter.io.blocking_backend import run_blocking
from lambda_web_adapter.errors import AppRejectedEvent, InvalidEvent
from lambda_web_adapter.http.messages import Invocation, Response
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.app_client import AppClient


class Answering:
    """Stands for the connection to an app that always gives the same response."""

    accepts_envelope = False

    complete = True

    def __init__(self, response: Response) -> None:
        self._response = response
        self.requests: list[bytes] = []

    async def exchange(self, head: bytes, body: bytes, method: str, deadline: float, limit: int | None) -> Response:
        self.requests.append(head + body)
        return self._response


class App:
    """An app behind the adapter, without processes: what it was asked, and what the caller gets."""

    def __init__(self, status: int = 200, body: bytes = b"", **variables: str) -> None:
        headers = [(b"content-type", b"application/json"), (b"Server", b"toy"), (b"x-kept", b"yes")]
        self._connection = Answering(Response(status=status, headers=headers, body=body))
        settings = Settings.from_environ(variables)
        self._invoker = Invoker(settings, cast("AppClient", self._connection))

    def invoke(self, event: object) -> Any:
        event_bytes = json.dumps(event).encode()
        reply = run_blocking(self._invoker.reply_to(Invocation(request_id="the-id", event=event_bytes), 0))
        assert isinstance(reply, bytes)
        return json.loads(reply)

    @property
    def heads(self) -> list[list[str]]:
        """The lines of each request's head."""
        return [request.partition(b"\r\n\r\n")[0].decode().split("\r\n") for request in self._connection.requests]


# Events that the app does not get.


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"warmer": True}, id="warmer"),
        pytest.param({"warmer": True, "concurrency": 3}, id="warmer with more"),
        pytest.param({"source": "serverless-plugin-warmup"}, id="plug-in"),
    ],
)
def test_warm_up_events_are_answered_without_the_app(event: object) -> None:
    app = App()

    assert app.invoke(event) == {"warm": True}
    assert app.heads == []


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"warmer": "yes"}, id="not said by true"),
        pytest.param({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}, id="a schedule"),
        pytest.param(["warmer"], id="a list"),
    ],
)
def test_what_only_looks_like_a_warm_up_event_reaches_the_app(event: object) -> None:
    app = App()
    app.invoke(event)

    assert [head[0] for head in app.heads] == ["POST /events HTTP/1.1"]


def test_an_event_of_the_edge_is_refused_with_the_reason() -> None:
    app = App()

    with pytest.raises(InvalidEvent, match="Lambda@Edge") as raised:
        app.invoke({"Records": [{"cf": {"request": {"uri": "/", "method": "GET"}}}]})

    assert "function URL" in str(raised.value)
    assert app.heads == []


# Statuses that fail an invocation.


def test_a_status_that_is_not_2xx_fails_an_event_with_the_app_s_words() -> None:
    with pytest.raises(AppRejectedEvent) as raised:
        App(500, b'{"detail": "no stock"}').invoke(QUEUE)

    assert str(raised.value) == 'The app responded to POST /events with status 500: {"detail": "no stock"}'
    assert json.loads(raised.value.document())["errorType"] == "Function.AppRejectedEvent"


def test_an_error_that_the_app_names_is_the_invocation_s_error() -> None:
    with pytest.raises(AppRejectedEvent) as raised:
        App(500, b'{"errorType": "OutOfStock", "errorMessage": "none left"}').invoke(QUEUE)

    assert json.loads(raised.value.document()) == {
        "errorType": "OutOfStock",
        "errorMessage": "none left",
        "stackTrace": [],
    }


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"errorType": "OutOfStock"}', id="no message"),
        pytest.param(b'{"errorType": 7, "errorMessage": "x"}', id="no strings"),
        pytest.param(b'["errorType", "errorMessage"]', id="no object"),
        pytest.param(b"\xff\xfe", id="no text at all"),
    ],
)
def test_an_error_that_is_not_named_in_full_is_shown_as_it_is(body: bytes) -> None:
    with pytest.raises(AppRejectedEvent, match=r"^The app responded to POST /events with status 400: .") as raised:
        App(400, body).invoke(QUEUE)

    assert raised.value.raised == ""


def test_errors_may_be_results() -> None:
    assert App(500, b'{"detail": "no stock"}', AWS_LWA_EVENT_ERRORS="return").invoke(QUEUE) == {"detail": "no stock"}


@pytest.mark.parametrize("event", [get("/"), QUEUE], ids=["request", "queue"])
@pytest.mark.parametrize("errors", ["fail", "return"])
def test_a_configured_status_fails_any_invocation(event: object, errors: str) -> None:
    app = App(503, b"overloaded", AWS_LWA_ERROR_STATUS_CODES="500-504", AWS_LWA_EVENT_ERRORS=errors)

    with pytest.raises(
        AppRejectedEvent, match=r"^The app responded to (GET /|POST /events) with status 503: overloaded$"
    ):
        app.invoke(event)


def test_a_status_that_is_not_configured_is_a_reply() -> None:
    assert App(501, AWS_LWA_ERROR_STATUS_CODES="500,502").invoke(get("/"))["statusCode"] == 501


# Paths that are kept for events.


@pytest.mark.parametrize(
    "path",
    [
        "/events",
        "/events/",
        "//events",
        "/%65vents",
        "/Events",
        "/a/../events",
        "/./events",
        "/a/%2e%2e/events",
        "/e%76ents/.",
    ],
)
def test_a_request_to_the_path_of_events_is_refused_if_it_is_protected(path: str) -> None:
    app = App(AWS_LWA_PROTECT_EVENT_PATHS="true")
    reply = app.invoke(get(path))

    assert (reply["statusCode"], json.loads(reply["body"])["errorType"]) == (403, "Function.ForbiddenPath")
    assert app.heads == []


@pytest.mark.parametrize("path", ["/", "/event", "/events2", "/events/sqs", "/a/events", "/events/../a"])
def test_other_paths_are_not_protected(path: str) -> None:
    assert App(AWS_LWA_PROTECT_EVENT_PATHS="true").invoke(get(path))["statusCode"] == 200


@pytest.mark.parametrize("path", ["/jobs/sqs", "/jobs/made-up", "/jobs;a=b/sqs/", "/Jobs/s%71s"])
def test_all_paths_of_events_are_protected(path: str) -> None:
    app = App(AWS_LWA_PROTECT_EVENT_PATHS="true", AWS_LWA_PASS_THROUGH_PATH="/jobs/{source}")

    assert app.invoke(get(path))["statusCode"] == 403


@pytest.mark.parametrize("path", ["/ws", "/ws/connect", "/WS/disconnect", "/ws//chat"])
def test_the_paths_of_a_websocket_api_are_protected(path: str) -> None:
    app = App(AWS_LWA_PROTECT_EVENT_PATHS="true", AWS_LWA_WEBSOCKET_PATH="/ws")

    assert app.invoke(get(path))["statusCode"] == 403


def test_events_themselves_reach_a_protected_path() -> None:
    app = App(AWS_LWA_PROTECT_EVENT_PATHS="true")
    app.invoke(QUEUE)

    assert [head[0] for head in app.heads] == ["POST /events HTTP/1.1"]
    assert "x-amzn-event-source: sqs" in app.heads[0]


def test_without_protection_the_path_is_a_page_like_any_other_and_cannot_pass_for_an_event() -> None:
    app = App()
    event = get("/events")
    event["headers"] |= {"x-amzn-event-source": "sqs", "X_Amzn_Event_Source": "sqs"}
    app.invoke(event)

    assert app.heads[0][0] == "GET /events HTTP/1.1"
    assert [line for line in app.heads[0] if "sqs" in line] == []


# Headers.


def test_credentials_may_come_in_another_header() -> None:
    app = App(AWS_LWA_AUTHORIZATION_SOURCE="X-Auth")
    event = get("/")
    event["headers"] |= {"Authorization": "AWS4-HMAC-SHA256 …", "x-auth": "Bearer token"}
    app.invoke(event)

    assert [line for line in app.heads[0] if "auth" in line.lower()] == ["authorization: Bearer token"]


def test_credentials_that_are_missing_are_named_in_the_log_once(capfd: pytest.CaptureFixture[str]) -> None:
    app = App(AWS_LWA_AUTHORIZATION_SOURCE="x-auth")
    event = get("/")
    event["headers"] |= {"Authorization": "Basic abc"}
    app.invoke(event)
    app.invoke(event)

    assert ["Authorization: Basic abc" in head for head in app.heads] == [True, True]
    assert capfd.readouterr().err.count("no x-auth header") == 1


def test_an_event_that_is_no_request_needs_no_credentials(capfd: pytest.CaptureFixture[str]) -> None:
    App(AWS_LWA_AUTHORIZATION_SOURCE="x-auth").invoke(QUEUE)

    assert capfd.readouterr().err == ""


def test_excluded_headers_do_not_reach_the_client() -> None:
    reply = App(AWS_LWA_EXCLUDE_RESPONSE_HEADERS="server,X-Powered-By").invoke(get("/"))

    assert reply["headers"] == {"content-type": "application/json", "x-kept": "yes"}
