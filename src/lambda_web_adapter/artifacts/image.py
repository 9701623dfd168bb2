"""An image as a file: what `docker save` and `buildah push` write (Docker's archive, or OCI's), or a folder with it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import posixpath
import shutil
import tarfile
import tempfile
import zlib
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.artifacts.artifact import Artifact, ArtifactError, Entry, ImageConfig, leads_out, parents
from lambda_web_adapter.artifacts.image_manifest import PlatformNotFound, read_manifest

if TYPE_CHECKING:
    from typing import IO

    from lambda_web_adapter.artifacts.artifact import Kind
    from lambda_web_adapter.artifacts.image_manifest import Open

# How layers mark what they remove from those below (OCI image specification, "Whiteouts").
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
# How archives and layers are compressed, by their first bytes.
_COMPRESSIONS: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_ZSTD = b"\x28\xb5\x2f\xfd"
_CHUNK = 1024 * 1024  # bytes that are decompressed at once
# What is raised when an archive is damaged, or no image.
_DAMAGED = (
    *(FileNotFoundError, KeyError, ValueError, IndexError, TypeError, AttributeError, RecursionError),
    *(tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError),
)
_MOST_LINKS = 40  # one after the other, as Linux follows them


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
        except _DAMAGED as error:
            self._stack.close()
            raise ArtifactError(f"{path} is not an image that can be read: {error!r}.") from None
        except PlatformNotFound as error:
            self._stack.close()
            raise ArtifactError(f"{path} {error}") from None

    def read(self, path: str) -> bytes:
        """Return the bytes of a file, also of one that a link leads to."""
        entry = self.entries[path]
        for _ in range(_MOST_LINKS):
            if not entry.target:
                break
            place = posixpath.normpath(posixpath.join("/", posixpath.dirname(entry.path), entry.target)).strip("/")
            if place not in self.entries:
                break
            entry = self.entries[place]
        if entry.target:
            return os.fsencode(entry.target)  # as zips have links
        layer, member = self._members[entry.path]
        file = layer.extractfile(member)
        if file is None:
            raise KeyError(path)
        with file:
            return file.read()

    def close(self) -> None:
        """Close the layers."""
        self._stack.close()

    def _add_layer(self, name: str) -> None:
        layer = tarfile.TarFile.open(fileobj=_uncompressed(self._open(name), self._stack), mode="r:")
        self._stack.callback(layer.close)
        members = [(_clean(member.name), member) for member in layer]
        self._remove_hidden([path for path, _ in members])
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
        if member.islnk() and not linked:
            return  # a damaged layer: there is no such file
        self.entries[path] = Entry(
            path=path,
            size=linked.size if linked else member.size,
            mode=kind | member.mode,
            mtime=int(member.mtime),
            target=member.linkname if member.issym() else "",
        )
        # tarfile searches all members for what a hard link leads to, at each read.
        self._members[path] = self._members[linked.path] if linked else (layer, member)

    def _remove_hidden(self, paths: list[str]) -> None:
        """Remove what the whiteouts of a layer hide."""
        hidden, emptied = set[str](), set[str]()
        for path in paths:
            folder, _, name = path.rpartition("/")
            if name == _OPAQUE:
                emptied.add(folder)
            elif name.startswith(_WHITEOUT):
                hidden.add(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
        if not hidden and not emptied:
            return
        for path in list(self.entries):
            folders = ["", *parents(path)]
            if path in hidden or not hidden.isdisjoint(folders) or not emptied.isdisjoint(folders):
                del self.entries[path]
                del self._members[path]


def _opener(path: Path, stack: ExitStack) -> Open:
    """Return the function that opens a file of an image's archive or folder."""
    if path.is_dir():

        def open_file(name: str) -> IO[bytes]:
            if leads_out(name):
                raise KeyError(name)
            return stack.enter_context((path / name).open("rb"))

        return open_file
    archive = tarfile.TarFile.open(fileobj=_uncompressed(stack.enter_context(path.open("rb")), stack), mode="r:")
    stack.callback(archive.close)

    def open_member(name: str) -> IO[bytes]:
        file = archive.extractfile(name)
        if file is None:
            raise KeyError(name)
        return stack.enter_context(file)

    return open_member


def _uncompressed(file: IO[bytes], stack: ExitStack) -> IO[bytes]:
    """Return a file itself, or a temporary one with what is compressed in it.

    In a compressed file, each read of what is further ahead would begin at its start.
    """
    magic = file.read(6)
    file.seek(0)
    if magic.startswith(_ZSTD):
        raise ValueError("it is compressed by zstd: save it with compression=gzip")
    decompress = next((each for start, each in _COMPRESSIONS.items() if magic.startswith(start)), None)
    if not decompress:
        return file
    plain = tempfile.TemporaryFile(prefix="lambda-web-adapter-image-")  # noqa: SIM115  # the stack closes it
    stack.callback(plain.close)
    with decompress(file) as source:
        shutil.copyfileobj(source, plain, _CHUNK)
    plain.seek(0)
    return plain


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
