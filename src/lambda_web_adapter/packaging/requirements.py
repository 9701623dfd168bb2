"""What a project requires, from the first of: uv.lock, pylock.toml, poetry.lock, requirements.txt, pyproject.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lambda_web_adapter.packaging.packaging_error import PackagingError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

ADAPTER = "lambda-web-adapter"


@dataclass(slots=True)
class Requirements:
    """What is to be installed.

    Attributes:
        source: the file that says so, for messages; empty if there is none.
        lines: lines of a requirements file: requirements with their hashes, and options.
        local: folders and other places that have no wheels, and are built on this machine.
        direct: what the project itself requires, as `name_with_extras` has it; None if its file does not tell that
            from the rest.
        named: all that the file names, as `name_with_extras` has it.
        is_complete: whether the file has the requirements of requirements as well.
        adapter: the project's own requirement of this package, without its version if it has none.
    """

    source: str = ""
    lines: list[str] = field(default_factory=list)
    local: list[str] = field(default_factory=list)
    direct: set[str] | None = None
    named: set[str] = field(default_factory=set)
    is_complete: bool = False
    adapter: Requirement = field(default_factory=lambda: Requirement(ADAPTER))

    @property
    def has_hashes(self) -> bool:
        """Return whether a hash is required of a requirement, and so of each."""
        return any("--hash" in line for line in self.lines)

    def add(self, text: str) -> None:
        """Add a requirement with its hashes; that of this package is kept apart, since the package has its own copy.

        Raises:
            PackagingError: it is none.
        """
        requirement = parse_requirement(text.partition(" --hash")[0], self.source)
        if canonicalize_name(requirement.name) == ADAPTER:
            self.adapter = requirement
            return
        self.named.add(name_with_extras(requirement.name, requirement.extras))
        if requirement.url and not requirement.url.partition("#")[0].endswith(".whl"):
            self.local.append(text.partition(" --hash")[0])
        else:
            self.lines.append(text)

    def add_folder(self, folder: Path, extras: str = "") -> None:
        """Add a folder to build a wheel from, with extras such as `[server]`, unless it has this package."""
        name = project_name(folder)
        if name == ADAPTER:
            return
        self.local.append(f"{folder.resolve()}{extras}")
        if name and extras:
            self.named.add(f"{name}{extras}")


def parse_requirement(text: str, source: str) -> Requirement:
    """Return a requirement; raise PackagingError if it is none."""
    try:
        return Requirement(text.strip())
    except InvalidRequirement as error:
        raise PackagingError(f"{source} has {text.strip()!r}, which is no requirement: {error}") from None


def read_toml(file: Path) -> dict[str, Any]:
    """Return a document in TOML; raise PackagingError if it is not valid."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PackagingError(f"{file} cannot be read: {error}") from None


def read_project(folder: Path) -> dict[str, Any]:
    """Return pyproject.toml; empty if there is none."""
    file = folder / "pyproject.toml"
    return read_toml(file) if file.is_file() else {}


def project_name(folder: Path) -> str:
    """Return the name of the project in a folder, normalized; empty if it has none."""
    return canonicalize_name(str(read_project(folder).get("project", {}).get("name", "")))


def direct_requirements(project: dict[str, Any]) -> set[str]:
    """Return what pyproject.toml requires but for this package, in Poetry's table as well."""
    texts: Iterable[str] = project.get("project", {}).get("dependencies", [])
    requirements = [parse_requirement(text, "pyproject.toml") for text in texts]
    extras_of = [(each.name, each.extras) for each in requirements]
    for name, constraint in project.get("tool", {}).get("poetry", {}).get("dependencies", {}).items():
        if name != "python":
            extras_of.append((name, set(constraint.get("extras", ())) if isinstance(constraint, dict) else set()))
    return {name_with_extras(name, extras) for name, extras in extras_of if canonicalize_name(name) != ADAPTER}


def name_with_extras(name: str, extras: Iterable[str]) -> str:
    """Return a requirement of any version, such as `fastapi[standard]`, with a normalized name."""
    listed = ",".join(sorted(extras))
    return f"{canonicalize_name(name)}[{listed}]" if listed else canonicalize_name(name)
