"""Read poetry.lock: the project's main group, and what that requires on the target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from lambda_web_adapter.packaging.packaging_error import PackagingError
from lambda_web_adapter.packaging.requirements import (
    ADAPTER,
    Requirements,
    check_locked,
    direct_requirements,
    pinned,
    read_project,
    read_toml,
)

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_web_adapter.packaging.target import Target

_SCP_ADDRESS = re.compile(r"(?P<user>[\w.-]+@[\w.-]+):(?!//)(?P<path>.+)")  # `git@host:owner/name.git`


def read_poetry_lock(file: Path, project: Path, target: Target) -> Requirements:
    """Return what the project needs of what poetry.lock has; other groups, and extras of the project, do not count.

    Raises:
        PackagingError: it cannot be read, lacks a requirement, or has several versions of one for the target.
    """
    document = read_toml(file)
    document_of_project = read_project(project)
    requirements = Requirements(file.name, is_complete=True)
    requirements.direct = direct_requirements(document_of_project, target) | _poetry_requirements(
        document_of_project, target
    )
    lock = _Lock(file, document, target)
    check_locked(requirements.direct, lock.packages, file, project, "poetry lock")
    for package in lock.select(requirements.direct):
        _add(package, requirements, file.parent, project)
    return requirements


def _poetry_requirements(document: dict[str, Any], target: Target) -> set[str]:
    """Return what Poetry's own tables require; they count unless `[project]` has the dependencies."""
    if "dependencies" in document.get("project", {}):
        return set()
    poetry = document.get("tool", {}).get("poetry", {})
    tables = poetry.get("dependencies", {}) | poetry.get("group", {}).get("main", {}).get("dependencies", {})
    names = set()
    for name, constraint in tables.items():
        if canonicalize_name(name) not in ("python", ADAPTER) and _is_needed(constraint, (), target, "pyproject.toml"):
            extras = {extra for choice in _choices(constraint) for extra in choice.get("extras", ())}
            names.add(str(Requirement(f"{canonicalize_name(name)}[{','.join(sorted(extras))}]")))
    return names


class _Lock:
    """The packages of a lock file.

    Attributes:
        packages: their entries by name: a package may have one for each of several targets.
    """

    def __init__(self, file: Path, document: dict[str, Any], target: Target) -> None:
        self._file = file
        self._target = target
        hashes = document.get("metadata", {}).get("files", {})  # of Poetry until 1.2
        self.packages: dict[str, list[dict[str, Any]]] = {}
        try:
            for package in document.get("package", []):
                entry = {"files": hashes.get(package["name"], []), **package}
                self.packages.setdefault(canonicalize_name(package["name"]), []).append(entry)
        except (AttributeError, KeyError, TypeError) as error:
            raise PackagingError(f"{file} is not as Poetry writes it: {error!r}. Run `poetry lock`.") from None

    def select(self, direct: set[str]) -> list[dict[str, Any]]:
        """Return the entries that requirements need on the target, with what those require."""
        waiting = [Requirement(each) for each in sorted(direct)]
        extras_of: dict[str, set[str]] = {}
        selected: dict[str, dict[str, Any]] = {}
        while waiting:
            requirement = waiting.pop()
            name = canonicalize_name(requirement.name)
            extras = extras_of.get(name, set()) | requirement.extras
            if extras_of.get(name) == extras or not (package := self._entry(name)):
                continue
            extras_of[name], selected[name] = extras, package
            waiting += self._requirements_of(package, extras)
        return list(selected.values())

    def _entry(self, name: str) -> dict[str, Any] | None:
        """Return the entry of a package for the target; None if it is for other targets only."""
        entries = [each for each in self.packages.get(name, ()) if self._is_for_target(each)]
        if len(entries) > 1:
            versions = ", ".join(each["version"] for each in entries)
            raise PackagingError(
                f"{self._file} has several versions of {name} for {self._target}: {versions}. "
                "Run `poetry lock` of Poetry 2, which writes what each of them is for."
            )
        return entries[0] if entries else None

    def _is_for_target(self, package: dict[str, Any]) -> bool:
        markers = package.get("markers", "")
        text = markers.get("main", "") if isinstance(markers, dict) else markers
        return _matches_python(package.get("python-versions", "*"), self._target) and _matches(
            text, (), self._target, self._file.name
        )

    def _requirements_of(self, package: dict[str, Any], extras: set[str]) -> list[Requirement]:
        needed = []
        named_by_extras = {
            canonicalize_name(re.split(r"[^\w.-]", text, maxsplit=1)[0])
            for extra in extras
            for text in package.get("extras", {}).get(extra, ())
        }
        for name, constraint in package.get("dependencies", {}).items():
            choices = [
                {**each, "optional": False}  # an extra has it, of which its marker is true
                if canonicalize_name(name) in named_by_extras or "extra ==" in str(each.get("markers"))
                else each
                for each in _choices(constraint)
            ]
            if _is_needed(choices, extras, self._target, self._file.name):
                names = {extra for choice in choices for extra in choice.get("extras", ())}
                needed.append(Requirement(f"{name}[{','.join(sorted(names))}]"))
        return needed


def _choices(constraint: Any) -> list[dict[str, Any]]:
    """Return a dependency's alternatives: Poetry has a version, a table, or a list of tables."""
    choices = constraint if isinstance(constraint, list) else [constraint]
    return [choice if isinstance(choice, dict) else {} for choice in choices]


def _is_needed(constraint: Any, extras: Any, target: Target, where: str) -> bool:
    return any(
        not choice.get("optional")
        and _matches_python(choice.get("python", "*"), target)
        and _matches(choice.get("markers", ""), extras, target, where)
        for choice in _choices(constraint)
    )


def _matches(text: str, extras: Any, target: Target, where: str) -> bool:
    try:
        return target.matches(Marker(text) if text else None, where, extras)
    except InvalidMarker as error:
        raise PackagingError(f"{where} has the marker {text!r}, which is none: {error}") from None


def _matches_python(versions: str, target: Target) -> bool:
    """Return whether the target's Python is among versions; those that only Poetry can read count as if it was."""
    try:
        return versions == "*" or any(
            SpecifierSet(each.strip()).contains(f"{target.version}.0") for each in versions.split("||")
        )
    except InvalidSpecifier:
        return True


def _add(package: dict[str, Any], requirements: Requirements, folder: Path, project: Path) -> None:
    source = package.get("source", {})
    kind, url = source.get("type"), source.get("url", "")
    name, hashes = package["name"], sorted({each["hash"] for each in package["files"] if "hash" in each})
    if kind == "directory":
        requirements.add_folder_of_lock(folder / url, project)
    elif kind == "git":
        address = _SCP_ADDRESS.sub(r"ssh://\g<user>/\g<path>", url) if "://" not in url else url
        subdirectory = f"#subdirectory={source['subdirectory']}" if source.get("subdirectory") else ""
        requirements.add(f"{name} @ git+{address}@{source['resolved_reference']}{subdirectory}")
    elif kind == "url":
        requirements.add(pinned(f"{name} @ {url}", hashes))
    elif kind == "file":
        requirements.add_file(name, folder / url, hashes)
    else:
        if kind == "legacy":
            requirements.add_index(url)
        requirements.add(pinned(f"{name}=={package['version']}", hashes))
