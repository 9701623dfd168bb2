"""The version of Python that a package is for unless the command line names one: the project's."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.requirements import read_project

if TYPE_CHECKING:
    from pathlib import Path

# Lambda's runtimes that this package runs on, the newest first (Lambda, "Lambda runtimes").
RUNTIMES = ("3.14", "3.13", "3.12", "3.11")
_VERSION_FILE = ".python-version"  # of uv and pyenv
_VERSION = re.compile(r"(?:c?python-?)?(3\.\d+)(?:\.\d+)?")


def choose_python(folder: Path) -> str:
    """Return the version that `.python-version` names; else this one, or the newest that `requires-python` allows.

    Raises:
        PackagingError: the project's version is too old, or Lambda has no runtime that `requires-python` allows.
    """
    if version := _named(folder):
        return version
    this = f"{sys.version_info.major}.{sys.version_info.minor}"
    allowed = _allowed(folder)
    for version in (this, *RUNTIMES):
        if _allows(allowed, version):
            return version
    raise PackagingError(
        f"requires-python in pyproject.toml is '{allowed}', but Lambda's runtimes have {', '.join(RUNTIMES)}. "
        "For an image, name the version with --python."
    )


def check_python(folder: Path, version: str) -> None:
    """Raise PackagingError if `requires-python` does not allow a version."""
    allowed = _allowed(folder)
    if not _allows(allowed, version):
        raise PackagingError(
            f"requires-python in pyproject.toml is '{allowed}', but the package is for Python {version}. "
            "Name another version with --python, or change pyproject.toml."
        )


def _allowed(folder: Path) -> SpecifierSet:
    text = str(read_project(folder).get("project", {}).get("requires-python", ""))
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        raise PackagingError(f"requires-python in pyproject.toml is {text!r}, but it takes such as '>=3.13'.") from None


def _allows(allowed: SpecifierSet, version: str) -> bool:
    """Return whether a version such as 3.13 is allowed; `>3.13.1` and `>=3.13.1` allow it, and `<3.13` does not."""
    return allowed.contains(f"{version}.99")


def _named(folder: Path) -> str:
    """Return what `.python-version` has, of the folder or above it up to the repository's root; empty without one."""
    parents = list(folder.resolve().parents)
    root = next((each for each in (folder.resolve(), *parents) if (each / ".git").exists()), folder.resolve())
    for each in (folder.resolve(), *parents):
        file = each / _VERSION_FILE
        if file.is_file():
            lines = [line.strip() for line in file.read_text("utf-8", "replace").splitlines()]
            match = next((found for line in lines if (found := _VERSION.fullmatch(line))), None)
            if match and tuple(map(int, match[1].split("."))) < (3, 11):
                raise PackagingError(
                    f"{file} has {match[0]}, but lambda-web-adapter needs Python 3.11 or later. "
                    "Change it, or name another version with --python."
                )
            return match[1] if match else ""
        if each == root:
            break
    return ""
