"""Records as JSON: what is cut says so, and no secret is shown unless it is asked for."""

from __future__ import annotations

import pytest

from lambda_web_adapter.local.gateways import Request, Response
from lambda_web_adapter.local.records.conversion import to_detail
from lambda_web_adapter.local.records.masking import Masker
from lambda_web_adapter.local.records.records import MAX_PART, Record, Records

SECRET = b"Bearer secret"


def record_with(event: bytes, size: int | None = None) -> Record:
    record = Records().add(0.0, "POST /")
    record.event, record.event_bytes = event, len(event) if size is None else size
    return record


@pytest.mark.parametrize(
    ("size", "levels", "shown"),
    [
        pytest.param(None, 0, True, id="a whole event"),
        pytest.param(2 * MAX_PART, 0, False, id="an event that is cut"),
        pytest.param(None, 1000, False, id="an event that is too deep"),
    ],
)
def test_an_event_is_shown_without_its_secrets(size: int | None, levels: int, shown: bool) -> None:
    deep = b"[" * levels + b"]" * levels or b"null"
    event = b'{"headers":{"authorization":"%b"},"path":"/a","deep":%b}' % (SECRET, deep)
    record = record_with(event, size)

    detail = to_detail(record, Masker())

    assert "secret" not in detail.model_dump_json()
    assert ("/a" in detail.event.data) is shown
    assert detail.event.is_truncated is not shown


def test_secrets_are_shown_on_demand() -> None:
    detail = to_detail(record_with(b'{"headers":{"authorization":"%b"}}' % SECRET, 2 * MAX_PART), None)

    assert SECRET.decode() in detail.event.data
    assert detail.event.size == 2 * MAX_PART


def test_a_body_that_is_cut_has_its_whole_size() -> None:
    record = record_with(b"{}")
    record.client_request, record.client_request_bytes = Request(method="PUT", raw_path="/", body=b"a"), 10
    record.client_response, record.client_response_bytes = Response(status=200, headers=[], body=b"b"), 20

    detail = to_detail(record, None)

    assert detail.client_request is not None
    assert (detail.client_request.body.size, detail.client_request.body.is_truncated) == (10, True)
    assert detail.client_response is not None
    assert (detail.client_response.body.size, detail.client_response.body.is_truncated) == (20, True)
