"""The app's own modules: which of them a start imports, and what they meet when they run in a function."""

from __future__ import annotations

import ast
import posixpath
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.source_imports import Reach, find_reach
from lambda_web_adapter.doctor.source_paths import Surroundings
from lambda_web_adapter.doctor.source_walk import read_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lambda_web_adapter.doctor.source_calls import Source
    from lambda_web_adapter.doctor.subject import Subject

_CHANGES_OF_FOLDER = ("os.chdir", "contextlib.chdir", ".chdir")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceError:
    """A module that cannot be parsed.

    Attributes:
        path: where it is in the artifact.
        line: the line with the error.
        text: what is wrong with it.
        is_sure: whether each start imports the module, by a Python that is known.
    """

    path: str
    line: int
    text: str
    is_sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """The modules of an app that its start may import.

    Attributes:
        sources: those that are parsed.
        errors: the others.
    """

    sources: Sequence[Source]
    errors: Sequence[SourceError]


def read_modules(subject: Subject) -> Modules:
    """Return the app's own modules, without tests, and without those that nothing imports."""
    reach = find_reach(subject)
    return Modules(sources=_sources(subject, reach), errors=_errors(subject, reach))


def _sources(subject: Subject, reach: Mapping[str, Reach]) -> list[Source]:
    place = _Place(subject)
    trees = {path: tree for path in reach if (tree := subject.trees.get(path))}
    used = {path: _used_names(tree) for path, tree in trees.items()}
    surroundings = Surroundings(folder=place.folder, variables=place.variables, exists=place.exists)
    users: dict[str, set[str]] = {}
    for path, names in used.items():
        for name in names:
            users.setdefault(name, set()).add(path)

    def read(path: str, base: Surroundings) -> Iterator[Source]:
        names = frozenset(name for name, paths in users.items() if paths != {path})
        is_started = reach[path] is Reach.SURE
        file = place.path_in_function(path)
        # Nobody has written a source that is nested so deeply.
        with suppress(RecursionError):
            yield read_source(path, trees[path], replace(base, file=file, used_names=names, is_started=is_started))

    movers = [source for path in trees if "chdir" in used[path] for source in read(path, surroundings)]
    if any(map(_changes_folder, movers)):
        surroundings = replace(surroundings, changes_folder=True)
    return [source for path in trees for source in read(path, surroundings)]


def _errors(subject: Subject, reach: Mapping[str, Reach]) -> list[SourceError]:
    if subject.target.python > sys.version_info[:2]:
        return []  # it may parse what this Python cannot
    is_known = not subject.target.is_python_guessed  # else it may be a newer one as well
    return [
        SourceError(path=path, line=error.lineno or 0, text=error.msg, is_sure=is_known and reach[path] is Reach.SURE)
        for path, error in subject.trees.errors.items()
        if path in reach
    ]


def _changes_folder(source: Source) -> bool:
    """Return whether a module may leave the folder of the code, or one in which nothing can be written either."""
    return any(
        call.name in _CHANGES_OF_FOLDER and not source.surroundings.is_outside(call.argument(0, "path"))
        for call in source.calls
    )


def _used_names(tree: ast.Module) -> set[str]:
    """Return the names that a module takes from others: imported ones, and attributes."""
    names = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
    return names


class _Place:
    """Where an artifact is in a function, and what is there."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        image = subject.artifact.image
        self.folder = posixpath.join("/", image.folder) if image else "/var/task"
        self.variables: dict[str, str | None] = dict(image.environ) if image else {}
        if len(subject.functions) == 1:
            self.variables.update(subject.functions[0].environ)

    def path_in_function(self, path: str) -> str:
        """Return the path that a file of the artifact has there."""
        return f"{self._subject.path_in_function}{path}"

    def exists(self, path: str) -> bool | None:
        """Return whether there is a file or a folder; None if it may come from elsewhere."""
        if not path.startswith(self._subject.path_in_function):
            return None
        is_there = path.removeprefix(self._subject.path_in_function) in self._all_paths
        # What a build makes of a project may have more.
        return True if is_there else None if self._subject.is_project else False

    @cached_property
    def _all_paths(self) -> set[str]:
        paths = {"", "/"} | set(self._subject.deployed) | {path.rstrip("/") for path in self._subject.artifact.folders}
        for path in list(paths):
            while (path := posixpath.dirname(path)) not in paths:
                paths.add(path)
        return paths
