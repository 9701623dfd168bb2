"""What `replay` does: it finds what was recorded, has the run send it, and prints what comes of it."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lambda_web_adapter.local.commands.logs import format_record
from lambda_web_adapter.local.commands.run_client import FAILED, UNREACHABLE, Refused, RunClient
from lambda_web_adapter.local.inspector.comparison import compare, describe_durations
from lambda_web_adapter.local.inspector.originals import options_of, options_of_event, without_masked
from lambda_web_adapter.local.inspector.replay_models import ReplayError, ReplayOptions
from lambda_web_adapter.local.records.record_file import BadLine, has_records, read_records
from lambda_web_adapter.local.records.record_models import InvocationDetail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lambda_web_adapter.local.inspector.json_paths import JsonPath
    from lambda_web_adapter.local.inspector.replay_models import EventSource
    from lambda_web_adapter.local.records.run_file import RunFile

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


class _FileUnreadable(Exception):
    """There is no such file."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """What is sent and how: the options of the same names, and the run."""

    run: RunFile
    select: tuple[int, ...]
    event_source: EventSource | None
    diff: bool
    ignore: tuple[JsonPath, ...]
    times: int
    cold: bool
    as_json: bool

    def send(self, originals: Sequence[str]) -> int:
        """Send invocations of the run, by their numbers or request ids, and those of files; return the exit code.

        Raises:
            Unreachable: the run does not respond.
            click.UsageError: the options do not fit.
        """
        try:
            sources = [self._find_source(original) for original in originals]
            with RunClient(self.run) as client:
                if any(is_file for is_file, _ in sources):
                    _say_where(client)
                results = [self._send_or_warn(sending, client) for _, source in sources for sending in source(client)]
        except _FileUnreadable as error:
            _warn(str(error))
            return UNREACHABLE
        return 0 if all(results) else FAILED

    def _find_source(self, original: str) -> tuple[bool, Callable[[RunClient], Iterable[_Sending | str]]]:
        """Return whether an argument is a file, and what yields what is sent, or why something cannot be."""
        if original.isascii() and (original.isdigit() or _REQUEST_ID.fullmatch(original)):
            if self.select:
                raise click.UsageError("--select is for a file of records.")
            return False, partial(self._sending_of_run, original)
        path = Path(original)
        try:
            is_of_records = has_records(path)
        except OSError as error:
            raise _unreadable(path, error) from None
        if is_of_records:
            return True, lambda _: self._sendings_of_records(path)
        if self.diff or self.select:
            option = "--diff" if self.diff else "--select"
            raise click.UsageError(f"{option} is for records, but {path} has none.")
        return True, lambda _: [self._sending_of_event(path)]

    def _send_or_warn(self, sending: _Sending | str, client: RunClient) -> bool:
        """Send it, or say why it cannot be; return whether it was sent, and nothing differs."""
        try:
            if isinstance(sending, str):
                raise Refused(sending)
            return self._send(sending, client)
        except Refused as error:
            _warn(str(error))
            return False

    def _sending_of_run(self, original: str, client: RunClient) -> list[_Sending | str]:
        try:
            number = int(original) if original.isdigit() else _find_number(original, client)
            detail = InvocationDetail.model_validate(client.get(f"/api/invocations/{number}"))
        except Refused as error:
            return [str(error)]
        options = ReplayOptions.model_validate({"event_source": self.event_source})
        return [_Sending(path=f"/api/invocations/{number}/replay", options=options, original=detail)]

    def _sendings_of_records(self, path: Path) -> Iterator[_Sending | str]:
        missing, is_empty = set(self.select), True
        try:
            for record in read_records(path):
                is_empty = False
                if isinstance(record, BadLine):
                    yield f"Line {record.number} of {path} {record.problem}"
                elif not self.select or record.number in self.select:
                    missing.discard(record.number)
                    yield self._sending_of_record(record)
        except OSError as error:
            raise _unreadable(path, error) from None
        if is_empty:
            yield f"{path} has no records."
        else:
            yield from (f"{path} has no record {number}." for number in sorted(missing))

    def _sending_of_record(self, record: InvocationDetail) -> _Sending | str:
        try:
            detail, warnings = without_masked(record)
            options = options_of(detail, self.event_source)
        except ReplayError as error:
            return f"Record {record.number} cannot be sent: {error}"
        return _Sending(path="/api/invocations", options=options, original=record, warnings=warnings)

    def _sending_of_event(self, path: Path) -> _Sending | str:
        try:
            event = json.loads(path.read_bytes())
            return _Sending(path="/api/invocations", options=options_of_event(event, self.event_source))
        except OSError as error:
            raise _unreadable(path, error) from None
        except (ValueError, RecursionError) as error:
            return f"{path} has neither records nor the JSON of an event: {error}."
        except ReplayError as error:
            return str(error)

    def _send(self, sending: _Sending, client: RunClient) -> bool:
        """Send it, and print what comes of it; return whether nothing differs."""
        for warning in sending.warnings:
            _warn(f"Record {sending.original.number if sending.original else 0}: {warning}")
        options = sending.options.model_copy(update={"times": self.times, "cold": self.cold})
        numbers = client.post(sending.path, options.model_dump(mode="json"))["numbers"]
        details = [client.get(f"/api/invocations/{number}") for number in numbers]
        results = [self._print(document, sending.original) for document in details]
        return all(results)

    def _print(self, document: dict[str, Any], original: InvocationDetail | None) -> bool:
        """Print a new record, and how it differs if that is wanted; return whether it does not."""
        detail = InvocationDetail.model_validate(document)
        lines = compare(original, detail, self.ignore) if self.diff and original else []
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


def _say_where(client: RunClient) -> None:
    """Say which run gets it: a file names none."""
    run = client.get("/api/run")
    url = next((f" on {listener['url']}" for listener in run["listeners"]), "")
    sys.stderr.write(f"Sending to {run['title']}{url}\n")


def _unreadable(path: Path, error: OSError) -> _FileUnreadable:
    return _FileUnreadable(f"{path} cannot be read: {error.strerror}.")


def _warn(text: str) -> None:
    sys.stderr.write(f"lambda-web-adapter replay: {text}\n")


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
