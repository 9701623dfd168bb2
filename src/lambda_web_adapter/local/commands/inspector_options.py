"""The options of the inspector and of the records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambda_web_adapter.local.commands.help_sections import SectionOption
from lambda_web_adapter.local.inspector.options import DEFAULT_PORT, MAX_KEPT, InspectorOptions
from lambda_web_adapter.local.records.records import MAX_RECORDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


_SECTION = "Inspector"
PARAMETERS: list[click.Parameter] = [
    SectionOption(
        ["--inspector/--no-inspector"],
        section=_SECTION,
        default=True,
        help="Serve a page that shows what happens to each request (default).",
    ),
    SectionOption(
        ["--inspector-port"],
        section=_SECTION,
        type=click.IntRange(0, 65535),
        default=DEFAULT_PORT,
        show_default=True,
        metavar="PORT",
        help="Port of that page; if it is taken, and with 0, a free one.",
    ),
    SectionOption(
        ["--keep"],
        section=_SECTION,
        type=click.IntRange(1, MAX_KEPT),
        default=MAX_RECORDS,
        show_default=True,
        metavar="N",
        help="How many invocations are kept.",
    ),
    SectionOption(
        ["--record", "record_file"],
        section=_SECTION,
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="File that each invocation is appended to, as a line of JSON.",
    ),
    SectionOption(
        ["--mask", "masked_headers"],
        section=_SECTION,
        multiple=True,
        metavar="NAME",
        help="Another header whose value is a secret, besides Authorization, cookies and the like.",
    ),
]


def parse(values: Mapping[str, Any]) -> InspectorOptions:
    """Return the inspector's configuration, given the values of the options."""
    return InspectorOptions(
        has_page=values["inspector"],
        port=values["inspector_port"],
        keep=values["keep"],
        record_file=values["record_file"],
        masked_headers=tuple(values["masked_headers"]),
    )
