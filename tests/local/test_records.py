"""The records of a run: their bounds, and what JSON says of them."""

from __future__ import annotations

import json

from lambda_web_adapter.local.records.conversion import to_summary
from lambda_web_adapter.local.records.record_models import InvocationSummary
from lambda_web_adapter.local.records.records import FAILED, MAX_BYTES, MAX_RECORDS, REJECTED, Records


def test_records_are_counted_from_one() -> None:
    records = Records()

    numbers = [records.add(0.0, title).number for title in ("GET /a", "GET /b")]

    assert numbers == [1, 2]


def test_only_the_last_records_are_kept() -> None:
    records = Records()

    for number in range(MAX_RECORDS + 5):
        records.add(0.0, f"GET /{number}")

    assert len(records) == MAX_RECORDS
    assert [record.number for record in records.last(2)] == [MAX_RECORDS + 4, MAX_RECORDS + 5]
    assert records.last(MAX_RECORDS)[0].number == 6


def test_more_than_there_are_is_all_of_them() -> None:
    records = Records()
    records.add(0.0, "GET /")

    assert len(records.last(10)) == 1
    assert records.last(0) == []


def test_long_logs_push_out_the_oldest_records() -> None:
    records = Records(max_bytes=10_000)
    for _ in range(5):
        record = records.add(0.0, "GET /")
        record.log = b"x" * 3000
        records.update(record)

    assert [record.number for record in records.last(10)] == [4, 5]
    assert records.size <= 10_000


def test_the_last_record_stays_however_large_it_is() -> None:
    records = Records(max_bytes=100)
    record = records.add(0.0, "GET /")
    record.log = b"x" * 3000
    records.update(record)

    assert records.last(1) == [record]


def test_the_size_follows_a_record_that_changes() -> None:
    records = Records()
    record = records.add(0.0, "GET /")
    before = records.size
    for log in (b"x" * 500, b"x" * 700, b""):
        record.log = log
        records.update(record)
        assert records.size == before + len(log)


def test_a_dropped_record_may_still_change() -> None:
    records = Records(max_count=1)
    dropped, kept = records.add(0.0, "GET /a"), records.add(0.0, "GET /b")
    size = records.size

    dropped.log = b"late"
    records.update(dropped)

    assert records.last(2) == [kept]
    assert records.size == size


def test_the_bound_leaves_room_for_every_log_that_an_invocation_keeps() -> None:
    from lambda_web_adapter.local.environments.invocation import _MAX_LOG

    assert MAX_RECORDS * _MAX_LOG < MAX_BYTES


def test_a_new_record_is_incomplete_and_says_so_in_json() -> None:
    document = json.loads(json.dumps(to_summary(Records().add(1.23456, "GET /")).model_dump()))

    assert document["state"] == "running"
    assert document["is_complete"] is False
    assert document["status"] is document["response_ms"] is document["error"] is None
    assert document["received"] == 1.235


def test_json_has_every_attribute_of_a_record() -> None:
    record = Records().add(0.0, "GET /")
    record.state, record.error_type, record.error_message = FAILED, "ValueError", "no"
    record.log = "première\nsecond\n".encode()
    record.response_ms = 1.239

    document = to_summary(record).model_dump()

    assert set(document) == set(InvocationSummary.model_fields)
    assert document["error"] == {"type": "ValueError", "message": "no", "stack": []}
    assert document["log"] == ["première", "second"]
    assert document["response_ms"] == 1.24
    assert document["is_complete"] is True


def test_log_lines_that_are_not_utf_8_are_shown_as_far_as_they_are() -> None:
    record = Records().add(0.0, "GET /")
    record.log = b"caf\xe9\n"

    assert to_summary(record).model_dump()["log"] == ["caf\ufffd"]


def test_a_rejected_request_is_complete_with_its_response() -> None:
    record = Records().add(0.0, "GET /")
    record.state, record.response_ms = REJECTED, 1.0

    assert record.is_complete
