"""Contents written as a zip or a folder, always the same bytes for the same contents."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.packaging.packaging_error import PackagingError, WrongOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_web_adapter.packaging.contents import Contents

# The oldest time that a zip can have; the time of all files, unless SOURCE_DATE_EPOCH names another one
# (reproducible-builds.org/specs/source-date-epoch).
FIRST_TIME = 315_532_800  # 1980-01-01 00:00:00 UTC, in seconds
_LAST_TIME = 4_354_819_198  # 2107-12-31 23:59:58 UTC
_UNIX = 3  # "version made by": permissions count (APPNOTE.TXT, 4.4.2)
_FILE, _EXECUTABLE = 0o100644, 0o100755
_COMPRESSION_LEVEL = 6  # zlib's own; 9 takes twice as long for 0.3 % less


def source_date(environ: Mapping[str, str]) -> int:
    """Return the time of all files, in seconds since the epoch."""
    text = environ.get("SOURCE_DATE_EPOCH", "")
    if text and not text.isdecimal():
        raise PackagingError(f"SOURCE_DATE_EPOCH is {text!r}, but it takes seconds since 1970, such as 1700000000.")
    if (date := int(text or 0)) > _LAST_TIME:
        raise PackagingError(f"SOURCE_DATE_EPOCH is {text}, but a zip has times until 2107: at most {_LAST_TIME}.")
    return max(date, FIRST_TIME)


def partial_prefix(file: Path) -> str:
    """Return how the path of a zip begins while it is written."""
    return str(file.with_name(f".{file.name}."))


def write_zip(contents: Contents, file: Path, date: int) -> None:
    """Write a zip; the one that was there is replaced once it is complete."""
    moment = time.gmtime(date)
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=Path(partial_prefix(file)).name)
    os.close(descriptor)
    partial = Path(name)
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as archive:
            for path, item in sorted(contents.items.items()):
                info = zipfile.ZipInfo(path, moment[:6])
                info.create_system = _UNIX
                info.external_attr = (_EXECUTABLE if item.is_executable else _FILE) << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, item.read(), compresslevel=_COMPRESSION_LEVEL)
        partial.chmod(0o644)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def check_output(output: Path, *, is_folder: bool) -> None:
    """Raise WrongOption if a zip or a folder cannot be written there."""
    if is_folder and output.exists() and (not output.is_dir() or any(output.iterdir())):
        what = "has files" if output.is_dir() else "is a file"
        raise WrongOption(
            f"--output is {output}, which {what}, but a folder is written only where none is, or an empty one. "
            "Remove it, or name another one."
        )
    if not is_folder and output.is_dir():
        raise WrongOption(
            f"--output is {output}, which is a folder, but it takes the zip to write, such as "
            f"{output / 'function.zip'}. For a folder instead of a zip, add --format folder."
        )


def write_folder(contents: Contents, folder: Path, date: int) -> None:
    """Write a folder that is not there yet, or is empty; nothing stays of one that fails.

    Whatever the umask is, everybody may read it, as Lambda's user has to.

    Raises:
        PackagingError: it has files.
    """
    check_output(folder, is_folder=True)
    try:
        _write_files(contents, folder, date)
    except BaseException:  # an interrupt as well
        if folder.is_dir():
            clear_folder(folder)
        raise


def clear_folder(folder: Path) -> None:
    """Remove all that is in a folder."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _write_files(contents: Contents, folder: Path, date: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path, item in sorted(contents.items.items()):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(item.content, bytes):
            file.write_bytes(item.content)
        else:
            shutil.copyfile(item.content, file)
        file.chmod((_EXECUTABLE if item.is_executable else _FILE) & 0o777)
        os.utime(file, (date, date))
    for each in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        each.chmod(0o755)
        os.utime(each, (date, date))
