"""What an expression in a source is worth, as far as that can be seen without running it: constants, texts, names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast


@dataclass(frozen=True, slots=True)
class Text:
    """A string or a path, of which at least the beginning is known.

    Attributes:
        text: the text, or its beginning.
        is_whole: whether that is all of it.
        is_sure: whether it begins so for sure: an absolute path that is joined to another one replaces it.
        is_path: whether it is a `pathlib.Path`.
    """

    text: str
    is_whole: bool = True
    is_sure: bool = True
    is_path: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a boolean, bytes or None."""

    value: object


@dataclass(frozen=True, slots=True)
class Name:
    """Something that is imported or built in, or what it returns: `requests.Session` or `requests.Session().get`."""

    name: str


@dataclass(frozen=True, slots=True)
class Present:
    """A string that is not empty, such as that of a variable that Lambda sets."""


@dataclass(frozen=True, slots=True)
class Items:
    """A tuple or a list."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A dictionary; only the keys that are strings."""

    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the module itself."""

    node: ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Instance:
    """A class of the module itself, or an object of it, with what its body assigns."""

    values: Mapping[str, Value]


# None stands for what cannot be seen.
Value = Text | Constant | Name | Present | Items | Dictionary | Function | Instance | None


@dataclass(slots=True)
class Scope:
    """The names of a module, a class or a function, as they are at one moment.

    Attributes:
        names: what they are worth.
        parent: where other names are looked up; None for a module.
    """

    names: dict[str, Value] = field(default_factory=dict)
    parent: Scope | None = None

    def has(self, name: str) -> bool:
        """Return whether a name is assigned in the scope or around it."""
        return name in self.names or (self.parent is not None and self.parent.has(name))

    def value(self, name: str) -> Value:
        """Return what a name is worth."""
        if name in self.names or self.parent is None:
            return self.names.get(name)
        return self.parent.value(name)

    def merge(self, *branches: dict[str, Value]) -> None:
        """Continue with what holds after each of several branches, one of which was run."""
        names = dict.fromkeys(name for branch in branches for name in branch)
        first, *others = branches
        self.names = {
            name: first.get(name) if all(branch.get(name) == first.get(name) for branch in others) else None
            for name in names
        }


def truth(value: Value) -> bool | None:
    """Return whether a value counts as true; None if that cannot be seen."""
    match value:
        case Constant(value=constant):
            return bool(constant)
        case Text(is_path=True) | Present() | Function():
            return True
        case Text(text=text, is_whole=is_whole):
            return bool(text) if is_whole or text else None
        case Items(values=values):
            return bool(values)
    return None


def plain(value: Value) -> object:
    """Return a constant or a whole string as Python has it; None for all others."""
    match value:
        case Constant(value=constant):
            return constant
        case Text(text=text, is_whole=True):
            return text
    return None


def beginning(value: Value) -> Text | None:
    """Return a text; None for all others."""
    return value if isinstance(value, Text) else None
