"""The options of the inspector and of the records."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambda_web_adapter.local.commands.help_sections import SectionOption
from lambda_web_adapter.local.inspector.options import DEFAULT_PORT, MAX_KEPT, InspectorOptions
from lambda_web_adapter.local.records.records import MAX_RECORDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, BinaryIO


_OWNER_ONLY = 0o600  # bodies may hold secrets; only those in headers are masked
_SECTION = "Inspector"
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
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
    """Return the inspector's configuration, given the values of the options.

    Raises:
        click.BadParameter: the file for records cannot be written, or no header has a name.
    """
    return InspectorOptions(
        has_page=values["inspector"],
        port=values["inspector_port"],
        keep=values["keep"],
        record_file=_open_record_file(values["record_file"]) if values["record_file"] else None,
        masked_headers=_check_headers(values["masked_headers"]),
    )


def _check_headers(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of headers.

    Raises:
        click.BadParameter: no header can have one of them.
    """
    for name in names:
        if not _HEADER_NAME.fullmatch(name):
            message = f"{name!r} is no name of a header. Write one, such as X-Session, for each --mask."
            raise click.BadParameter(message, param_hint="--mask")
    return tuple(names)


def _open_record_file(path: Path) -> BinaryIO:
    """Return a file to append records to, which only the user can read if it is new.

    Raises:
        click.BadParameter: it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
        if _has_half_a_line(path):
            os.write(descriptor, b"\n")
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}. Name a file in a folder that exists."
        raise click.BadParameter(message, param_hint="--record") from None
    return open(descriptor, "ab", buffering=0)


def _has_half_a_line(path: Path) -> bool:
    """Return whether a file does not end with a newline, as after a run whose disk was full, or that was killed."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"
