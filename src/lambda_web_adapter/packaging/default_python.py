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
_OF_POETRY = re.compile(r"(?P<operator>[\^~])(?P<version>(?P<major>\d+)\.(?P<minor>\d+)(?:\.\d+)?)")
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
        f"The required Python in pyproject.toml is '{allowed}', but Lambda's runtimes have {', '.join(RUNTIMES)}. "
        "For an image, name the version with --python."
    )


def check_python(folder: Path, version: str) -> None:
    """Raise PackagingError if `requires-python` does not allow a version."""
    allowed = _allowed(folder)
    if not _allows(allowed, version):
        raise PackagingError(
            f"The required Python in pyproject.toml is '{allowed}', but the package is for Python {version}. "
            "Name another version with --python, or change pyproject.toml."
        )


def _allowed(folder: Path) -> SpecifierSet:
    """Return `requires-python`, or what Poetry's own table has for it."""
    document = read_project(folder)
    poetry = document.get("tool", {}).get("poetry", {}).get("dependencies", {}).get("python", "")
    text = str(document.get("project", {}).get("requires-python") or _from_poetry(str(poetry)))
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        raise PackagingError(
            f"The required Python in pyproject.toml is {text!r}, but it takes '>=3.13' or so."
        ) from None


def _from_poetry(text: str) -> str:
    """Return a constraint of Poetry as a specifier: `^3.12` is `>=3.12,<4`, `~3.12` is `==3.12.*`; empty for others."""
    match = _OF_POETRY.fullmatch(text)
    if match is None:
        return text if re.fullmatch(r"[<>=!][^|]*", text) else ""
    bound = f"<{int(match['major']) + 1}" if match["operator"] == "^" else f"=={match['major']}.{match['minor']}.*"
    return f">={match['version']},{bound}"


def _allows(allowed: SpecifierSet, version: str) -> bool:
    """Return whether a release of a version such as 3.13 is allowed: `>3.13.1` and `<=3.13` do, `<3.13` does not."""
    return any(allowed.contains(f"{version}.{release}") for release in range(100))


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
