"""`lambda-web-adapter run`, which is the default: the app on a local port, through an embedded Lambda."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambda_web_adapter.local.commands import gateway_options, websocket_options
from lambda_web_adapter.local.commands.help_sections import SectionedCommand, SectionOption
from lambda_web_adapter.local.event_sources import EVENT_SOURCES, WEBSOCKET
from lambda_web_adapter.local.function_options import (
    MAX_MEMORY,
    MAX_TIMEOUT,
    MIN_MEMORY,
    MIN_TIMEOUT,
    FunctionOptions,
)
from lambda_web_adapter.local.log import STYLES
from lambda_web_adapter.local.variables import find_region
from lambda_web_adapter.settings import APP_DIR

if TYPE_CHECKING:
    from typing import Any

    from lambda_web_adapter.local.watched_files import WatchedFiles

_EVENT_SOURCES = (*EVENT_SOURCES, WEBSOCKET)
_EXAMPLES = """\
\b
Examples:
  lambda-web-adapter main:app                      serve the object app in main.py
  lambda-web-adapter --port 9000 main:create_app   serve what a factory returns, on port 9000
  lambda-web-adapter -- node server.js             run a command that listens on the port in $PORT
  lambda-web-adapter --event-source alb main:app   serve the app as behind a load balancer

Each option can also be set in `[tool.lambda-web-adapter]` of pyproject.toml, as `event-source = "alb"`, and by a
variable, as LAMBDA_WEB_ADAPTER_EVENT_SOURCE=alb, also in `.env`. Settings of the adapter itself, on Lambda too, are
variables that begin with AWS_LWA_; docs/settings.md lists them.
"""


_PARAMETERS: list[click.Parameter] = [
    click.Argument(["app"], required=False),
    SectionOption(
        ["--app-dir"],
        section="Server",
        type=click.Path(exists=True, file_okay=False),
        envvar=["LAMBDA_WEB_ADAPTER_APP_DIR", APP_DIR],
        metavar="DIR",
        help="Folder of the app, if it is not this one.",
    ),
    SectionOption(["--host"], section="Server", default="127.0.0.1", show_default=True, help="Address to listen on."),
    SectionOption(
        ["--port"],
        section="Server",
        type=click.IntRange(0, 65535),
        default=8000,
        show_default=True,
        envvar=["LAMBDA_WEB_ADAPTER_PORT", "PORT"],
        help="Port to listen on; 0: a free one.",
    ),
    SectionOption(
        ["--event-source"],
        section="Gateway",
        type=click.Choice(_EVENT_SOURCES),
        default=EVENT_SOURCES[0],
        show_default=True,
        metavar="NAME",
        help=f"Gateway before the function: {', '.join(_EVENT_SOURCES)}.",
    ),
    *websocket_options.PARAMETERS,
    SectionOption(
        ["--reload/--no-reload"],
        section="Reload",
        default=None,
        help="Start new environments when the app's files change (default: in a terminal).",
    ),
    SectionOption(
        ["--reload-dir", "reload_dirs"],
        section="Reload",
        multiple=True,
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False),
        help="Another folder to watch, such as that of an editable package.",
    ),
    SectionOption(
        ["--reload-include"], section="Reload", multiple=True, metavar="PATTERN", help="Files that count as well."
    ),
    SectionOption(
        ["--reload-exclude"], section="Reload", multiple=True, metavar="PATTERN", help="Files and folders that do not."
    ),
    *gateway_options.PARAMETERS,
    SectionOption(
        ["--environments"],
        section="Lambda",
        type=click.IntRange(1, 1000),
        default=10,
        show_default=True,
        metavar="N",
        help="Most environments at once. Each handles one request at a time.",
    ),
    SectionOption(
        ["--concurrency"],
        section="Lambda",
        type=click.IntRange(1, 1600),
        envvar=["LAMBDA_WEB_ADAPTER_CONCURRENCY", "AWS_LAMBDA_MAX_CONCURRENCY"],
        default=1,
        show_default=True,
        metavar="K",
        help="Requests that each environment handles at once, as on Managed Instances.",
    ),
    SectionOption(
        ["--provisioned"],
        section="Lambda",
        type=click.IntRange(0, 1000),
        default=0,
        show_default=True,
        metavar="P",
        help="Environments that are always there.",
    ),
    SectionOption(
        ["--idle"],
        section="Lambda",
        type=click.FloatRange(0.1, 86400),
        default=300,
        show_default=True,
        metavar="SECONDS",
        help="How long an environment may be idle before it is stopped.",
    ),
    SectionOption(
        ["--freeze/--no-freeze"],
        section="Lambda",
        default=True,
        help="Freeze environments between requests, as Lambda does (default).",
    ),
    SectionOption(
        ["--timeout"],
        section="Lambda",
        type=click.FloatRange(MIN_TIMEOUT, MAX_TIMEOUT),
        envvar=["LAMBDA_WEB_ADAPTER_TIMEOUT", "AWS_LAMBDA_FUNCTION_TIMEOUT"],
        default=30,
        show_default=True,
        metavar="SECONDS",
        help="The function's timeout.",
    ),
    SectionOption(
        ["--memory"],
        section="Lambda",
        type=click.IntRange(MIN_MEMORY, MAX_MEMORY),
        envvar=["LAMBDA_WEB_ADAPTER_MEMORY", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        default=1769,
        show_default=True,
        metavar="MB",
        help="The function's memory.",
    ),
    SectionOption(
        ["--throttle"],
        section="Lambda",
        is_flag=True,
        help="Reject requests when all environments are busy; else they wait.",
    ),
    SectionOption(
        ["--strict"],
        section="Lambda",
        is_flag=True,
        help="Start an environment at once when all are busy, as Lambda does.",
    ),
    SectionOption(
        ["--plain"], section="Lambda", is_flag=True, help="Leave out what imitates Lambda: freezing, limits, timeouts."
    ),
    SectionOption(
        ["--dead-letter-dir"],
        section="Lambda",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Folder for asynchronous events that were given up after their retries.",
    ),
    SectionOption(
        ["--log", "log_style"],
        section="Log",
        type=click.Choice(STYLES[:2]),
        default=STYLES[0],
        show_default=True,
        help="A short line for each request, or the lines of Lambda.",
    ),
]


def _run(app: str | None, **values: Any) -> None:
    """Serve the app with the values of the options."""
    from lambda_web_adapter.local.run import RunOptions, run

    context = click.get_current_context()
    external: list[str] = context.meta.get("command", [])
    if app and external:
        raise click.UsageError(f"Name the app {app} or a command after --, not both.")
    arguments = ([app] if app else []) + (["--", *external] if external else [])
    environ = {**os.environ, APP_DIR: values["app_dir"] or ""}
    if environ.get("PORT") == str(values["port"]):
        del environ["PORT"]  # the run's own; the app needs another
    context.obj(arguments, environ)  # report a wrong name now, not with the first request
    plain = values["plain"]
    listeners = gateway_options.parse_listen(values)
    function = FunctionOptions(
        name=environ.get("AWS_LAMBDA_FUNCTION_NAME", "local"),
        region=find_region(environ),
        environments=max(values["environments"], values["provisioned"]),
        concurrency=values["concurrency"],
        provisioned=values["provisioned"],
        idle_seconds=values["idle"],
        freezes=values["freeze"] and not plain and values["concurrency"] == 1,
        timeout=MAX_TIMEOUT if plain else values["timeout"],
        memory=values["memory"],
        init_seconds=10.0 if values["concurrency"] == 1 and not plain and not values["provisioned"] else MAX_TIMEOUT,
        is_strict=values["strict"],
        has_fixed_port=bool(environ.get("AWS_LWA_PORT") or environ.get("PORT")),
        throttles=values["throttle"],
        is_plain=plain,
    )
    options = RunOptions(
        arguments=arguments,
        title=" ".join(external) or app or "the app",
        listeners=listeners,
        gateway=gateway_options.parse_gateway_options(values, listeners),
        websocket=websocket_options.parse(values),
        certificate=gateway_options.find_certificate(values, environ),
        dead_letter_folder=values["dead_letter_dir"],
        log_style="plain" if plain else values["log_style"],
        function=function,
        watched=_watched(values),
    )
    sys.exit(run(options, environ))


def _watched(values: dict[str, Any]) -> WatchedFiles | None:
    """Return the files to watch; None without reload."""
    reload = values["reload"]
    if not (sys.stderr.isatty() if reload is None else reload):
        return None
    from lambda_web_adapter.local.watched_files import WatchedFiles

    folders = [Path.cwd(), *map(Path, values["reload_dirs"])]
    return WatchedFiles(folders, values["reload_include"], values["reload_exclude"])


command = SectionedCommand(
    "run",
    callback=_run,
    params=_PARAMETERS,
    help="""Serve the app on a local port through an embedded Lambda.

    APP is the app's name, such as main:app or main:create_app; without it, the app is searched.""",
    epilog=_EXAMPLES,
)
