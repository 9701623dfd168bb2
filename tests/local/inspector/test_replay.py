"""Replays: what is sent again, and what is recorded of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from local.asking import FULL, event, request
from local.inspector.replaying import ReplayRun
from pydantic import ValidationError

from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.local.event_sources import EVENT_SOURCES
from lambda_web_adapter.local.gateways import GatewayOptions
from lambda_web_adapter.local.inspector.originals import without_masked
from lambda_web_adapter.local.inspector.preview import preview
from lambda_web_adapter.local.inspector.replay import replay, send
from lambda_web_adapter.local.inspector.replay_models import ReplayError, ReplayOptions, SentRequest, find_differences
from lambda_web_adapter.local.records.conversion import to_detail
from lambda_web_adapter.local.records.masking import Masker
from lambda_web_adapter.local.records.record_models import Body
from lambda_web_adapter.local.records.records import MAX_PART, SUCCEEDED, Record

every_source = pytest.mark.parametrize("source", [pytest.param(source, id=source) for source in EVENT_SOURCES])
SQS = b'{"Records": [{"eventSource": "aws:sqs", "body": "hello"}]}'
VOLATILE = ("requestId", "request_id", "timeEpoch", "requestTimeEpoch", "time", "requestTime", "extendedRequestId")


def again(run: ReplayRun, record: Record, **options: Any) -> list[Record]:
    numbers = asyncio.run(replay(record, ReplayOptions(**options), run.inspected))
    return [run.get(number) for number in numbers]


def stable(document: Any) -> Any:
    """The document without times, ids and traces."""
    if isinstance(document, list):
        return [stable(each) for each in document]
    if not isinstance(document, dict):
        return document
    return {
        name: stable(value)
        for name, value in document.items()
        if name not in VOLATILE and name.lower() != "x-amzn-trace-id"
    }


@every_source
def test_again_sends_the_same_request_through_the_same_gateway(source: str) -> None:
    run = ReplayRun()
    original = run.record(FULL, source)

    (record,) = again(run, original)

    assert stable(run.events[0]) == stable(event(source, FULL))
    assert (record.replay_of, record.source, record.status, record.state) == (original.number, source, 201, SUCCEEDED)
    assert record.is_complete
    assert record.title == "POST /caf%C3%A9/a%2Fb/?tag=red&page=2&tag=a%2Bb+c&empty=&bare"
    assert record.client_request
    assert record.client_request.body == FULL.body
    assert record.client_request.request_id != FULL.request_id
    assert record.client_response
    assert ("x-tag", "1") in record.client_response.headers
    assert f", replay of {original.number}" in run.text.getvalue()


@every_source
def test_as_another_source_the_event_is_that_gateways(source: str) -> None:
    run = ReplayRun()

    (record,) = again(run, run.record(FULL, "function-url"), event_source=source)

    assert stable(run.events[0]) == stable(event(source, FULL))
    assert record.source == source


def test_an_event_that_is_no_request_is_sent_byte_for_byte() -> None:
    run = ReplayRun()

    (record,) = again(run, run.record(None, event=SQS))

    assert run.function.invocations[0].event == SQS
    assert (record.title, record.source, record.client_request) == ("sqs event", "event", None)
    assert record.is_complete


def test_an_event_of_a_gateway_is_sent_byte_for_byte_and_has_a_response() -> None:
    run = ReplayRun()
    document = json.dumps(event("alb", FULL)).encode()

    (record,) = again(run, run.record(None, event=document))

    assert run.function.invocations[0].event == document
    assert (record.source, record.status) == ("alb", 201)
    assert record.client_request
    assert record.client_request.body == FULL.body


def test_an_event_of_a_gateway_is_sent_as_another_source() -> None:
    run = ReplayRun()
    document = json.dumps(event("http-api-v1", FULL)).encode()

    again(run, run.record(None, event=document), event_source="vpc-lattice-v2")

    assert run.events[0]["path"].startswith("/caf%C3%A9/a%2Fb/?")


def test_an_edited_request_has_its_own_length_and_host() -> None:
    run = ReplayRun()
    edited = SentRequest(
        method="PUT", target="/a b?c=d", headers=[("Content-Length", "99"), ("x-a", "ü")], body=Body.of(b"\xff")
    )

    (record,) = again(run, run.record(FULL, "alb"), request=edited)

    headers = run.events[0]["headers"]
    assert (run.events[0]["httpMethod"], run.events[0]["path"]) == ("PUT", "/a%20b")
    assert (headers["content-length"], headers["host"], headers["x-a"]) == ("1", "127.0.0.1:8000", "ü")
    assert record.client_request
    assert record.client_request.body == b"\xff"


def test_a_request_may_be_written_in_short() -> None:
    run = ReplayRun()
    options = ReplayOptions.model_validate(
        {
            "request": {"target": "/a", "headers": {"x-a": "1", "content-type": "text/plain"}, "body": "hello"},
            "event_source": "alb",
        }
    )

    (number,) = asyncio.run(send(options, run.inspected))

    (event,) = run.events
    assert (event["httpMethod"], event["path"], event["body"]) == ("GET", "/a", "hello")
    assert event["headers"]["x-a"] == "1"
    assert run.get(number).client_request


def test_an_edited_event_is_sent_instead() -> None:
    run = ReplayRun()

    (record,) = again(run, run.record(FULL, "alb"), event={"Records": [], "big": 2**70})

    assert run.events == [{"Records": [], "big": 2**70}]
    assert record.replay_of == 1


def test_a_truncated_original_can_be_edited() -> None:
    run = ReplayRun()
    original = run.record(FULL, "alb")
    original.client_request_bytes = MAX_PART + 1

    (record,) = again(run, original, request=SentRequest(method="GET", target="/"))

    assert (record.source, record.replay_of) == ("alb", original.number)


def test_several_times_at_once_and_each_in_a_new_environment() -> None:
    run = ReplayRun()

    records = again(run, run.record(FULL, "alb"), times=5, cold=True)

    assert len({record.number for record in records}) == 5
    assert all(record.is_complete and record.is_cold for record in records)


def test_a_stream_is_collected() -> None:
    def respond(_: Invocation) -> ReplyStream:
        stream = ReplyStream("application/octet-stream")

        async def write() -> None:
            for part in (b"one ", b"two ", b"three"):
                await stream.put(part)
            stream.end()

        asyncio.get_running_loop().create_task(write())
        return stream

    run = ReplayRun(respond=respond)

    (record,) = again(run, run.record(FULL, "function-url"))

    assert record.client_response
    assert (record.client_response.body, record.client_response_bytes) == (b"one two three", 13)


def test_a_rejected_request_is_rejected_again() -> None:
    run = ReplayRun(GatewayOptions(stage="prod"))

    (record,) = again(run, run.record(request(raw_path="/elsewhere"), "http-api-v2"))

    assert (record.state, record.status, record.replay_of) == ("rejected", 404, 1)
    assert run.events == []


@pytest.mark.parametrize(
    ("before", "path", "after", "expected"),
    [
        pytest.param("http-api-v2", "/prod/a", "alb", "/a", id="out of the stage"),
        pytest.param("http-api-v2", "/prod", "alb", "/", id="only the stage"),
        pytest.param("alb", "/a", "http-api-v2", "/prod/a", id="into the stage"),
        pytest.param("alb", "/prod/a", "http-api-v2", "/prod/a", id="in the stage already"),
        pytest.param("http-api-v1", "/prod/a", "http-api-v2", "/prod/a", id="the same stage"),
    ],
)
def test_the_path_is_moved_into_the_stage_of_the_other_gateway(
    before: str, path: str, after: str, expected: str
) -> None:
    run = ReplayRun(GatewayOptions(stage="prod"))

    again(run, run.record(request(raw_path=path), before), event_source=after)

    assert (run.events[0].get("rawPath") or run.events[0]["path"]) == expected


def test_the_tenant_stays() -> None:
    run = ReplayRun()
    original = run.record(None, event=SQS)
    original.tenant_id = "tenant-1"

    (record,) = again(run, original)

    assert record.tenant_id == "tenant-1"


def test_a_failed_function_is_a_problem_of_the_record() -> None:
    run = ReplayRun(respond=lambda _: Outcome.failure("KeyError", "no"))

    (of_event,) = again(run, run.record(None, event=SQS))
    (of_request,) = again(run, run.record(FULL, "alb"))

    assert (of_event.state, of_event.problem) == ("failed", "the function failed: KeyError: no")
    assert (of_request.state, of_request.status) == ("failed", 502)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"client_request_bytes": MAX_PART + 1}, "Its body has 1048577 bytes", id="truncated body"),
        pytest.param(
            {"client_request": None, "event": b"{}", "event_bytes": MAX_PART + 1},
            "Its event has 1048577 bytes",
            id="truncated event",
        ),
        pytest.param({"client_request": None}, "nothing to send again", id="nothing at all"),
    ],
)
def test_what_is_incomplete_cannot_be_sent_again(changes: dict[str, Any], message: str) -> None:
    run = ReplayRun()
    record = run.record(FULL, "alb")
    for name, value in changes.items():
        setattr(record, name, value)

    with pytest.raises(ReplayError, match=message):
        again(run, record)


def test_an_event_that_is_no_request_has_no_other_source() -> None:
    run = ReplayRun()

    with pytest.raises(ReplayError, match=r"no HTTP request.* It can only be sent as it is"):
        again(run, run.record(None, event=SQS), event_source="alb")


@pytest.mark.parametrize(
    ("edited", "message"),
    [
        pytest.param(SentRequest(method="GET /", target="/"), "The method is 'GET /'", id="method"),
        pytest.param(SentRequest(method="GET", target="items"), "The target is 'items'", id="no path"),
        pytest.param(SentRequest(method="GET", target="/a\r\nb: c"), "The target is '/a", id="target"),
        pytest.param(SentRequest(method="GET", target="/", headers=[("a b", "")]), "the header 'a b'", id="name"),
        pytest.param(SentRequest(method="GET", target="/", headers=[("a", "b\r\nc: d")]), "the header 'a'", id="value"),
    ],
)
def test_what_no_client_can_send_is_not_sent(edited: SentRequest, message: str) -> None:
    run = ReplayRun()

    with pytest.raises(ReplayError, match=message):
        again(run, run.record(FULL, "alb"), request=edited)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"event": {}, "event_source": "alb"}, id="event and source"),
        pytest.param({"event": {}, "request": {"method": "GET", "target": "/"}}, id="event and request"),
        pytest.param(
            {"request": {"method": "GET", "target": "/", "body": {"size": 1, "encoding": "base64", "data": "?"}}},
            id="body that is not base64",
        ),
        pytest.param({"times": 0}, id="never"),
        pytest.param({"times": 101}, id="too often"),
        pytest.param({"event_source": "sqs"}, id="no gateway"),
        pytest.param({"cool": True}, id="misspelled"),
    ],
)
def test_wrong_options_are_rejected(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReplayOptions(**options)


def test_a_request_is_sent_without_an_original() -> None:
    run = ReplayRun()
    options = ReplayOptions(request=SentRequest(method="GET", target="/a?b=c"))

    (number,) = asyncio.run(send(options, run.inspected))

    assert (run.get(number).source, run.get(number).replay_of) == ("alb", 0)
    assert run.events[0]["queryStringParameters"] == {"b": "c"}


def test_nothing_cannot_be_sent() -> None:
    with pytest.raises(ReplayError, match="nothing to send"):
        asyncio.run(send(ReplayOptions(), ReplayRun().inspected))


def test_a_masked_record_is_sent_without_what_is_masked() -> None:
    run = ReplayRun()
    headers = [("Authorization", "Bearer a"), ("Cookie", "a=1; b=2"), ("x-mine", "secret"), ("x-a", "1")]
    detail = to_detail(run.record(request(headers=headers), "alb"), Masker(["x-mine"]))

    open_detail, warnings = without_masked(detail)
    asyncio.run(replay(open_detail, ReplayOptions(), run.inspected))

    assert warnings == [
        f"{name} is masked in the record, and is left out." for name in ("authorization", "cookie", "x-mine")
    ]
    assert {"authorization", "cookie", "x-mine"}.isdisjoint(run.events[0]["headers"])
    assert run.events[0]["headers"]["x-a"] == "1"


def test_a_masked_event_is_sent_without_what_is_masked() -> None:
    run = ReplayRun()
    document = {"headers": {"Authorization": "a", "x": "1"}, "cookies": ["a=1"], "list": [{"x-api-key": "k"}]}
    detail = to_detail(run.record(None, event=json.dumps(document).encode()), Masker())

    open_detail, warnings = without_masked(detail)
    asyncio.run(replay(open_detail, ReplayOptions(), run.inspected))

    assert run.events == [{"headers": {"x": "1"}, "list": [{}]}]
    assert len(warnings) == 3


def test_a_preview_shows_event_and_request_without_sending_them() -> None:
    run = ReplayRun()
    record = run.record(replace(FULL, raw_path="/a%2Fb"), "function-url")

    shown = preview(record, "http-api-v2", run.inspected)

    assert run.events == []
    assert shown.event["rawPath"] == "/a/b"
    assert shown.request
    assert shown.request.target.startswith("/a/b?")
    assert {each.path for each in shown.differences} >= {"rawPath", "requestContext.domainName"}
    target = next(each for each in shown.request_differences if each.path == "target")
    assert (target.before[:6], target.after[:4]) == ("/a%2Fb", "/a/b")


@every_source
def test_a_preview_as_the_same_source_has_no_differences(source: str) -> None:
    run = ReplayRun()

    shown = preview(run.record(FULL, source), source, run.inspected)

    assert (shown.differences, shown.request_differences, shown.problem) == ([], [], "")


def test_a_preview_says_why_the_app_gets_no_request() -> None:
    run = ReplayRun(environ={"AWS_LWA_PROTECT_EVENT_PATHS": "true"})

    shown = preview(run.record(request(raw_path="/events"), "alb"), "rest-api", run.inspected)

    assert shown.request is None
    assert "/events is reserved" in shown.problem


def test_differences_name_the_path_of_each_value() -> None:
    before = {"a": {"b": [1, {"c": 2}]}, "gone": 1, "same": [1], "kind": 1}
    after = {"a": {"b": [1, {"c": 3}]}, "same": [1], "new": None, "kind": True}

    found = [(each.path, each.before, each.after) for each in find_differences(before, after)]

    assert found == [("a.b[1].c", 2, 3), ("gone", 1, None), ("kind", 1, True)]
