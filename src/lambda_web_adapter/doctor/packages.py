"""The packages in an artifact, and which files are theirs (PEP 376, PEP 427)."""

from __future__ import annotations

import csv
import posixpath
import re
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_web_adapter.artifacts.artifact import Artifact

_METADATA = ".dist-info/METADATA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed distribution.

    Attributes:
        name: its name, in lower case and with dashes.
        version: its version.
        info: its folder of metadata, such as `flask-3.1.0.dist-info`.
        folder: where it is installed, with a slash at the end; empty for the root.
        files: the paths of its files.
        tags: those of its wheel, such as `cp313-cp313-manylinux_2_28_x86_64`.
    """

    name: str
    version: str
    info: str
    folder: str
    files: frozenset[str]
    tags: tuple[str, ...]


def read_packages(artifact: Artifact) -> list[Package]:
    """Return the packages that have metadata, in the order of their paths; without those that others have in them."""
    paths = [path for path in artifact.entries if path.endswith(_METADATA) and "/_vendor/" not in path]
    infos = sorted(path.removesuffix("/METADATA") for path in paths)
    return [_package(artifact, info) for info in infos]


def normalize_name(name: str) -> str:
    """Return a distribution's name in the form in which names are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _package(artifact: Artifact, info: str) -> Package:
    folder = f"{posixpath.dirname(info)}/".lstrip("/")
    metadata = HeaderParser().parsestr(_text(artifact, f"{info}/METADATA").split("\n\n")[0])
    wheel = HeaderParser().parsestr(_text(artifact, f"{info}/WHEEL"))
    return Package(
        name=normalize_name(metadata.get("Name", "")),
        version=metadata.get("Version", ""),
        info=info,
        folder=folder,
        files=_files(artifact, info, folder, metadata.get("Name", "")),
        tags=tuple(wheel.get_all("Tag") or ()),
    )


def _files(artifact: Artifact, info: str, folder: str, name: str) -> frozenset[str]:
    """Return the files that a package has by its record; without one, those in folders of its modules' names."""
    record = _text(artifact, f"{info}/RECORD")
    if record:
        listed = {posixpath.normpath(folder + row[0]) for row in csv.reader(record.splitlines()) if row}
        return frozenset(listed & artifact.entries.keys())
    modules = _text(artifact, f"{info}/top_level.txt").split() or [normalize_name(name).replace("-", "_")]
    starts = tuple(f"{folder}{module}{end}" for module in modules for end in ("/", ".py", "."))
    return frozenset(path for path in artifact.entries if path.startswith((*starts, f"{info}/")))


def _text(artifact: Artifact, path: str) -> str:
    """Return a file's text; empty if there is no such file."""
    return artifact.read(path).decode("utf-8", "replace") if path in artifact.entries else ""
