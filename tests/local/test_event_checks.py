"""What is said about an event that is not as AWS sends it."""

from __future__ import annotations

import json
from random import SystemRandom
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.odd_events import any_events

from lambda_web_adapter.local.sample_events import SAMPLES, Occasion
from lambda_web_adapter.local.sample_events.event_checks import InvalidJson, parse_event, problems
from lambda_web_adapter.local.sample_events.event_fields import parse_assignment


def changed(name: str, *assignments: str) -> Any:
    """A sample event with other fields."""
    event = SAMPLES[name].build(Occasion(time_ms=1772366400123, random=SystemRandom()))
    for assignment in assignments:
        parse_assignment(assignment).apply(event)
    return event


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(changed("sqs", "Records.0.body=1"), ["Records.0.body: Input should be a valid string"], id="SQS"),
        pytest.param(
            changed("sqs", "Records.1.eventSource=aws:sns", "Records.1.body=x", "Records.1.messageId=x"),
            ["Records.1.eventSource: Input should be 'aws:sqs'"],
            id="a record of another source",
        ),
        pytest.param(
            {"Records": [{"messageId": "1", "body": "x", "eventSource": "aws:sqz"}]},
            ['Records.0.eventSource: "aws:sqz" is not among the sources that are known. Did you mean aws:sqs?'],
            id="a source that is misspelled",
        ),
        pytest.param(
            changed("sqs", "Records.0.eventSource=aws:sqz"),
            ["Records.0.eventSource: Input should be 'aws:sqs'"],
            id="one that is misspelled beside its ARN",
        ),
        pytest.param(
            changed("sns", "Records.0.EventSource=x"),
            [
                'Records.0.EventSource: "x" is not among the sources that are known, which are aws:sqs, aws:sns, '
                "aws:s3, aws:ses, aws:dynamodb, aws:kinesis, aws:codecommit"
            ],
            id="a source that is not known",
        ),
        pytest.param(
            {"Records": [{"body": "x"}]},
            ["Records.0.eventSource: Field required, such as aws:sqs"],
            id="a record without a source",
        ),
        pytest.param(
            changed("kinesis", "Records.0.kinesis.data=é"), ["Records.0.kinesis.data: Input should be base64"]
        ),
        pytest.param(
            changed("rest-api", "headers.x=1"), ["headers.x: Input should be a valid string"], id="an HTTP request"
        ),
        pytest.param(
            changed("eventbridge", "time=today"),
            ["time: Input should be a valid datetime or date, input is too short"],
            id="a time",
        ),
        pytest.param(
            changed("secrets-manager", "Step=next"),
            ["Step: Input should be 'createSecret', 'setSecret', 'testSecret' or 'finishSecret'"],
            id="one of several values",
        ),
        pytest.param({"Records": [{"body": "x", "eventSource": "aws:sqs"}]}, ["Records.0.messageId: Field required"]),
    ],
)
def test_a_wrong_field_is_named(event: Any, expected: list[str]) -> None:
    assert problems(event) == expected


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"Records": [{"messageId": "1", "body": "hello", "eventSource": "aws:sqs"}]}, id="a short event"),
        pytest.param({"Records": [], "eventSourceARN": "arn:aws:kinesis:x:1:stream/s"}, id="the end of a window"),
        pytest.param({"Records": []}, id="no records"),
        pytest.param({"anything": 1}, id="an event of one's own"),
        pytest.param([{"eventSource": "aws:sqs"}], id="a list"),
        pytest.param("text", id="text"),
        pytest.param(None, id="null"),
    ],
)
def test_nothing_is_said_about_other_events(event: Any) -> None:
    assert problems(event) == []


@given(any_events)
def test_any_event_can_be_checked(event: Any) -> None:
    assert "" not in problems(event)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b'{\n  "a" 1\n}', "line 2, column 7: Expecting ':' delimiter.", id="a colon that is missing"),
        pytest.param(b"{'a': 1}", "line 1, column 2: Expecting property name enclosed in double quotes.", id="quotes"),
        pytest.param(b" \n", "line 2, column 1: There is no event, only white space.", id="nothing"),
        pytest.param(b"{}{}", "line 1, column 3: Extra data.", id="two events"),
        pytest.param(b"\xff\xfe{\0}\0", "The event is not UTF-8 from byte 0 on. Save it as UTF-8.", id="UTF-16"),
        pytest.param(
            b'{"a": NaN}', "The event holds NaN, which is a number in Python, but not in JSON.", id="no number of JSON"
        ),
        pytest.param(b"[" * 100_000, "The event is nested too deeply.", id="a deep list"),
        pytest.param(
            b"1" * 5000, "The event holds a number of thousands of digits, which Python does not read.", id="digits"
        ),
    ],
)
def test_what_is_not_json_is_named_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(InvalidJson) as raised:
        parse_event(data)

    assert str(raised.value) == message


@given(st.binary(max_size=20) | st.text(max_size=20).map(str.encode))
def test_an_event_is_json_as_rfc_8259_has_it(data: bytes) -> None:
    try:
        event = parse_event(data)
    except InvalidJson:
        with pytest.raises(ValueError):  # noqa: PT011  # of any kind
            json.dumps(json.loads(data.decode()), allow_nan=False)
    else:
        assert event == json.loads(data)
