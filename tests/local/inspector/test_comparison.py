"""What counts as a difference between a recorded invocation and a repeated one."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from lambda_web_adapter.local.inspector.comparison import compare
from lambda_web_adapter.local.records.record_models import Body, HttpResponse, InvocationDetail, RecordError

JSON = ("content-type", "application/json")


def responded(
    body: bytes = b"", *headers: tuple[str, str], status: int = 200, size: int | None = None
) -> InvocationDetail:
    return detail(client_response=HttpResponse(status=status, headers=list(headers), body=Body.of(body, size)))


def detail(**values: Any) -> InvocationDetail:
    return InvocationDetail(number=1, received=0.0, title="GET /", state="succeeded", is_masked=True, **values)


def changes(before: InvocationDetail, after: InvocationDetail) -> list[str]:
    """The lines that differ."""
    return [line for line in compare(before, after)[2:] if line[0] in "+-"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(responded(b'{"a": 1, "b": 2}', JSON), responded(b'{"b":2,"a":1}', JSON), id="another order"),
        pytest.param(responded(b"", ("Date", "1")), responded(b"", ("date", "2")), id="dates"),
        pytest.param(responded(b"", ("x-amzn-requestid", "1")), responded(b""), id="ids"),
        pytest.param(
            responded(b"", ("x-amzn-remapped-date", "1")), responded(b"", ("x-amzn-remapped-date", "2")), id="renamed"
        ),
        pytest.param(responded(b"", ("a", "1"), ("b", "2")), responded(b"", ("B", "2"), ("A", "1")), id="names"),
        pytest.param(
            responded(b"", ("set-cookie", "a=***; Path=/; Expires=Mon")),
            responded(b"", ("set-cookie", "a=***; Path=/; expires=Tue")),
            id="expiry of cookies",
        ),
        pytest.param(responded(b"[" * 5000, JSON), responded(b"[" * 5000, JSON), id="too deep"),
        pytest.param(responded(b"abc", size=9), responded(b"abcd", size=9), id="truncated"),
        pytest.param(detail(reply=Body.of(b'{"a": 1}')), detail(reply=Body.of(b'{"a":1}')), id="replies"),
        pytest.param(
            detail(reply=Body.of(b"1")), responded(b"ok").model_copy(update={"reply": Body.of(b"1")}), id="no response"
        ),
        pytest.param(
            responded(gzip.compress(b"hello", 1), ("content-encoding", "gzip")),
            responded(gzip.compress(b"hello", 9), ("content-encoding", "gzip")),
            id="another compression",
        ),
    ],
)
def test_what_is_no_difference(before: InvocationDetail, after: InvocationDetail) -> None:
    assert compare(before, after) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(responded(), responded(status=404), ["-status: 200", "+status: 404"], id="status"),
        pytest.param(responded(b"", ("a", "1")), responded(b""), ["-a: 1"], id="header"),
        pytest.param(
            responded(b'{"a": [1, 2]}', JSON), responded(b'{"a": [1, 3]}', JSON), ["-    2", "+    3"], id="JSON"
        ),
        pytest.param(responded(b"a\nb\n"), responded(b"a\nc\n"), ["-b", "+c"], id="text"),
        pytest.param(
            detail(error=RecordError(type="KeyError", message="no")),
            detail(reply=Body.of(b"null")),
            ["-error: KeyError: no", "+null"],
            id="error",
        ),
    ],
)
def test_what_is_a_difference(before: InvocationDetail, after: InvocationDetail, expected: list[str]) -> None:
    assert changes(before, after) == expected


def test_other_bytes_are_told_apart_by_their_hash() -> None:
    lines = changes(responded(b"\xff\0"), responded(b"\xff\1"))

    assert [line.split(", SHA-256 ")[0] for line in lines] == ["-2 bytes", "+2 bytes"]
