"""The options of reload."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambda_web_adapter.local.commands.help_sections import SectionOption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from lambda_web_adapter.local.reload.watched_files import WatchedFiles


# What the programs of external commands are written in; for a Python app, such files are static ones.
_SOURCES_OF_COMMANDS = ("*.js", "*.mjs", "*.cjs", "*.ts", "*.rb", "*.php", "*.sh", "*.json")
_SECTION = "Reload"
PARAMETERS: list[click.Parameter] = [
    SectionOption(
        ["--reload/--no-reload"],
        section=_SECTION,
        default=None,
        help="Start new environments when the app's files change (default: in a terminal).",
    ),
    SectionOption(
        ["--reload-dir", "reload_dirs"],
        section=_SECTION,
        multiple=True,
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False),
        help="Another folder to watch, such as that of an editable package.",
    ),
    SectionOption(
        ["--reload-include"], section=_SECTION, multiple=True, metavar="PATTERN", help="Files that count as well."
    ),
    SectionOption(
        ["--reload-exclude"], section=_SECTION, multiple=True, metavar="PATTERN", help="Files and folders that do not."
    ),
]


def parse(values: Mapping[str, Any], command: Sequence[str]) -> WatchedFiles | None:
    """Return the files to watch, given the values of the options, and the external command; None without reload."""
    reload = values["reload"]
    if not (sys.stderr.isatty() if reload is None else reload):
        return None
    from lambda_web_adapter.local.reload.watched_files import WatchedFiles

    folders = [Path.cwd(), *map(Path, filter(None, [values["app_dir"], *values["reload_dirs"]]))]
    sources = _SOURCES_OF_COMMANDS if command else ()
    return WatchedFiles(folders, (*sources, *values["reload_include"]), values["reload_exclude"])
