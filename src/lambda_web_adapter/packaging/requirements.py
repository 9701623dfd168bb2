"""What a project requires, from the first of: uv.lock, pylock.toml, poetry.lock, requirements.txt, pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lambda_web_adapter.packaging.packaging_error import PackagingError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from typing import Any

    from lambda_web_adapter.packaging.target import Target

ADAPTER = "lambda-web-adapter"
_HASH = re.compile(r" --hash=(\S+)")


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
        files: the requirements files that have been read.
        adapter: the project's own requirement of this package, without its version if it has none.
    """

    source: str = ""
    lines: list[str] = field(default_factory=list)
    local: list[str] = field(default_factory=list)
    direct: set[str] | None = None
    named: set[str] = field(default_factory=set)
    is_complete: bool = False
    files: set[Path] = field(default_factory=set)
    adapter: Requirement = field(default_factory=lambda: Requirement(ADAPTER))

    @property
    def has_hashes(self) -> bool:
        """Return whether a hash is required of a requirement, and so of each."""
        return any("--hash" in line for line in self.lines)

    def add(self, text: str, where: str = "") -> None:
        """Add a requirement with its hashes; that of this package is kept apart, since the package has its own copy.

        Args:
            text: the requirement, and its options `--hash`.
            where: the place of it, for messages.

        Raises:
            PackagingError: it is none, or names a file that is not there.
        """
        requirement = parse_requirement(text.partition(" --hash")[0], where or self.source)
        if canonicalize_name(requirement.name) == ADAPTER:
            self.adapter = requirement
            return
        if requirement.url and requirement.url.startswith("file:") and not _path_of(requirement.url).exists():
            raise PackagingError(
                f"{where or self.source} names {requirement.url}, which is not there. "
                f"Name a version instead, such as {requirement.name}==1.0."
            )
        self.named.add(name_with_extras(requirement.name, requirement.extras))
        if requirement.url and not requirement.url.partition("#")[0].endswith(".whl"):
            self.local.append(with_hash(text.partition(" --hash")[0], _HASH.findall(text)))
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

    def add_folder_of_lock(self, folder: Path, project: Path) -> None:
        """Add a folder that a lock names, unless it is the project itself, whose files are copied.

        Raises:
            PackagingError: there is no such folder.
        """
        if folder.resolve() == project.resolve():
            return
        if not folder.is_dir():
            raise PackagingError(f"{self.source} names the folder {folder.resolve()}, which is not there.")
        self.add_folder(folder)

    def add_file(self, name: str, file: Path, hashes: Iterable[str], fragment: str = "") -> None:
        """Add a wheel, or a source archive to build one from.

        Raises:
            PackagingError: there is no such file.
        """
        if not file.is_file():
            raise PackagingError(f"{self.source} names {file.resolve()} for {name}, which is not there.")
        self.add(pinned(f"{name} @ {file.resolve().as_uri()}{fragment}", hashes))

    def add_index(self, url: str) -> None:
        """Add a package index besides the one that the installer asks."""
        self._add_option(f"--extra-index-url {url}")

    def add_links(self, folder: Path) -> None:
        """Add a folder that has wheels."""
        self._add_option(f"-f {folder.resolve()}")

    def _add_option(self, line: str) -> None:
        if line not in self.lines:
            self.lines.append(line)


def _path_of(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path))


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
    document = read_project(folder)
    poetry = document.get("tool", {}).get("poetry", {})
    return canonicalize_name(str(document.get("project", {}).get("name") or poetry.get("name", "")))


def direct_requirements(document: dict[str, Any], target: Target) -> set[str]:
    """Return what `[project]` of pyproject.toml requires on the target but for this package."""
    texts: Iterable[str] = document.get("project", {}).get("dependencies", [])
    requirements = [parse_requirement(text, "pyproject.toml") for text in texts]
    return {
        name_with_extras(each.name, each.extras)
        for each in requirements
        if canonicalize_name(each.name) != ADAPTER and target.matches(each.marker, "pyproject.toml")
    }


def check_locked(direct: set[str], locked: Container[str], lock: Path, project: Path, command: str) -> None:
    """Raise PackagingError if a lock lacks what the project requires, which has changed since.

    Args:
        direct: what the project requires, as `name_with_extras` has it.
        locked: the names in the lock.
        lock: the lock.
        project: the project's folder.
        command: what writes the lock.
    """
    names = {each.partition("[")[0] for each in direct} - {project_name(project)}
    if missing := sorted(name for name in names if name not in locked):
        raise PackagingError(f"{lock} has no {', '.join(missing)}, which the project requires. Run `{command}`.")


def pinned(requirement: str, hashes: Iterable[str]) -> str:
    """Return a requirement with hashes, such as `sha256:…`."""
    return " ".join([requirement, *(f"--hash={each}" for each in hashes)])


def with_hash(place: str, hashes: Sequence[str]) -> str:
    """Return a URL with its hash, which uv and pip check before a build; as it is if there are none or several."""
    if len(hashes) != 1:
        return place
    return f"{place}{'&' if '#' in place else '#'}{hashes[0].replace(':', '=')}"


def name_with_extras(name: str, extras: Iterable[str]) -> str:
    """Return a requirement of any version, such as `fastapi[standard]`, with a normalized name."""
    listed = ",".join(sorted(extras))
    return f"{canonicalize_name(name)}[{listed}]" if listed else canonicalize_name(name)
