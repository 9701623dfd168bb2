"""Open an artifact, whatever kind it is."""

from __future__ import annotations

import tarfile
import zipfile
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.artifact import ArtifactError
from lambda_web_adapter.artifacts.folder import FolderArtifact
from lambda_web_adapter.artifacts.image import ImageArtifact
from lambda_web_adapter.artifacts.zip_file import ZipArtifact

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_web_adapter.artifacts.artifact import Artifact


def open_artifact(path: Path, architecture: str = "") -> Artifact:
    """Return a folder, a zip, a layer or an image, to be used in a `with` block.

    Args:
        path: the folder or the file.
        architecture: `x86_64` or `arm64`, whose image is read of a file with several.

    Raises:
        ArtifactError: it is none of them, damaged, or an image for other machines only.
        OSError: it cannot be read.
    """
    if path.is_dir():
        is_image = (path / "oci-layout").is_file() or ((path / "index.json").is_file() and (path / "blobs").is_dir())
        return ImageArtifact(path, architecture) if is_image else FolderArtifact(path)
    # An image comes first: the end of its archive looks like that of a zip if its last layer has one.
    if tarfile.is_tarfile(path):
        return ImageArtifact(path, architecture)
    if zipfile.is_zipfile(path):
        return ZipArtifact(path)
    raise ArtifactError(f"{path} is neither a folder nor a zip nor an image's archive (docker save, buildah push).")
