"""What `package` is to make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_web_adapter.packaging.writer import FIRST_TIME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lambda_web_adapter.packaging.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageOptions:
    """What is to be made.

    Attributes:
        project: the project's folder.
        output: the zip or folder.
        kind: `zip`, `layer` or `folder`.
        target: the machine that it is for.
        uv: the program uv; None uses pip.
        app: the app's name; empty to search it.
        keep: kinds of files and normalized names of packages that are not to be left out.
        leave_out: normalized names of packages that are to be left out.
        find_links: folders with wheels.
        requirements: the file with the project's requirements; None takes the first of those that it may have.
        keeps_sources: whether sources stay.
        is_tried: whether the app is started from the result.
        has_start_file: whether the result has a start file.
        date: the time of all files, in seconds since the epoch.
    """

    project: Path
    output: Path
    kind: str
    target: Target
    uv: str | None
    app: str = ""
    keep: frozenset[str] = frozenset()
    leave_out: frozenset[str] = frozenset()
    find_links: Sequence[Path] = ()
    requirements: Path | None = None
    keeps_sources: bool = True
    is_tried: bool = True
    has_start_file: bool = False
    date: int = FIRST_TIME
