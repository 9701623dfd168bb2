"""What `replay` does: it finds what was recorded, has the run send it, and prints what comes of it."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lambda_web_adapter.local.commands.logs import format_record
from lambda_web_adapter.local.commands.run_client import UNREACHABLE, Refused, RunClient
from lambda_web_adapter.local.inspector.comparison import compare, describe_durations
from lambda_web_adapter.local.inspector.originals import options_of, options_of_event, without_masked
from lambda_web_adapter.local.inspector.replay_models import ReplayError, ReplayOptions
from lambda_web_adapter.local.records.record_file import BadLine, read_records
from lambda_web_adapter.local.records.record_models import InvocationDetail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.local.inspector.replay_models import EventSource
    from lambda_web_adapter.local.records.run_file import RunFile

FAILED = 1
_REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sending:
    """What is sent, and what it is compared with.

    Attributes:
        path: the path of the API that sends it.
        options: what is sent.
        original: the recorded invocation; None for an event of a file.
        warnings: what is not as it was recorded.
    """

    path: str
    options: ReplayOptions
    original: InvocationDetail | None = None
    warnings: list[str] = field(default_factory=list)


class _FileUnreadable(click.ClickException):
    """There is no such file."""

    exit_code = UNREACHABLE


@dataclass(frozen=True, slots=True)
class Repetition:
    """What is sent and how: the options of the same names, and the run."""

    run: RunFile
    select: tuple[int, ...]
    event_source: EventSource | None
    diff: bool
    times: int
    cold: bool
    as_json: bool

    def send(self, original: str) -> int:
        """Send an invocation of the run, by its number or request id, or those of a file; return the exit code.

        Raises:
            Unreachable: the run does not respond.
            Refused: there is no such invocation.
            click.ClickException: there is no such file, or it does not fit the options.
        """
        code = 0
        with RunClient(self.run) as client:
            for sending in self._sendings(original, client):
                try:
                    if isinstance(sending, str):
                        raise Refused(sending)
                    is_same = self._send(sending, client)
                except Refused as error:
                    sys.stderr.write(f"{error}\n")
                    is_same = False
                code = code if is_same else FAILED
        return code

    def _sendings(self, original: str, client: RunClient) -> Iterator[_Sending | str]:
        """Yield what is sent, or why something cannot be."""
        if original.isascii() and (original.isdigit() or _REQUEST_ID.fullmatch(original)):
            if self.select:
                raise click.UsageError("--select is for a file of records.")
            yield self._sending_of_run(original, client)
        elif original.endswith(".jsonl"):
            yield from self._sendings_of_records(Path(original))
        else:
            yield self._sending_of_event(Path(original))

    def _sending_of_run(self, original: str, client: RunClient) -> _Sending:
        number = int(original) if original.isdigit() else _find_number(original, client)
        detail = InvocationDetail.model_validate(client.get(f"/api/invocations/{number}"))
        options = ReplayOptions.model_validate({"event_source": self.event_source})
        return _Sending(path=f"/api/invocations/{number}/replay", options=options, original=detail)

    def _sendings_of_records(self, path: Path) -> Iterator[_Sending | str]:
        missing = set(self.select)
        try:
            for record in read_records(path):
                if isinstance(record, BadLine):
                    yield f"{path}, line {record.number} is no record: {record.reason}"
                elif not self.select or record.number in self.select:
                    missing.discard(record.number)
                    yield self._sending_of_record(record)
        except OSError as error:
            raise _FileUnreadable(f"{path} cannot be read: {error.strerror}.") from None
        yield from (f"{path} has no record {number}." for number in sorted(missing))

    def _sending_of_record(self, record: InvocationDetail) -> _Sending | str:
        try:
            detail, warnings = without_masked(record)
            options = options_of(detail, self.event_source)
        except ReplayError as error:
            return f"Record {record.number} cannot be sent: {error}"
        return _Sending(path="/api/invocations", options=options, original=record, warnings=warnings)

    def _sending_of_event(self, path: Path) -> _Sending | str:
        if self.diff or self.select:
            option = "--diff" if self.diff else "--select"
            raise click.UsageError(
                f"{option} is for records: {path} is taken for an event, since it is no .jsonl file."
            )
        try:
            event = json.loads(path.read_bytes())
            return _Sending(path="/api/invocations", options=options_of_event(event, self.event_source))
        except OSError as error:
            raise _FileUnreadable(f"{path} cannot be read: {error.strerror}.") from None
        except ValueError as error:
            raise click.UsageError(f"{path} is not JSON: {error}") from None
        except ReplayError as error:
            return str(error)

    def _send(self, sending: _Sending, client: RunClient) -> bool:
        """Send it, and print what comes of it; return whether nothing differs."""
        for warning in sending.warnings:
            sys.stderr.write(f"Warning: record {sending.original.number if sending.original else 0}: {warning}\n")
        options = sending.options.model_copy(update={"times": self.times, "cold": self.cold})
        numbers = client.post(sending.path, options.model_dump(mode="json"))["numbers"]
        details = [client.get(f"/api/invocations/{number}") for number in numbers]
        results = [self._print(document, sending.original) for document in details]
        return all(results)

    def _print(self, document: dict[str, Any], original: InvocationDetail | None) -> bool:
        """Print a new record, and how it differs if that is wanted; return whether it does not."""
        detail = InvocationDetail.model_validate(document)
        lines = compare(original, detail) if self.diff and original else []
        if self.as_json:
            differences = {"is_equal": not lines, "diff": lines} if self.diff else {}
            click.echo(json.dumps({**document, **differences}, ensure_ascii=False, separators=(",", ":")))
            return not lines
        click.echo(format_record(document))
        if self.diff and original:
            click.echo(f"  {'differs' if lines else 'the same'}, {describe_durations(original, detail)}")
        for line in lines:
            click.echo(click.style(f"  {line}", fg=_COLOURS.get(line[:1])))
        return not lines


def _find_number(request_id: str, client: RunClient) -> int:
    """Return the number of the last record with a request id.

    Raises:
        Refused: there is none.
    """
    records = client.get("/api/invocations", search=request_id, last=100)["invocations"]
    numbers: list[int] = [record["number"] for record in records if record["request_id"] == request_id]
    if not numbers:
        raise Refused(f"The run has no invocation with the request id {request_id}.")
    return numbers[-1]
