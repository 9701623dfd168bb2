"""Options in named sections of a command's help, each of which a variable can set as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_VARIABLE_PREFIX = "LAMBDA_WEB_ADAPTER_"


class SectionOption(click.Option):
    """An option with the section of the help that it belongs to, and a variable: LAMBDA_WEB_ADAPTER_<its name>."""

    def __init__(
        self, declarations: Sequence[str], *, section: str = "Options", envvar: Sequence[str] = (), **attributes: Any
    ) -> None:
        """Declare an option.

        Args:
            declarations: as click has them; the first one is the option's name, such as `--event-source`.
            section: the section of the help.
            envvar: variables that count if that of the option's name is not set.
            attributes: what click takes.
        """
        name = declarations[0].partition("/")[0].strip("-").upper().replace("-", "_")
        own = f"{_VARIABLE_PREFIX}{name}"
        super().__init__(declarations, envvar=[own, *(each for each in envvar if each != own)], **attributes)
        self.section = section

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Return the default and the range, as people write ranges."""
        extra: Any = super().get_help_extra(ctx)
        if "range" in extra and isinstance(self.type, click.IntRange | click.FloatRange):
            extra["range"] = f"{self.type.min:g} to {self.type.max:g}"
        return extra


class SectionedCommand(click.Command):
    """A command whose help has its options in sections, in the order of their declaration."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; a second one is most likely that of a command without the `--` before it."""
        command = " ".join(args)  # click takes them out of the list
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if "unexpected extra argument" not in error.message:
                raise
            advice = f"If this is a command, put -- before it: lambda-web-adapter -- {command}"
            raise click.UsageError(f"{error.message}. {advice}", ctx) from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section; arguments are described in the text."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            if isinstance(option, click.Option) and (record := option.get_help_record(ctx)):
                sections.setdefault(getattr(option, "section", "Other"), []).append(record)
        other = sections.pop("Other")  # `--help`, at least
        for title, records in [*sections.items(), ("Other", other)]:
            with formatter.section(title):
                formatter.write_dl(records)
