"""The command line of a laptop: `run`, which is the default, and the other commands.

Each command is a module here with a click command `command`; it is imported only when it is called, or listed in help.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambda_web_adapter.local.project_options import options_from_pyproject, read_env_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

# In the order of the help.
COMMANDS = ("run", "invoke", "event", "compile")
_DEFAULT = "run"


class CommandGroup(click.Group):
    """The program: arguments that begin with no command belong to `run`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; what follows `--` is the external command."""
        if "--" in args:
            index = args.index("--")
            ctx.meta["command"] = args[index + 1 :]
            if not args[index + 1 :]:
                raise click.UsageError("There is no command after --. Add one: lambda-web-adapter -- node server.js")
            args = args[:index]
        is_default = not args or args[0] not in (*COMMANDS, "--help", "--version")
        return super().parse_args(ctx, [_DEFAULT, *args] if is_default else args)


_EPILOG = """\
\b
Examples:
  lambda-web-adapter main:app                 serve the object app in main.py
  lambda-web-adapter --port 9000 main:app     the same on port 9000
  lambda-web-adapter -- node server.js        run a command that listens on the port in $PORT
  lambda-web-adapter invoke event.json        send an event to a running local run
  lambda-web-adapter event sqs                print a sample event
  lambda-web-adapter compile main:app         write the start file, for faster cold starts

`run` is the default; `lambda-web-adapter run --help` lists its options.
"""


@click.group(cls=CommandGroup, epilog=_EPILOG, context_settings={"auto_envvar_prefix": "LAMBDA_WEB_ADAPTER"})
@click.version_option(package_name="lambda-web-adapter", message="%(version)s")
@click.pass_context
def group(ctx: click.Context, /) -> None:
    """Run an unchanged WSGI or ASGI app, or any command that listens on a port, as an AWS Lambda function.

    On a laptop, `lambda-web-adapter main:app` serves the app on a local port through an embedded Lambda: each request
    becomes an event, as on AWS, and each reply a response. On Lambda, this program is the function's bootstrap.
    """
    from lambda_web_adapter.local.commands.run import command as run

    # Options for `run` may come from the project's files; its own arguments are parsed after this.
    os.environ.update(read_env_file(Path(".env"), os.environ))
    ctx.default_map = {"run": options_from_pyproject(Path("pyproject.toml"), {each.name or "" for each in run.params})}


def main(argv: Sequence[str], check_target: Callable[[list[str], Mapping[str, str]], object]) -> NoReturn:
    """Run the command that the arguments name, and exit with its exit code.

    Args:
        argv: the program's arguments.
        check_target: raises an error if the bootstrap's arguments and environ name nothing that can be run.
    """
    group.main(list(argv), prog_name="lambda-web-adapter", obj=check_target)
    raise AssertionError("click has not exited")
