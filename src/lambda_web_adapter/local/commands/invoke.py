"""`lambda-web-adapter invoke`: send an event to a local run or a Runtime Interface Emulator, and print the reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lambda_web_adapter.local.commands.sample_options import complete_sample, sample_options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from lambda_web_adapter.local.commands.sample_options import SampleOptions

_EXAMPLES = """\
\b
Examples:
  lambda-web-adapter invoke event.json
  lambda-web-adapter invoke --sample sqs --set Records.0.body=hello
  lambda-web-adapter event s3 | lambda-web-adapter invoke -
  lambda-web-adapter invoke --sample http-api --path /orders --times 100

\b
Exit codes:
  0  the function has handled the event, or it is queued
  1  the invocation has failed
  2  wrong arguments, or an event that is not JSON
  3  there is no such file, or nothing responds at the URL
"""


def _complete_file(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Have a shell complete the name of a file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


@click.command(epilog=_EXAMPLES)
@click.argument("event", required=False, shell_complete=_complete_file)
@click.option(
    "--sample",
    metavar="SOURCE",
    shell_complete=complete_sample,
    help="Send a sample event, such as sqs; the command event lists them.",
)
@sample_options
@click.option(
    "--url",
    metavar="URL",
    envvar="LAMBDA_WEB_ADAPTER_URL",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="URL of the local run; also in LAMBDA_WEB_ADAPTER_URL.",
)
@click.option("--strict", is_flag=True, help="Do not send an event with a wrong field.")
@click.option("--times", type=click.IntRange(1), default=1, metavar="N", help="Send it N times, one after the other.")
@click.option("--async", "is_async", is_flag=True, help="Queue the event, and do not wait for the function.")
@click.option("--tail", is_flag=True, help="Print the end of the function's log on stderr.")
@click.option("--client-context", metavar="JSON|FILE", default="", help="The client_context of Lambda's context.")
@click.option("--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write the reply to a file, as it is.")
@click.pass_context
def command(
    ctx: click.Context, /, event: str | None, sample: str | None, options: SampleOptions, **delivery: Any
) -> None:
    """Send an event to a local run, and print the reply.

    EVENT is a file with the event's JSON; - reads standard input.
    """
    from lambda_web_adapter.local.commands.delivery import Delivery, event_builder  # imports httpx and pydantic

    ctx.exit(Delivery(**delivery).send(event_builder(event, sample, options)))
