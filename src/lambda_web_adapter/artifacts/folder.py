"""A folder, such as one that a build has filled."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.artifact import Artifact, Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_web_adapter.artifacts.artifact import Kind


class FolderArtifact(Artifact):
    """A folder with what is to be at `/var/task`, or at `/opt` if it is a layer's."""

    def __init__(self, path: Path, kind: Kind = "folder") -> None:
        """List the folder; links are not followed.

        Raises:
            OSError: it cannot be read.
        """
        self.name = str(path)
        self.kind = kind
        self.path = path
        self.folders: dict[str, int] = {}
        self.entries = {entry.path: entry for entry in self._list(path)}

    def read(self, path: str) -> bytes:
        """Return the bytes of a file."""
        if path not in self.entries:
            raise KeyError(path)
        target = self.entries[path].target
        file = (self.path / path).resolve()
        if target and not (file.is_file() and file.is_relative_to(self.path.resolve())):
            return os.fsencode(target)  # as zips have links: nothing outside of the folder is read
        return file.read_bytes()

    def _list(self, folder: Path) -> Iterator[Entry]:
        for item in sorted(os.scandir(folder), key=lambda item: item.name):
            if item.is_dir(follow_symlinks=False):
                mode = stat.S_IMODE(item.stat(follow_symlinks=False).st_mode)
                self.folders[Path(item.path).relative_to(self.path).as_posix()] = mode
                yield from self._list(Path(item.path))
                continue
            status = item.stat(follow_symlinks=False)
            is_link = stat.S_ISLNK(status.st_mode)
            if not is_link and not stat.S_ISREG(status.st_mode):
                continue  # neither zips nor images take pipes and sockets
            yield Entry(
                path=Path(item.path).relative_to(self.path).as_posix(),
                size=0 if is_link else status.st_size,
                mode=status.st_mode,
                mtime=int(status.st_mtime),
                target=os.readlink(item.path) if is_link else "",
            )
