"""`lambda-web-adapter serve`: the app on a port, without Lambda."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambda_web_adapter.local.commands import server_options
from lambda_web_adapter.local.commands.help_sections import SectionedCommand, SectionOption
from lambda_web_adapter.settings import APP_DIR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Exit code for an external command that cannot be executed, as in a shell.
NOT_EXECUTED = 127

# What Docker and Podman put into each container, and Kubernetes and ECS into its environ. Fargate has no such files.
_CONTAINER_FILES = (Path("/.dockerenv"), Path("/run/.containerenv"))
_CONTAINER_VARIABLES = ("KUBERNETES_SERVICE_HOST", "ECS_CONTAINER_METADATA_URI_V4", "ECS_CONTAINER_METADATA_URI")

_EXAMPLES = """\
\b
Examples:
  lambda-web-adapter serve main:app               serve app in main.py
  lambda-web-adapter serve --port 80 main:app     the same on port 80
  lambda-web-adapter serve -- gunicorn main:app   run a command with $PORT

Requests that are running when SIGTERM, SIGHUP or Ctrl-C comes are completed, then the app shuts down.
"""

_PARAMETERS: list[click.Parameter] = [
    *server_options.APP,
    SectionOption(
        ["--host"],
        section="Server",
        metavar="ADDRESS",
        help="Address to listen on.  [default: 127.0.0.1; 0.0.0.0 in a container]",
    ),
    server_options.PORT,
    SectionOption(
        ["--stop-timeout"],
        section="Server",
        type=click.FloatRange(0, 3600),
        default=25,
        show_default=True,
        metavar="SECONDS",
        help="How long running requests may go on after SIGTERM.",
    ),
    SectionOption(
        ["--proxy-headers"],
        section="Server",
        is_flag=True,
        help="Take scheme and client from X-Forwarded-Proto and X-Forwarded-For: only behind a proxy that sets them.",
    ),
    SectionOption(
        ["--access-log/--no-access-log"],
        section="Log",
        default=None,
        help="A line for each request.  [default: in a terminal]",
    ),
]


def _serve(app: str | None, **values: Any) -> None:
    """Serve the app with the values of the options."""
    context = click.get_current_context()
    arguments, _ = server_options.parse_target(context, app)
    settings, external = context.obj(arguments, {**os.environ, APP_DIR: values["app_dir"] or ""})
    if external:
        sys.exit(_execute(external, {**os.environ, "PORT": str(values["port"])}))
    from lambda_web_adapter.local import plain_server  # uvicorn, which a command does not need

    options = plain_server.ServeOptions(
        host=values["host"] or default_host(os.environ, os.getpid()),
        port=values["port"],
        stop_seconds=values["stop_timeout"],
        logs_access=sys.stderr.isatty() if values["access_log"] is None else values["access_log"],
        trusts_proxy=values["proxy_headers"],
    )
    sys.exit(plain_server.serve(settings, options))


def default_host(environ: Mapping[str, str], pid: int, container_files: tuple[Path, ...] = _CONTAINER_FILES) -> str:
    """Return the address to listen on: all addresses in a container, where nobody could connect otherwise.

    Whatever runs containers, their entry point is process 1, which is init elsewhere.
    """
    is_container = (
        pid == 1
        or any(name in environ for name in _CONTAINER_VARIABLES)
        or any(file.exists() for file in container_files)
    )
    return "0.0.0.0" if is_container else "127.0.0.1"  # a container's own network


def _execute(command: list[str], environ: Mapping[str, str]) -> int:
    """Replace this program by an external command; return an exit code if it cannot be executed."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores them, and the command would inherit that
    try:
        os.execvpe(command[0], command, environ)  # noqa: S606  # the user chose the program
    except OSError as error:
        sys.stderr.write(f"lambda-web-adapter serve: {command[0]} cannot be executed: {error.strerror}.\n")
    return NOT_EXECUTED


command = SectionedCommand(
    "serve",
    callback=_serve,
    params=_PARAMETERS,
    help="""Serve the app on a port without Lambda, as in a container or on a server of your own.

    APP is the app's name, such as main:app or main:create_app; without it, the app is searched.""",
    epilog=_EXAMPLES,
)
