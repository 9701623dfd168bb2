"""What all kinds of artifacts have in common: entries by path, and their bytes."""

from __future__ import annotations

import stat
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Literal

    Kind = Literal["folder", "zip", "layer", "image"]


class ArtifactError(Exception):
    """The file is none of those that can be deployed; the message says what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or a link in an artifact.

    Attributes:
        path: its path in the artifact, with slashes, without a leading one.
        size: its size in bytes; 0 for a link.
        mode: type and permissions as in `st_mode`; 0 if the artifact has none, as zips made on Windows.
        mtime: when it was changed, in seconds since the epoch, in whole seconds as bytecode has them.
        target: where a link leads; empty for a file.
    """

    path: str
    size: int
    mode: int = 0
    mtime: int = 0
    target: str = ""

    @property
    def is_executable(self) -> bool:
        """Return whether everybody may execute it."""
        return bool(self.mode & stat.S_IXOTH)

    @property
    def is_readable(self) -> bool:
        """Return whether everybody may read it; so it is if the artifact has no permissions."""
        return not self.mode or bool(self.mode & stat.S_IROTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """What an image says about its container.

    Attributes:
        architecture: `amd64` or `arm64`.
        entrypoint: the entry point.
        command: the arguments.
        environ: the variables.
        user: the user; empty for root.
        folder: the working folder.
    """

    architecture: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    folder: str = "/"


def leads_out(path: str) -> bool:
    """Return whether a path leads out of the folder that it is unpacked to."""
    return path.startswith("/") or ".." in PurePosixPath(path).parts


def parents(path: str) -> Iterator[str]:
    """Yield the folders that a path is in, the nearest first, without the top."""
    while path := path.rpartition("/")[0]:
        yield path


class Artifact(ABC):
    """An artifact; a context manager, since some keep a file open.

    Attributes:
        name: how messages call it.
        kind: what it is.
        entries: its files and links by path.
        folders: permissions of the folders that it names, by path; 0 if it has none.
        doubled: paths of which a zip has more than one entry; the last one counts.
        image: the configuration, if it is an image.
    """

    name: str
    kind: Kind
    entries: Mapping[str, Entry]
    folders: Mapping[str, int]
    doubled: Sequence[str] = ()
    image: ImageConfig | None = None

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            KeyError: there is none with this path.
        """

    def close(self) -> None:  # noqa: B027  # most have nothing to close
        """Close what it keeps open."""

    def __enter__(self) -> Artifact:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Return how many bytes all files have, unpacked."""
        return sum(entry.size for entry in self.entries.values())
