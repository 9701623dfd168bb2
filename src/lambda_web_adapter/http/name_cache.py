"""A bounded cache of what a function returns for names in requests and responses.

Clients and apps can make up names, any number and of any length, so both are limited. The first entries stay: they are
the names that the app and its gateway use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Name = TypeVar("Name", str, bytes)
    Value = TypeVar("Value")

_ENTRIES = 1000  # more names than any app and its gateway have
LONGEST = 128  # characters; longer than any registered header name, and than nearly all media types


class NameCache(dict["Name", "Value"]):
    """A cache of a function's results by name; `cache[name]` is as fast as in a dict once the name is cached."""

    __slots__ = ("_compute",)
    _compute: Callable[[Name], Value]

    def __init__(self, compute: Callable[[Name], Value]) -> None:
        """Create an empty cache of the results of `compute`, which may raise."""
        super().__init__()
        self._compute = compute

    def __missing__(self, name: Name) -> Value:
        """Return the function's result for a new name, and keep it if there is room."""
        value: Value = self._compute(name)
        if len(self) < _ENTRIES and len(name) <= LONGEST:
            self[name] = value
        return value
