"""What was found out about names that come with traffic: each is looked at once, as long as few and short ones come.

Clients and apps can make names up, any number of them and of any length, so that a cache has a bound in both. The first
to come stay: those that an app and its gateway use.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Name = TypeVar("Name", str, bytes)
    Found = TypeVar("Found")

_ENTRIES = 1000  # more names than any app and its gateway have
LONGEST = 128  # characters; longer than any registered header name, and than nearly all media types


class NameCache(dict["Name", "Found"]):
    """A cache that is asked by `cache[name]`, which costs what a dict does; what it does not keep is looked at."""

    __slots__ = ("_look",)
    _look: Callable[[Name], Found]

    def __init__(self, look: Callable[[Name], Found]) -> None:
        """Begin empty; `look` is what is found out about a name, and may raise."""
        super().__init__()
        self._look = look

    def __missing__(self, name: Name) -> Found:
        """Look at a name, and keep what was found if there is room."""
        found: Found = self._look(name)
        if len(self) < _ENTRIES and len(name) <= LONGEST:
            self[name] = found
        return found
