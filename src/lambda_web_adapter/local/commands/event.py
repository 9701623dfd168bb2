"""`lambda-web-adapter event`: print a sample event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from lambda_web_adapter.local.commands.sample_options import complete_sample, find_sample, sample_options
from lambda_web_adapter.local.sample_events import SAMPLES, SHORT_NAMES

if TYPE_CHECKING:
    from lambda_web_adapter.local.commands.sample_options import SampleOptions

_EXAMPLES = """\
\b
Examples:
  lambda-web-adapter event --list
  lambda-web-adapter event sqs --set Records.0.body=hello > event.json
  lambda-web-adapter event rest-api --path /orders --body '{"item": "book"}'
"""


@click.command(epilog=_EXAMPLES)
@click.argument("source", required=False, shell_complete=complete_sample)
@click.option("--list", "lists", is_flag=True, help="List the sources, each with a line about its event.")
@sample_options
def command(source: str | None, lists: bool, options: SampleOptions) -> None:
    """Print a sample event of SOURCE as JSON, with new ids and the current time."""
    if lists:
        click.echo(_list(source or ""))
        return
    if source is None:
        raise click.UsageError("Name a source, such as sqs; --list shows all.")
    event = options.build(find_sample(source))
    click.echo(json.dumps(event, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace"))


def _list(part: str) -> str:
    """Return a line for each sample event whose name has this part."""
    names = {name: short for short, name in SHORT_NAMES.items()}
    width = max(map(len, SAMPLES))
    return "\n".join(
        f"{sample.name:{width}}  {sample.title}" + (f" (also {names[sample.name]})" if sample.name in names else "")
        for sample in SAMPLES.values()
        if part in sample.name
    )
