"""`lambda-web-adapter run`, which is the default: the app on a local port, through an embedded Lambda."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from lambda_web_adapter.local.commands import (
    gateway_options,
    inspector_options,
    lambda_options,
    reload_options,
    server_options,
    websocket_options,
)
from lambda_web_adapter.local.commands.help_sections import SectionedCommand, SectionOption
from lambda_web_adapter.local.event_sources import EVENT_SOURCES, WEBSOCKET
from lambda_web_adapter.local.log import STYLES
from lambda_web_adapter.settings import APP_DIR

if TYPE_CHECKING:
    from typing import Any


_EVENT_SOURCES = (*EVENT_SOURCES, WEBSOCKET)
_EXAMPLES = """\
\b
Examples:
  lambda-web-adapter main:app                 serve the object app in main.py
  lambda-web-adapter --port 9000 main:make    serve what a factory returns
  lambda-web-adapter -- node server.js        run what listens on $PORT
  lambda-web-adapter --event-source alb       serve as behind a load balancer

\b
Each option can be set in other places, too. The first one counts:
  LAMBDA_WEB_ADAPTER_EVENT_SOURCE=alb         a variable
  the same in the file .env                   beside variables of the app
  event-source = "alb"                        in pyproject.toml, in the table
                                              [tool.lambda-web-adapter]

Settings of the adapter, on Lambda as well, are variables that begin with AWS_LWA_: see docs/settings.md.
"""


_PARAMETERS: list[click.Parameter] = [
    *server_options.APP,
    SectionOption(
        ["--host"],
        section="Server",
        default="127.0.0.1",
        show_default=True,
        metavar="ADDRESS",
        help="Address to listen on.",
    ),
    server_options.PORT,
    SectionOption(
        ["--event-source"],
        section="Gateway",
        type=click.Choice(_EVENT_SOURCES),
        default=EVENT_SOURCES[0],
        show_default=True,
        metavar="NAME",
        help=f"Gateway before the function: {', '.join(_EVENT_SOURCES)}.",
    ),
    *gateway_options.PARAMETERS,
    *websocket_options.PARAMETERS,
    *reload_options.PARAMETERS,
    *lambda_options.PARAMETERS,
    *inspector_options.PARAMETERS,
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
    arguments, external = server_options.parse_target(context, app)
    environ = {**os.environ, APP_DIR: values["app_dir"] or ""}
    if environ.get("PORT") == str(values["port"]):
        del environ["PORT"]  # the run's own; the app needs another
    settings, _ = context.obj(arguments, environ)  # report a wrong name now, not with the first request
    listeners = gateway_options.parse_listen(values)
    gateway = gateway_options.parse_gateway_options(values, listeners)
    options = RunOptions(
        arguments=arguments,
        settings=settings,
        command=tuple(external),
        title=" ".join(external) or app or "the app",
        listeners=listeners,
        gateway=gateway,
        websocket=websocket_options.parse(values, gateway),
        certificate=gateway_options.find_certificate(values, environ),
        dead_letter_folder=values["dead_letter_dir"],
        log_style="plain" if values["plain"] else values["log_style"],
        function=lambda_options.parse(values, environ),
        watched=reload_options.parse(values, external),
        inspector=inspector_options.parse(values),
    )
    sys.exit(run(options, environ))


command = SectionedCommand(
    "run",
    callback=_run,
    params=_PARAMETERS,
    help="""Serve the app on a local port through an embedded Lambda.

    APP is the app's name, such as main:app or main:create_app; without it, the app is searched.""",
    epilog=_EXAMPLES,
)
