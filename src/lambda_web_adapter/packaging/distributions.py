"""The installed distributions, what each requires on the target, and which of them only a laptop needs."""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lambda_web_adapter.packaging.requirements import ADAPTER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Set
    from pathlib import Path

    from lambda_web_adapter.packaging.contents import Contents
    from lambda_web_adapter.packaging.target import Target

# What adapter and app import on Lambda (docs/dependencies.md); the rest of the requirements are the local run's.
_RUNTIME = frozenset({"httptools", "orjson", "pybase64", "uvloop"})
# Of these, what a WSGI app does without: adapter and app look whether it is there.
_OF_ASGI = frozenset({"uvloop"})
# How pip's RECORD begins for programs and data of a wheel. With `--target` it installs to `lib/python/`, and then moves
# that, `bin/` and the rest to the same folder.
_ABOVE_LIBRARIES = "../../"
# The name and the extras that a requirement begins with.
_NAME = re.compile(r"\s*[\w.-]+\s*(\[[^\]]*\])?")
# Modules of this package that apps may import, and what they need.
_NEEDED_BY_MODULES = {"lambda_web_adapter.models": "pydantic"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """An installed distribution.

    Attributes:
        name: its normalized name.
        version: its version.
        site: the folder that it is installed to.
        files: its files as its RECORD has them, relative to that folder.
        requirements: what it requires, with markers.
    """

    name: str
    version: str
    site: Path
    files: tuple[str, ...]
    requirements: tuple[Requirement, ...]

    @property
    def modules(self) -> set[str]:
        """Return its top-level modules and packages."""
        tops = {file.partition("/")[0] for file in self.files if file.endswith((".py", ".so"))}
        return {top.partition(".")[0] for top in tops if not top.endswith(".dist-info")}


def read_distributions(sites: Iterable[Path]) -> dict[str, Distribution]:
    """Return what is installed in folders by name."""
    return {
        name: Distribution(
            name=name,
            version=each.version,
            site=site,
            files=tuple(str(file).removeprefix(_ABOVE_LIBRARIES) for file in each.files or ()),
            requirements=tuple(filter(None, map(_parse, each.requires or ()))),
        )
        for site in sites
        for each in metadata.distributions(path=[str(site)])
        if (name := canonicalize_name(each.name))
    }


def _parse(text: str) -> Requirement | None:
    """Return a requirement in metadata; without a version that is older than PEP 440, such as `>dev`."""
    name, marker = _NAME.match(text), text.partition(";")[2]
    without_version = f"{name[0] if name else ''}{f' ; {marker}' if marker else ''}"
    for each in (text, without_version):
        with suppress(InvalidRequirement):
            return Requirement(each)
    return None


def adapter_requirements(extras: set[str], target: Target) -> tuple[list[Requirement], list[Requirement]]:
    """Return what this package requires on the target: on Lambda, and only on a laptop."""
    on_lambda: list[Requirement] = []
    on_laptop: list[Requirement] = []
    for text in metadata.requires(ADAPTER) or ():
        requirement = Requirement(text)
        if _is_required(requirement, extras, target):
            is_extra = "extra" in str(requirement.marker)
            requirement.marker = None
            is_on_lambda = is_extra or canonicalize_name(requirement.name) in _RUNTIME
            (on_lambda if is_on_lambda else on_laptop).append(requirement)
    return on_lambda, on_laptop


def closure(
    requirements: Iterable[Requirement], installed: Mapping[str, Distribution], target: Target
) -> dict[str, Requirement]:
    """Return all that requirements need on the target, each with the first requirement of it.

    What is not installed is in it as well.
    """
    needed: dict[str, Requirement] = {}
    waiting, extras_of = list(requirements), dict[str, set[str]]()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        is_new = name not in needed
        needed.setdefault(name, requirement)
        extras = extras_of.setdefault(name, set())
        if (is_new or requirement.extras - extras) and name in installed:
            extras |= requirement.extras
            waiting += [each for each in installed[name].requirements if _is_required(each, extras, target)]
    return needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Unneeded:
    """The names of what the app does not need by itself.

    Attributes:
        laptop: what only the local run needs.
        asgi: what only ASGI apps need.
    """

    laptop: frozenset[str]
    asgi: frozenset[str]


def find_unneeded(
    installed: Mapping[str, Distribution],
    wanted: Collection[Requirement],
    named: Collection[Requirement],
    extras: set[str],
    target: Target,
) -> Unneeded:
    """Return what the adapter alone requires, and not always.

    Args:
        installed: what is installed.
        wanted: what the app requires or imports; it stays, with all that it needs.
        named: what its file of requirements names: what is no candidate stays with what its extras need.
        extras: the extras of this package.
        target: what the package is for.
    """

    def only_for(candidates: Set[str], adapter: Iterable[Requirement]) -> frozenset[str]:
        others = [Requirement(name) for name in present if name not in candidates and name != ADAPTER]
        others += [each for each in named if canonicalize_name(each.name) not in candidates]
        needed = closure([*others, *adapter, *wanted], installed, target)
        return frozenset(candidates - needed.keys())

    present = set(installed)
    on_lambda, on_laptop = adapter_requirements(extras, target)
    laptop = only_for(closure(on_laptop, installed, target).keys() & present, on_lambda)
    present -= laptop
    of_wsgi = [each for each in on_lambda if canonicalize_name(each.name) not in _OF_ASGI]
    return Unneeded(laptop=laptop, asgi=only_for(_OF_ASGI & present, of_wsgi))


def imported_modules(contents: Contents) -> set[str]:
    """Return the full names of what the sources of an app import, also within functions."""
    names: set[str] = set()
    for path, item in contents.items.items():
        if path.endswith(".py"):
            try:
                tree = ast.parse(item.read())
            except (SyntaxError, ValueError):
                continue  # not for this Python: the app's start shows whether it matters
            names.update(_imports(tree))
    return names


def distributions_of(modules: set[str], installed: Mapping[str, Distribution]) -> set[str]:
    """Return the names of the distributions that have modules, or without which a module of this package fails."""
    tops = {name.partition(".")[0] for name in modules}
    names = {name for name, each in installed.items() if each.modules & tops}
    for module, needed in _NEEDED_BY_MODULES.items():
        if any(name == module or name.startswith(f"{module}.") for name in modules):
            names.add(needed)
    return names


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_required(requirement: Requirement, extras: set[str], target: Target) -> bool:
    """Return whether a requirement counts on the target, for one of the extras or without any."""
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({**target.marker_environment, "extra": each}) for each in ("", *extras))
