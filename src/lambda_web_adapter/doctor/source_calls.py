"""The calls in a module's source: what is called, with which values, and whether an import runs them for sure."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_web_adapter.doctor.source_values import truth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_web_adapter.doctor.source_paths import Surroundings
    from lambda_web_adapter.doctor.source_values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """When a statement runs.

    Attributes:
        at_import: whether it is no part of a function.
        is_certain: whether it runs whenever what it is in does.
        caught: the errors that are caught around it, by name; `BaseException` for all.
        is_startup: whether it is in a function that runs when the app starts.
    """

    at_import: bool = True
    is_certain: bool = True
    caught: frozenset[str] = frozenset()
    is_startup: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCall:
    """A call in a source.

    Attributes:
        name: the full name of what is called, such as `multiprocessing.Queue` or `requests.Session().get`; for a
            method of a string, a path or what nobody knows, its name after a dot: `.write_text`.
        owner: what a method is called on.
        arguments: the positional arguments, up to one that stands for several.
        keywords: the named ones.
        is_open: whether there are arguments that cannot be seen, by `*` or `**`.
        node: the call.
        context: when it runs.
    """

    name: str
    owner: Value
    arguments: Sequence[Value]
    keywords: Mapping[str, Value]
    is_open: bool
    node: ast.Call
    context: Context

    @property
    def line(self) -> int:
        """Return the line."""
        return self.node.lineno

    @property
    def shown(self) -> str:
        """Return what is called, as the source has it."""
        return f"{ast.unparse(self.node.func)}()"

    def argument(self, position: int, name: str) -> Value:
        """Return an argument by its name, or its position from 0; None if there is none."""
        if name in self.keywords or not 0 <= position < len(self.arguments):
            return self.keywords.get(name)
        return self.arguments[position]

    def is_true(self, name: str) -> bool:
        """Return whether a named argument is true for sure."""
        return truth(self.keywords.get(name)) is True

    def catches(self, *errors: str) -> bool:
        """Return whether one of several errors is caught around it."""
        return bool(self.context.caught & {"BaseException", "Exception", *errors})


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A name, an attribute or a key in a source, with the value that it gets.

    Attributes:
        name: the name, attribute or key.
        value: the value.
        line: the line.
    """

    name: str
    value: Value
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A module, and what can be seen of it without running it.

    Attributes:
        path: where it is in the artifact.
        surroundings: what it meets when it runs.
        names: what its own names are worth after its import.
        calls: its calls, but for those that no function runs: of scripts, of commands, and for type checkers.
        assignments: what it assigns to names, attributes and keys, in the same places.
    """

    path: str
    surroundings: Surroundings
    names: Mapping[str, Value]
    calls: Sequence[SourceCall]
    assignments: Sequence[Assignment]

    def is_sure_at_import(self, call: SourceCall) -> bool:
        """Return whether each start of the app runs a call in its imports."""
        return self.surroundings.is_started and call.context.at_import and call.context.is_certain
