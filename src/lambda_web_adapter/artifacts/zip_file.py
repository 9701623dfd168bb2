"""A zip, as Lambda unpacks it: of a function, or of a layer."""

from __future__ import annotations

import calendar
import stat
import struct
import zipfile
import zlib
from collections import Counter
from typing import TYPE_CHECKING

from lambda_web_adapter.artifacts.artifact import Artifact, ArtifactError, Entry

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_web_adapter.artifacts.artifact import Kind

# The extra field in which Info-ZIP keeps the time in UTC, which it prefers to the other one (APPNOTE.TXT, "0x5455").
_EXTENDED_TIMESTAMP = 0x5455
_HAS_MTIME = 1
# What zipfile raises for entries that are damaged, encrypted, or compressed in a way that it does not know.
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
# Folders of a layer that Lambda puts into the path of Python.
_LAYER_FOLDERS = ("python/",)


class ZipArtifact(Artifact):
    """A zip."""

    def __init__(self, path: Path) -> None:
        """Open a zip.

        Raises:
            ArtifactError: it is none, or damaged.
            OSError: it cannot be read.
        """
        self.name = str(path)
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise ArtifactError(f"{path} is not a zip that can be read: {str(error).rstrip('.')}.") from None
        files = [(entry_path(info), info) for info in self._zip.infolist() if not info.is_dir()]
        self._infos = dict(files)  # of two entries with one path the last one, as they are unpacked
        self.doubled = [name for name, count in Counter(name for name, _ in files).items() if count > 1]
        self.entries = {name: self._entry(name, info) for name, info in self._infos.items()}
        self.folders = {
            name.rstrip("/"): stat.S_IMODE(info.external_attr >> 16)
            for info in self._zip.infolist()
            if info.is_dir() and (name := entry_path(info))
        }
        self.kind: Kind = "layer" if _is_layer(self.entries) else "zip"

    def read(self, path: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            ArtifactError: they are damaged, or encrypted, which Lambda does not take.
        """
        try:
            return self._zip.read(self._infos[path])
        except UNREADABLE as error:
            reason = str(error).rstrip(".")
            raise ArtifactError(f"{path} in {self.name} cannot be read: {reason}. Make the zip again.") from None

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def _entry(self, path: str, info: zipfile.ZipInfo) -> Entry:
        mode = info.external_attr >> 16
        is_link = stat.S_ISLNK(mode)
        target = self.read(path).decode("utf-8", "surrogateescape") if is_link else ""
        size = 0 if is_link else info.file_size
        return Entry(path=path, size=size, mode=mode, mtime=_mtime(info), target=target)


def entry_path(info: zipfile.ZipInfo) -> str:
    """Return the path to which an entry is unpacked; `./main.py`, as bsdtar writes it, is `main.py`."""
    path = info.filename
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    return path


def _is_layer(entries: dict[str, Entry]) -> bool:
    """Return whether a zip has a layer's folders and nothing beside them but the bootstrap."""
    return bool(entries) and all(path.startswith(_LAYER_FOLDERS) or path == "bootstrap" for path in entries)


def _mtime(info: zipfile.ZipInfo) -> int:
    """Return the time that a file has when it is unpacked in UTC, as by Lambda."""
    offset = 0
    while offset + 4 <= len(info.extra):
        kind, size = struct.unpack_from("<HH", info.extra, offset)
        if kind == _EXTENDED_TIMESTAMP and size >= 5 and info.extra[offset + 4] & _HAS_MTIME:
            return int(struct.unpack_from("<i", info.extra, offset + 5)[0])
        offset += 4 + size
    year, month, *rest = info.date_time
    years, month = divmod(month - 1, 12)  # zips of some programs have no date: month and day are 0
    return calendar.timegm((year + years, month + 1, *rest, 0, 0, 0))
