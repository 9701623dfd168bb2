"""An image as a file: what `docker save` and `buildah push` write (Docker's archive, or OCI's), or a folder with it."""

from __future__ import annotations

import tarfile
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.artifacts.artifact import Artifact, ArtifactError, Entry, ImageConfig, leads_out
from lambda_web_adapter.artifacts.image_manifest import PlatformNotFound, read_manifest

if TYPE_CHECKING:
    from typing import IO

    from lambda_web_adapter.artifacts.artifact import Kind
    from lambda_web_adapter.artifacts.image_manifest import Open

# How layers mark what they remove from those below (OCI image specification, "Whiteouts").
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"


class ImageArtifact(Artifact):
    """An image: the files that its layers make together."""

    kind: Kind = "image"

    def __init__(self, path: Path, architecture: str = "") -> None:
        """Read the layers' lists of files.

        Args:
            path: the archive or the folder.
            architecture: `x86_64` or `arm64`, of which one is read where there are several; empty for x86_64 if there
                is one, else the first.

        Raises:
            ArtifactError: it is no image that can be read, or has none for this machine.
            OSError: it cannot be read.
        """
        self.name = str(path)
        self._stack = ExitStack()
        try:
            self._open = _opener(path, self._stack)
            config, layers = read_manifest(self._open, architecture)
            self.image = _image_config(config)
            self.entries: dict[str, Entry] = {}
            self.folders: dict[str, int] = {}
            self._members: dict[str, tuple[tarfile.TarFile, tarfile.TarInfo]] = {}
            for layer in layers:
                self._add_layer(layer)
        except (FileNotFoundError, KeyError, ValueError, IndexError, tarfile.TarError) as error:
            self._stack.close()
            raise ArtifactError(f"{path} is not an image that can be read: {error!r}.") from None
        except PlatformNotFound as error:
            self._stack.close()
            raise ArtifactError(f"{path} {error}") from None

    def read(self, path: str) -> bytes:
        """Return the bytes of a file."""
        layer, member = self._members[path]
        file = layer.extractfile(member)
        if file is None:
            raise KeyError(path)
        with file:
            return file.read()

    def close(self) -> None:
        """Close the layers."""
        self._stack.close()

    def _add_layer(self, name: str) -> None:
        layer = tarfile.TarFile.open(fileobj=self._open(name))
        self._stack.callback(layer.close)
        members = [(_clean(member.name), member) for member in layer]
        for path, _ in members:
            self._remove_hidden(path)
        for path, member in members:
            if member.isdir():
                self.folders[path] = member.mode
            elif member.isfile() or member.issym() or member.islnk():
                self._add(path, layer, member)

    def _add(self, path: str, layer: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        if PurePosixPath(path).name.startswith(_WHITEOUT):
            return
        kind = 0o120000 if member.issym() else 0o100000
        linked = self.entries.get(_clean(member.linkname)) if member.islnk() else None
        self.entries[path] = Entry(
            path=path,
            size=linked.size if linked else member.size,
            mode=kind | member.mode,
            mtime=int(member.mtime),
            target=member.linkname if member.issym() else "",
        )
        self._members[path] = (layer, member)

    def _remove_hidden(self, path: str) -> None:
        """Remove what a whiteout of a layer hides."""
        pure = PurePosixPath(path)
        folder = "" if str(pure.parent) == "." else f"{pure.parent}/"
        if pure.name == _OPAQUE:
            hidden, below = "", folder
        elif pure.name.startswith(_WHITEOUT):
            hidden = folder + pure.name.removeprefix(_WHITEOUT)
            below = f"{hidden}/"
        else:
            return
        for each in [entry for entry in self.entries if entry == hidden or entry.startswith(below)]:
            del self.entries[each]
            del self._members[each]


def _opener(path: Path, stack: ExitStack) -> Open:
    """Return the function that opens a file of an image's archive or folder."""
    if path.is_dir():

        def open_file(name: str) -> IO[bytes]:
            if leads_out(name):
                raise KeyError(name)
            return stack.enter_context((path / name).open("rb"))

        return open_file
    archive = tarfile.TarFile.open(path)
    stack.callback(archive.close)

    def open_member(name: str) -> IO[bytes]:
        file = archive.extractfile(name)
        if file is None:
            raise KeyError(name)
        return stack.enter_context(file)

    return open_member


def _image_config(document: dict[str, Any]) -> ImageConfig:
    config = document.get("config") or {}
    return ImageConfig(
        architecture=document.get("architecture", ""),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        environ=dict(pair.split("=", 1) for pair in config.get("Env") or () if "=" in pair),
        user=config.get("User", ""),
        folder=config.get("WorkingDir") or "/",
    )


def _clean(path: str) -> str:
    return path.removeprefix("./").strip("/")
