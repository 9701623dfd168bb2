"""The files of the project that belong into a package."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_web_adapter.packaging.contents import APP, Contents, Item
from lambda_web_adapter.packaging.ignore_rules import LAMBDA_IGNORE, UNUSED, rules_around
from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.writer import partial_prefix

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lambda_web_adapter.packaging.ignore_rules import IgnoreRules

# What only an environment has: of venv and virtualenv, and of conda.
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")
_EXECUTABLE = 0o111
EARLIER_PACKAGE = "earlier packages"
# What is in each package of this command: of an app, and of a layer.
_PACKAGE_MARKS = (("bootstrap", "lambda_web_adapter/cli.py"), ("bootstrap", "python/lambda_web_adapter/cli.py"))


def collect(folder: Path, *, keep: Collection[str] = (), outputs: Sequence[Path] = ()) -> Contents:
    """Return the files of a project, without those that its ignore files name.

    Args:
        folder: the project's folder.
        keep: what is not to be left out: `tests`.
        outputs: files and folders that this command writes, which are left out.

    Raises:
        PackagingError: a symbolic link leads out of the project, or nowhere, or a name is not UTF-8.
    """
    project = folder.resolve()
    walk = _Walk(project, {path.resolve() for path in outputs})
    walk.add_folder(project, "", rules_around(project, keeps_tests="tests" in keep))
    return walk.contents


class _Walk:
    """A walk through the project, which follows links as far as they stay in it."""

    def __init__(self, root: Path, outputs: Collection[Path]) -> None:
        self._root = root
        self._outputs = outputs
        self._partial = tuple(partial_prefix(path) for path in outputs)
        self._around: list[Path] = []  # the folders that the walk is in, without links
        self.contents = Contents()

    def add_folder(self, folder: Path, place: str, rules: IgnoreRules) -> None:
        """Add what is in a folder, which is at a place in the package such as `static/`."""
        self._around.append(folder)
        rules = rules.with_files_of(folder, place)
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            path = f"{place}{entry.name}"
            if reason := self._reason_to_leave_out(entry, path, rules):
                if reason != UNUSED or Path(entry).is_file():  # nobody wonders how large `.venv` and `.git` are
                    self.contents.omitted[reason] += _size(Path(entry))
                continue
            real = self._real_path(entry, path) if entry.is_symlink() else Path(entry)
            if real.is_dir():
                self.add_folder(real, f"{path}/", rules)
            elif real.is_file():
                self._add_file(real, path)
        self._around.pop()

    def _reason_to_leave_out(self, entry: os.DirEntry[str], path: str, rules: IgnoreRules) -> str:
        file = Path(entry)
        if any((file / name).exists() for name in _ENVIRONMENT_MARKS):
            return UNUSED
        if _resolve(file) in self._outputs or str(file).startswith(self._partial) or _is_package(file):
            return EARLIER_PACKAGE
        return rules.reason_to_leave_out(f"{path}/" if file.is_dir() else path)

    def _add_file(self, file: Path, path: str) -> None:
        try:
            path.encode()
        except UnicodeEncodeError:
            raise PackagingError(f"The name {path!r} is not UTF-8, as zips need it. Rename the file.") from None
        self.contents.items[path] = Item(owner=APP, content=file, is_executable=bool(file.stat().st_mode & _EXECUTABLE))

    def _real_path(self, link: os.DirEntry[str], path: str) -> Path:
        """Return where a link leads; Lambda gets what is there instead of the link."""
        real = _resolve(Path(link))
        if not real.is_relative_to(self._root):
            problem = f"{real}, out of the project. Copy what is there"
        elif not real.exists():
            problem = f"{real}, which does not exist. Remove it"
        elif real in self._around:
            problem = f"{real}, a folder that it is in. Remove it"
        else:
            return real
        raise PackagingError(f"The link {path} leads to {problem}, or name the link in {LAMBDA_IGNORE}.")


def _resolve(file: Path) -> Path:
    """Return where a link leads; of links in a circle one of them, where `Path.resolve` of Python 3.11 raises."""
    return Path(os.path.realpath(file))


def _is_package(file: Path) -> bool:
    """Return whether it is a zip or a folder that this command has made, whatever its name is."""
    if file.is_dir():
        return any(all((file / mark).exists() for mark in marks) for marks in _PACKAGE_MARKS)
    if file.suffix != ".zip":
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            names = {*archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return False
    return any(names.issuperset(marks) for marks in _PACKAGE_MARKS)


def _size(file: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    if file.is_symlink() or not file.is_dir():
        return file.lstat().st_size
    return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(file) for name in names)
