"""The command line of a laptop: `run`, which is the default, and the other commands.

Each command is a module here with a click command `command`; it is imported only when it is called.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambda_web_adapter.local.project_options import options_from_pyproject, read_env_file
from lambda_web_adapter.settings import APP_DIR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, NoReturn

    from click.shell_completion import CompletionItem

# The commands in the order of the help, each with its line there, so that help imports no command. Click's script for
# fish shows a line up to its first comma.
COMMANDS = {
    "run": "Serve the app through an embedded Lambda (default).",
    "serve": "Serve the app on a port without Lambda.",
    "invoke": "Send an event to a local run and print the reply.",
    "event": "Print a sample event of any source.",
    "logs": "Show the last invocations of a local run.",
    "replay": "Send recorded invocations to a local run once more.",
    "package": "Make a zip for Lambda from the project.",
    "compile": "Write the start file for faster cold starts.",
    "doctor": "Examine and repair what will run on Lambda.",
    "completion": "Print the completion script of a shell.",
}
_DEFAULT = "run"
# Commands that take options from pyproject.toml: those that they have.
_WITH_PROJECT_OPTIONS = ("run", "serve", "logs", "replay", "compile", "doctor")

# Commands that run an external command, and its place in click's context.
_WITH_EXTERNAL_COMMAND = ("run", "serve")
_EXTERNAL_COMMAND = "command"

# Exit code after Ctrl-C, as in a shell: 128 and the number of SIGINT.
INTERRUPTED = 130


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
            ctx.meta[_EXTERNAL_COMMAND] = args[index + 1 :]
            if not args[index + 1 :] and not ctx.resilient_parsing:
                raise click.UsageError("There is no command after --. Add one: lambda-web-adapter -- node server.js")
            args = [] if ctx.resilient_parsing else args[:index]
        if ctx.resilient_parsing and not args:  # a shell completes the first argument, or an external command
            return super().parse_args(ctx, args)
        is_default = not args or args[0] not in (*COMMANDS, "--help", "--version")
        if is_default and not ctx.resilient_parsing and args:
            _reject_misspelled_command(args)
        if _EXTERNAL_COMMAND in ctx.meta and not is_default and args[0] in COMMANDS:
            _reject_external_command(args[0], ctx.meta[_EXTERNAL_COMMAND])
        return super().parse_args(ctx, [_DEFAULT, *args] if is_default else args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the ways to call the program."""
        formatter.write_usage(ctx.command_path, "[OPTIONS] [APP]")
        prefix = " " * len("Usage: ")
        formatter.write_usage(ctx.command_path, "[OPTIONS] -- COMMAND [ARGUMENT]...", prefix)
        formatter.write_usage(ctx.command_path, f"{{{'|'.join(COMMANDS)}}} ...", prefix)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return what may be the first argument, a command or an option of `run`; after `--`, have the shell go on."""
        from click.shell_completion import CompletionItem

        if _EXTERNAL_COMMAND in ctx.meta:
            return [CompletionItem(incomplete, type="file")]
        items = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        if incomplete.startswith("-"):
            from lambda_web_adapter.local.commands.run import command as run

            own = [item for item in super().shell_complete(ctx, incomplete) if item.value != "--help"]
            items += [*run.shell_complete(click.Context(run, ctx, _DEFAULT), incomplete), *own]
        return items


_EPILOG = """\
\b
Examples:
  lambda-web-adapter main:app               serve the object app in main.py
  lambda-web-adapter --port 9000 main:app   the same on port 9000
  lambda-web-adapter -- node server.js      run what listens on $PORT
  lambda-web-adapter invoke event.json      send an event to a local run
  lambda-web-adapter event sqs              print a sample event
  lambda-web-adapter logs --follow          watch its invocations
  lambda-web-adapter replay 12              send one of them once more
  lambda-web-adapter serve main:app         serve without Lambda
  lambda-web-adapter package                make a zip for Lambda

`lambda-web-adapter run --help` lists the options of `run`, and `lambda-web-adapter COMMAND --help` those of another
command. The exit code is 0; 1 if something failed, 2 if the arguments are wrong.
"""


@click.group(cls=CommandGroup, epilog=_EPILOG, context_settings={"max_content_width": 120})
@click.version_option(package_name="lambda-web-adapter", message="%(version)s")
@click.pass_context
def group(ctx: click.Context, /) -> None:
    """Run an unchanged WSGI or ASGI app, or any command that listens on a port, as an AWS Lambda function.

    On a laptop, `lambda-web-adapter main:app` serves the app on a local port through an embedded Lambda: each request
    becomes an event, as on AWS, and each reply a response. On Lambda, this program is the function's bootstrap.
    """
    os.environ.update(read_env_file(Path(".env"), os.environ))
    ctx.default_map = _project_options(ctx)


def _project_options(ctx: click.Context) -> dict[str, dict[str, Any]]:
    """Return the options in pyproject.toml for the command that is called.

    Raises:
        SettingsError: the file has an option that `run`, which has them all, does not have, or a wrong value.
    """
    name = ctx.invoked_subcommand
    if name not in _WITH_PROJECT_OPTIONS:
        return {}
    from lambda_web_adapter.local.commands.run import command as run

    command = group.get_command(ctx, name)
    values = options_from_pyproject(Path("pyproject.toml"), run.params)
    names = {parameter.name for parameter in command.params} if command else set()
    if _EXTERNAL_COMMAND in ctx.meta:  # instead of the project's app
        names.discard("app")
    return {name: {key: value for key, value in values.items() if key in names}}


def _reject_misspelled_command(args: list[str]) -> None:
    """Raise UsageError if the first argument is nearly a command, and there is no app of that name."""
    import difflib

    name = args[0]
    has_other_folder = APP_DIR in os.environ or any(each.startswith("--app-dir") for each in args)
    close = difflib.get_close_matches(name, COMMANDS, 1, cutoff=0.7)
    if close and name.isidentifier() and not has_other_folder and not _is_module(name):
        raise click.UsageError(f"There is no command {name}, and no app of that name. Did you mean {close[0]}?")


def _reject_external_command(name: str, external: list[str]) -> None:
    """Raise UsageError if a command is called with an external command that it would not run."""
    if name not in _WITH_EXTERNAL_COMMAND:
        raise click.UsageError(f"{name} runs no external command: leave out `-- {' '.join(external)}`.")


def _is_module(name: str) -> bool:
    """Return whether there is a file or a folder of this name, or a module."""
    import importlib.util

    folders = (Path(), Path("src"))
    paths = [path for folder in folders for path in (folder / name, folder / f"{name}.py")]
    return any(path.exists() for path in paths) or importlib.util.find_spec(name) is not None


def main(argv: Sequence[str], check_target: Callable[[list[str], Mapping[str, str]], object]) -> NoReturn:
    """Run the command that the arguments name, and exit with its exit code.

    Args:
        argv: the program's arguments.
        check_target: returns what the bootstrap's arguments and environ name: the settings with the app, and the
            external command; raises an error if that cannot be run.
    """
    if any(name.endswith("_COMPLETE") for name in os.environ):  # a shell asks for completions
        from lambda_web_adapter.local.commands.completion import register

        register()
    try:
        code = group.main(list(argv), prog_name="lambda-web-adapter", obj=check_target, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = INTERRUPTED
    except BrokenPipeError:  # who read the output, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code or 0)
