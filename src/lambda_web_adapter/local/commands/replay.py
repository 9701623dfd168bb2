"""`lambda-web-adapter replay`: send recorded invocations to a local run once more, and compare the outcomes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from lambda_web_adapter.local.commands.run_client import (
    FAILED,
    PORT_OPTION,
    UNREACHABLE,
    Refused,
    Unreachable,
    find_run,
)
from lambda_web_adapter.local.event_sources import EVENT_SOURCES

if TYPE_CHECKING:
    from typing import Any

    from click.shell_completion import CompletionItem

    from lambda_web_adapter.local.inspector.json_paths import JsonPath
    from lambda_web_adapter.local.inspector.replay_models import EventSource

_EXAMPLES = """\
\b
Examples:
  lambda-web-adapter replay 12                      number 12 once more
  lambda-web-adapter replay 12 14                   one after the other
  lambda-web-adapter replay 12 --event-source alb   as an ALB would get it
  lambda-web-adapter replay records.jsonl --diff    what differs meanwhile
  lambda-web-adapter replay event.json --cold       in a new environment

\b
Exit codes:
  0  all was sent; with --diff, nothing differs
  1  something differs, or could not be sent
  2  wrong arguments
  3  there is no such file, or no local run
"""


def _complete_file(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Have a shell complete the name of a file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


_PARAMETERS: list[click.Parameter] = [
    click.Argument(["originals"], metavar="{ID|FILE}...", nargs=-1, required=True, shell_complete=_complete_file),
    click.Option(
        ["--select"],
        type=click.IntRange(1),
        multiple=True,
        metavar="NUMBER",
        help="Of a file of records, only the one with this number; may be repeated.",
    ),
    click.Option(
        ["--event-source", "gateway"],  # not `event_source`, which pyproject.toml has for `run`
        type=click.Choice(EVENT_SOURCES),
        metavar="NAME",
        help="Send it as this gateway would, instead of its own.",
    ),
    click.Option(["--diff"], is_flag=True, help="Show how the outcome differs from the recorded one."),
    click.Option(
        ["--ignore"],
        multiple=True,
        metavar="PATH",
        help="With --diff: a field of JSON bodies that is another each time, such as items[*].id; may be repeated.",
    ),
    click.Option(
        ["--times"],
        type=click.IntRange(1, 100),
        default=1,
        show_default=True,
        metavar="N",
        help="Send it N times at once.",
    ),
    click.Option(["--cold"], is_flag=True, help="Have a new environment handle it."),
    click.Option(["--json", "as_json"], is_flag=True, help="Print a JSON object for each, on a line of its own."),
    PORT_OPTION,
]


def _replay(
    originals: tuple[str, ...], port: int | None, gateway: EventSource | None, ignore: tuple[str, ...], **values: Any
) -> None:
    """Send them, print a line for each, and exit with the code."""
    from lambda_web_adapter.local.commands.repetition import Repetition  # imports httpx and pydantic

    is_chosen = click.get_current_context().get_parameter_source("port") is ParameterSource.COMMANDLINE
    ignored = _parse_paths(ignore)
    if ignored and not values["diff"]:
        raise click.UsageError("--ignore is for --diff.")
    try:
        run = find_run(port or None, is_chosen=is_chosen)
        sys.exit(Repetition(run, event_source=gateway, ignore=ignored, **values).send(originals))
    except (Unreachable, Refused) as error:
        sys.stderr.write(f"lambda-web-adapter replay: {error}\n")
        sys.exit(UNREACHABLE if isinstance(error, Unreachable) else FAILED)


def _parse_paths(texts: tuple[str, ...]) -> tuple[JsonPath, ...]:
    from lambda_web_adapter.local.inspector.json_paths import parse_path

    try:
        return tuple(map(parse_path, texts))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--ignore") from None


command = click.Command(
    "replay",
    callback=_replay,
    params=_PARAMETERS,
    help="""Send what was recorded to a local run of yours once more.

    ID is the number or the request id of an invocation of that run. FILE is a file of records, from `--record`, or one
    with an event's JSON. The run has to be running, and may be the one that records to FILE.""",
    epilog=_EXAMPLES,
)
