"""`lambda-web-adapter completion`: print a completion script."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete, add_completion_class

# The variable by which a shell asks the program for completions, as click has it for this program's name.
VARIABLE = "_LAMBDA_WEB_ADAPTER_COMPLETE"

_EPILOG = """\
\b
To have completion in each new shell, add a line to its start file:
  ~/.bashrc    eval "$(lambda-web-adapter completion bash)"
  ~/.zshrc     eval "$(lambda-web-adapter completion zsh)"
  ~/.config/fish/config.fish
               lambda-web-adapter completion fish | source

In ~/.zshrc, the line has to come after `compinit`.
"""


class _BashComplete(BashComplete):
    """Completes `--option=value` as well, which bash passes on as three arguments."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the arguments before the one to complete, and that one."""
        arguments, incomplete = super().get_completion_args()
        return [argument for argument in arguments if argument != "="], incomplete


_SHELLS = {"bash": _BashComplete, "zsh": ZshComplete, "fish": FishComplete}


def register() -> None:
    """Have click use the classes of this module."""
    add_completion_class(_BashComplete)


@click.command(epilog=_EPILOG)
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell: bash, zsh or fish.

    With it, the Tab key completes commands, options and their values.
    """
    program = ctx.find_root()
    click.echo(_SHELLS[shell](program.command, {}, program.info_name or "", VARIABLE).source())
