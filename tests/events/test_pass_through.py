"""The result of an event that is not an HTTP request: JSON as it is, or the error that a queue must see."""

import pytest
from fixtures.loading import fixture

from events.replies import Headers, response
from lambda_web_adapter.events import build_request, pass_through_source
from lambda_web_adapter.events.pass_through import error_from_rejection
from lambda_web_adapter.http.messages import Request
from lambda_web_adapter.settings import Settings

JSON: Headers = [(b"content-type", b"application/json")]
EVENT = fixture("pass_through", "sqs").event


@pytest.mark.parametrize(
    ("headers", "body", "result"),
    [
        pytest.param(JSON, b'{"batchItemFailures":[]}', b'{"batchItemFailures":[]}', id="an object"),
        pytest.param(
            JSON, b' {"b": 1.10,\n"a": 12345678901234567890} ', b' {"b": 1.10,\n"a": 12345678901234567890} ', id="as is"
        ),
        pytest.param(JSON, b"null", b"null", id="null"),
        pytest.param(JSON, b"[1,2]", b"[1,2]", id="a list"),
        pytest.param(JSON, b'"text"', b'"text"', id="a JSON string"),
        pytest.param([], b'{"a":1}', b'{"a":1}', id="JSON of no type"),
        pytest.param([(b"content-type", b"text/plain")], b"7", b"7", id="JSON that is called text"),
        pytest.param(JSON, '{"a":"ö"}'.encode(), '{"a":"ö"}'.encode(), id="JSON outside ASCII"),
        pytest.param([(b"content-type", b"text/plain")], b"done", b'"done"', id="text"),
        pytest.param(
            [(b"content-type", b"text/html")], '<p class="ö">'.encode(), b'"<p class=\\"\xc3\xb6\\">"', id="HTML"
        ),
        pytest.param(JSON, b"{broken", b'"{broken"', id="broken JSON"),
        pytest.param(JSON, b'{"a":NaN}', b'"{\\"a\\":NaN}"', id="what only Python takes for JSON"),
        pytest.param([], b"", b"null", id="nothing"),
        pytest.param(JSON, b"", b"null", id="nothing called JSON"),
        pytest.param([(b"content-type", b"image/png")], b"\x89PNG\r\n\x1a\n", b'"iVBORw0KGgo="', id="an image"),
        pytest.param([*JSON, (b"content-encoding", b"gzip")], b"\x1f\x8b\x08", b'"H4sI"', id="compressed JSON"),
        pytest.param(JSON, b'"\xff"', b'"Iv8i"', id="JSON that is not UTF-8"),
    ],
)
def test_the_result_is_what_the_app_answered(headers: Headers, body: bytes, result: bytes) -> None:
    assert pass_through_source().build_reply(response(200, headers, body), EVENT) == result


@pytest.mark.parametrize(
    "status", [pytest.param(200, id="200"), pytest.param(202, id="202"), pytest.param(204, id="204")]
)
def test_a_success_without_a_body_is_null(status: int) -> None:
    assert pass_through_source().build_reply(response(status), EVENT) == b"null"


ASKED = Request(method="POST", path="/events")


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        pytest.param(500, b"broken", "The app responded to POST /events with status 500: broken", id="an error"),
        pytest.param(404, b"", "The app responded to POST /events with status 404: (no body)", id="no such path"),
        pytest.param(302, b"", "The app responded to POST /events with status 302: (no body)", id="a redirect"),
        pytest.param(
            503, b"x" * 2000, f"The app responded to POST /events with status 503: {'x' * 1000}", id="a long body"
        ),
        pytest.param(500, b"\xff", "The app responded to POST /events with status 500: /w==", id="bytes"),
        pytest.param(
            500, b'["no", "map"]', 'The app responded to POST /events with status 500: ["no", "map"]', id="a JSON list"
        ),
        pytest.param(
            500,
            b'{"errorType":"NoSeed"}',
            'The app responded to POST /events with status 500: {"errorType":"NoSeed"}',
            id="half a name",
        ),
        pytest.param(
            500,
            b'{"errorType":1,"errorMessage":"no"}',
            'The app responded to POST /events with status 500: {"errorType":1,"errorMessage":"no"}',
            id="a name that is no string",
        ),
    ],
)
def test_a_rejection_says_what_the_app_answered(status: int, body: bytes, text: str) -> None:
    error = error_from_rejection(response(status, body=body), ASKED, EVENT)

    assert (str(error), error.raised, error.error_type) == (text, "", "Function.AppRejectedEvent")


def test_a_rejection_by_an_error_document_has_the_app_s_own_name_and_words() -> None:
    error = error_from_rejection(
        response(422, JSON, b'{"errorType":"NoSuchSeed","errorMessage":"Nothing grows.","more":1}'), ASKED, EVENT
    )

    assert (str(error), error.raised, error.error_type) == ("Nothing grows.", "NoSuchSeed", "Function.AppRejectedEvent")


@pytest.mark.parametrize("status", [pytest.param(500, id="500"), pytest.param(404, id="404")])
def test_the_body_of_a_failure_is_a_result_like_any_other(status: int) -> None:
    """Whether a status fails the invocation is not for the translation to say (AWS_LWA_EVENT_ERRORS)."""
    assert pass_through_source().build_reply(response(status, JSON, b'{"error":1}'), EVENT) == b'{"error":1}'


def test_it_claims_no_event_since_it_is_what_is_left() -> None:
    assert pass_through_source().matches(EVENT) is False


@pytest.mark.parametrize(
    "verbatim",
    [
        pytest.param(b'{"price": 1.10, "count": 12345678901234567890}', id="numbers"),
        pytest.param(b' {"a":1,"a":2}\n', id="blanks and a repeated key"),
        pytest.param(b'"\\ud800"', id="half of a surrogate pair"),
    ],
)
def test_the_app_gets_the_event_byte_for_byte(verbatim: bytes) -> None:
    request = build_request(pass_through_source(), {"read": "otherwise"}, Settings(), verbatim)

    assert request.body == verbatim
