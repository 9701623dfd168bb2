"""What `run` and `serve` have in common: which app, and on which port."""

from __future__ import annotations

import click

from lambda_web_adapter.local.commands.help_sections import SectionOption
from lambda_web_adapter.settings import APP_DIR

APP: list[click.Parameter] = [
    click.Argument(["app"], required=False),
    SectionOption(
        ["--app-dir"],
        section="Server",
        type=click.Path(exists=True, file_okay=False),
        envvar=[APP_DIR],
        metavar="DIR",
        help="Folder of the app, if it is not this one.",
    ),
]
PORT = SectionOption(
    ["--port"],
    section="Server",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    envvar=["PORT"],
    metavar="PORT",
    help="Port to listen on; 0: a free one.",
)


def parse_target(context: click.Context, app: str | None) -> tuple[list[str], list[str]]:
    """Return the bootstrap's arguments, and the external command, empty if there is none.

    Raises:
        click.UsageError: there are both an app and a command.
    """
    external: list[str] = context.meta.get("command", [])
    if app and external:
        raise click.UsageError(f"Name the app {app} or a command after --, not both.")
    return ([app] if app else []) + (["--", *external] if external else []), external
