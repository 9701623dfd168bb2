"""`lambda-web-adapter logs`: the last invocations of a running local run, from its inspector, or those of a file."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from lambda_web_adapter.local.commands.help_sections import SectionedCommand, SectionOption
from lambda_web_adapter.local.commands.run_client import (
    FAILED,
    PORT_OPTION,
    TIMEOUT,
    UNREACHABLE,
    Refused,
    RunClient,
    Unreachable,
    authorization,
    find_run,
    not_responding,
)
from lambda_web_adapter.local.inspector.options import MAX_KEPT
from lambda_web_adapter.local.records.records import RUNNING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambda_web_adapter.local.records.run_file import RunFile

_PATH = "/api/invocations"
_EVENT, _DATA = b"event: ", b"data: "
_COLOURS = {"2": "green", "3": "cyan", "4": "yellow"}  # by a status's first digit, as in the log of the run

_EXAMPLES = """\
\b
Examples:
  lambda-web-adapter logs                       the last 10 invocations
  lambda-web-adapter logs --follow --verbose    each further one, with its log
  lambda-web-adapter logs --json | jq 'select(.is_cold)'
  lambda-web-adapter logs records.jsonl         those of a file, from --record
  lambda-web-adapter logs --url                 where the inspector is
"""

_PARAMETERS: list[click.Parameter] = [
    click.Argument(["file"], required=False, metavar="[FILE]", type=click.Path(path_type=Path)),
    SectionOption(
        ["--last"],
        type=click.IntRange(0, MAX_KEPT),
        default=10,
        show_default=True,
        metavar="N",
        help="How many invocations to show; a run keeps the last 1000, or as many as its --keep says.",
    ),
    SectionOption(["--follow", "-f"], is_flag=True, help="Go on with each further invocation when it has ended."),
    SectionOption(["--verbose", "-v"], is_flag=True, help="Show the request id, times and log lines of each."),
    SectionOption(["--json", "as_json"], is_flag=True, help="Print a JSON object for each, on a line of its own."),
    SectionOption(["--url"], is_flag=True, help="Print the inspector's URL with its token, and nothing else."),
    PORT_OPTION,
]


def _logs(  # noqa: PLR0913  # the options of the command
    file: Path | None, last: int, follow: bool, verbose: bool, as_json: bool, url: bool, port: int | None
) -> None:
    """Print the invocations of a file or of a run, or the URL of the run's inspector."""
    is_chosen = click.get_current_context().get_parameter_source("port") is ParameterSource.COMMANDLINE
    options = {"--follow": follow, "--url": url, "--port": is_chosen}
    if file and any(options.values()):
        option = next(name for name, is_set in options.items() if is_set)
        raise click.UsageError(f"{file} is a file, and {option} is for a running local run.")
    try:
        if url:
            run = find_run(port or None, is_chosen=is_chosen)
            click.echo(f"{run.url}/#token={run.token}")
            return
        if file:
            records: Iterable[dict[str, Any]] = _read_file(file, last)
        else:
            run = find_run(port or None, is_chosen=is_chosen)
            records = _follow(run, last) if follow else _read(run, last)
        for record in records:
            click.echo(_to_json(record) if as_json else format_record(record, verbose=verbose))
    except Unreachable as error:
        _warn(str(error))
        sys.exit(UNREACHABLE)
    except KeyboardInterrupt:
        if not follow:  # which ends in no other way
            raise


def _read_file(path: Path, last: int) -> Iterator[dict[str, Any]]:
    """Yield the last records of a file; at the end, exit with 1 if some lines are none.

    Raises:
        Unreachable: the file cannot be read.
    """
    from lambda_web_adapter.local.records.record_file import BadLine, read_records
    from lambda_web_adapter.local.records.record_models import InvocationSummary

    try:
        lines = list(read_records(path))
    except OSError as error:
        raise Unreachable(f"{path} cannot be read: {error.strerror}.") from None
    bad_lines = [line for line in lines if isinstance(line, BadLine)]
    for line in bad_lines:
        _warn(f"Line {line.number} of {path} {line.problem}")
    if not lines:
        _warn(f"{path} has no records.")
    records = [line for line in lines if not isinstance(line, BadLine)]
    for record in records[len(records) - min(last, len(records)) :]:
        yield record.model_dump(include=set(InvocationSummary.model_fields))
    if bad_lines:
        sys.exit(FAILED)


def _read(run: RunFile, last: int) -> list[dict[str, Any]]:
    """Return the last records.

    Raises:
        Unreachable: the run does not respond.
    """
    try:
        with RunClient(run) as client:
            records: list[dict[str, Any]] = client.get(_PATH, last=last, log=1)["invocations"]
    except Refused as error:
        raise not_responding(run, error) from None
    return records


def _follow(run: RunFile, last: int) -> Iterator[dict[str, Any]]:
    """Yield the last records and all further ones, until the run ends.

    Raises:
        Unreachable: the run does not respond.
    """
    import httpx  # which `--help` does not need

    parameters = {"last": last, "log": 1, "follow": 1}
    has_begun = False
    try:
        with (
            httpx.Client(trust_env=False, timeout=httpx.Timeout(TIMEOUT, read=None)) as client,
            client.stream("GET", f"{run.url}{_PATH}", params=parameters, headers=authorization(run)) as response,
        ):
            response.raise_for_status()
            has_begun = True
            event = b""
            for line in _lines(response.iter_bytes()):
                if line.startswith(_EVENT):
                    event = line.removeprefix(_EVENT)
                elif line.startswith(_DATA) and event == b"invocation":
                    yield json.loads(line.removeprefix(_DATA))
    except httpx.HTTPError as error:
        if not has_begun:
            raise not_responding(run, error) from None
    sys.stderr.write("The local run has ended.\n")


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream; those of httpx end at U+2028 and the like, too, which JSON may hold."""
    rest = b""
    for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        yield from lines


def _warn(text: str) -> None:
    sys.stderr.write(f"lambda-web-adapter logs: {text}\n")


def _to_json(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def format_record(record: dict[str, Any], *, verbose: bool = False) -> str:
    """Return the line of a record, and with `verbose` what else is known of it, as it is printed to a terminal."""
    status = str(record["status"] or ("…" if record["state"] == RUNNING else "-"))
    if record["error"] and record["status"] is None:
        status = "error"
    clock = time.strftime("%H:%M:%S", time.localtime(record["received"]))
    line = f"#{record['number']} {clock} {record['title']} "
    line += click.style(status, fg=_COLOURS.get(status[0], "red"))
    if record["response_ms"] is not None:
        line += f" {record['response_ms']:.0f} ms"
    if record["environment"]:
        cold = f", cold start {record['init_ms']:.0f} ms" if record["is_cold"] else ""
        line += click.style(f", environment {record['environment']}{cold}", dim=True)
    error = record["error"]
    problem = record["problem"] or (f"{error['type']}: {error['message']}" if error else "")
    line += f": {problem}" if problem else ""
    if not verbose:
        return line
    return "\n".join([line, *(f"  {each}" for each in (*_details(record), *record["log"]))])


def _details(record: dict[str, Any]) -> list[str]:
    """Return what else is known of an invocation; nothing if there was none."""
    if not record["request_id"]:
        return []
    memory = record["memory_bytes"] // 1024 // 1024
    times = f"{record['source']}, waited {record['waited_ms']:.0f} ms, duration {record['duration_ms']:.2f} ms"
    return [f"{record['request_id']} {times}{f', {memory} MB' if memory else ''}"]


command = SectionedCommand(
    "logs",
    callback=_logs,
    params=_PARAMETERS,
    help="""Show the last invocations of a local run of yours, the oldest first.

    There is a line for each one, and for each request that was rejected. The run has to be running, or FILE has what
    a run with --record has written.""",
    epilog=_EXAMPLES,
)
