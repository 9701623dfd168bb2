"""What goes into a package: files by path, where each comes from, and what was left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lambda_web_adapter.packaging.packaging_error import PackagingError

if TYPE_CHECKING:
    from pathlib import Path

# Who a file of the project belongs to; those of packages belong to their distribution, by its normalized name.
APP = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file of a package.

    Attributes:
        owner: the distribution that it belongs to, or `APP`.
        content: its bytes, or the file that has them.
        is_executable: whether it may be executed.
    """

    owner: str
    content: bytes | Path
    is_executable: bool = False

    @property
    def size(self) -> int:
        """Return how many bytes it has."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def read(self) -> bytes:
        """Return its bytes."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


@dataclass(slots=True)
class Contents:
    """The files of a package.

    Attributes:
        items: the files by their path in the package, with slashes.
        omitted: how many bytes were left out, by reason.
        asgi_only: the distributions that a WSGI app does not need.
        foreign: the files of packages that were left out since they are for other machines.
    """

    items: dict[str, Item] = field(default_factory=dict)
    omitted: Counter[str] = field(default_factory=Counter)
    asgi_only: frozenset[str] = frozenset()
    foreign: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Return how many bytes all files have."""
        return sum(item.size for item in self.items.values())

    def check_paths(self) -> None:
        """Raise PackagingError if a file has the name of a folder that other files are in."""
        for path in self.items:
            if folder := next((each for each in map(str, PurePosixPath(path).parents) if each in self.items), ""):
                file_owner, folder_owner = (self.items[each].owner or "the project" for each in (folder, path))
                raise PackagingError(
                    f"{folder} is a file of {file_owner}, and also a folder of {folder_owner} ({path}). "
                    "Rename the project's, or name it in .lambdaignore."
                )
