"""The files of an artifact in a folder of this machine, as Lambda unpacks them."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.artifact import leads_out
from lambda_web_adapter.artifacts.folder import FolderArtifact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambda_web_adapter.artifacts.artifact import Artifact


@contextmanager
def unpacked(artifact: Artifact) -> Iterator[Path]:
    """Return a folder with all files of an artifact: its own if it is one, else one that is removed afterwards."""
    if isinstance(artifact, FolderArtifact):
        yield artifact.path
        return
    with tempfile.TemporaryDirectory(prefix="lambda-web-adapter-doctor-") as folder:
        unpack(artifact, artifact.entries, Path(folder))
        yield Path(folder)


def unpack(artifact: Artifact, paths: Iterable[str], folder: Path) -> None:
    """Write files of an artifact to a folder, with their times; links and paths that lead out of it are left out."""
    for path in paths:
        entry = artifact.entries[path]
        if entry.target or leads_out(path):
            continue
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(artifact.read(path))
        file.chmod(0o755 if entry.is_executable else 0o644)
        os.utime(file, (entry.mtime, entry.mtime))
