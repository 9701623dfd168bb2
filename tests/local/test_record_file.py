"""The file of records: what is written to it, and what is read of it."""

from __future__ import annotations

import asyncio
import errno
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from support.processes import wait_until

from lambda_web_adapter.ipc.exchange_frame import Exchange
from lambda_web_adapter.local.commands import inspector_options
from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
from lambda_web_adapter.local.gateways import Request
from lambda_web_adapter.local.log import Log, RequestLine
from lambda_web_adapter.local.records.masking import Masker
from lambda_web_adapter.local.records.record_file import BadLine, read_records, write_records
from lambda_web_adapter.local.records.record_models import InvocationDetail
from lambda_web_adapter.local.records.recorder import Recorder

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def record(recorder: Recorder, title: str = "GET /") -> Invocation:
    """Make a complete record, and return its invocation."""
    outcome = asyncio.get_running_loop().create_future()
    outcome.set_result(Outcome(payload=b"{}"))
    invocation = Invocation(event=b'{"headers": {"cookie": "a=hush"}}', title=title, outcome=outcome)
    invocation.started_at = invocation.ended_at = invocation.received_at
    recorder.end(invocation)
    line = RequestLine(title=title, status=200, invocation=invocation)
    line.request = Request(method="GET", raw_path="/", headers=[("authorization", "hush")], body=b"\xff")
    recorder.respond(line)
    return invocation


def write(path: Path, steps: Callable[[Recorder], Awaitable[None]], log: Log | None = None) -> None:
    async def within_a_loop() -> None:
        recorder = Recorder()
        async with write_records(recorder, path.open("ab", buffering=0), Masker(), log or Log()):
            await steps(recorder)

    asyncio.run(within_a_loop())


async def wait_for_lines(path: Path, count: int) -> None:
    await asyncio.to_thread(wait_until, lambda: len(path.read_bytes().splitlines()) >= count, "the lines are written")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"

    async def steps(recorder: Recorder) -> None:
        for title in ("GET /1", "GET /2"):
            record(recorder, title)

    write(file, steps)
    write(file, steps)
    records = list(read_records(file))

    assert [each.title for each in records if isinstance(each, InvocationDetail)] == ["GET /1", "GET /2"] * 2


def test_what_is_appended_meanwhile_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"

    async def steps(recorder: Recorder) -> None:
        for title in ("GET /1", "GET /2"):
            record(recorder, title)

    write(file, steps)
    titles = []
    for each in read_records(file):
        assert isinstance(each, InvocationDetail)
        titles.append(each.title)
        with file.open("a") as appended:
            appended.write(each.model_dump_json() + "\n")

    assert titles == ["GET /1", "GET /2"]


def test_secrets_are_masked(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"

    async def steps(recorder: Recorder) -> None:
        record(recorder)

    write(file, steps)
    (detail,) = read_records(file)

    assert "hush" not in file.read_text()
    assert isinstance(detail, InvocationDetail)
    assert detail.is_masked
    assert detail.client_request is not None
    assert detail.client_request.headers == [("authorization", "***")]
    assert detail.client_request.body.to_bytes() == b"\xff"


def test_a_record_is_written_while_the_run_goes_on_and_has_its_exchange(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"

    async def steps(recorder: Recorder) -> None:
        invocation = record(recorder)
        recorder.add_exchange(
            Exchange(
                request_id=invocation.request_id,
                requested_at=invocation.started_at,
                responded_at=invocation.started_at,
                request_head=b"PUT /adapted HTTP/1.1\r\n\r\n",
            )
        )
        await wait_for_lines(file, 1)
        record(recorder)
        await wait_for_lines(file, 2)

    write(file, steps)
    first, _ = [json.loads(line) for line in file.read_text().splitlines()]

    assert first["request"]["target"] == "/adapted"


def test_many_records_are_each_written_once(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"

    async def steps(recorder: Recorder) -> None:
        for _ in range(1500):
            record(recorder)
        await wait_for_lines(file, 1)
        for _ in range(1500):
            record(recorder)

    write(file, steps)

    assert sorted(json.loads(line)["number"] for line in file.read_text().splitlines()) == [*range(1, 3001)]


def test_a_disk_that_is_full_is_a_line_in_the_log(tmp_path: Path) -> None:
    text = io.StringIO()

    async def steps(recorder: Recorder) -> None:
        record(recorder)
        await asyncio.to_thread(wait_until, text.getvalue, "the log has a line")

    write(Path("/dev/full"), steps, Log("short", text))

    assert text.getvalue() == (
        "Further invocations are not recorded: the file cannot be written ([Errno 28] No space left on device).\n"
    )


def test_a_disk_that_is_full_at_the_end_is_a_line_too(tmp_path: Path) -> None:
    text = io.StringIO()

    async def steps(recorder: Recorder) -> None:
        record(recorder)

    write(Path("/dev/full"), steps, Log("short", text))

    assert "No space left on device" in text.getvalue()


class _NearlyFull(io.FileIO):
    """Takes 100 bytes at a time, and no more than 200 altogether."""

    def write(self, data: ReadableBuffer) -> int:
        if self.tell() >= 200:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(memoryview(data)[:100])


def test_a_disk_that_takes_a_part_of_a_record_is_full(tmp_path: Path) -> None:
    text, path = io.StringIO(), tmp_path / "records.jsonl"

    async def within_a_loop() -> None:
        recorder = Recorder()
        async with write_records(recorder, _NearlyFull(path, "ab"), Masker(), Log("short", text)):
            record(recorder)

    asyncio.run(within_a_loop())

    assert "No space left on device" in text.getvalue()
    assert path.stat().st_size == 200


def test_a_name_that_no_header_has_is_not_masked() -> None:
    values = {"inspector": True, "inspector_port": 0, "keep": 1, "masked_headers": ("X-A,X-B",), "record_file": None}

    with pytest.raises(click.BadParameter, match="'X-A,X-B' is no name of a header"):
        inspector_options.parse(values)


@pytest.mark.parametrize(
    ("start", "result"),
    [(b"", b"new\n"), (b"old\n", b"old\nnew\n"), (b"half", b"half\nnew\n")],
    ids=["empty", "whole lines", "half a line"],
)
def test_a_run_begins_with_a_line_of_its_own(start: bytes, result: bytes, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(start)
    values = {"inspector": True, "inspector_port": 0, "keep": 1, "masked_headers": (), "record_file": path}

    with inspector_options.parse(values).record_file or io.BytesIO() as file:
        file.write(b"new\n")

    assert path.read_bytes() == result


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("{", "is incomplete.", id="incomplete"),
        pytest.param("no", "is no record: Invalid JSON", id="no JSON"),
        pytest.param("[]", "is no record: Input should be an object", id="no object"),
        pytest.param('{"number": 1}', "is no record: received: Field required", id="too little"),
        pytest.param('{"number": "one"}', "is no record: number: Input should be a valid integer", id="another type"),
        pytest.param(
            '{"number": 1, "received": 1e300, "title": "", "state": "failed", "is_masked": true}',
            "is no record: received: Input should be less than",
            id="a moment that is none",
        ),
        pytest.param(
            '{"number": 1, "received": 0, "title": "", "state": "failed", "is_masked": true,'
            '"reply": {"size": 1, "encoding": "base64", "data": "?"}}',
            "is no record: reply: Value error, The data is not base64",
            id="no base64",
        ),
    ],
)
def test_a_line_that_is_no_record_is_named(line: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"

    async def steps(recorder: Recorder) -> None:
        record(recorder)

    write(file, steps)
    file.write_text(f"\n{line}\n{file.read_text()}")
    bad, good = read_records(file)

    assert isinstance(bad, BadLine)
    assert bad.number == 2
    assert bad.problem.startswith(problem)
    assert isinstance(good, InvocationDetail)
